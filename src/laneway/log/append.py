"""The append: one locked ``write(2)`` for each event, safe beside any number of other writers.

What it withstands, and how (figures in docs/adr/0003-append.md):

* a writer killed in the middle of a line: the next one finds no newline at the end and begins with one;
* rotation: no live file is ever renamed; the mark of a sealed segment is read under the lock;
* a lock holder that is stopped: after `LOCK_WAIT_S` the line is written without the lock, led by a newline;
* a power cut: without ``durable`` a thread syncs behind the writers (`laneway.log.syncer`);
* fork, threads, signal handlers: a child opens its own descriptor, and a thread that comes back into
  the append (from a signal handler or a destructor) writes without the lock.

This module is on the path of every event: it imports no ``typing``, ``threading`` or ``pathlib``.
"""

import os
from _thread import allocate_lock, get_ident
from collections.abc import Sequence
from errno import EDQUOT, EFBIG, EIO, ELOOP, ENOSPC
from time import monotonic, sleep

from laneway.base.clock import NS_PER_S, day_end_ns, format_ns, now_ns
from laneway.base.errors import LogError
from laneway.base.limits import SEGMENT_BYTES
from laneway.log import sync
from laneway.log.segment import SEAL, LogPath, make_directory, tell_fault
from laneway.log.share import share
from laneway.log.sync import Group
from laneway.log.syncer import Source
from laneway.log.syncer import shared as syncer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
except ImportError:  # Windows: every line is led by a newline instead

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        raise OSError("no flock here")

    LOCK_EX = LOCK_NB = LOCK_UN = 0  # type: ignore[misc]

LOCK_NOW = LOCK_EX | LOCK_NB

LOCK_WAIT_S = 0.1
"""A holder needs about 20 µs; one that keeps the lock this long is stopped or swapped out."""

RECHECK_NS = NS_PER_S
"""How often a writer looks whether its segment was deleted under it."""

NO_SPACE = frozenset({ENOSPC, EDQUOT, EFBIG})
NO_SPACE_STATUS = 507

NEWLINE = b"\n"
FILE_MODE = 0o600
OPEN_FLAGS = (
    os.O_RDWR
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(
        os, "O_NOFOLLOW", 0
    )  # who may write in the directory must not choose what we write to
)


