"""What is due of turns, and that it is kept until it is done."""

from typing import Any

import orjson
import pytest

from laneway.hub.alert.outbox import MOST_DUE, NEWS_NS, Due, Outbox

NOW_NS = 10 * NEWS_NS


def due(name: str = "n1", *receivers: str, at_ns: int = NOW_NS) -> Due:
    return Due(name, at_ns, [b'{"id":"e"}\n'], b'{"text":"t"}', set(receivers))


def again(outbox: Outbox, *receivers: str, now_ns: int = NOW_NS) -> Outbox:
    """After a restart of a hub that has these receivers."""
    fresh = Outbox()
    fresh.load(orjson.loads(orjson.dumps(outbox.to_json())), receivers, now_ns)
    return fresh


def test_a_turn_is_due_until_its_line_is_written_and_every_receiver_told() -> None:
    outbox = Outbox()
    outbox.add(due("n1", "a", "b"))
    (one,) = again(outbox, "a", "b")
    assert (one.lines, one.body, one.receivers) == ([b'{"id":"e"}\n'], b'{"text":"t"}', {"a", "b"})

    outbox.note_written(next(iter(outbox)))
    outbox.note_told("n1", "a")
    (one,) = again(outbox, "a", "b")
    assert (one.lines, one.receivers, one.is_queued) == ([], {"b"}, False)

    outbox.note_told("n1", "b")
    outbox.note_told("n1", "b")
    assert len(outbox) == len(again(outbox, "a", "b")) == 0


def test_without_receivers_it_is_due_for_the_log_alone() -> None:
    outbox = Outbox()
    outbox.add(due())
    outbox.note_written(next(iter(outbox)))
    assert len(outbox) == 0


def test_who_is_no_receiver_any_more_is_not_told() -> None:
    outbox = Outbox()
    outbox.add(due("n1", "a", "b"))
    (one,) = again(outbox, "b", "c")
    assert one.receivers == {"b"}
    outbox.note_written(next(iter(outbox)))
    assert len(again(outbox, "c")) == 0


def test_what_is_old_goes_into_the_log_and_to_nobody() -> None:
    outbox = Outbox()
    outbox.add(due("n1", "a", at_ns=NOW_NS - NEWS_NS))
    (one,) = again(outbox, "a")
    assert (bool(one.lines), one.receivers) == (True, set())


def test_the_oldest_of_too_many_are_given_up_and_counted() -> None:
    outbox = Outbox()
    for n in range(MOST_DUE + 3):
        outbox.add(due(f"n{n}"))
    assert (len(outbox), outbox.lost, next(iter(outbox)).id) == (MOST_DUE, 3, "n3")


@pytest.mark.parametrize(
    "told", [None, 5, "x", {}, [None], [{}], [{"id": 1}], [{"id": "a", "at_ns": "x"}],
             [{"id": "a", "at_ns": 1, "lines": 4, "body": "", "receivers": []}],
             [{"id": "a", "at_ns": 1, "lines": [], "body": 4, "receivers": []}]],
)  # fmt: skip
def test_what_is_of_another_form_is_passed_over(told: Any) -> None:
    outbox = Outbox()
    outbox.load([*told, due("good", "a").to_json()] if isinstance(told, list) else told, {"a"}, 0)
    assert [one.id for one in outbox] == (["good"] if isinstance(told, list) else [])
