"""The spool of HTTP mode: a small log of its own, shared by all processes that send to one hub.

Whoever holds ``ship.lock`` forwards for all; the others take over when the
holder goes, so no line waits for the process that wrote it.
"""

import os
from collections.abc import Iterator
from errno import ENOSPC
from hashlib import blake2b
from time import monotonic

from laneway.base.clock import NS_PER_S
from laneway.base.limits import MIB, SIDE_BYTES
from laneway.base.settings import Settings
from laneway.log.append import Appender, seal
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SEGMENT_BYTES = 8 * MIB
"""Small, so that what the hub has acknowledged is removed soon."""

SEGMENTS = 8
"""Of a spool that drops its oldest, at least: it drops them whole."""

SIZE_CHECK_S = 0.25
"""How often the spool's size is looked at; a process can overshoot by what it writes in that time."""

POSITION = "ship.position"

PLACE_BYTES = 64
"""Of the note in it, always: written over the one before with one call, it lies in one page and one sector,
so that a kill or a power cut leaves either. A new file and a rename for each batch cost sixty times as much,
and ext4 writes each to the disk."""

LOOKS = 3
"""At the note: a reader may meet it half written, which its signature tells."""

REJECTED = "rejected.jsonl"

SIDE_MARK = b'"side_files":['
SIDE_FIELD = "side_files"

SWEEP_NS = 10 * NS_PER_S
"""Side files of what was sent go after this, as they fill the spool; a writer needs milliseconds from
the file to its line. One that is stopped for longer in between loses all but the beginning."""


