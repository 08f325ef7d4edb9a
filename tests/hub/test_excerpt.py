"""What is sent to viewers who see a part of the events only."""

import threading
from typing import Any

import orjson
import pytest

from laneway.base.errors import HubError, StoreError
from laneway.base.limits import CLIENT_QUEUE_BYTES
from laneway.hub import ring as ring_module
from laneway.hub.audience import COME_BACK
from laneway.hub.excerpt import Past
from laneway.hub.live import Live
from laneway.hub.ring import Row, entry_of
from laneway.hub.viewer import Viewer
from laneway.store.query.parse import parse

from .event import event
from .test_live import ignore, made, row, taken

RED = parse("pod:red")
BOUNDS = {"agents": [], "pods": ["red"]}
FOREIGN = b"marine"


def own(seq: int, **fields: Any) -> Row:
    return row(seq, **{"pod": "red", "agent": f"red{seq % 3}", **fields})


def foreign(seq: int) -> Row:
    """Its mark is in every field that a frame could show."""
    names = ("agent", "event", "session_id", "tool", "content", "parent_agent")
    return row(seq, pod="blue", **dict.fromkeys(names, f"marine{seq}"))


def mixed(since: int, until: int) -> list[Row]:
    """Of three, the first is of the pod."""
    return [own(seq) if seq % 3 == 0 else foreign(seq) for seq in range(since, until)]


def nothing(until: int, count: int) -> Past:
    return Past(1, [])


def all_of(rows: list[Row]) -> Any:
    """The past of ``rows``, which begin with seq 1, as an index tells it."""

    def read(until: int, count: int) -> Past:
        found = [one for one in rows if one.seq < until and orjson.loads(one.line)["pod"] == "red"]
        kept = found[-count:]
        return Past(1 if len(kept) == len(found) else kept[0].seq, kept)

    return read


def join(live: Live, past: Any = nothing, **wanted: Any) -> Viewer:
    return live.join_excerpt(ignore, RED, BOUNDS, past, **wanted)


class Page:
    """Reads the stream as the dashboard does: keeps names, and the last seq that it heard of."""

    def __init__(self) -> None:
        self.agents: list[str] = []
        self.last = 0
        self.shown: dict[int, str] = {}
        self.missed: list[range] = []
        self.raw = b""

    def read(self, viewer: Viewer) -> "Page":
        while frame := viewer.take():
            self.raw += frame.data
            self._take(orjson.loads(frame.data))
        return self

    def _take(self, told: dict[str, Any]) -> None:
        if told["type"] == "hello":
            self.agents = [name for name, _ in told["agents"]]
            assert told["bound"] == BOUNDS
        elif told["type"] == "gap":
            self.missed.append(range(told["from"], told["to"]))
            self.last = told["to"] - 1
        elif told["type"] == "batch":
            self.agents += [name for name, _ in told.get("new", {}).get("agents", ())]
            if told["n"] and told["seq0"] > self.last + 1:
                self.missed.append(range(self.last + 1, told["seq0"]))
            for seq, agent in zip(told.get("seq", ()), told["agent"], strict=True):
                assert told["seq0"] <= seq < told["to"]
                self.shown[seq] = self.agents[agent]
            self.last = max(self.last, told.get("to", 0) - 1)


def expected(until: int, since: int = 1) -> dict[int, str]:
    return {seq: f"red{seq % 3}" for seq in range(since, until) if seq % 3 == 0}


def test_only_its_events_and_nothing_of_others_is_in_any_message() -> None:
    past, live = mixed(1, 40), made(1000)
    live.publish(past)
    live.flush()
    viewer, page = join(live, all_of(past)), Page()
    for since in range(40, 100, 7):
        live.publish(mixed(since, since + 7))
        live._flushed_at_s = 0
        live.flush()
    page.read(viewer)
    assert page.shown == expected(103)
    assert page.missed == []
    assert FOREIGN not in page.raw
    assert b"blue" not in page.raw


def test_all_who_see_the_same_get_the_same_bytes_and_others_theirs() -> None:
    live = made(1000)
    one, two, whole = join(live), join(live), live.join(ignore)
    for viewer in (one, two, whole):
        while viewer.take():
            pass
    live.publish(mixed(1, 10))
    live.flush()
    first, second, third = one.take(), two.take(), whole.take()
    assert first is not None
    assert first is second
    assert third is not None
    assert orjson.loads(third.data)["n"] == 9
    assert orjson.loads(first.data)["seq"] == [3, 6, 9]


def test_nothing_is_sent_where_only_others_were_heard() -> None:
    live = made(1000)
    viewer = join(live)
    taken(viewer)
    live.publish([foreign(seq) for seq in range(1, 50)])
    live.flush()
    assert viewer.take() is None
    live.publish([own(50)])
    live._flushed_at_s = 0
    live.flush()
    (batch,) = taken(viewer)
    assert (batch["seq0"], batch["to"], batch["seq"]) == (1, 51, [50])


def test_a_viewer_is_told_of_no_alert() -> None:
    from laneway.hub import frame as wire

    live = made(10)
    viewer = join(live)
    live.stand(wire.alerts(0, 1, 1, [{"name": "marine"}]))
    late = join(live)
    assert not any(told["type"] == "alerts" for told in [*taken(viewer), *taken(late)])


def test_an_empty_past_is_told_as_one() -> None:
    live = made(1000)
    live.publish([foreign(seq) for seq in range(1, 30)])
    hello, batch = taken(join(live))
    assert (hello["seq"], batch["seq0"], batch["to"], batch["n"]) == (29, 1, 30, 0)
    assert batch["history"]


