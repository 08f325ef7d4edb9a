"""The hub's hold on its indexer: starts it, asks it, takes what is new, and starts it again if it dies.

The indexer is a process of its own, so that the interpreter that answers
senders and viewers is not the one that writes the index.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from queue import Empty, Queue
from time import monotonic
from typing import Any, Literal

from laneway.base.errors import LanewayError, StoreError
from laneway.base.settings import Settings
from laneway.hub.archive import EventPage, SeqPage
from laneway.hub.channel import QUESTION_LINES, Status, pair, unpack_rows
from laneway.hub.excerpt import Past
from laneway.hub.failure import Failure
from laneway.hub.frame import Frame
from laneway.hub.inquiry import Facet, Scope, Surroundings
from laneway.hub.live import Live
from laneway.hub.metric import Metric
from laneway.store.api import Groups, Page, Plan, Query, SegmentState, Split, Table
from laneway.store.query.expr import EVERYTHING, Expr

CAN_SPLIT = os.name == "posix"
"""Descriptors are inherited by number; elsewhere the index lives in the hub's own process."""

OPEN_S = 15.0
"""Opening an index takes milliseconds; what takes this long hangs."""

ANSWER_S = 30.0
"""Queries stop themselves after 2 s; what takes this long hangs."""

IDLE_S = 0.5
RESTART_S = 0.5
"""Pause before a dead indexer is started again."""

STOP_S = 10.0

WAKE_S = 0.025
"""While something comes, the follower looks every 4 ms by itself; a call for each append would cost
the sender's answer a tenth of its time."""

GONE = (EOFError, OSError)

Ask = Callable[..., Any]

log = logging.getLogger("laneway.hub")


class Indexer:
    """Runs from when it is made until `close`. Thread-safe.

    Raises:
        StoreError: the index cannot be opened.
    """

    def __init__(self, settings: Settings, live: Live, metric: Metric) -> None:
        self._settings = settings
        self._live = live
        self._metric = metric
        self._lines: Queue[Connection] = Queue()
        self._closing = threading.Event()
        self._fault = ""
        self._status = Status()
        self._woken_s = 0.0
        self._woken_segment = ""
        self.store = StoreProxy(self._ask)
        self.archive = ArchiveProxy(self._ask)
        self.inquiry = InquiryProxy(self._ask)
        self._start()
        self._opened = threading.Event()
        self._failure: LanewayError | None = None
        self._thread = threading.Thread(target=self._run, name="laneway-feed", daemon=True)
        self._thread.start()
        self._wait_open()

    def wake(self, segment: str) -> None:
        """Something was appended to ``segment``."""
        now_s = monotonic()
        if now_s - self._woken_s < WAKE_S and segment == self._woken_segment:
            return
        self._woken_s, self._woken_segment = now_s, segment
        try:
            self._feed.send(("wake", segment))
        except GONE:  # it finds the line when it is back
            pass

    def status(self) -> Status:
        """How the index stands; while it cannot be asked, how it stood, and why."""
        try:
            self._status = self._ask("worker", "status")
        except StoreError as error:
            return self._status._replace(fault=self._fault or error.message)
        return self._status

    def fetch_metric(self) -> None:
        """Bring what the indexer counted into the hub's metric."""
        try:
            counted: Metric = self._ask("worker", "metric")
        except StoreError:
            return
        self._metric.take_over(counted)

    def close(self) -> None:
        """Let it finish the batch at hand, and end."""
        self._closing.set()
        try:
            self._feed.send(("close",))
        except GONE:
            pass
        self._thread.join(STOP_S)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._hang_up()

    def _start(self) -> None:
        self._feed, feed_fd = pair()
        pairs = [pair() for _ in range(QUESTION_LINES)]
        descriptors = [feed_fd, *(fd for _, fd in pairs)]
        command = [sys.executable, "-m", "laneway.hub.worker", *map(str, descriptors)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                command, pass_fds=descriptors, stdin=subprocess.DEVNULL
            )
        finally:
            for fd in descriptors:
                os.close(fd)
        self._feed.send(self._settings)
        for line, _ in pairs:
            self._lines.put(line)

    def _wait_open(self) -> None:
        """The index answers before the history for viewers has come; `Live.join` waits for that."""
        try:
            self._ask("worker", "status")
        except StoreError:  # it could not open, or died and is started again: the feed will tell
            if not self._opened.wait(OPEN_S):
                self._failure = StoreError(
                    "the index did not open", hint="`laneway doctor` looks at it"
                )
        if self._failure:
            failure = self._failure
            self.close()
            raise failure

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._take_feed()
            except GONE:
                if not self._closing.is_set():
                    self._start_again()

    def _take_feed(self) -> None:
        """Pass on what the indexer says, and send frames when they are due."""
        while True:
            due_s = self._live.flush()
            if self._feed.poll(IDLE_S if due_s is None else due_s):
                verb, *arguments = self._feed.recv()
                self._obey(verb, arguments)

    def _obey(self, verb: str, arguments: list[Any]) -> None:
        if verb == "failed":
            self._failure = arguments[0]
            self._opened.set()
            return
        if verb in ("publish", "absorb"):
            arguments = [unpack_rows(arguments[0])]
        elif verb == "fill":
            epoch, columns, next_seq = arguments
            arguments = [epoch, unpack_rows(columns), next_seq]
        getattr(self._live, verb)(*arguments)
        if verb == "fill":
            self._fault = ""
            self._opened.set()

    def _start_again(self) -> None:
        if self._failure:
            self._closing.set()
            return
        code = self._process.wait()
        self._fault = f"the indexer ended with code {code} and is started again"
        self._metric.fault.add(1, "indexer")
        log.error("%s", self._fault)
        self._hang_up()
        if not self._closing.wait(RESTART_S):
            self._start()

    def _hang_up(self) -> None:
        self._feed.close()
        while True:
            try:
                self._lines.get_nowait().close()
            except Empty:
                return

    def _ask(self, part: str, name: str, *arguments: Any) -> Any:
        """Put a question; its answer, or what the index raised.

        Raises:
            StoreError: there is nobody to answer just now.
        """
        try:
            line = self._lines.get(timeout=ANSWER_S)
        except Empty:
            raise _away() from None
        try:
            line.send((part, name, arguments))
            if not line.poll(ANSWER_S):
                raise EOFError
            is_ok, result = line.recv()
        except GONE:
            line.close()
            raise _away() from None
        self._lines.put(line)
        if not is_ok:
            raise result
        return result


