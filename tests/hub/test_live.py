import pickle
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

import orjson
import pytest

from laneway.base.errors import HubError
from laneway.base.limits import CLIENT_QUEUE_BYTES, CLIENTS
from laneway.hub import live as live_module
from laneway.hub import ring as ring_module
from laneway.hub import viewer as viewer_module
from laneway.hub.audience import COME_BACK, GOING_AWAY
from laneway.hub.channel import pack_rows, unpack_rows
from laneway.hub.live import Live
from laneway.hub.ring import Row, entry_of
from laneway.hub.viewer import Viewer
from laneway.store.query.parse import parse

from .event import event


def row(seq: int, **fields: Any) -> Row:
    made = event(seq, **fields)
    return Row(seq, seq * 1_000_000, entry_of(made, is_redacted=False), orjson.dumps(made))


def rows(since: int, until: int, **fields: Any) -> list[Row]:
    return [row(seq, **fields) for seq in range(since, until)]


def ignore() -> None:
    pass


def made(capacity: int) -> Live:
    """A live stream of an empty index."""
    live = Live("e", capacity)
    live.fill("e", [], 1)
    return live


def taken(viewer: Viewer) -> list[dict[str, Any]]:
    """Every message that waits."""
    messages = []
    while frame := viewer.take():
        messages.append(orjson.loads(frame.data))
    return messages


def seqs(messages: list[dict[str, Any]]) -> list[int]:
    """The seqs that the batches brought."""
    batches = [message for message in messages if message["type"] == "batch"]
    return [seq for batch in batches for seq in range(batch["seq0"], batch["seq0"] + batch["n"])]


