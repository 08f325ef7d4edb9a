"""The indexer process: feeds the index, tells the hub what is new, and answers its questions.

Started by `laneway.hub.indexer`, which holds the other ends of its sockets. It
ends when they close, however the hub ended.
"""

import gc
import logging
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from time import monotonic, sleep
from typing import Any

from laneway.base.errors import LanewayError, StoreError
from laneway.base.settings import Settings
from laneway.hub.channel import FeedSink
from laneway.hub.courtesy import SWITCH_S, Courtesy
from laneway.hub.engine import Engine
from laneway.hub.follower import GARBAGE_OBJECTS
from laneway.hub.metric import Metric, resident_bytes
from laneway.hub.output import configure_output
from laneway.store.api import IndexInUse

OPEN_S = 10.0
"""A hub killed a moment ago: its indexer lets go of the index when it notices."""

RETRY_S = 0.05


class Worker:
    """One engine behind a feed and lines for questions."""

    def __init__(self, feed: Connection, lines: list[Connection]) -> None:
        self._feed = feed
        settings: Settings = feed.recv()
        self._metric = Metric()
        self._courtesy = Courtesy()
        sink = FeedSink(feed, settings.live_events)
        self._engine = _open(settings, sink, self._metric, self._courtesy)
        engine = self._engine
        self._parts = {
            "store": engine.store, "archive": engine.archive, "inquiry": engine.inquiry, "worker": self,
        }  # fmt: skip
        for line in lines:
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def run(self) -> None:
        """Take the hub's calls until it hangs up."""
        try:
            while True:
                verb, *arguments = self._feed.recv()
                if verb == "close":
                    break
                self._engine.wake(*arguments)
        except (EOFError, OSError):  # the hub is gone
            pass
        self._engine.close()

    def status(self) -> Any:
        return self._engine.status()._replace(other_memory_bytes=resident_bytes())

    def metric(self) -> Metric:
        return self._metric

    def _answer(self, line: Connection) -> None:
        try:
            while True:
                part, name, arguments = line.recv()
                with self._courtesy.answering():
                    answer = self._try(part, name, arguments)
                    line.send(answer)
        except (EOFError, OSError):  # the hub is gone
            pass

    def _try(self, part: str, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        try:
            found = getattr(self._parts[part], name)
            return True, found(*arguments) if callable(found) else found
        except LanewayError as error:
            return False, error
        except Exception as error:
            logging.getLogger("laneway.hub").exception("a question to the index failed")
            return False, StoreError(f"the index failed: {type(error).__name__}")


def _open(settings: Settings, sink: FeedSink, metric: Metric, courtesy: Courtesy) -> Engine:
    until_s = monotonic() + OPEN_S
    while True:
        try:
            return Engine(settings, sink, metric, step_aside=courtesy.step_aside)
        except IndexInUse:
            if monotonic() > until_s:
                raise
            sleep(RETRY_S)


def tune_interpreter() -> None:
    """For a process that follows and answers, once all of it is there."""
    gc.freeze()  # what is there stays there: to look through it for garbage took 4 ms of one question in ten
    gc.set_threshold(GARBAGE_OBJECTS, 5, 5)
    sys.setswitchinterval(SWITCH_S)


def main(descriptors: list[int]) -> None:
    """Serve over these descriptors: the feed's first."""
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)  # they go to the whole group; the hub decides
    configure_output("laneway: %(message)s")
    feed, *lines = [Connection(descriptor) for descriptor in descriptors]
    try:
        worker = Worker(feed, lines)
    except LanewayError as error:
        feed.send(("failed", error))
        return
    tune_interpreter()
    worker.run()


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]])
    os._exit(0)  # threads that wait for a question need no farewell
