from typing import Any

import orjson
import pytest

from laneway.base.errors import BodyError, Problem
from laneway.hub.line import LineReader
from laneway.hub.metric import Metric
from laneway.hub.pipeline import BATCH_EVENTS, RECENT_LINES, Intake, Recent
from laneway.model.redact import Redactor

from .event import event

SECRET = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


@pytest.fixture
def metric() -> Metric:
    return Metric()


@pytest.fixture
def recent() -> Recent:
    return Recent()


@pytest.fixture
def intake(metric: Metric, recent: Recent) -> Intake:
    return Intake(Redactor(), metric, recent)


def test_events_come_out_as_lines_in_normal_form(intake: Intake) -> None:
    taken = intake.take(
        [{"agent": "a", "event": "log", "timestamp": 0}, {"agent": 7, "event": "x"}]
    )
    first, second = map(orjson.loads, taken.lines)
    assert first["timestamp"] == "1970-01-01T00:00:00.000000Z"
    assert second["agent"] == "7"
    assert second["id"]
    assert not any(b"\n" in line for line in taken.lines)


def test_one_bad_event_does_not_harm_the_others(intake: Intake, metric: Metric) -> None:
    items: list[Any] = [
        event(1),
        event(2, timestamp="yesterday", agent=""),
        Problem("", "bad"),
        event(3),
    ]
    taken = intake.take(items)
    assert len(taken.lines) == 2
    assert taken.rejected_count == 2
    reasons = {(r.place, r.field): r.message for r in taken.rejections}
    assert sorted(reasons) == [(1, "agent"), (1, "timestamp"), (2, "")]
    assert '"yesterday" is not ISO 8601' in reasons[1, "timestamp"]
    assert metric.rejected.values == {("timestamp",): 1, ("agent",): 1, ("body",): 1}


def test_a_secret_never_reaches_a_line(intake: Intake) -> None:
    taken = intake.take([event(1, content=f"use {SECRET}", input={"password": "hunter2-long"})])
    assert SECRET.encode() not in taken.lines[0]
    assert b"hunter2-long" not in taken.lines[0]
    assert b"[redacted:" in taken.lines[0]


def test_a_secret_in_an_id_that_was_sent_never_reaches_a_line(intake: Intake) -> None:
    taken = intake.take([event(id=SECRET), event(id=""), event(id=None)])
    assert SECRET.encode() not in taken.lines[0]
    assert all(len(orjson.loads(line)["id"]) == 36 for line in taken.lines[1:])


def test_too_many_events_in_one_request_are_refused(intake: Intake) -> None:
    with pytest.raises(BodyError) as caught:
        intake.take(Problem("", "x") for _ in range(BATCH_EVENTS + 1))
    assert caught.value.status == 413


def test_what_is_known_of_a_line_is_what_reading_it_would_give(
    intake: Intake, recent: Recent
) -> None:
    values = [1, 2.5, True, None, "ü\u2028", [1, [2]], {"k": {"l": []}}, 2**53 + 1, -0.0]
    (line,) = intake.take([event(1, extra=values, duration_ms="12", level="WARN")]).lines
    reader = LineReader(Redactor(), recent)
    known = reader.read_new(line, "f", 0, 0)
    assert recent.pop(line) is None
    assert known == reader.read_new(line, "f", 0, 0)


def test_a_redacted_event_is_not_kept_beside_its_line(intake: Intake, recent: Recent) -> None:
    (line,) = intake.take([event(1, content=f"use {SECRET}")]).lines
    assert recent.pop(line) is None


def test_known_lines_are_bounded(intake: Intake, recent: Recent) -> None:
    first = intake.take([event(0)]).lines[0]
    for number in range(RECENT_LINES):
        intake.take([event(number + 1)])
    assert recent.pop(first) is None
    assert len(recent._known) <= RECENT_LINES


def test_a_very_long_line_is_not_kept(intake: Intake, recent: Recent) -> None:
    (line,) = intake.take([event(1, content="x" * 1_000_000)]).lines
    assert recent.pop(line) is None
