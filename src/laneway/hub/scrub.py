"""What today's rules find in a log that is written already, and the way to get it out again.

Segments are rewritten one by one (`laneway.log.rewrite`): each is the old one or the new one, whenever
the process ends. Ids, order and times stay: a line without an id gets the one it had by its place.
What the index holds of a segment is dropped before its new text takes its place, with the database
it stood in; the follower indexes the new text. A running hub sees another file under the old name,
drops what it knows of it, and begins another epoch, so that no viewer keeps anything of it.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import NamedTuple

from laneway.base.errors import EventError, HubError, LogError
from laneway.base.settings import Settings
from laneway.hub.engine import index_path, note_problem
from laneway.hub.lock import HubLock
from laneway.log.rewrite import (
    Change,
    iter_all_lines,
    open_text,
    remove_drafts,
    rewrite,
    seal_live,
)
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import list_segments
from laneway.log.tail import LOG_FILE
from laneway.log.text import RawFile, fingerprint
from laneway.model.encode import encode
from laneway.model.redact import Redactor, make_redactor
from laneway.model.wire import decode_line, stable_id
from laneway.store.sqlite.directory import read_epoch
from laneway.store.sqlite.store import SqliteStore

FIRST_IDS = 3
"""Ids named of each segment, to look them up."""

NOTICE_S = 30.0
"""A running hub looks at the directory every half second; one that is busy may need longer."""

FOREIGN = "another program writes it: stop that and the hub, and give --foreign"
PRIVATE = "it is one process's own, which may write it still: end that, and run this again tomorrow"
HELD = "a writer does not let go of it: run this again"


class Found(NamedTuple):
    """What stands in one file of the log. ``left`` says why it was not rewritten; empty if it was,
    or would be."""

    segment: str
    events: int
    rules: Counter[str]
    first_ids: list[str]
    left: str = ""


class Cleaner:
    """Lines without what today's rules find."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def clean(self, data: bytes) -> tuple[bytes, Counter[str]]:
        """The line as it should stand, and what was found by rule; the same bytes where nothing was."""
        if not self._redactor.is_suspicious(data):
            return data, Counter()
        before = Counter(self._redactor.counts)
        try:
            event = decode_line(data)
        except EventError:
            return self._clean_text(data, before)
        clean, count = self._redactor.redact_event(event)
        rules = Counter(self._redactor.counts) - before
        if count:
            return encode(clean), rules
        # Of two equal keys only the second is in the event; the first stands in the line.
        _, rules = self._clean_text(data, Counter(self._redactor.counts))
        line = encode(event)
        if rules and not self._clean_text(line, Counter(self._redactor.counts))[1]:
            return line, rules
        return data, Counter()

    def _clean_text(self, data: bytes, before: Counter[str]) -> tuple[bytes, Counter[str]]:
        text = data.decode("utf-8", "surrogateescape")
        clean = self._redactor.redact_text(text).encode("utf-8", "surrogateescape")
        rules = Counter(self._redactor.counts) - before
        return (clean, rules) if rules else (data, rules)


class Scrub:
    """One pass over a log. `close` once.

    Raises:
        SettingError: a rule is wrong.
        StoreError: another process than a hub has the index.
    """

    def __init__(self, settings: Settings) -> None:
        self._log_path = LogPath.parse(settings.log_path)
        self._index_path = index_path(settings)
        self._cleaner = Cleaner(make_redactor(settings, os.environ))
        self._lock: HubLock | None = None
        self._store: SqliteStore | None = None

    def files(self) -> list[str]:
        """Every file of the log by its name without ``.zst``, oldest name first."""
        try:
            names = os.listdir(self._log_path.directory)
        except OSError:
            return []
        own = {name.removesuffix(PACKED) for name in names if LOG_FILE.fullmatch(name)}
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
            _, found = self._cleaner.clean(line)
            if found:
                rules += found
                events += 1
                if len(ids) < FIRST_IDS:
                    ids.append(_id_of(line) or stable_id(mark, offset, line))
        return Found(name, events, rules, ids)

    def begin(self) -> None:
        """Before the first `clean`: keep hubs away, or learn that one runs; remove drafts."""
        try:
            self._lock = HubLock(self._log_path.directory)
        except HubError:
            self._lock = None
        else:
            self._store = SqliteStore(self._index_path, on_problem=note_problem)
        remove_drafts(self._log_path.directory)

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

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        if self._lock is not None:
            self._lock.release()

    def _drop(self, name: str) -> None:
        if self._store is not None:
            self._store.forget(name)

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
            text = open_text(os.path.join(self._log_path.directory, name))
        except OSError as error:
            raise LogError(f"{name}: {error.strerror}") from error
        try:
            mark = text.read_fingerprint() if isinstance(text, RawFile) else text.fingerprint
            for offset, line in iter_all_lines(text):
                if bare := line.rstrip(b"\r"):
                    yield offset, bare, mark or fingerprint(b"")
        finally:
            if isinstance(text, RawFile):
                text.close()


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
