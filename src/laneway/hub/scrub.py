"""What today's rules find in a log that is written already, and the way to get it out again.

Segments are rewritten one by one (`laneway.log.rewrite`): each is the old one or the new one, whenever
the process ends. Ids, order and times stay: a line without an id gets the one it had by its place.
What the index holds of a segment is dropped before its new text takes its place, with the database
it stood in; the follower indexes the new text. A running hub sees another file under the old name,
drops what it knows of it, and begins another epoch, so that no viewer keeps anything of it.

A side file with a find gets its new text under a new name, on the disk before any line refers to it;
the old one goes when no line of any segment refers to it any more. Whenever the process ends, each
reference leads to a whole file, and the next run removes what this one has left.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import NamedTuple

from laneway.base.errors import EventError, HubError, LogError
from laneway.base.limits import SIDE_BYTES
from laneway.base.settings import Settings
from laneway.hub.backend import Backend, open_backend
from laneway.hub.cleaner import Cleaner
from laneway.hub.engine import index_path, note_problem
from laneway.hub.lock import HubLock
from laneway.hub.scrubbing import Scrubbing
from laneway.log.listing import is_log_file
from laneway.log.reference import References
from laneway.log.rewrite import Change, remove_drafts, rewrite, seal_live
from laneway.log.segment import GZIPPED, PACKED, LogPath
from laneway.log.series import list_segments
from laneway.log.side import DIRECTORY, HASH_CHARS, SideFiles
from laneway.log.sweep import iter_unreferred, sweep
from laneway.log.text import fingerprint, open_own
from laneway.log.whole import fingerprint_of_whole, iter_all_lines, open_whole
from laneway.model.encode import encode
from laneway.model.redact import make_redactor
from laneway.model.wire import decode_line, stable_id
from laneway.store.sqlite.directory import read_epoch

FIRST_IDS = 3
"""Ids named of each segment, to look them up."""

NOTICE_S = 30.0
"""A running hub looks at the directory every half second; one that is busy may need longer."""

ORPHAN_S = 10.0
"""A writer puts a side file there before its line: so young a one may be about to be referred to."""

FOREIGN = "another program writes it: stop that and the hub, and give --foreign"
PRIVATE = "it is one process's own, which may write it still: end that, and run this again tomorrow"
HELD = "a writer does not let go of it: run this again"
AWAITED = "a writer has put it there just now: run this again"


class Found(NamedTuple):
    """What stands in one file of the log. ``left`` says why it was not rewritten; empty if it was,
    or would be."""

    segment: str
    events: int
    rules: Counter[str]
    first_ids: list[str]
    left: str = ""


class Scrub:
    """One pass over a log. `close` once.

    Raises:
        SettingError: a rule is wrong.
        StoreError: another process than a hub has the index.
    """

    def __init__(self, settings: Settings) -> None:
        self._log_path = LogPath.parse(settings.log_path)
        self._settings = settings
        self._index_path = index_path(settings)
        # The new text is on the disk before a line refers to it.
        self._side = SideFiles(
            self._log_path.directory, limit_bytes=max(settings.side_bytes, SIDE_BYTES), durable=True
        )
        self._cleaner = Cleaner(make_redactor(settings, os.environ), self._side)
        self._references = References(self._log_path)
        self._scrubbing: Scrubbing | None = None
        self._lock: HubLock | None = None
        self._store: Backend | None = None

    def files(self) -> list[str]:
        """Every file of the log by its name without ``.zst`` (``.gz`` stays), oldest name first."""
        try:
            names = os.listdir(self._log_path.directory)
        except OSError:
            return []
        own = {name.removesuffix(PACKED) for name in names if is_log_file(name)}
        directory = self._log_path.directory
        return sorted(name for name in own if not os.path.islink(os.path.join(directory, name)))

    def inspect(self, name: str) -> Found:
        """What today's rules find in one file; nothing is changed.

        Raises:
            LogError: it cannot be read.
        """
        rules: Counter[str] = Counter()
        ids: list[str] = []
        events = 0
        for offset, line, mark in self._iter_lines(name):
            found = self._cleaner.inspect(line)
            if found:
                rules += found
                events += 1
                if len(ids) < FIRST_IDS:
                    ids.append(_id_of(line) or stable_id(mark, offset, line))
        return Found(name, events, rules, ids)

    def inspect_side(self) -> Found:
        """What today's rules find in the side files to which no line refers; those of a line count
        with its segment."""
        rules: Counter[str] = Counter()
        try:
            dirty = [
                path
                for path in iter_unreferred(self._side, self._references.all)
                if self._note_finds(path, rules)
            ]
        except (OSError, LogError) as error:
            return Found(DIRECTORY, 0, rules, [], f"nobody knows what is referred to: {error}")
        names = [os.path.basename(path)[:HASH_CHARS] for path in dirty[:FIRST_IDS]]
        return Found(DIRECTORY, len(dirty), rules, names)

    def clean_side(self, found: Found) -> Found:
        """Remove the side files with finds to which no line refers, once they are `ORPHAN_S` old."""
        until_s = monotonic() + ORPHAN_S + 1
        while found.events and not found.left:
            is_last = monotonic() > until_s
            try:
                sweep(self._side, self._references.all, int(ORPHAN_S * 1e9), only=self._has_finds)
            except (OSError, LogError) as error:
                return found._replace(left=str(error))
            if not self.inspect_side().events:
                break
            if is_last:
                return found._replace(left=AWAITED)
            sleep(0.5)
        return found

    def begin(self) -> str:
        """Before the first `clean`: keep hubs away, or learn that one runs; remove drafts. What an
        interrupted scrub has left is told.

        Raises:
            LogError: another scrub runs, or the directory cannot be written.
        """
        self._scrubbing = Scrubbing(self._log_path.directory)
        try:
            self._lock = HubLock(self._log_path.directory)
        except HubError:
            self._lock = None
        else:
            self._store = open_backend(self._settings, self._index_path, note_problem)
        remove_drafts(self._log_path.directory)
        return self._scrubbing.earlier

    def note_left(self, names: list[str]) -> None:
        """The files that are still to be gone over, for whoever looks after an interruption."""
        if self._scrubbing is not None:
            self._scrubbing.note(names)

    @property
    def has_hub(self) -> bool:
        return self._lock is None

    def clean(self, found: Found, *, foreign: bool = False) -> Found:
        """Replace what was found in one file. `Found.left` says so where that could not be done.

        ``foreign``: also in files of other programs, which must not have them open.
        """
        name = found.segment
        segment = next(
            (file for file in list_segments(self._log_path) if _base(file.name) == name), None
        )
        if segment is None:
            if not foreign or self.has_hub:
                return found._replace(left=FOREIGN)
        elif segment.is_last:
            if segment.series != self._log_path.name:
                return found._replace(left=PRIVATE)
            if not seal_live(self._log_path):
                return found._replace(left=HELD)
        epoch = read_epoch(self._index_path)
        mark = self._fingerprint(name)
        try:
            rewrite(self._log_path.directory, name, self._changer(mark), lambda: self._drop(name))
        except LogError as error:
            return found._replace(left=error.message)
        if self.has_hub and not _wait_for(lambda: read_epoch(self._index_path) != epoch):
            return found._replace(left="rewritten; the running hub has not noticed yet: restart it")
        return found

    def close(self, *, is_done: bool = True) -> None:
        """``is_done``: everything was gone over."""
        if self._scrubbing is not None:
            self._scrubbing.release(is_done=is_done)
            self._scrubbing = None
        if self._store is not None:
            self._store.close()
        if self._lock is not None:
            self._lock.release()

    def _has_finds(self, path: str) -> bool:
        return self._note_finds(path, Counter())

    def _note_finds(self, path: str, rules: Counter[str]) -> bool:
        try:
            with open(path, "rb", opener=open_own) as file:
                found = self._cleaner.inspect_payload(file.read())
        except OSError:  # the hub's sweeper was first; or it is a link, or somebody else's
            return False
        rules.update(found)
        return bool(found)

    def _drop(self, name: str) -> None:
        if self._store is not None:
            self._store.forget(name.removesuffix(GZIPPED))

    def _changer(self, mark: str) -> Change:
        def change(offset: int, line: bytes) -> bytes:
            bare = line.rstrip(b"\r")
            clean, _ = self._cleaner.clean(bare)
            return _with_id(clean, stable_id(mark, offset, bare))

        return change

    def _fingerprint(self, name: str) -> str:
        return next((mark for _, _, mark in self._iter_lines(name)), "")

    def _iter_lines(self, name: str) -> Iterator[tuple[int, bytes, str]]:
        """Offset and bytes of each line that is not blank, and the file's fingerprint."""
        try:
            with open_whole(os.path.join(self._log_path.directory, name)) as text:
                mark = fingerprint_of_whole(text) or fingerprint(b"")
                for offset, line in iter_all_lines(text):
                    if bare := line.rstrip(b"\r"):
                        yield offset, bare, mark
        except OSError as error:
            raise LogError(f"{name}: {error.strerror or error}") from error


def _base(name: str) -> str:
    return name.removesuffix(PACKED)


def _id_of(line: bytes) -> str:
    try:
        return str(decode_line(line).get("id") or "")
    except EventError:
        return ""


def _with_id(line: bytes, event_id: str) -> bytes:
    """An event's line with an id: one that had none is known by its place, and that changes now."""
    try:
        event = decode_line(line)
    except EventError:
        return line
    return line if event.get("id") else encode({**event, "id": event_id})


def _wait_for(condition: Callable[[], object]) -> bool:
    until_s = monotonic() + NOTICE_S
    while not condition():
        if monotonic() > until_s:
            return False
        sleep(0.05)
    return True
