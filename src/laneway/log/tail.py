"""The tail: every complete line of every log file in the directory, once, in order within a file.

It follows our own segments, compressed ones too, and any other ``*.jsonl`` beside them (a naive
writer's ``observability.jsonl``, and what a foreign rotation makes of it). It
looks at file sizes and needs no notification service: 40 looks a second cost
less than 0.2 % of a core and work on every volume (docs/adr/0004-polling.md).
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from laneway.base.limits import MIB
from laneway.log.segment import PACKED, LogPath
from laneway.log.syncer import Source, Syncer
from laneway.log.text import Damage, RawFile, fingerprint, iter_lines

if TYPE_CHECKING:
    from laneway.log.seekable import SeekableFile

POLL_MIN_S, POLL_MAX_S = 0.004, 0.032
"""Pause between two looks: short right after something came, longer while nothing does."""

SCAN_S = 0.5
"""How often the directory is listed, whatever its time says: not every file system keeps that."""

LOG_FILE = re.compile(r"[^.].*\.jsonl(\.\d+|-\d{8,})?|[^.].*-\d{6,}\.jsonl\.zst")
"""Segments, compressed segments, foreign logs, and their rotated forms (``x.jsonl.1``,
``x.jsonl-20261123``)."""

OWN_FILE = re.compile(r"[^.].*-\d{6,}\.jsonl")
"""What is only ever appended to: if it is shorter than before, something is lost."""


class Chunk(NamedTuple):
    """Complete lines of one file, blank ones left out; ``end`` is where the next chunk begins."""

    segment: str
    fingerprint: str
    lines: list[tuple[int, bytes]]
    end: int
    is_replaced: bool
    """The name stands for another file than before: what was known of it is void."""
    is_moved: bool
    """The file was followed under another name before (a rotation renamed it)."""
    damage: Damage | None = None
    """What is lost before ``end``, or of what was handed out before."""


class _File(Source):
    """One followed file; ``name`` is the segment's, whichever form the file has."""

    __slots__ = (
        "cut",
        "fingerprint",
        "inode",
        "is_clean",
        "is_moved",
        "is_replaced",
        "name",
        "offset",
        "settled",
        "text",
        "waits_at",
    )

    def __init__(self, name: str, text: "RawFile | SeekableFile", inode: tuple[int, int]) -> None:
        self.name = name
        self.text = text
        self.inode = inode
        self.fingerprint = ""
        self.offset = 0
        self.settled = 0
        self.waits_at = 0  # the size at which the last line was unfinished
        self.is_replaced = False
        self.is_moved = False
        self.cut: Damage | None = None
        self.is_clean = True

    @property
    def size(self) -> int:
        return self.text.size

    def close(self) -> None:
        if isinstance(self.text, RawFile):
            self.text.close()


