"""Old secrets leave side files, and every reference to one leads to a whole file meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from laneway.base.errors import LogError
from laneway.hub.payload import Payloads
from laneway.hub.scrub import Scrub
from laneway.hub.scrubbing import Scrubbing, tell_interrupted
from laneway.log.compress import compress
from laneway.log.side import SideFiles
from laneway.model.cut import iter_side_files, put_back
from laneway.model.redact import Redactor, make_redactor
from tests.hub.test_scrub import SECRET, Log
from tests.torture.harness import Hub
from tests.waiting import eventually

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
SENTENCE = "The planner asks the researcher for three sources on tidal power. "
PROSE = SENTENCE * 5_000
WRITER = f"""
import laneway
prose = "{SENTENCE}" * 8_000
for i in range(12):
    text = prose[: 150_000 + i] + f"it is ACME-{{i % 5:010x}} and " + prose[:200_000]
    laneway.log_event("planner", "tool_result", output=text if i % 3 else prose, i=i,
                      rows=[{{"cell": "ACME-00000000aa", "text": "x" * 900}}] * 400 if i == 7 else [])
"""
"""Secrets within what a line keeps, past it, and in a field that is set aside as JSON."""


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path)
    rules = log.env.pop("LANEWAY_REDACT_RULES")
    env = {**log.env, "LANEWAY_SEGMENT_BYTES": "1MiB"}
    subprocess.run([sys.executable, "-c", WRITER], env=env, check=True)
    log.env["LANEWAY_REDACT_RULES"] = rules
    return log


def age(log: Log, by_s: float = 3600) -> None:
    """As after an hour, when no writer can be about to refer to a file any more."""
    for path in (log.directory / "side").rglob("*.*"):
        os.utime(path, (time.time() - by_s,) * 2)


def side_names(log: Log) -> set[str]:
    return {path.stem for path in (log.directory / "side").rglob("*.txt")}


def whole_events(log: Log) -> list[dict[str, object]]:
    """Every event with its payloads; each reference must lead to the bytes it tells."""
    side = SideFiles(str(log.directory))
    events = log.events()
    for event in events:
        for entry in event.get("side_files", []):
            data = side.read(entry["sha256"])
            assert len(data) == entry["bytes"]
            assert sha256(data).hexdigest() == entry["sha256"]
        assert put_back(event, side.read) == 0
    return events


def test_a_secret_in_a_side_file_goes_with_every_reference_to_it(log: Log) -> None:
    before = whole_events(log)
    old = side_names(log)
    assert any("/side/" in path for path in log.secrets())
    told = log.run("redact", "--scan")
    assert "acme" in told.stdout
    assert side_names(log) == old
    age(log)

    done = log.run("scrub")

    assert done.returncode == 0, done.stdout + done.stderr
    assert log.secrets() == {}
    after = whole_events(log)
    assert [event["i"] for event in after] == list(range(12))
    assert [event["id"] for event in after] == [event["id"] for event in before]
    assert after[0]["output"] == before[0]["output"]
    assert "[redacted:acme:" in after[1]["output"]
    assert len(after[1]["output"]) > 350_000
    assert after[7]["rows"][399]["cell"].startswith("[redacted:acme:")
    kept = {digest for event in log.events() for _, digest, _ in iter_side_files(event)}
    assert side_names(log) == kept
    assert log.run("scrub").stdout == "nothing to replace\n"


def test_references_in_compressed_segments_are_changed_as_well(log: Log) -> None:
    packed = compress(str(log.directory), "events-000001.jsonl")
    assert packed is not None
    age(log)

    assert log.run("scrub").returncode == 0

    assert log.run("redact", "--scan").stdout.startswith("0 events")
    done = log.run("query", "--json", "--full", "--limit", "100")
    events = json.loads(done.stdout)
    assert len(events) == 12
    assert not SECRET.search(done.stdout.encode())
    assert done.stdout.count("[redacted:acme:") >= 8


@pytest.mark.parametrize("seed", range(8 if IS_LONG else 1))
def test_killed_at_any_moment_each_reference_leads_to_a_whole_payload(log: Log, seed: int) -> None:
    draw = random.Random(seed)
    age(log)
    for _ in range(3):
        command = [sys.executable, "-m", "laneway", "scrub"]
        process = subprocess.Popen(
            command, env=log.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        marker = log.directory / ".scrubbing"
        while process.poll() is None and not marker.exists():
            time.sleep(0.005)
        time.sleep(draw.random() * 0.6)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        events = whole_events(log)
        assert [event["i"] for event in events] == list(range(12))
        assert bool(tell_interrupted(str(log.directory))) is marker.exists()
    age(log)

    done = log.run("scrub")
    assert done.returncode == 0, done.stdout + done.stderr
    assert log.secrets() == {}
    assert [event["i"] for event in whole_events(log)] == list(range(12))
    assert tell_interrupted(str(log.directory)) == ""


def test_a_file_that_a_writer_may_be_about_to_name_is_not_taken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path)
    monkeypatch.setenv("LANEWAY_REDACT_RULES", log.env["LANEWAY_REDACT_RULES"])
    log.fill(3)
    side = SideFiles(str(log.directory))
    monkeypatch.setattr("laneway.hub.scrub.ORPHAN_S", 2.0)
    begun = time.monotonic()
    digest = side.keep(b"it is ACME-0000000001 " + PROSE.encode())
    job = Scrub(log.settings)
    found = job.inspect_side()
    assert (found.events, found.first_ids) == (1, [digest])

    assert not job.clean_side(found).left

    assert time.monotonic() - begun > 1.5
    assert side_names(log) == set()


def test_a_full_disk_leaves_the_segment_and_its_files(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {path: path.read_bytes() for path in log.directory.rglob("*.*") if path.is_file()}
    job = Scrub(log.settings)
    job.begin()

    def refuse(digest: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(job._side, "_put", refuse)
    try:
        names = [name for name in job.files() if job.inspect(name).events]
        for name in names[:1]:
            assert "side file" in job.clean(job.inspect(name)).left
    finally:
        job.close()

    assert {path: path.read_bytes() for path in old} == old


def test_a_redactor_that_fails_changes_nothing_that_is_written(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Scrub(log.settings)
    monkeypatch.setattr("laneway.model.redact.walk.find_spans", lambda text: 1 / 0)

    with pytest.raises(LogError, match="redactor failed"):
        job.inspect("events-000001.jsonl")


def test_the_hub_gives_out_no_side_file_in_which_a_rule_finds_something(log: Log) -> None:
    side = SideFiles(str(log.directory))
    digests = side_names(log)
    today = Payloads(side, make_redactor(log.settings, {}))
    yesterday = Payloads(side, Redactor())
    refused = 0
    for digest in digests:
        assert yesterday.read(digest)
        if SECRET.search(side.read(digest)):
            refused += 1
            with pytest.raises(LogError, match="finds by now: acme") as caught:
                today.read(digest)
            assert caught.value.status == 404
        else:
            assert today.size(digest) == len(today.read(digest))
    assert 0 < refused < len(digests)


def test_a_running_hub_that_knows_no_such_rule_gives_out_no_old_payload_after_a_scrub(
    log: Log, tmp_path: Path
) -> None:
    """The hub began before the rule was made, has the old references indexed, and has given the
    payloads out."""
    age(log)
    hub = Hub(tmp_path / "home", log.directory)
    hub.start()
    try:
        eventually(lambda: hub.get("/health")["index"]["events"] == 12, "the index")
        old = {d: payload(hub, d) for d in side_names(log)}
        dirty = {d for d, (_, data) in old.items() if SECRET.search(data)}
        assert 0 < len(dirty) < len(old)
        assert {status for status, _ in old.values()} == {200}

        done = log.run("scrub")
        assert done.returncode == 0, done.stdout + done.stderr

        for digest, (_, data) in old.items():
            assert payload(hub, digest)[0] == (404 if digest in dirty else 200), digest
            if digest not in dirty:
                assert payload(hub, digest) == (200, data)

        def all_events() -> list[dict[str, object]]:
            events = list(hub.iter_events())
            assert not SECRET.search(json.dumps(events).encode())
            return events if len(events) == 12 else []

        events = eventually(all_events, "the rewritten segments to be indexed")
        named = {entry["sha256"] for event in events for entry in event.get("side_files", [])}
        assert named
        assert not named & dirty
        for digest in named:
            status, data = payload(hub, digest)
            assert (status, sha256(data).hexdigest()) == (200, digest)
            assert not SECRET.search(data)
    finally:
        hub.stop()


def payload(hub: Hub, digest: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    answer = httpx.get(f"{hub.url}/api/side/{digest}", headers=headers, timeout=180)
    return answer.status_code, answer.content


def test_two_scrubs_do_not_run_at_once(tmp_path: Path) -> None:
    first = Scrubbing(str(tmp_path))
    first.note(["events-000001.jsonl", "events-000002.jsonl"])
    with pytest.raises(LogError, match="another scrub runs"):
        Scrubbing(str(tmp_path))
    assert tell_interrupted(str(tmp_path)) == ""
    first.release(is_done=False)

    assert "2 files from events-000001.jsonl on" in tell_interrupted(str(tmp_path))
    second = Scrubbing(str(tmp_path))
    assert "2 files" in second.earlier
    second.release(is_done=True)
    assert tell_interrupted(str(tmp_path)) == ""


def test_doctor_and_the_next_scrub_say_that_one_was_interrupted(log: Log) -> None:
    scrubbing = Scrubbing(str(log.directory))
    scrubbing.note(["events-000003.jsonl"])
    scrubbing.release(is_done=False)

    assert "it has not gone over 1 file from events-000003.jsonl on" in log.run("doctor").stdout
    age(log)
    assert "a scrub was interrupted" in log.run("scrub").stderr
    assert "none was interrupted" in log.run("doctor").stdout
