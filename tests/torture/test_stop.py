"""The hub is stopped under load, again and again; older indexes and logs are read (P20)."""

import os
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from laneway.base.settings import resolve
from laneway.hub.hub import Hub as InProcessHub
from laneway.store.api import Query
from laneway.store.sqlite import schema
from tests.torture.conftest import Report
from tests.torture.harness import Hub, Writer, wait_while_it_moves

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
STOPS = 50 if IS_LONG else 4
WRITERS = 4
RATE = 500 if IS_LONG else 200


def test_a_hub_stopped_under_load_ends_and_loses_nothing(
    tmp_path: Path, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.start()
    http = {**hub.env, "LOGGING_URL": f"{hub.url}/log"}
    writers = [
        Writer(f"w{n}", http if n % 2 else hub.env, 10**9, 20_000, seed + n, RATE)
        for n in range(WRITERS)
    ]
    slowest_s = 0.0
    try:
        for _ in range(STOPS):
            time.sleep(draw.uniform(0.05, 0.6))
            begun_s = time.monotonic()
            assert hub.stop() == 0
            slowest_s = max(slowest_s, time.monotonic() - begun_s)
            hub.start()
        for writer in writers:
            writer.kill()
            writer.join()
        import laneway

        laneway.configure(logging_url=f"{hub.url}/log", home=str(hub.home))
        laneway.log_event("last", "end")
        wait_while_it_moves(
            lambda: laneway.flush(1), lambda: laneway.stats()["spool_bytes"], "the spool"
        )
        hub.wait_level()
        found = Counter((event["agent"], event["i"]) for event in hub.iter_events("&event=log"))
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
        hub.stop()
    acknowledged = {(writer.name, i) for writer in writers for i in writer.acknowledged}
    lost, twice = acknowledged - set(found), [key for key in found if found[key] > 1]
    report(
        "stop", stops=STOPS, acknowledged=len(acknowledged), lost=len(lost), twice=len(twice),
        slowest_s=round(slowest_s, 2),
    )  # fmt: skip
    assert not lost
    assert not twice


def contents() -> list[tuple[str, str, str]]:
    """Agent, event and content of all that the index of LOG_PATH finds, oldest first."""
    hub = InProcessHub(resolve(), in_process=True)
    try:
        assert hub.follower.wait_level(180)
        lines, *_ = hub.archive.page(Query(newest_first=False, limit=1_000))
        events = map(orjson.loads, lines)
        return [(event["agent"], event["event"], event.get("content", "")) for event in events]
    finally:
        hub.close()


def test_an_index_of_another_layout_is_built_anew_with_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_PATH", str(tmp_path / "log"))
    (tmp_path / "log").mkdir()
    older_log(tmp_path / "log")
    before = contents()
    databases = list((tmp_path / "log" / ".index").glob("*.db"))
    assert databases
    for path in databases:
        with sqlite3.connect(path) as connection:
            connection.execute(f"PRAGMA user_version = {schema.VERSION - 1}")
            connection.execute("DROP TABLE block")
        connection.close()
    assert contents() == before


FOUNDING = (  # as the founding document's writer leaves them: local time, no id, keys in any order
    b'{"timestamp": "2026-01-05T10:00:00.000001", "agent": "planner", "event": "user_message",'
    b' "content": "hi"}\n'
    b'{"agent": "planner", "event": "tool_invocation", "timestamp": "2026-01-05T10:00:01+00:00",'
    b' "tool": "rg"}\n'
)
FIRST_RELEASE = (  # version 0.1.0, schema 1
    b'{"timestamp":"2026-11-26T19:00:00.000001Z","agent":"writer","event":"log","content":"one",'
    b'"id":"01920000-0000-7000-8000-000000000001","host":"h","pid":7}\n'
    b'{"timestamp":"2026-11-26T19:00:00.000002Z","agent":"writer","event":"log","content":"two",'
    b'"id":"01920000-0000-7000-8000-000000000002","host":"h","pid":7}\n\n'
)


def older_log(log: Path) -> None:
    (log / "observability.jsonl").write_bytes(FOUNDING)
    (log / "events-000001.jsonl").write_bytes(FIRST_RELEASE)
    (log / "events-000002.jsonl").write_bytes(b"")


def test_logs_of_the_founding_document_and_of_the_first_release_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_PATH", str(tmp_path / "log"))
    (tmp_path / "log").mkdir()
    older_log(tmp_path / "log")
    assert contents() == [
        ("planner", "user_message", "hi"),
        ("planner", "tool_invocation", ""),
        ("writer", "log", "one"),
        ("writer", "log", "two"),
    ]
