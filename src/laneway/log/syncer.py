"""What bounds the loss of a power cut where nobody waits for the disk: a thread that syncs behind the writer.

A writer hands over a descriptor of its own with the first append after a sync has begun; the thread
waits `PERIOD_S`, lets the next append hand over again, and syncs. So the sync of every line begins
within `PERIOD_S` of its append, a segment that was left is synced like any other, and an append costs
its caller one look at a flag.

After a sync that failed, what it was to cover is not durable, whatever a later one says: it is
counted, the writer goes on in another segment, and the disk is given a rest (see `laneway.log.sync`).
"""

import os
from _thread import allocate_lock, start_new_thread
from errno import EINVAL, ENOSYS, EOPNOTSUPP

from laneway.log import sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType

PERIOD_S = 0.25
"""A quarter of what a power cut may cost: the rest is for the sync itself, on a disk that is busy."""

EXIT_S = 2.0
"""Longest wait for a sync that another thread began, at the end of the process."""

NS_PER_S = 1_000_000_000

UNSUPPORTED = frozenset({EINVAL, ENOSYS, EOPNOTSUPP})
"""What a file system says that cannot sync at all."""

HURRY_AT, FULL_AT = 32, 256
"""Descriptors waiting: from here on they are synced at once; or not taken, so that the host has some left."""

WITHOUT_THREAD = 8
"""Descriptors kept where no thread can be started: each of them is another try."""


class Source:
    """Something of which a file is synced behind its back: a writer, or a file that is followed."""

    is_clean = True
    """No sync is due; whoever adds to the file and finds this hands a descriptor over."""

    def sync_failed(self, number: int, reason: str) -> None:
        """What was written to segment ``number`` before this call may be lost in a power cut."""


class Syncer:
    """Syncs what is handed over. Thread-safe and safe in signal handlers; one object serves a process."""

    def __init__(self) -> None:
        self.faults = 0
        self.synced = 0
        self._reset()

    def _reset(self) -> None:
        self._queue: list[tuple[int, Source, int, tuple[str, ...]]] = []
        self._has_thread = False
        self._alarm = allocate_lock()  # locked: nothing was handed over
        self._alarm.acquire()
        self._hurry = allocate_lock()  # locked: there is time
        self._hurry.acquire()
        self._syncing = allocate_lock()
        self._rest_ns = 0

    def hand_over(
        self, source: Source, fd: int, number: int = 0, directories: tuple[str, ...] = ()
    ) -> bool:
        """Sync the file of ``fd``, which stays the caller's, within `PERIOD_S`, and the entries of
        ``directories``. Raises nothing; where False comes back, the next append shall try again."""
        if len(self._queue) >= HURRY_AT:
            _set(self._hurry)
            if len(self._queue) >= FULL_AT:
                return False
        try:
            own_fd = os.dup(fd)
        except OSError:  # no descriptors
            return False
        source.is_clean = False
        self._queue.append((own_fd, source, number, directories))
        if not self._has_thread and not self._start():
            source.is_clean = len(self._queue) < WITHOUT_THREAD
        _set(self._alarm)
        return True

    def settle(self, timeout_s: float = EXIT_S) -> bool:
        """Sync now, in this thread, what was handed over; whether all of it is on the disk."""
        if not self._syncing.acquire(True, timeout_s):
            return False
        try:
            return self._sync_all()
        finally:
            self._syncing.release()

    def _start(self) -> bool:
        self._has_thread = True
        try:
            start_new_thread(self._run, ())
        except RuntimeError:  # no more threads, or the interpreter goes down: `settle` syncs
            self._has_thread = False
        return self._has_thread

    def _run(self) -> None:
        while True:
            self._alarm.acquire()
            self._hurry.acquire(True, max(PERIOD_S, self._rest_ns / NS_PER_S))
            with self._syncing:
                try:
                    self._sync_all()
                except Exception:  # noqa: BLE001 - a thread must not print into a host
                    self.faults += 1

    def _sync_all(self) -> bool:
        is_well = True
        for _ in range(len(self._queue)):  # what comes meanwhile has time
            fd, source, number, directories = self._queue.pop(0)
            source.is_clean = True  # first: what is written from now on is handed over again
            try:
                _sync_all_of(directories)
                sync.sync_file(fd)
            except OSError as error:
                is_well = False
                self.faults += 1
                if error.errno in UNSUPPORTED:  # it never will: do not begin segment after segment
                    source.is_clean, number = False, 0
                source.sync_failed(number, error.strerror or str(error))
            else:
                self.synced += 1
            finally:
                os.close(fd)
        longer_ns = min(max(2 * self._rest_ns, sync.REST_NS[0]), sync.REST_NS[1])
        self._rest_ns = 0 if is_well else longer_ns
        return is_well

    def _after_fork(self) -> None:
        """In the child: the parent's thread syncs what the parent wrote."""
        for fd, *_ in self._queue:
            try:
                os.close(fd)
            except OSError:
                pass
        self._reset()


def _sync_all_of(directories: tuple[str, ...]) -> None:
    for directory in directories:
        try:
            sync.sync_directory(directory)
        except FileNotFoundError:  # removed since, with all that was in it
            continue


def _set(lock: "LockType") -> None:
    try:
        lock.release()
    except RuntimeError:  # it was
        pass


shared = Syncer()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared._after_fork)