class Reader:
    """Keeps the dictionaries as a viewer of the protocol does, and names what it is shown."""

    def __init__(self) -> None:
        self.agents: list[list[Any]] = []
        self.kinds: list[str] = []
        self.shown: dict[int, tuple[str, str]] = {}
        self.missed: list[tuple[int, int]] = []

    def read(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            getattr(self, f"_{message['type']}")(message)

    def _hello(self, message: dict[str, Any]) -> None:
        self.agents, self.kinds = message["agents"], message["kinds"]

    def _batch(self, message: dict[str, Any]) -> None:
        new = message.get("new", {})
        self.agents += new.get("agents", [])
        self.kinds += new.get("kinds", [])
        for child, parent in new.get("parents", []):
            self.agents[child][1] = parent
        for place in range(message["n"]):
            names = self.agents[message["agent"][place]][0], self.kinds[message["kind"][place]]
            self.shown[message["seq0"] + place] = names

    def _gap(self, message: dict[str, Any]) -> None:
        self.missed.append((message["from"], message["to"]))


def test_the_first_event_after_a_silence_is_sent_at_once_and_the_next_ones_together() -> None:
    live = made(100)
    viewer = live.join(ignore)
    taken(viewer)
    live.publish(rows(1, 2))
    assert live.flush() is None
    assert seqs(taken(viewer)) == [1]
    live.publish(rows(2, 3))
    live.publish(rows(3, 4))
    wait_s = live.flush()
    assert wait_s is not None
    assert 0 < wait_s <= live_module.BATCH_S
    assert taken(viewer) == []
    live._flushed_at_s = 0.0  # the wait is over
    assert live.flush() is None
    batches = taken(viewer)
    assert len(batches) == 1
    assert seqs(batches) == [2, 3]


def test_everybody_gets_the_same_bytes() -> None:
    live = made(100)
    one, two = live.join(ignore), live.join(ignore)
    taken(one), taken(two)
    live.publish(rows(1, 5))
    live.flush()
    first, second = one.take(), two.take()
    assert first is not None
    assert second is not None
    assert first.data is second.data


def test_a_newcomer_gets_the_dictionaries_and_the_newest_events() -> None:
    live = made(100)
    live.publish(rows(1, 11, agent="a"))
    viewer = live.join(ignore, history=4)
    hello, backlog = taken(viewer)
    assert hello["epoch"] == "e"
    assert hello["seq"] == 10
    assert hello["agents"] == [["a", -1]]
    assert backlog["history"] is True
    assert "new" not in backlog
    assert seqs([backlog]) == [7, 8, 9, 10]


def test_what_was_pending_when_a_viewer_joins_is_neither_lost_nor_sent_twice() -> None:
    live = made(100)
    early = live.join(ignore)
    live.publish(rows(1, 2))
    live.flush()
    live.publish(rows(2, 4, agent="late"))
    joined = live.join(ignore)
    live.publish(rows(4, 5))
    live._flushed_at_s = 0.0
    live.flush()
    for viewer in (early, joined):
        messages = taken(viewer)
        assert seqs(messages) == [1, 2, 3, 4]
        reader = Reader()
        reader.read(messages)
        assert reader.shown[3] == ("late", "user_message")
        assert reader.shown[4] == ("planner", "user_message")


def test_resuming_brings_exactly_what_was_missed() -> None:
    live = made(100)
    live.publish(rows(1, 31))
    messages = taken(live.join(ignore, epoch="e", since=12))
    assert seqs(messages) == list(range(13, 31))
    assert not [message for message in messages if message["type"] == "gap"]


def test_resuming_at_the_newest_event_brings_nothing() -> None:
    live = made(100)
    live.publish(rows(1, 4))
    assert [m["type"] for m in taken(live.join(ignore, epoch="e", since=3))] == ["hello"]


def test_resuming_from_before_the_ring_begins_with_a_gap() -> None:
    live = made(10)
    live.publish(rows(1, 31))
    _, gap, *rest = taken(live.join(ignore, epoch="e", since=12))
    assert gap == {"type": "gap", "from": 13, "to": 21}
    assert seqs(rest) == list(range(21, 31))


def test_a_resume_may_be_bounded_too() -> None:
    live = made(100)
    live.publish(rows(1, 31))
    _, gap, *rest = taken(live.join(ignore, epoch="e", since=12, history=3))
    assert gap == {"type": "gap", "from": 13, "to": 28}
    assert seqs(rest) == [28, 29, 30]


@pytest.mark.parametrize(("epoch", "since"), [("other", 12), ("e", 99)])
def test_a_resume_of_another_index_or_from_the_future_begins_anew(epoch: str, since: int) -> None:
    live = made(100)
    live.publish(rows(1, 31))
    messages = taken(live.join(ignore, epoch=epoch, since=since, history=2))
    assert seqs(messages) == [29, 30]


def test_a_slow_viewer_is_told_its_gap_and_continues_with_the_present() -> None:
    live = made(100)
    slow, quick = live.join(ignore), live.join(ignore)
    reader, full = Reader(), Reader()
    reader.read(taken(slow))
    full.read(taken(quick))
    seq = 1
    while not live.metric.dropped_frames.total:
        fields = {"agent": f"agent-{seq}", "event": f"kind-{seq}", "parent_agent": "root"}
        live.publish(rows(seq, seq + 100, **fields, content="x" * 300))
        live._flushed_at_s = 0.0
        live.flush()
        full.read(taken(quick))
        seq += 100
    live.publish([row(seq, agent="last", event="end")])
    live._flushed_at_s = 0.0
    live.flush()
    full.read(taken(quick))
    assert slow._queued_bytes <= CLIENT_QUEUE_BYTES
    reader.read(taken(slow))
    (since, until), *others = reader.missed
    assert not others
    assert since == 1
    assert set(reader.shown) == set(range(until, seq + 1))
    assert reader.shown[seq] == ("last", "end")
    assert reader.shown.items() <= full.shown.items()
    assert reader.agents == full.agents
    assert full.missed == []


def test_a_viewer_that_stays_slow_gets_one_gap_and_all_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewer_module, "CLIENT_QUEUE_BYTES", 4_000)
    live = made(100)
    slow = live.join(ignore)
    reader = Reader()
    reader.read(taken(slow))
    for seq in range(1, 60):
        live.publish([row(seq, agent=f"agent-{seq}", event=f"kind-{seq}")])
        live._flushed_at_s = 0.0
        live.flush()
    reader.read(taken(slow))
    assert len(reader.missed) == 1
    since, until = reader.missed[0]
    assert since == 1
    assert list(reader.shown) == list(range(until, 60))
    assert all(names == (f"agent-{seq}", f"kind-{seq}") for seq, names in reader.shown.items())


