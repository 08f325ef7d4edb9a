"""Large payloads on their way from `log_event` to the log or the hub."""

import json
import os
import time
from pathlib import Path

import pytest

import laneway
from laneway import log_event
from laneway.log.side import SideFiles
from laneway.model.cut import put_back
from laneway.sdk.recorder import shared
from tests.sdk.conftest import Events
from tests.sdk.hub_stub import running

TEXT = "The planner asked for three sources on tidal power. " * 20_000


def side_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "side").rglob("*") if path.is_file()]


def test_in_file_mode_the_payload_stands_beside_the_log(events: Events, tmp_path: Path) -> None:
    assert log_event("a", "tool_result", output=TEXT)

    (event,) = events()
    assert put_back(event, SideFiles(str(tmp_path / "log")).read) == 0
    assert event["output"] == TEXT
    assert laneway.stats()["side_files"] == 1
    assert laneway.stats()["payloads_cut"] == {}


def test_the_side_file_is_there_before_its_line(
    events: Events, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log_event("a", "log", "first")
    outbox = shared._outbox
    assert outbox
    seen: list[int] = []
    append = outbox._appender.append

    def look(lines: list[bytes]) -> None:
        seen.append(len(side_files(tmp_path / "log")))
        append(lines)

    monkeypatch.setattr(outbox._appender, "append", look)
    log_event("a", "tool_result", output=TEXT)
    assert seen == [1]


def test_a_side_directory_that_cannot_be_written_costs_the_rest_and_is_counted(
    events: Events, tmp_path: Path
) -> None:
    log_event("a", "log", "first")
    (tmp_path / "log" / "side").write_text("in the way")

    assert log_event("a", "tool_result", output=TEXT)

    assert "side_files" not in events()[1]
    stats = laneway.stats()
    assert stats["payloads_cut"] == {"side_unwritable": 1}
    assert stats["recorded"] == 2
    assert stats["faults"] == 0


def test_none_is_kept_where_the_setting_says_so(tmp_path: Path) -> None:
    laneway.configure(log_path=str(tmp_path / "log"), side_bytes=0, strict=True)
    log_event("a", "tool_result", output=TEXT)

    assert not (tmp_path / "log" / "side").exists()


def test_in_http_mode_the_hub_gets_the_whole(home: Path) -> None:
    with running() as hub:
        laneway.configure(logging_url=hub.url, token="t", strict=True)
        for n in range(3):
            log_event("a", "log", n=n)
        log_event("a", "tool_result", output=TEXT, n=3)
        rows = [{"n": n, "name": f"row {n}"} for n in range(20_000)]
        log_event("a", "tool_result", output=rows, n=4)
        log_event("a", "log", n=5)
        assert laneway.flush(180)

        assert [event["n"] for event in hub.received] == list(range(6))
        assert hub.received[3]["output"] == TEXT
        assert hub.received[4]["output"] == rows
        assert not any({"side_files", "truncated"} & event.keys() for event in hub.received)


def test_a_hub_that_takes_no_such_body_gets_the_beginning(home: Path) -> None:
    with running() as hub:
        laneway.configure(logging_url=hub.url, token="t", body_bytes=500_000, strict=True)
        log_event("a", "tool_result", output=TEXT)
        assert laneway.flush(180)

        (event,) = hub.received
        assert "[cut: " in str(event["output"])
        assert "side_files" not in event
        assert laneway.stats()["payloads_cut"] == {"side_too_large": 1}


def test_a_hub_that_answers_413_gets_the_beginning(home: Path) -> None:
    with running() as hub:
        hub.faults = [413]
        laneway.configure(logging_url=hub.url, token="t", strict=True)
        log_event("a", "tool_result", output=TEXT)
        assert laneway.flush(180)

        assert len(json.dumps(hub.received)) < 300_000
        assert laneway.stats()["payloads_cut"] == {"side_too_large": 1}


def test_a_failing_hub_gets_the_whole_later(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running() as hub:
        hub.faults = [503, "reset"]
        laneway.configure(logging_url=hub.url, token="t")
        log_event("a", "tool_result", output=TEXT)
        assert laneway.flush(180)

        assert hub.received[-1]["output"] == TEXT


def test_the_spool_lets_go_of_what_was_sent_and_keeps_what_was_not(home: Path) -> None:
    laneway.configure(logging_url="http://127.0.0.1:9/log", token="t")
    log_event("a", "tool_result", output=TEXT)
    assert shared._shipper
    spool = shared._shipper.spool
    (file,) = side_files(Path(spool.directory))
    long_ago = time.time() - 3600
    os.utime(file, (long_ago, long_ago))

    spool.sweep()
    assert file.exists()
    assert spool.backlog_bytes() > len(TEXT)

    spool.write_position(*spool.end())
    spool.sweep()
    assert not file.exists()
    assert spool.backlog_bytes() == 0
