"""From the bus to the log, without a bus."""

import json
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="the bus's client is not installed")

from nats.aio.client import Client
from nats.aio.msg import Msg

from laneway.base.settings import resolve
from laneway.hub.bus.incoming import Incoming
from laneway.hub.bus.stream import ORIGIN
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.model.redact import make_redactor
from tests.hub.bus.test_outgoing import SECRET


def message(data: bytes, origin: str) -> Msg:
    return Msg(Client(), "laneway.=.a", data=data, headers={ORIGIN: origin})


def event(**more: object) -> bytes:
    return json.dumps({"agent": "a", "event": "x", "id": "e1", **more}).encode()


@pytest.fixture
def series(tmp_path: Path) -> LogPath:
    return LogPath(str(tmp_path / "log"), "events.bus-000000.0")


@pytest.fixture
def incoming(home: Path, series: LogPath) -> Incoming:
    redactor = make_redactor(resolve({"home": home}, env={}), {})
    return Incoming("here", Intake(redactor, Metric(), None), Appender(series, shared="yes"))


def lines(series: LogPath) -> list[dict[str, object]]:
    try:
        text = Path(series.segment_path(1)).read_text()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]


def test_what_another_hub_published_is_kept_with_its_id(
    incoming: Incoming, series: LogPath
) -> None:
    assert incoming.keep([message(event(content="hello"), "there")])
    (line,) = lines(series)
    assert (line["id"], line["content"]) == ("e1", "hello")
    assert incoming.received_count == 1


def test_what_this_hub_published_is_not_kept_again(incoming: Incoming, series: LogPath) -> None:
    assert incoming.keep([message(event(), "here")])
    assert lines(series) == []


@pytest.mark.parametrize("data", [b"\xff", b"[1]", b"{}", b"[" * 100_000, b""])
def test_what_is_no_event_is_counted_and_costs_no_other(
    incoming: Incoming, series: LogPath, data: bytes
) -> None:
    assert incoming.keep([message(data, "there"), message(event(), "there")])
    assert len(lines(series)) == 1
    assert incoming.rejected_count == 1


def test_a_secret_that_another_hub_let_pass_is_redacted(
    incoming: Incoming, series: LogPath
) -> None:
    incoming.keep([message(event(content=f"the key is {SECRET}"), "there")])
    assert SECRET not in json.dumps(lines(series))


def test_nothing_is_acknowledged_while_the_log_cannot_be_written(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    redactor = make_redactor(resolve({"home": home}, env={}), {})
    nowhere = LogPath(str(tmp_path / "file" / "log"), "events.bus-000000.0")
    incoming = Incoming("here", Intake(redactor, Metric(), None), Appender(nowhere, shared="yes"))
    incoming.is_stopping = True
    assert not incoming.keep([message(event(), "there")])
    assert incoming.fault