def test_a_burst_is_cut_into_frames_and_nothing_of_it_is_lost() -> None:
    live = made(50)
    viewer = live.join(ignore)
    live.publish(rows(1, 501))
    live.flush()
    messages = taken(viewer)
    live._flushed_at_s = 0.0
    live.flush()
    assert seqs(messages + taken(viewer)) == list(range(1, 501))
    assert max(message.get("n", 0) for message in messages) <= 50


def test_a_plain_viewer_gets_whole_events_with_their_number() -> None:
    live = made(100)
    live.publish(rows(1, 4))
    viewer = live.join(ignore, form="json")
    live.publish(rows(4, 6, content="whole"))
    live._flushed_at_s = 0.0
    live.flush()
    assert viewer.start_seq == 4
    assert [(m["seq"], m["content"]) for m in taken(viewer)] == [(4, "whole"), (5, "whole")]


def test_viewers_of_numbers_hear_which_events_their_query_finds() -> None:
    live = made(10)
    live.publish(rows(1, 3, agent="early"))
    coder = live.join(ignore, form="seqs", where=parse("agent:coder"))
    all_of_them = live.join(ignore, form="seqs")
    live.publish([row(3, agent="coder"), row(4, agent="planner"), row(5, agent="coder")])
    live.absorb([])  # sends what is pending, due or not
    hello, hits = taken(coder)
    assert (hello["type"], hello["seq"], hello["agents"]) == ("hello", 2, [])
    assert hits == {"type": "hits", "from": 3, "to": 6, "seqs": [3, 5]}
    assert taken(all_of_them)[1]["seqs"] == [3, 4, 5]


def test_a_query_that_finds_nothing_tells_how_far_it_looked() -> None:
    live = made(10)
    viewer = live.join(ignore, form="seqs", where=parse("agent:nobody"))
    live.publish(rows(1, 4))
    live.flush()
    assert taken(viewer)[1:] == [{"type": "hits", "from": 1, "to": 4, "seqs": []}]


def test_the_matcher_looks_once_however_many_viewers_ask_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    def counting(_: Any) -> Any:
        return lambda subject: looks.append(subject.seq) or True

    monkeypatch.setattr(viewer_module, "compile_matcher", counting)
    live = made(10)
    where = parse("agent:coder")
    viewers = [live.join(ignore, form="seqs", where=where) for _ in range(5)]
    viewers.append(live.join(ignore, form="json", where=where))
    live.publish(rows(1, 4))
    live.flush()
    assert looks == [1, 2, 3]
    first, second, *_ = viewers
    first.take()
    second.take()
    assert first.take() is second.take()  # one frame, encoded once
    for viewer in viewers:
        live.leave(viewer)
    live.publish(rows(4, 6))
    live.absorb([])
    assert looks == [1, 2, 3]


def test_a_hole_in_the_numbers_is_a_gap() -> None:
    live = made(100)
    viewer = live.join(ignore)
    live.publish([*rows(1, 3), *rows(10, 12)])
    live._flushed_at_s = 0.0
    live.flush()
    reader = Reader()
    reader.read(taken(viewer))
    assert reader.missed == [(3, 10)]
    assert list(reader.shown) == [1, 2, 10, 11]


def test_what_was_seen_under_other_numbers_is_a_gap_for_viewers_and_history_for_newcomers() -> None:
    live = made(100)
    viewer = live.join(ignore)
    live.publish(rows(1, 3))
    live.absorb(rows(3, 6, agent="moved"))
    live.publish(rows(6, 7, agent="moved"))
    live._flushed_at_s = 0.0
    live.flush()
    reader, newcomer = Reader(), Reader()
    reader.read(taken(viewer))
    newcomer.read(taken(live.join(ignore)))
    assert reader.missed == [(3, 6)]
    assert reader.shown[6] == ("moved", "user_message")
    assert list(newcomer.shown) == [1, 2, 3, 4, 5, 6]


