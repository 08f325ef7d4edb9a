"""The tail: every complete line of every log file in the directory, once, in order within a file.

It follows our own segments, compressed ones too, and any other ``*.jsonl`` beside them (a naive
writer's ``observability.jsonl``, and what a foreign rotation makes of it). It
looks at file sizes and needs no notification service: 40 looks a second cost
less than 0.2 % of a core and work on every volume (docs/adr/0004-polling.md).

A foreign rotation renames files, or copies one and cuts it (copytruncate). A renamed
file is known by its inode while it is followed, and by its text after a restart
(`laneway.log.rename`): its place moves with it, and nothing is read again. A copy is
read; lines that only the cut file held are gone, which is told as a `Break`.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from errno import ENOENT, ESTALE
from time import monotonic
from typing import NamedTuple

from laneway.base.limits import MIB
from laneway.log.followed import Followed
from laneway.log.listing import Inode, Listing, list_settled
from laneway.log.position import Change, Past, Positions
from laneway.log.rename import IsSame, Rename, cannot_tell
from laneway.log.segment import GZIPPED, LogPath
from laneway.log.syncer import Syncer
from laneway.log.text import Damage, RawFile, fingerprint, iter_lines

POLL_MIN_S, POLL_MAX_S = 0.004, 0.032
"""Pause between two looks: short right after something came, longer while nothing does."""

SCAN_S = 0.5
"""How often the directory is listed, whatever its time says: not every file system keeps that."""

LOOKS = 10
"""Tries of one look at the directory while its files are renamed; the next `Tail.poll` tries again."""

MOVED = {ENOENT, ESTALE}
"""How the reading of a compressed file ends that has another name, or was written anew, since the look."""

NO_INODE = (-1, -1)
"""Of a file that is opened again by its name, or by the name that is found for it."""


class Chunk(NamedTuple):
    """Complete lines of one file, blank ones left out; ``end`` is where the next chunk begins."""

    segment: str
    fingerprint: str
    lines: list[tuple[int, bytes]]
    end: int
    is_replaced: bool
    """Our own segment is another one than before, or was cut: what was known of it is void."""
    seen_bytes: int
    """Lines below this offset were handed out before, under another name of the file."""
    damage: Damage | None = None
    """What is lost before ``end``, or of what was handed out before."""


class Break(NamedTuple):
    """What somebody else did to a file, so that lines of it may be gone."""

    segment: str
    how: str
    """``cut``: other content in its place, as copytruncate leaves; ``gone``: removed before it was read."""
    unread_bytes: int
    """Seen there and never read. What came and went between two looks, nobody can tell."""


class Tail:
    """Follows a log directory from ``positions``: ``{file name: (fingerprint, offset)}``.

    ``is_same(name, text)`` is asked whether a file with the first line of the one of that name is
    the one that was read; None where nobody can tell, which is no rename.

    One thread polls; `wake` and `lag_bytes` may be called from any.
    """

    def __init__(
        self,
        log_path: LogPath,
        positions: Mapping[str, tuple[str, int]],
        is_same: IsSame = cannot_tell,
        *,
        syncer: Syncer | None = None,
        skip: Callable[[str], bool] = lambda segment: False,
    ) -> None:
        """``syncer``: syncs what was read, for writers that were killed before they could. ``skip``:
        which segments are nobody's business here."""
        self._skip = skip
        self._syncer = syncer
        self._log_path = log_path
        self._positions = Positions(positions)
        self._is_same = is_same
        self._files: dict[str, Followed] = {}
        self._breaks: list[Break] = []
        self._wake = threading.Event()
        self._scan_at_s = 0.0
        self._scanned_ns = -1
        self._pause_s = POLL_MIN_S

    def poll(self, max_bytes: int = MIB) -> list[Chunk]:
        """What is new, at most about ``max_bytes`` a file, oldest segment first; empty when level.

        `take_changes` comes before the chunks.
        """
        for file in self._files.values():
            file.settled = file.offset  # who asks for more has dealt with what it was given
        changed_ns = self._directory_ns()
        if changed_ns != self._scanned_ns or monotonic() >= self._scan_at_s:
            # The time was taken before the list: what comes during it is listed next.
            self._scanned_ns = changed_ns
            self._scan_at_s = monotonic() + (SCAN_S if self._scan() else POLL_MIN_S)
        files = self._in_order()
        for file in files:  # all of them first: a cut file can void what others hold
            self._check(file)
        chunks = []
        behind: set[str] = set()  # series with more to read: one file after the other
        for file in files:
            if file.series not in behind and (chunk := self._read(file, max_bytes)):
                chunks.append(chunk)
                if file.has_more(file.seen_size):
                    behind.add(file.series)
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
        """Bytes of complete lines that were not handed out yet, or were by the last `poll`: those may
        be in work still. What has no end yet is not counted once it was looked at."""
        return sum(
            max(0, file.size - max(file.settled, file.waits_at))
            for file in list(self._files.values())
        )

    @property
    def has_changes(self) -> bool:
        """Whether `take_changes` would tell anything."""
        return self._positions.has_changes

    def take_changes(self) -> list[Change]:
        """What became of names since the last call, in order."""
        return self._positions.take_changes()

    def take_breaks(self) -> list[Break]:
        """What was done to the files since the last call."""
        breaks, self._breaks = self._breaks, []
        return breaks

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _in_order(self) -> list[Followed]:
        return sorted(self._files.values(), key=lambda file: file.name)

    def _directory_ns(self) -> int:
        """When an entry of the directory last came, went or was renamed."""
        try:
            return os.stat(self._log_path.directory).st_mtime_ns
        except OSError:
            return 0

    def _has_grown(self) -> bool:
        return self._directory_ns() != self._scanned_ns or any(
            (size := file.size) != file.seen_size or file.has_more(size)
            for file in self._files.values()
        )

    def _scan(self) -> bool:
        """Find out what the directory holds; False, and nothing has changed, where its files are being
        renamed all the time."""
        for _ in range(LOOKS):
            try:
                self._take_look()
            except OSError as error:
                if error.errno not in MOVED:
                    raise
            else:
                return True
        return False

    def _take_look(self) -> None:
        """
        Raises:
            OSError: a file could not be read, or (`MOVED`) was renamed meanwhile; nothing has changed.
        """
        inodes = {name: file.inode for name, file in self._files.items()}
        seen = list_settled(self._log_path.directory, self._skip, inodes)
        files, left, gone, stale = self._part(seen)
        rename = Rename(self._positions, self._is_same)
        with ExitStack() as opened:
            for name in sorted(seen.keys() - files.keys()):
                if file := left.pop(seen[name][1], None):
                    rename.carry(file, name)
                elif file := self._open(name, seen):
                    opened.callback(file.close)
                    rename.find(file)
                else:
                    continue
                files[name] = file
            gone += left.values()
            rename.settle(gone, files)
            opened.pop_all()
        self._files = files
        for file in gone:
            if file.name not in rename.found:
                self._lose(file)
        for file in gone + stale:
            file.close()

    def _part(
        self, seen: Listing
    ) -> tuple[dict[str, Followed], dict[Inode, Followed], list[Followed], list[Followed]]:
        """The files that have their names still; of the others those that are known by their inodes;
        those that are not; and our own, whose names tell what they are."""
        files: dict[str, Followed] = {}
        left: dict[Inode, Followed] = {}
        gone: list[Followed] = []
        stale: list[Followed] = []
        for name, file in self._files.items():
            if name in seen and seen[name][1] == file.inode:
                files[name] = file
            elif name in seen and file.is_own:  # compressed, or another one: its text tells
                stale.append(file)
            elif isinstance(file.text, RawFile) and file.inode not in left:
                left[file.inode] = file
            else:  # not open, so that its inode may be another's by now; or met under two names
                gone.append(file)
        return files, left, gone, stale

    def _lose(self, file: Followed) -> None:
        """It is gone, with what nobody read."""
        past = Past.of(file)
        unread_bytes = file.size - past.offset
        if unread_bytes > 0:
            self._breaks.append(Break(file.name, "gone", unread_bytes))
        self._hand_out_copies(past, file)

    def _open(self, segment: str, seen: Listing) -> Followed | None:
        """
        Raises:
            OSError: `MOVED`: what was listed has another name by now.
        """
        name, inode = seen[segment]
        path = os.path.join(self._log_path.directory, name)
        try:
            if name.endswith(GZIPPED):
                from laneway.log.gzipped import GzipFile

                return Followed(segment, GzipFile(path), inode)
            if name != segment:
                from laneway.log.seekable import SeekableFile

                return Followed(segment, SeekableFile(path), inode)
            file = Followed(segment, text := RawFile(path), text.identity())
        except OSError as error:
            if error.errno in MOVED:
                raise
            return None  # unreadable: looked at again with the next scan
        if file.inode != inode and file.inode in (other for _, other in seen.values()):
            file.close()
            raise OSError(ESTALE, "is another file than was listed", path)
        return file

    def _check(self, file: Followed) -> None:
        """Look at its size, and whether it still is what was read."""
        size = file.size
        if file.is_own:
            if size < file.offset:  # what was read is gone, begin again
                file.fingerprint = ""
                file.begin(0)
        elif file.fingerprint and file.is_cut(size):
            past = Past.of(file)
            self._breaks.append(Break(file.name, "cut", max(0, file.seen_size - past.offset)))
            self._void(file)
            self._hand_out_copies(past)
        file.seen_size = size

    def _void(self, file: Followed) -> None:
        """What was read under this name counts no longer; whatever it holds is handed out anew."""
        if file.fingerprint:
            self._positions.note(file.name, file.fingerprint, file.offset)
            self._positions.forget(file.name, file.before)
        file.fingerprint, file.seen_bytes = "", 0
        file.begin(0)

    def _hand_out_copies(self, past: Past, gone: Followed | None = None) -> None:
        """Of equal events in several files only the first file's count, and that one is lost."""
        for file in self._files.values():
            if not past.fingerprint or not _may_be_copy(file, past, gone):
                continue
            reached = file.offset
            self._void(file)
            self._identify(file, file.size)
            file.seen_bytes = max(file.seen_bytes, reached)

    def _read(self, file: Followed, max_bytes: int) -> Chunk | None:
        known = file.fingerprint
        try:
            return self._read_on(file, max_bytes)
        except OSError as error:
            if error.errno not in MOVED:
                raise
        file.fingerprint = known
        file.inode = NO_INODE
        self._scan_at_s = 0.0
        return None

    def _read_on(self, file: Followed, max_bytes: int) -> Chunk | None:
        size = file.seen_size
        if not file.fingerprint and not self._identify(file, size):
            return self._tell_cut(file)
        if not file.has_more(size):
            return self._tell_cut(file)
        if self._syncer and file.is_clean and isinstance(file.text, RawFile):
            self._syncer.hand_over(file, file.text.fileno())
        start = file.offset
        data, end, damage = file.read_lines(min(size - start, max_bytes))
        if end == start:
            file.waits_at = size  # an unfinished line: look again when it has grown
            return self._tell_cut(file)
        return self._hand_out(file, list(iter_lines(data, start)), end, file.cut or damage)

    def _tell_cut(self, file: Followed) -> Chunk | None:
        """A chunk without lines where a segment has become shorter and nothing is left to read."""
        if file.cut is None:
            return None
        file.fingerprint = file.fingerprint or self._positions.get(file.name)[0]
        return self._hand_out(file, [], file.offset, file.cut)

    def _hand_out(
        self, file: Followed, lines: list[tuple[int, bytes]], end: int, damage: Damage | None
    ) -> Chunk:
        chunk = Chunk(
            file.name, file.fingerprint, lines, end, file.is_replaced, file.seen_bytes, damage
        )
        file.offset, file.waits_at, file.is_replaced, file.cut = end, 0, False, None
        self._positions.note(file.name, file.fingerprint, end)
        return chunk

    def _identify(self, file: Followed, size: int) -> bool:
        """Fingerprint a file once its first line is there, and find the place to go on from."""
        known, offset = self._positions.get(file.name)
        is_raw = isinstance(file.text, RawFile)
        if isinstance(file.text, RawFile):
            if size <= file.waits_at:
                return False
            file.fingerprint = file.text.read_fingerprint()
        else:  # if so much is damaged that it does not know itself, its name tells
            file.fingerprint = file.text.fingerprint or known or fingerprint(b"")
        is_cut = is_raw and size < offset and file.is_own and file.fingerprint in ("", known)
        if is_cut:
            file.cut = Damage(file.name, size, offset, -1, "it was cut")
            file.is_replaced = True
        if not file.fingerprint:
            file.waits_at = size
            return False
        if not is_cut and known == file.fingerprint and self._goes_on(file, size, offset):
            file.begin(offset)
        else:
            self._begin_anew(file, size, known)
        return size > file.offset

    def _goes_on(self, file: Followed, size: int, offset: int) -> bool:
        """Whether a file of a known name and first line is the one that was read."""
        if not isinstance(file.text, RawFile) and file.is_own:
            return True
        return offset <= size and (file.is_own or self._is_same(file.name, file.text) is not False)

    def _begin_anew(self, file: Followed, size: int, known: str) -> None:
        file.begin(0)
        if known and file.is_own:
            file.is_replaced = True
        elif known:
            if known == file.fingerprint:
                self._breaks.append(Break(file.name, "cut", 0))
            self._positions.forget(file.name)
        file.seen_bytes = self._seen_before(file, size)

    def _seen_before(self, file: Followed, size: int) -> int:
        """How much of a new name's file was handed out under another: it was renamed, or is a copy."""
        known = [Past.of(other) for other in self._files.values() if other is not file]
        if past := self._positions.past(file.fingerprint):
            known.append(past)
        return max((past.offset for past in known if past.is_in(file, size)), default=0)


def _may_be_copy(file: Followed, past: Past, gone: Followed | None) -> bool:
    """Whether what was read of ``file`` can be what was read of another, which is ``gone`` or was cut.
    Many a program begins all of its files with the same line."""
    if file.fingerprint != past.fingerprint:
        return False
    if file.size >= past.offset:
        return file.holds(past.before, past.offset)
    return gone is None or gone.holds(file.before, file.offset)
