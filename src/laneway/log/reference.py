"""What the files of a log refer to: the side files that must stay."""

import os
from collections.abc import Iterator

from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.log.listing import LOG_FILE
from laneway.log.segment import PACKED, LogPath
from laneway.log.sweep import MARK, iter_referred
from laneway.log.text import RawFile, Text


class References:
    """Of one log directory. A file that is as it was is not read again. For one thread."""

    def __init__(self, log_path: LogPath) -> None:
        self._directory = log_path.directory
        self._known: dict[str, tuple[tuple[int, int, int], frozenset[str]]] = {}

    def all(self) -> set[str]:
        """The SHA-256 of every side file that a line refers to.

        Raises:
            OSError, LogError: a file cannot be read, or went meanwhile; nobody knows what it refers to.
        """
        names = [name for name in os.listdir(self._directory) if LOG_FILE.fullmatch(name)]
        known = {name: self._read(name) for name in names if not self._is_link(name)}
        self._known = known
        return set().union(*(digests for _, digests in known.values()))

    def _is_link(self, name: str) -> bool:
        return os.path.islink(os.path.join(self._directory, name))

    def _read(self, name: str) -> tuple[tuple[int, int, int], frozenset[str]]:
        path = os.path.join(self._directory, name)
        facts = os.stat(path)
        state = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        before = self._known.get(name)
        if before is not None and before[0] == state:
            return before
        if not name.endswith(PACKED):
            with RawFile(path) as file:
                return state, frozenset(_iter_referred(file))
        from laneway.log.seekable import SeekableFile

        return state, frozenset(_iter_referred(SeekableFile(path)))


def _iter_referred(text: Text) -> Iterator[str]:
    offset = 0
    while True:
        lines = text.read_lines(offset, MIB)
        if lines.damage is not None:
            raise LogError(f"{lines.damage}", hint="side files stay until it is mended or removed")
        if lines.end == offset:
            return
        offset = lines.end
        if MARK in lines.data:
            yield from iter_referred(lines.data.split(b"\n"))
