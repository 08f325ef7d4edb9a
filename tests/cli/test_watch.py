"""What `laneway top` reads ahead."""

from collections.abc import Iterator
from threading import Event

from laneway.cli.watch import Feed, Seen
from tests.waiting import DEADLINE_S, eventually

PAST, COMES = Seen(1, {"agent": "past"}, b""), Seen(2, {"agent": "comes"}, b"")


class SlowWatch:
    """A `Watch` over a log whose past is read when the test says so."""

    def __init__(self) -> None:
        self.may_read = Event()

    def backlog(self, count: int) -> list[Seen]:
        assert self.may_read.wait(DEADLINE_S)
        return [PAST]

    def follow(self) -> Iterator[list[Seen]]:
        yield [COMES]
        yield []


def test_it_is_behind_until_the_past_is_taken() -> None:
    watch = SlowWatch()
    with Feed(watch, 10) as feed:  # type: ignore[arg-type]
        assert [*feed.take()] == []
        assert feed.is_behind()
        watch.may_read.set()
        taken: list[Seen] = []
        eventually(lambda: taken.extend(feed.take()) or len(taken) == 2)  # type: ignore[func-returns-value]
        assert taken == [PAST, COMES]
        assert not feed.is_behind()
