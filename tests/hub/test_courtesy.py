import threading
from time import monotonic

import pytest

from laneway.hub import courtesy as courtesy_module
from laneway.hub.courtesy import Courtesy
from tests.waiting import eventually

LONG_S = 3_600.0


def well_rested(monkeypatch: pytest.MonkeyPatch) -> Courtesy:
    """One that may be waited for as long as a question takes."""
    monkeypatch.setattr(courtesy_module, "MOST_S", LONG_S)
    courtesy = Courtesy()
    courtesy._resumed_s = monotonic() - LONG_S
    return courtesy


def test_who_can_wait_goes_on_when_the_last_question_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    courtesy, told = well_rested(monkeypatch), []

    def step_aside() -> None:
        courtesy.step_aside()
        told.append("on")

    thread = threading.Thread(target=step_aside)
    with courtesy.answering():
        with courtesy.answering():
            thread.start()
            eventually(lambda: bool(told or courtesy._changed._waiters))  # type: ignore[attr-defined]
        told.append("answered")
    thread.join()
    assert told == ["answered", "on"]


def test_nobody_waits_where_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = well_rested(monkeypatch)
    courtesy.step_aside()
    with courtesy.answering():
        pass
    courtesy.step_aside()  # else it would be an hour


def test_a_question_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = well_rested(monkeypatch)
    monkeypatch.setattr(courtesy_module, "MOST_S", 0.01)
    with courtesy.answering():
        courtesy.step_aside()


def test_who_has_waited_just_now_works_first(monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = well_rested(monkeypatch)
    courtesy._resumed_s = monotonic() + LONG_S
    with courtesy.answering():
        courtesy.step_aside()  # no longer than it has worked: not at all


def test_a_question_that_fails_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = well_rested(monkeypatch)
    with pytest.raises(ValueError, match="no such field"), courtesy.answering():
        raise ValueError("no such field")
    courtesy.step_aside()
