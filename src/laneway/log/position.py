"""How far each file of the log was read, by its name, and what became of the names."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from laneway.log.followed import Followed

PAST_FILES = 1_000
"""Files remembered after they have gone, to know them under another name."""


class Vanished(NamedTuple):
    """All that was known under this name is void: the file is gone, is another one, or is handed out
    again from its beginning."""

    segment: str


class Moved(NamedTuple):
    """Files that were renamed, old name → new, all at once: a name may be left and taken in one
    move. What was known of them is right still."""

    names: dict[str, str]


Change = Vanished | Moved

T = TypeVar("T")


def rename_keys(known: dict[str, T], change: Change) -> None:
    """Bring what is kept by name in line with a change."""
    if isinstance(change, Vanished):
        known.pop(change.segment, None)
        return
    moved = {new: known.pop(old) for old, new in change.names.items() if old in known}
    for new in change.names.values():
        known.pop(new, None)
    known |= moved


class Past(NamedTuple):
    """How far a file was read under a name that it no longer has; see `Followed.before`."""

    fingerprint: str
    offset: int
    before: bytes

    @classmethod
    def of(cls, file: Followed) -> "Past":
        return cls(file.fingerprint, file.offset, file.before)

    def is_in(self, file: Followed, size: int) -> bool:
        """Whether ``file`` holds what was read."""
        return (
            self.fingerprint == file.fingerprint
            and self.offset <= size
            and file.holds(self.before, self.offset)
        )


class Positions:
    """``{name: (fingerprint, offset)}``, with its changes in the order in which they happened."""

    def __init__(self, known: Mapping[str, tuple[str, int]]) -> None:
        self._known = dict(known)
        self._past: dict[str, Past] = {}
        self._changes: list[Change] = []

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))

    def get(self, name: str) -> tuple[str, int]:
        return self._known.get(name, ("", 0))

    def note(self, name: str, fingerprint: str, offset: int) -> None:
        self._known[name] = fingerprint, offset

    def forget(self, name: str, before: bytes = b"") -> None:
        """``before``: what stood before the offset. A name of which nothing is known is no news."""
        if name not in self._known:
            return
        fingerprint, offset = self._known.pop(name)
        self._past.pop(fingerprint, None)
        self._past[fingerprint] = Past(fingerprint, offset, before)
        if len(self._past) > PAST_FILES:
            del self._past[next(iter(self._past))]
        self._changes.append(Vanished(name))

    def move(self, names: Mapping[str, str]) -> None:
        """The old names are known; what was known of a new one that nobody leaves is forgotten."""
        for new in names.values():
            if new not in names:
                self.forget(new)
        taken = {new: self._known.pop(old) for old, new in names.items()}
        self._known |= taken
        if taken:
            self._changes.append(Moved(dict(names)))

    def past(self, fingerprint: str) -> Past | None:
        """The last file with this first line of which the name was forgotten."""
        return self._past.get(fingerprint)

    @property
    def has_changes(self) -> bool:
        return bool(self._changes)

    def take_changes(self) -> list[Change]:
        changes, self._changes = self._changes, []
        return changes