def test_history_from_the_index_fills_the_ring() -> None:
    live = Live("e", 100)
    live.fill("e", [*rows(3, 5), *rows(7, 11)], next_seq=11)
    assert seqs(taken(live.join(ignore))) == [7, 8, 9, 10]
    live.publish(rows(11, 12))
    assert live.seq == 11


def test_history_that_ends_before_the_newest_number_is_left_out() -> None:
    live = Live("e", 100)
    live.fill("e", rows(3, 5), next_seq=11)
    viewer = live.join(ignore)
    live.publish(rows(11, 12))
    live.flush()
    assert seqs(taken(viewer)) == [11]


def test_a_beat_tells_the_lag_and_is_no_event() -> None:
    live = made(100)
    live.publish(rows(1, 4))
    viewer = live.join(ignore, history=0)
    taken(viewer)
    live.beat(77, "space")
    (beat,) = taken(viewer)
    assert (beat["type"], beat["seq"], beat["lag_bytes"]) == ("beat", 3, 77)
    assert beat["fault"] == "space"
    live.beat(0)
    (beat,) = taken(viewer)
    assert "fault" not in beat


def test_viewers_beyond_the_limit_are_refused_until_one_leaves() -> None:
    live = made(10)
    viewers = [live.join(ignore) for _ in range(CLIENTS)]
    with pytest.raises(HubError, match=f"{CLIENTS} viewers"):
        live.join(ignore)
    live.leave(viewers[0])
    live.leave(viewers[0])
    assert live.join(ignore)
    assert live.viewer_count == CLIENTS


def test_another_index_lets_the_viewers_come_back_and_voids_all_numbers() -> None:
    live = made(100)
    live.publish(rows(1, 4))
    told: list[bool] = []
    viewer = live.join(lambda: told.append(True))
    live.restart("f")
    assert viewer.close_code == COME_BACK
    assert told
    (hello,) = taken(live.join(ignore, epoch="e", since=2))
    assert (hello["epoch"], hello["seq"], hello["agents"]) == ("f", 0, [])


def test_names_of_old_events_are_forgotten_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ring_module, "SPARE_NAMES", 50)
    live = made(10)
    viewer = live.join(ignore)
    for seq in range(1, 200):
        live.publish([row(seq, session_id=f"s{seq}")])
        live._flushed_at_s = 0.0
        live.flush()
    assert viewer.close_code == COME_BACK
    assert live.names.size() <= 71
    reader = Reader()
    reader.read(taken(live.join(ignore, epoch="e", since=189)))
    assert list(reader.shown) == list(range(190, 200))


def test_a_viewer_that_comes_before_the_history_is_there_waits_for_it() -> None:
    live = Live("e", 100)
    with ThreadPoolExecutor() as pool:
        joining = pool.submit(live.join, ignore, epoch="e", since=2)
        live.fill("e", rows(1, 5), 5)
        assert seqs(taken(joining.result())) == [3, 4]


def test_a_hub_that_ends_lets_everybody_go() -> None:
    live = made(10)
    viewer = live.join(ignore)
    live.close()
    assert viewer.close_code == GOING_AWAY
    with pytest.raises(HubError, match="stopping"):
        live.join(ignore)


def test_rows_with_gaps_between_them_reach_a_viewer_each_under_its_seq() -> None:
    live = made(100)
    viewer = live.join(ignore)
    live.publish([*rows(1, 4), *rows(6, 8), row(20)])
    while (wait_s := live.flush()) is not None:
        sleep(wait_s)
    messages = taken(viewer)
    assert seqs(messages) == [1, 2, 3, 6, 7, 20]
    gaps = [(gap["from"], gap["to"]) for gap in messages if gap["type"] == "gap"]
    assert gaps == [(4, 6), (8, 20)]


def test_what_goes_through_the_feed_comes_out_as_it_was() -> None:
    for some in ([], rows(1, 2), rows(3, 40, parent_agent="b", duration_ms=1.5)):
        assert unpack_rows(pickle.loads(pickle.dumps(pack_rows(some)))) == some
