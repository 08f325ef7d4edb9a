"""Appends of many requests as one: at once, or with one sync of the disk for all of them."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from laneway.base.errors import LogError
from laneway.hub.hub import Hub

Tell = Callable[[BaseException | None], None]
"""Told once that the lines stand in the log, or why they do not. Called by the event loop; raises nothing."""

Waiting = list[Tell]


class Commit:
    """Requests of one turn of the event loop share one append; each waits until it is done."""

    def __init__(self, append: Callable[[Sequence[bytes]], None]) -> None:
        self._append = append
        self._lines: list[bytes] = []
        self._waiting: Waiting = []

    def append(self, lines: Sequence[bytes]) -> asyncio.Future[None]:
        """Done when ``lines`` stand in the log; raises LogError where they do not."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add(lines, partial(_settle, future))
        return future

    def add(self, lines: Sequence[bytes], tell: Tell) -> None:
        """`append` for whoever has no task that could wait."""
        if not self._waiting:
            self._plan(asyncio.get_running_loop())
        self._lines += lines
        self._waiting.append(tell)

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called with the first lines of a batch."""
        loop.call_soon(self._commit)

    def _take(self) -> tuple[list[bytes], Waiting]:
        lines, self._lines = self._lines, []
        waiting, self._waiting = self._waiting, []
        return lines, waiting

    def _commit(self) -> None:
        lines, waiting = self._take()
        error: BaseException | None = None
        try:
            self._append(lines)
        except Exception as failure:  # noqa: BLE001 - every request that waits must be told
            error = failure
        _tell_all(waiting, error)


class DurableCommit(Commit):
    """Lines that must be on the disk: written and synced in a thread, one batch at a time.

    What comes while a batch is synced makes the next one, so that no timer is
    needed: a disk that syncs in 3 ms has a batch every 3 ms, and a slow one has larger batches.
    """

    def __init__(self, hub: Hub) -> None:
        super().__init__(partial(hub.write, durable=True))
        self._hub = hub
        self._thread: ThreadPoolExecutor | None = None
        self._is_syncing = False

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_syncing:
            self._is_syncing = True
            loop.call_soon(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="laneway-commit")
        lines, waiting = self._take()
        job = loop.run_in_executor(self._thread, self._append, lines)
        job.add_done_callback(partial(self._finish, loop, len(lines), waiting))

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        count: int,
        waiting: Waiting,
        job: asyncio.Future[None],
    ) -> None:
        error = job.exception()
        if error is None:
            self._hub.note_appended(count)
        elif isinstance(error, LogError):
            self._hub.note_refused(error)
        _tell_all(waiting, error)
        if self._waiting:
            self._begin(loop)
        else:
            self._is_syncing = False


def _tell_all(waiting: Waiting, error: BaseException | None) -> None:
    for tell in waiting:
        tell(error)


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():  # its request was cancelled
        return
    if error:
        future.set_exception(error)
    else:
        future.set_result(None)