class Appender(Source):
    """Appends lines to the live segment of one log. Thread-safe; one object a log and process is enough."""

    def __init__(
        self,
        log_path: LogPath,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        shared: str = "auto",
        durable: bool = False,
    ) -> None:
        """``shared``: see the setting ``shared_log``. ``durable``: lines are on the disk when `append`
        returns; else their sync begins within a quarter of a second."""
        self.log_path = log_path
        self._shared = shared
        self._series = log_path  # or one of this process alone
        self.segment_bytes = segment_bytes
        self._mutex = allocate_lock()
        self._inside: set[int] = set()  # threads that hold or await the mutex
        self._fd = -1
        self._number = 0
        self._roll_at_ns = 0  # end of the segment's day
        self._recheck_at_ns = 0
        self._skip_lock_until_ns = 0
        self._end = -1  # the file's size after our last write, where it ended in a newline
        self._no_links = 0
        self._durable = durable
        self._group: Group | None = None
        self._shunned = 0  # the last segment of which a sync failed
        self._rest_ns = 0
        self._rest_until_ns = 0
        self._made: tuple[str, ...] = ()  # directories with entries that no sync has covered
        self.on_sync_fault: Callable[[str], None] = _ignore
        """Told why lines that were acknowledged may be lost in a power cut; from any thread."""
        _appenders[id(self)] = self

    def append(self, lines: Sequence[bytes], *, durable: bool = False) -> None:
        """Write ``lines`` (no newlines in them) with one ``write(2)``; on return they survive ``kill -9``,
        and a power cut where this appender is durable or these lines shall be.

        Raises:
            LogError: the log cannot be written; some of the lines may stand in it.
        """
        if not lines:
            return
        data = b"\n".join(lines) + b"\n"
        me = get_ident()
        if me in self._inside:
            self._write_unlocked(data, durable=durable or self._durable)
            return
        self._inside.add(me)  # before the mutex: a signal may arrive between the two
        try:
            if durable or self._durable:
                self._append_durably(data)
            else:
                with self._mutex:
                    try:
                        self._append(data)
                    except (
                        BaseException
                    ):  # also KeyboardInterrupt: the lock goes with the descriptor
                        self._close()  # the next append begins anew, perhaps where all was mended
                        raise
        except OSError as error:
            raise self._log_error(error) from error
        finally:
            self._inside.discard(me)

    def close(self) -> None:
        """Release the descriptor; a later append opens it again."""
        with self._mutex:
            self._close()
            _appenders.pop(id(self), None)

    @property
    def segment(self) -> str:
        """Name of the segment written last, or ``""``."""
        return self._series.segment_name(self._number) if self._number else ""

    def _append_durably(self, data: bytes) -> None:
        with self._mutex:
            if now_ns() < self._rest_until_ns:
                raise OSError(EIO, "a sync failed, and the disk is given a rest")
            try:
                self._append(data)
                group = self._group or self._begin_group()
                fd = os.dup(self._fd)  # another thread may go on to the next segment meanwhile
            except BaseException:
                self._close()
                raise
            group.written += 1
            ticket = group.written
        try:
            group.sync(fd, ticket)
        except OSError:
            with self._mutex:
                self._leave(group)
            raise
        finally:
            os.close(fd)
        self._rest_ns = 0

    def _begin_group(self) -> Group:
        """Now the names lead to the file, after a power cut, too."""
        for directory in self._made:
            sync.sync_directory(directory)
        self._made = ()
        self._group = Group(self._number)
        return self._group

    def _leave(self, group: Group) -> None:
        """Go on in a new segment, and not at once: its pages may be lost though they look clean."""
        if group is not self._group:
            return
        self._close()
        self._shunned = max(self._shunned, group.number)
        self._rest_ns = min(max(2 * self._rest_ns, sync.REST_NS[0]), sync.REST_NS[1])
        self._rest_until_ns = now_ns() + self._rest_ns

    def sync_failed(self, number: int, reason: str) -> None:
        """What stands in segment ``number`` may be lost though a later sync succeeds: leave it."""
        self._shunned = max(self._shunned, number)
        self._recheck_at_ns = 0
        self.on_sync_fault(reason)

    def _hand_over(self, fd: int) -> None:
        if syncer.hand_over(self, fd, self._number, self._made):
            self._made = ()

    def _append(self, data: bytes) -> None:
        ts_ns = now_ns()
        fd = self._fd
        if fd < 0 or ts_ns >= self._recheck_at_ns:
            fd = self._ensure_open(ts_ns)
        while True:
            try:
                flock(fd, LOCK_NOW)
                is_locked = True
            except OSError as refusal:
                is_locked = self._wait_for_lock(fd, ts_ns, refusal)
            try:
                facts = os.fstat(fd)
                size = facts.st_size
                end = size + len(data)
                if (  # nobody wrote since we did, and the segment goes on
                    size == self._end
                    and is_locked
                    and end <= self.segment_bytes
                    and ts_ns < self._roll_at_ns
                    and facts.st_nlink != self._no_links
                ):
                    written = os.write(fd, data)
                    if written != len(data):
                        _write_rest(fd, data, written, size, is_locked)
                    self._end = end
                    if self.is_clean:
                        self._hand_over(fd)
                    return
                following = self._append_or_follow(fd, facts, data, ts_ns, is_locked)
                if not following:
                    return
            finally:
                if is_locked:
                    try:
                        flock(fd, LOCK_UN)
                    except OSError:  # the line stands; closing the file releases the lock as well
                        self._close()
                        syncer.settle(0.0)  # it has copies of the descriptor, and so of the lock
            fd = self._open(following, ts_ns)

    def _append_or_follow(
        self, fd: int, facts: os.stat_result, data: bytes, ts_ns: int, is_locked: bool
    ) -> int:
        """Write here and return 0, or return the number of the segment to go on in."""
        size = facts.st_size
        if facts.st_nlink == self._no_links:  # deleted: what is written here is gone
            return self._series.newest() or 1
        end = _read_end(fd, size)
        if end == SEAL:
            newest = self._series.newest()
            if newest > self._number:
                return newest
        is_due = size and (ts_ns >= self._roll_at_ns or size + len(data) > self.segment_bytes)
        following = self._seal(fd, end) if is_due and is_locked else 0
        if not following:
            self._write(fd, data, size, end, is_locked)
        return following

    def _write(self, fd: int, data: bytes, size: int, end: bytes, is_locked: bool) -> None:
        self._end = -1
        if not is_locked or end[-1:] != NEWLINE:
            data = NEWLINE + data
        written = os.write(fd, data)
        if written < len(data):
            _write_rest(fd, data, written, size, is_locked)
        if is_locked:
            self._end = size + len(data)
        if self.is_clean:
            self._hand_over(fd)

    def _write_unlocked(self, data: bytes, *, durable: bool) -> None:
        """For a call from inside another append of this thread."""
        try:
            # Not the number at hand: that segment may have been compressed, and must not come back.
            fd = os.open(
                self._series.segment_path(self._series.newest() or 1), OPEN_FLAGS, FILE_MODE
            )
            try:
                if os.write(fd, NEWLINE + data) <= len(data):
                    raise OSError(ENOSPC, "the write was cut short")
                if durable:
                    sync.sync_file(fd)
                elif self.is_clean:
                    self._hand_over(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise self._log_error(error) from error

    def _log_error(self, error: OSError) -> LogError:
        told, hint = tell_fault(self.log_path.directory, error)
        status = NO_SPACE_STATUS if error.errno in NO_SPACE else 0
        return LogError(told, hint=hint, status=status)

    def _wait_for_lock(self, fd: int, ts_ns: int, refusal: OSError) -> bool:
        """Take the exclusive lock after all, or give up after a bounded wait."""
        if not isinstance(refusal, BlockingIOError):  # no locks on this file system
            return False
        if ts_ns < self._skip_lock_until_ns:
            return False
        give_up_s = monotonic() + LOCK_WAIT_S
        pause_s = 0.000_05
        while monotonic() < give_up_s:
            sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.001)
            try:
                flock(fd, LOCK_NOW)
                return True
            except BlockingIOError:
                continue
            except OSError:
                return False
        self._skip_lock_until_ns = ts_ns + NS_PER_S
        return False

    def _ensure_open(self, ts_ns: int) -> int:
        """The live segment's descriptor, opened anew if the file is gone or was replaced."""
        if self._fd >= 0 and self._number > self._shunned:
            try:
                there = os.stat(self._series.segment_path(self._number))
                here = os.fstat(self._fd)
                if (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev):
                    self._recheck_at_ns = ts_ns + RECHECK_NS
                    return self._fd
            except OSError:
                pass
        self._choose_series()
        return self._open(self._series.newest() or 1, ts_ns)

    def _choose_series(self) -> None:
        """Decided anew with every open: a folder may be mounted, and a fork is another process."""
        if self._shared == "yes":
            return
        if self._shared == "auto":
            from laneway.log.mount import can_share

            self._make_directory()
            if can_share(self.log_path.directory):
                self._series = self.log_path
                return
        from laneway.log.series import private_series

        self._series = private_series(self.log_path)

    def _make_directory(self) -> None:
        directory = parent = self.log_path.directory
        made: tuple[str, ...] = ()
        while not os.path.isdir(parent) and parent != os.path.dirname(parent):
            parent = os.path.dirname(parent)
            made = (parent, *made)
        make_directory(directory)
        self._made += made

    def _open(self, number: int, ts_ns: int) -> int:
        self._close()
        number = max(number, self._shunned + 1)
        while (fd := self._try_open(self._series.segment_path(number))) < 0:
            number += 1
        _appenders[id(self)] = self
        self._fd = fd
        self._number = number
        self._end = -1
        self._no_links = 0 if os.fstat(fd).st_nlink else -1  # some file systems count none
        self._roll_at_ns = _roll_time_ns(os.pread(fd, 32, 0), ts_ns)
        self._recheck_at_ns = ts_ns + RECHECK_NS
        if self._series is self.log_path:
            self.log_path.point_link(number)
        self._group = None
        if self.log_path.directory not in self._made:
            self._made += (self.log_path.directory,)
        self.is_clean = not self._durable
        return fd

    def _try_open(self, path: str) -> int:
        """A descriptor, or -1 where a link has the name: no writer of ours made it."""
        try:
            return open_segment(path)
        except FileNotFoundError:
            self._make_directory()
            return open_segment(path)
        except OSError as error:
            if error.errno != ELOOP:
                raise
            return -1

    def _seal(self, fd: int, end: bytes) -> int:
        """Create the next segment, mark this one; the next one's number, or 0 to stay where we are."""
        number = self._number + 1
        try:
            os.close(open_segment(self._series.segment_path(number)))
            os.write(fd, _mark_after(end))
            if self.is_clean:
                self._hand_over(fd)
        except OSError:  # no space, no descriptors: an over-long segment loses nothing
            return 0
        return number

    def _close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.close(fd)
            except OSError:
                pass

    def _after_fork(self) -> None:
        """In the child: the parent's lock state and descriptor are not ours."""
        self._mutex = allocate_lock()
        self._inside = set()
        self.is_clean = not self._durable
        self._close()