class Tail:
    """Follows a log directory from ``positions``: ``{file name: (fingerprint, offset)}``.

    One thread polls; `wake` and `lag_bytes` may be called from any.
    """

    def __init__(
        self,
        log_path: LogPath,
        positions: Mapping[str, tuple[str, int]],
        *,
        syncer: Syncer | None = None,
    ) -> None:
        """``syncer``: syncs what was read, for writers that were killed before they could."""
        self._syncer = syncer
        self._log_path = log_path
        self._positions = dict(positions)
        self._files: dict[str, _File] = {}
        self._names = {fingerprint: name for name, (fingerprint, _) in positions.items()}
        self._vanished: list[str] = []
        self._wake = threading.Event()
        self._scan_at_s = 0.0
        self._scanned_ns = -1
        self._pause_s = POLL_MIN_S

    def poll(self, max_bytes: int = MIB) -> list[Chunk]:
        """What is new, at most about ``max_bytes`` a file, oldest segment first; empty when level."""
        for file in self._files.values():
            file.settled = file.offset  # who asks for more has dealt with what it was given
        changed_ns = self._directory_ns()
        if changed_ns != self._scanned_ns or monotonic() >= self._scan_at_s:
            self._scanned_ns = (
                changed_ns  # taken before the list: what comes during it is listed next
            )
            self._scan()
            self._scan_at_s = monotonic() + SCAN_S
        chunks = [chunk for file in self._in_order() if (chunk := self._read(file, max_bytes))]
        self._pause_s = POLL_MIN_S if chunks else min(self._pause_s * 1.25, POLL_MAX_S)
        return chunks

    def look(self) -> None:
        """Find the files and the place to go on from in each: `lag_bytes` is right before a `poll`."""
        self._scan()
        for file in self._in_order():
            if not file.fingerprint:
                self._identify(file, file.size)

    def wait(self, timeout_s: float) -> None:
        """Return when a followed file has grown, `wake` was called, or the time is over."""
        until_s = monotonic() + timeout_s
        while not self._has_grown():
            rest_s = min(until_s, self._scan_at_s) - monotonic()
            if rest_s <= 0 or self._wake.wait(min(self._pause_s, rest_s)):
                break
            self._pause_s = min(self._pause_s * 1.25, POLL_MAX_S)
        self._wake.clear()

    def wake(self) -> None:
        """Something was appended, or the follower shall stop: end the wait at once."""
        self._wake.set()

    def rescan(self) -> None:
        """`wake`, and list the directory at once: a new file was begun."""
        self._scan_at_s = 0.0
        self._wake.set()

    def lag_bytes(self) -> int:
        """Bytes in the files that were not handed out yet, or were by the last `poll`: those may be
        in work still."""
        return sum(max(0, file.size - file.settled) for file in list(self._files.values()))

    def take_vanished(self) -> list[str]:
        """Names of files that were followed (now, or when ``positions`` was taken) and are gone."""
        names, self._vanished = self._vanished, []
        return names

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _in_order(self) -> list[_File]:
        return sorted(self._files.values(), key=lambda file: file.name)

    def _directory_ns(self) -> int:
        """When an entry of the directory last came, went or was renamed."""
        try:
            return os.stat(self._log_path.directory).st_mtime_ns
        except OSError:
            return 0

    def _has_grown(self) -> bool:
        return self._directory_ns() != self._scanned_ns or any(
            file.size > max(file.offset, file.waits_at) for file in self._files.values()
        )

    def _scan(self) -> None:
        seen = self._list()
        for name, file in list(self._files.items()):
            if name not in seen or seen[name][1] != file.inode:
                self._drop(file, is_gone=name not in seen)
        for name in sorted(seen):
            if name not in self._files:
                self._follow(name, *seen[name])
        for name in [name for name in self._positions if name not in seen]:
            del self._positions[name]
            self._vanished.append(name)

    def _list(self) -> dict[str, tuple[str, tuple[int, int]]]:
        """Segment → its file and inode. Where both forms are there, the plain one counts: it is
        removed only when the other is whole."""
        seen: dict[str, tuple[str, tuple[int, int]]] = {}
        for name, inode in self._iter_entries():
            segment = name.removesuffix(PACKED)
            if segment == name or segment not in seen:
                seen[segment] = name, inode
        return seen

    def _iter_entries(self) -> Iterator[tuple[str, tuple[int, int]]]:
        try:
            entries = list(os.scandir(self._log_path.directory))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if LOG_FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                try:
                    facts = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                yield entry.name, (facts.st_dev, facts.st_ino)

    def _follow(self, segment: str, name: str, inode: tuple[int, int]) -> None:
        path = os.path.join(self._log_path.directory, name)
        try:
            if name != segment:
                from laneway.log.seekable import SeekableFile

                self._files[segment] = _File(segment, SeekableFile(path), inode)
            else:
                text = RawFile(path)
                self._files[segment] = _File(segment, text, text.identity())
        except OSError:
            return  # unreadable or gone: looked at again with the next scan

    def _drop(self, file: _File, *, is_gone: bool) -> None:
        """A name vanished or stands for another file; unread lines of the old one are lost to us."""
        file.close()
        del self._files[file.name]
        if is_gone and file.fingerprint:
            self._positions.pop(file.name, None)
            self._vanished.append(file.name)

    def _read(self, file: _File, max_bytes: int) -> Chunk | None:
        size = file.size
        if size < file.offset:  # truncated in place: what was read is gone, begin again
            file.fingerprint, file.offset, file.settled, file.waits_at = "", 0, 0, 0
        if not file.fingerprint and not self._identify(file, size):
            return self._tell_cut(file)
        if size <= max(file.offset, file.waits_at):
            return self._tell_cut(file)
        if self._syncer and file.is_clean and isinstance(file.text, RawFile):
            self._syncer.hand_over(file, file.text.fileno())
        data, end, damage = file.text.read_lines(file.offset, min(size - file.offset, max_bytes))
        if end == file.offset:
            file.waits_at = size  # an unfinished line: look again when it has grown
            return self._tell_cut(file)
        lines = list(iter_lines(data, file.offset))
        return self._hand_out(file, lines, end, file.cut or damage)

    def _tell_cut(self, file: _File) -> Chunk | None:
        """A chunk without lines where a segment has become shorter and nothing is left to read."""
        if file.cut is None:
            return None
        file.fingerprint = file.fingerprint or self._positions[file.name][0]
        return self._hand_out(file, [], file.offset, file.cut)

    def _hand_out(
        self, file: _File, lines: list[tuple[int, bytes]], end: int, damage: Damage | None
    ) -> Chunk:
        chunk = Chunk(
            file.name, file.fingerprint, lines, end, file.is_replaced, file.is_moved, damage
        )
        file.offset, file.waits_at, file.is_replaced, file.cut = end, 0, False, None
        self._positions[file.name] = (file.fingerprint, end)
        return chunk

    def _identify(self, file: _File, size: int) -> bool:
        """Fingerprint a file once its first line is there, and find the place to go on from."""
        known, offset = self._positions.get(file.name, ("", 0))
        if isinstance(file.text, RawFile):
            if size <= file.waits_at:
                return False
            file.fingerprint = file.text.read_fingerprint()
            is_cut = bool(size < offset and OWN_FILE.fullmatch(file.name))
            is_cut = is_cut and file.fingerprint in ("", known)
        else:  # if so much is damaged that it does not know itself, its name tells
            file.fingerprint = file.text.fingerprint or known or fingerprint(b"")
            is_cut = False
        if is_cut:
            file.cut = Damage(file.name, size, offset, -1, "it was cut")
            file.is_replaced = True
        if not file.fingerprint:
            file.waits_at = size
            return False
        is_same = known == file.fingerprint and not is_cut
        is_same = is_same and (offset <= size or not isinstance(file.text, RawFile))
        file.offset = file.settled = offset if is_same else 0
        file.is_replaced = bool(known) and not is_same
        file.is_moved = self._names.get(file.fingerprint, file.name) != file.name
        self._names[file.fingerprint] = file.name
        return size > file.offset
