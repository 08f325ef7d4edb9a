"""Which file of somebody else's is which, after a look at the directory found new names.

logrotate renames every old file at each rotation (``app.jsonl.1`` → ``app.jsonl.2``, …). A file that
is followed is known by its inode: its descriptor is open, so that no other file has it. Otherwise, as
after a restart, it is known by its first line and by what its taker finds in it; an inode is no
proof then, for it is given away again.
"""

from collections.abc import Callable, Collection, Mapping

from laneway.log.followed import Followed
from laneway.log.position import Positions
from laneway.log.text import RawFile, Readable

IsSame = Callable[[str, Readable], bool | None]


def cannot_tell(name: str, text: Readable) -> bool | None:
    """The `IsSame` of who knows no more of a file than its first line."""
    return None


class Rename:
    """For one look at the directory: `carry` and `find` all new names, then `settle`."""

    def __init__(self, positions: Positions, is_same: IsSame) -> None:
        self._positions = positions
        self._is_same = is_same
        self._moves: dict[str, str] = {}
        self._carried: list[tuple[Followed, str]] = []
        self._new: list[Followed] = []
        self._gone: dict[str, Followed] = {}
        self.found: set[str] = set()
        """Names whose text was found in another file than before."""

    def carry(self, file: Followed, name: str) -> None:
        """A followed file that has another name now. Of one without a first line nothing was read."""
        if file.fingerprint:
            self._positions.note(file.name, file.fingerprint, file.offset)
            self._moves[file.name] = name
        self._carried.append((file, name))

    def find(self, file: Followed) -> None:
        """A file that was not followed before. Our own have their names for ever."""
        if not file.is_own:
            self._new.append(file)

    def settle(self, gone: Collection[Followed], files: Mapping[str, Followed]) -> None:
        """Move what is known with the files, and forget what belongs to none. ``files``: all that are
        followed now, by their new names.

        Raises:
            OSError: a compressed one could not be read; nothing has changed.
        """
        for file in gone:
            if file.fingerprint:
                self._positions.note(file.name, file.fingerprint, file.offset)
                self._gone[file.name] = file
        new = [file for file in self._new if not self._stays(file)]
        taken = {file.name for file in new}.union(self._moves.values())
        free = [
            name
            for name in self._positions
            if name not in self._moves
            and name not in self.found
            and (name not in files or name in taken)
        ]
        for file in new:
            name = next((name for name in free if self._try_place(file, name)), None)
            if name is not None:
                free.remove(name)
                self._moves[name] = file.name
        for name in free:  # what a new file of that name holds will be seen when its first line is
            if name not in files or name in self._gone:
                self._positions.forget(name, self._gone[name].before if name in self._gone else b"")
        self._positions.move(self._moves)
        for carried, new_name in self._carried:
            carried.name = new_name

    def _stays(self, file: Followed) -> bool:
        return file.name not in self._moves and self._try_place(file, file.name)

    def _try_place(self, file: Followed, name: str) -> bool:
        """Whether the new file is what was read under this name: then it goes on from there."""
        place = fingerprint, offset = self._positions.get(name)
        if not fingerprint or offset > file.size or file.read_fingerprint() != fingerprint:
            return False
        if not self._is_it(file, name, place):
            return False
        file.fingerprint = fingerprint
        file.go_on(offset)
        self.found.add(name)
        return True

    def _is_it(self, file: Followed, name: str, place: tuple[str, int]) -> bool:
        """Of a file that is as long as the place and begins with the same line."""
        gone, text = self._gone.get(name), file.text
        if gone and (is_like := file.is_like(gone)) is not None:
            return is_like
        if gone and not file.holds(gone.before, gone.offset):
            return False
        if not isinstance(text, RawFile) and place[1] == file.size and self._is_only(place):
            return True  # compressed since: its text is not decompressed to be sure
        is_same = self._is_same(name, text)
        return is_same is True or (is_same is None and name == file.name)

    def _is_only(self, place: tuple[str, int]) -> bool:
        return [self._positions.get(name) for name in self._positions].count(place) == 1