def open_segment(path: str) -> int:
    """A descriptor of the segment, which is made where it is missing."""
    fd = os.open(path, OPEN_FLAGS, FILE_MODE)
    try:
        if not os.fstat(fd).st_size:
            share(fd, os.path.dirname(path) or ".")
    except OSError:
        os.close(fd)
        raise
    return fd


def seal(path: str) -> bool:
    """Mark a segment that has a successor, if it is not marked; False where a writer is at it now."""
    try:
        fd = os.open(path, OPEN_FLAGS & ~os.O_CREAT)
    except FileNotFoundError:
        return True
    try:
        flock(fd, LOCK_NOW)
        end = _read_end(fd, os.fstat(fd).st_size)
        return end == SEAL or os.write(fd, _mark_after(end)) > 0
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def _mark_after(end: bytes) -> bytes:
    return SEAL[:1] if end[-1:] == NEWLINE else SEAL


def _roll_time_ns(head: bytes, ts_ns: int) -> int:
    """End of the day of a segment that begins with ``head``: past if it began on an earlier day."""
    today = format_ns(ts_ns)[:10].encode()
    began = head[14:24] if head.startswith(b'{"timestamp":"') else today
    return 0 if began < today else day_end_ns(ts_ns)


def _read_end(fd: int, size: int) -> bytes:
    """The last two bytes; of an empty file a newline, since nothing stands before."""
    return os.pread(fd, 2, max(0, size - 2)) if size else NEWLINE


def _write_rest(fd: int, data: bytes, written: int, size: int, is_locked: bool) -> None:
    """Continue a write that was cut short (a disk nearly full), which mostly raises the cause.

    A writer that goes without the lock can get between the two parts; then the line must be
    written again as a whole, and what stands of it is a fragment.
    """
    while is_locked and 0 < written < len(data):
        more = os.write(fd, data[written:])
        written = written + more if more else 0
    if written < len(data) or os.fstat(fd).st_size != size + len(data):
        raise OSError(ENOSPC, "the write was cut short")


def _ignore(reason: str) -> None:
    """Who does not ask is not told."""


_appenders: dict[int, Appender] = {}


def _reset_in_child() -> None:
    for appender in _appenders.values():
        appender._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
