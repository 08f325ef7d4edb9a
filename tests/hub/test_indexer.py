"""The index in a process of its own: asked, killed, started again, and left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import orjson
import pytest

from laneway.base.errors import HubError, StoreError
from laneway.base.settings import Settings
from laneway.hub.channel import Status, pair
from laneway.hub.hub import Hub
from laneway.hub.indexer import Indexer
from laneway.hub.live import Live
from laneway.hub.metric import Metric
from laneway.hub.viewer import Viewer
from laneway.store.api import Query
from laneway.store.query.expr import any_of, is_seq
from tests.waiting import eventually

from .event import event


@pytest.fixture
def hub(settings: Settings) -> Iterator[Hub]:
    hub = Hub(settings)
    yield hub
    hub.close()


def send(hub: Hub, since: int, until: int) -> None:
    hub.append(hub.intake.take([event(number) for number in range(since, until)]).lines)


def seqs(hub: Hub) -> list[int]:
    lines = hub.archive.page(Query(newest_first=False, limit=1000)).lines
    return [orjson.loads(line)["seq"] for line in lines]


def indexer_pid(hub: Hub) -> int:
    return hub._index._process.pid  # type: ignore[union-attr]


class Slow(Indexer):
    """Its worker, a thread, answers questions, and is not done with the history until it is told."""

    def _start(self) -> None:
        self._feed, feed_fd = pair()
        line, line_fd = pair()
        self._lines.put(line)
        self.worker_feed, self._worker_line = Connection(feed_fd), Connection(line_fd)
        self._process = subprocess.Popen([sys.executable, "-c", ""])
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        assert self._worker_line.recv() == ("worker", "status", ())
        self._worker_line.send((True, Status(event_count=7)))


def test_the_hub_is_open_when_the_index_answers_and_viewers_wait_for_the_history(
    settings: Settings,
) -> None:
    live = Live("", 100)
    indexer = Slow(settings, live, Metric())
    joined: list[Viewer] = []
    viewer = threading.Thread(target=lambda: joined.append(live.join(lambda: None)))
    viewer.start()
    assert not joined
    indexer.worker_feed.send(("fill", "e1", [], 8))
    viewer.join(180)
    assert joined
    assert (live.epoch, live.seq) == ("e1", 7)
    indexer.worker_feed.close()
    indexer._closing.set()
    indexer.close()


def test_what_is_appended_is_found_and_goes_live(hub: Hub) -> None:
    send(hub, 0, 20)
    eventually(lambda: hub.live.seq == 20)
    eventually(lambda: hub.lag_bytes() == 0)

    assert seqs(hub) == list(range(1, 21))
    assert hub.store.last_seq == 20
    assert hub.health()["index"] == {
        "events": 20,
        "lag_bytes": 0,
        "following": True,
        "quarantined": 0,
        "broken": 0,
    }
    assert "laneway_events_indexed_total 20" in hub.metrics()
    assert "laneway_events_accepted_total 20" in hub.metrics()


def test_a_killed_indexer_is_started_again_and_nothing_is_missed_or_doubled(hub: Hub) -> None:
    send(hub, 0, 10)
    eventually(lambda: hub.live.seq == 10)
    viewer = hub.live.join(lambda: None, history=0)
    for round_ in range(1, 4):
        pid = indexer_pid(hub)
        os.kill(pid, signal.SIGKILL)
        send(hub, round_ * 10, round_ * 10 + 10)
        eventually(lambda pid=pid: indexer_pid(hub) != pid)
        eventually(lambda round_=round_: hub.live.seq == round_ * 10 + 10)

    eventually(lambda: hub.health()["status"] == "ok")
    assert seqs(hub) == list(range(1, 41))
    sent: list[int] = []
    while frame := viewer.take():
        message = orjson.loads(frame.data)
        assert message["type"] in ("hello", "batch")
        if message["type"] == "batch":
            sent += range(message["seq0"], message["seq0"] + message["n"])
    assert sent == list(range(11, 41))


def test_a_hub_without_its_indexer_says_so_and_still_takes_events(hub: Hub, monkeypatch) -> None:
    from laneway.hub import indexer

    send(hub, 0, 3)
    eventually(lambda: hub.health()["index"]["events"] == 3)
    monkeypatch.setattr(indexer, "RESTART_S", 3600)
    monkeypatch.setattr(indexer, "ANSWER_S", 0.2)
    os.kill(indexer_pid(hub), signal.SIGKILL)
    send(hub, 3, 5)

    eventually(lambda: hub.health()["status"] == "failing")
    assert hub.health()["index"]["events"] == 3
    with pytest.raises(StoreError, match="opened again"):
        hub.store.find(Query())


def test_an_indexer_whose_hub_was_killed_lets_go_of_the_index(settings: Settings) -> None:
    code = (
        "import os, signal, sys\n"
        "from laneway.base.settings import resolve\n"
        "from laneway.hub.hub import Hub\n"
        "hub = Hub(resolve({'home': sys.argv[1], 'log_path': sys.argv[2]}))\n"
        "print(hub._index._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, settings.home, settings.log_path]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    orphan = int(done.stdout)

    hub = Hub(settings)  # waits for the orphan, if need be
    try:
        send(hub, 0, 2)
        eventually(lambda: hub.live.seq == 2)
        eventually(lambda: not os.path.exists(f"/proc/{orphan}"))
    finally:
        hub.close()


def test_an_index_that_cannot_be_opened_stops_the_start_with_its_reason(settings: Settings) -> None:
    blocked = os.path.join(settings.home, "blocked")
    os.makedirs(settings.home)
    with open(blocked, "w"):
        pass
    settings.index_path = os.path.join(blocked, "index")

    with pytest.raises((StoreError, HubError)):
        Hub(settings)
    assert not os.path.exists(os.path.join(settings.log_path, ".index"))


def test_a_question_that_the_index_refuses_comes_back_as_its_error(hub: Hub) -> None:
    from laneway.base.errors import QueryError

    with pytest.raises(QueryError):
        hub.store.find(Query(any_of(map(is_seq, range(10_001)))))