class Spool:
    """The files of one spool. The reading side is for the holder of the lock only."""

    def __init__(
        self,
        directory: str,
        limit_bytes: int,
        *,
        durable: bool = False,
        side_bytes: int = SIDE_BYTES,
        drops_oldest: bool = False,
    ) -> None:
        self.log_path = LogPath(directory, "spool")
        self.directory = self.log_path.directory
        self.limit_bytes = limit_bytes
        self.drops_oldest = drops_oldest
        whole = limit_bytes // SEGMENTS if drops_oldest else limit_bytes
        self.appender = Appender(
            self.log_path,
            segment_bytes=min(SEGMENT_BYTES, whole),
            shared="yes",
            durable=durable,
        )
        self.side = SideFiles(self.directory, limit_bytes=side_bytes, durable=durable)
        self._is_full = False
        self._check_at_s = 0.0

    @classmethod
    def of(cls, settings: Settings) -> "Spool":
        """The spool for the hub of ``logging_url``, in the Laneway home."""
        name = blake2b(settings.logging_url.encode(), digest_size=6).hexdigest()
        is_durable = settings.durability == "durable"
        directory = os.path.join(settings.home, "spool", name)
        return cls(
            directory,
            settings.spool_bytes,
            durable=is_durable,
            side_bytes=settings.side_bytes,
            drops_oldest=settings.spool_policy == "drop_oldest",
        )

    def is_full(self) -> bool:
        """Whether new events must be refused: always where the oldest are kept, else when dropping
        them makes no room."""
        if monotonic() >= self._check_at_s:
            self._check_at_s = monotonic() + SIZE_CHECK_S
            self._is_full = self.backlog_bytes() >= self.limit_bytes
            if self._is_full and self.drops_oldest:
                self._is_full = not self._make_room()
        return self._is_full

    def _make_room(self) -> bool:
        from laneway.sdk.drop import drop_oldest

        try:
            while self.backlog_bytes() >= self.limit_bytes:
                if not drop_oldest(self):
                    return False
        except BlockingIOError:  # another process is making room
            return True
        except OSError:
            return False
        return True

    def backlog_bytes(self) -> int:
        """Bytes that the hub has not acknowledged."""
        try:
            number, offset = self.read_position()
            rest = [n for n in self.log_path.numbers() if n >= number]
        except OSError:  # a directory that cannot be listed cannot be written either
            return 0
        lines = sum(self._size(n) for n in rest) - (offset if number in rest else 0)
        return lines + self.side.total_bytes()

    def end(self) -> tuple[int, int]:
        """The place just past the last line: (segment number, offset)."""
        try:
            number = self.log_path.newest()
        except OSError:
            return 0, 0
        return number, self._size(number)

    def read_position(self) -> tuple[int, int]:
        """The first place that was not acknowledged; the beginning where the note of it is void."""
        numbers = self.log_path.numbers() or [1]
        place = self._try_read_place()
        if place is None:
            return numbers[0], 0
        number, offset = place
        is_known = number in numbers and offset <= self._size(number)
        return (number, offset) if is_known else (numbers[0], 0)

    def _try_read_place(self) -> tuple[int, int] | None:
        for _ in range(LOOKS):
            try:
                with open(os.path.join(self.directory, POSITION), "rb", buffering=0) as file:
                    return _read_place(file.read(PLACE_BYTES).decode("ascii"))
            except OSError:
                return None
            except ValueError:
                continue
        return None

    def write_position(self, number: int, offset: int) -> None:
        """Atomic: a crash leaves the old place or the new one; the hub knows repeats by their id."""
        note = f"{number} {offset} {_sign(number, offset)}".ljust(PLACE_BYTES - 1) + "\n"
        path = os.path.join(self.directory, POSITION)
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        fd = os.open(path, flags, 0o600)
        try:
            if os.write(fd, note.encode()) < PLACE_BYTES:
                raise OSError(ENOSPC, "the write was cut short")
        finally:
            os.close(fd)

    def read_batch(
        self, number: int, offset: int, max_lines: int, max_bytes: int
    ) -> tuple[list[bytes], int]:
        """Complete lines from a place on, and the offset behind them."""
        try:
            with open(self.log_path.segment_path(number), "rb", buffering=0) as file:
                data = os.pread(file.fileno(), max_bytes, offset)
        except FileNotFoundError:
            return [], offset
        lines = data.split(b"\n")[:-1][:max_lines]
        return [line for line in lines if line], offset + sum(len(line) + 1 for line in lines)

    def inline(self, line: bytes) -> bytes:
        """``line`` with its payloads whole again: the hub has side files of its own. A damaged line
        stays as it is; the hub says what is wrong with it, and the next one has its turn."""
        import orjson

        from laneway.model.cut import put_back

        event = _try_event(line)
        if event is None:
            return line
        missing_count = put_back(event, self.side.read)
        for _ in range(missing_count):
            self.side.lose("side_missing")
        if missing_count:
            event.pop(SIDE_FIELD, None)
        return orjson.dumps(event)

    def bare(self, line: bytes) -> bytes:
        """``line`` as it is, but for the reference to side files that the hub does not get."""
        import orjson

        event = _try_event(line)
        if event is None:
            return line
        event.pop(SIDE_FIELD, None)
        return orjson.dumps(event)

    def is_finished(self, number: int, offset: int) -> bool:
        """Whether a segment is sealed and read to its end. One that its writer could not seal
        (a full disk, a kill) is sealed here, so that what follows it is not kept for ever."""
        if number >= self.log_path.newest() or offset < self._size(number):
            return False
        return seal(self.log_path.segment_path(number)) and offset >= self._size(number)

    def sweep(self) -> None:
        """Remove the side files of what the hub has acknowledged."""
        from laneway.log.sweep import sweep

        sweep(self.side, self.iter_referred, SWEEP_NS)

    def iter_referred(self) -> Iterator[str]:
        """The SHA-256 of the side files of all that the hub has not acknowledged."""
        from laneway.log.sweep import iter_referred

        number, offset = self.read_position()
        for later in self.log_path.numbers():
            if later >= number:
                with open(self.log_path.segment_path(later), "rb") as file:
                    file.seek(offset if later == number else 0)
                    yield from iter_referred(file)

    def remove(self, number: int) -> None:
        try:
            os.unlink(self.log_path.segment_path(number))
        except OSError:
            pass

    def reject(self, lines: list[bytes]) -> None:
        """Keep what the hub will never take where a person can look at it."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        fd = os.open(os.path.join(self.directory, REJECTED), flags, 0o600)
        try:
            data = b"\n" + b"\n".join(lines) + b"\n"
            if os.write(fd, data) < len(data):
                raise OSError(ENOSPC, "the write was cut short")
        finally:
            os.close(fd)

    def _size(self, number: int) -> int:
        try:
            return os.stat(self.log_path.segment_path(number)).st_size
        except OSError:
            return 0


def _try_event(line: bytes) -> "dict[str, Any] | None":
    import orjson

    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _read_place(text: str) -> tuple[int, int]:
    """
    Raises:
        ValueError: it is not what was written; a wrong place would pass over events.
    """
    number, offset, sign = text.split()
    place = int(number), int(offset)
    if sign != _sign(*place):
        raise ValueError("the note of the place is damaged")
    return place


def _sign(number: int, offset: int) -> str:
    return blake2b(b"%d %d" % (number, offset), digest_size=4).hexdigest()