def _away() -> StoreError:
    return StoreError("the index is being opened again", hint="try again in a few seconds")


class StoreProxy:
    """A `laneway.store.api.Store` for questions only; the indexer alone writes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @property
    def epoch(self) -> str:
        return str(self._ask("store", "epoch"))

    @property
    def last_seq(self) -> int:
        return int(self._ask("store", "last_seq"))

    def segments(self) -> list[SegmentState]:
        found: list[SegmentState] = self._ask("store", "segments")
        return found

    def find(self, query: Query) -> Page:
        page: Page = self._ask("store", "find", query)
        return page

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        found: Groups = self._ask("store", "groups", by, query)
        return found

    def aggregate(self, query: Query, split: Split) -> Table:
        table: Table = self._ask("store", "aggregate", query, split)
        return table

    def explain(self, query: Query) -> Plan:
        found: Plan = self._ask("store", "explain", query)
        return found


class ArchiveProxy:
    """A `laneway.hub.archive.Archive` in the indexer's process."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def page(self, query: Query) -> EventPage:
        found: EventPage = self._ask("archive", "page", query)
        return found

    def seqs(self, query: Query, patience_s: float) -> SeqPage:
        found: SeqPage = self._ask("archive", "seqs", query, patience_s)
        return found

    def one(self, query: Query) -> bytes | None:
        found: bytes | None = self._ask("archive", "one", query)
        return found

    def recent(self, until: int, count: int, where: Expr = EVERYTHING) -> list[Frame]:
        found: list[Frame] = self._ask("archive", "recent", until, count, where)
        return found

    def past(self, until: int, count: int, where: Expr) -> Past:
        found: Past = self._ask("archive", "past", until, count, where)
        return found


class InquiryProxy:
    """A `laneway.hub.inquiry.Inquiry` in the indexer's process."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def trace(self, trace_id: str, within: Expr = EVERYTHING) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._ask("inquiry", "trace", trace_id, within)
        return found

    def around(
        self, query: Query, scope: Scope, before: int, after: int, within: Expr = EVERYTHING
    ) -> Surroundings | None:
        found: Surroundings | None = self._ask(
            "inquiry", "around", query, scope, before, after, within
        )
        return found

    def facet(self, query: Query, path: Sequence[str]) -> Facet:
        found: Facet = self._ask("inquiry", "facet", query, path)
        return found

    def failures(self, query: Query) -> tuple[list[Failure], bool]:
        found: tuple[list[Failure], bool] = self._ask("inquiry", "failures", query)
        return found

    def texts(self, seqs: Sequence[int], within: Expr = EVERYTHING) -> dict[int, str]:
        found: dict[int, str] = self._ask("inquiry", "texts", seqs, within)
        return found