def test_the_history_is_the_newest_of_its_own_and_older_ones_are_a_gap_before_it() -> None:
    past, live = mixed(1, 100), made(1000)
    live.publish(past)
    page = Page().read(join(live, all_of(past), history=5))
    assert page.shown == expected(100, since=85)
    assert page.missed == [range(1, 85)]
    assert page.last == 99


def test_a_viewer_that_comes_again_gets_what_it_missed() -> None:
    past, live = mixed(1, 100), made(1000)
    live.publish(past)
    page = Page().read(join(live, all_of(past), epoch="e", since=50))
    assert page.shown == expected(100, since=51)
    assert page.missed == [range(1, 51)]  # which it has from before
    again = Page().read(join(live, all_of(past), epoch="other", since=50))
    assert again.shown == expected(100)


def test_what_it_missed_beyond_memory_is_a_gap() -> None:
    past, live = mixed(1, 100), made(10)
    live.publish(past)
    told = taken(join(live, all_of(past), epoch="e", since=20))
    assert told[1] == {"type": "gap", "from": 21, "to": 72}
    assert told[2]["seq"] == [72, 75, 78, 81, 84, 87, 90, 93, 96, 99]


def test_what_comes_while_the_past_is_read_follows_it() -> None:
    past, live = mixed(1, 40), made(1000)
    live.publish(past)

    def read_slowly(until: int, count: int) -> Past:
        live.publish(mixed(40, 80))
        live._flushed_at_s = 0
        live.flush()
        return all_of(past)(until, count)

    page = Page().read(join(live, read_slowly))
    assert page.shown == expected(80)
    assert page.missed == []


def test_who_comes_while_the_past_is_read_waits_for_it_and_asks_no_more() -> None:
    past, live = mixed(1, 40), made(1000)
    live.publish(past)
    is_read, asked, joined = threading.Event(), [], list[Viewer]()

    def read(until: int, count: int) -> Past:
        asked.append(until)
        assert is_read.wait(180)
        return all_of(past)(until, count)

    threads = [threading.Thread(target=lambda: joined.append(join(live, read))) for _ in range(3)]
    for thread in threads:
        thread.start()
    is_read.set()
    for thread in threads:
        thread.join(180)
    assert asked == [40]
    assert [Page().read(viewer).shown for viewer in joined] == [expected(40)] * 3


def test_an_index_that_cannot_be_asked_is_told_and_asked_anew() -> None:
    live = made(1000)

    def fail(until: int, count: int) -> Past:
        raise StoreError("the disk is away")

    with pytest.raises(StoreError):
        join(live, fail)
    assert live.viewer_count == 0
    assert not live._audience.has_excerpts
    assert taken(join(live))[0]["type"] == "hello"


def test_its_names_stay_right_while_others_come_and_go() -> None:
    live = made(1000)
    viewer, page = join(live), Page()
    for n in range(1, 30):
        live.publish([own(n, agent=f"red{n}") if n % 2 else foreign(n)])
        live._flushed_at_s = 0
        live.flush()
        page.read(viewer)
        if n % 5 == 0:
            live.leave(join(live))
    assert page.shown == {n: f"red{n}" for n in range(1, 30, 2)}


def test_nobody_looks_at_events_once_its_last_viewer_has_left() -> None:
    live = made(1000)
    one, two = join(live), join(live)
    live.leave(one)
    assert live._audience.has_excerpts
    live.leave(two)
    assert not live._audience.has_excerpts


def test_a_viewer_that_is_too_slow_is_told_of_a_gap_and_reads_on() -> None:
    live = made(100_000)
    viewer = join(live)
    Page().read(viewer)
    for start in range(1, 2 * CLIENT_QUEUE_BYTES // 200, 900):
        live.publish(
            [
                own(seq, agent=f"red{seq % 99}", content="x" * 150)
                for seq in range(start, start + 900)
            ]
        )
        live._flushed_at_s = 0
        live.flush()
    page = Page().read(viewer)
    assert page.missed
    assert all(agent == f"red{seq % 99}" for seq, agent in page.shown.items())
    assert page.last == live.seq


@pytest.mark.parametrize("happens", ["a gap", "an absorbed segment", "another index"])
def test_viewers_come_back_when_the_index_has_what_the_stream_did_not_bring(happens: str) -> None:
    live = made(1000)
    live.publish(mixed(1, 10))
    viewer = join(live, all_of(mixed(1, 10)))
    if happens == "a gap":
        live.publish(mixed(20, 30))
    elif happens == "an absorbed segment":
        live.absorb(mixed(10, 20))
    else:
        live.restart("f")
    assert viewer.close_code == COME_BACK
    live.leave(viewer)
    assert not live._audience.has_excerpts


def test_an_excerpt_with_too_many_names_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "SPARE_NAMES", 0)
    live = made(5)
    viewer = join(live)
    for seq in range(1, 20):
        live.publish([own(seq, agent="red", session_id=f"s{seq}")])
        live._flushed_at_s = 0
        live.flush()
    assert viewer.close_code == COME_BACK


def test_a_hub_that_stops_takes_nobody() -> None:
    live = made(10)
    live.close()
    with pytest.raises(HubError):
        join(live)


def test_an_entry_is_as_the_follower_makes_it() -> None:
    assert own(3).entry == entry_of(event(3, pod="red", agent="red0"), is_redacted=False)
