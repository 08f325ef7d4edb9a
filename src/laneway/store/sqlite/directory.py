"""The index directory: its epoch, its lock, and the name of each segment's database.

```
.index/
  epoch            "k3f9… 41000 5c0e…": the index's name; the highest seq of what was forgotten; a check
  lock             held by the one process that uses the index
  names            which databases are of files that have other names by now; a check
  NAME-HASH.db     one database per log segment (and NAME-HASH.db-wal, -shm while in use), called after the
                   name that the file had first; NAME-HASH-2.db, … where another one has that
  NAME-HASH.db.sum       digest of that database, from its last orderly close until it is written again
  NAME-HASH.db.damaged   an empty file: drop that database at the next start
```
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import count
from secrets import token_urlsafe
from typing import IO

from laneway.base.errors import StoreError
from laneway.log.removal import remove_file
from laneway.log.segment import make_directory
from laneway.log.text import open_private
from laneway.store.api import IndexInUse

try:
    import fcntl
except ImportError:  # Windows: SQLite's own locks still keep the files whole
    LOCK = 0
else:
    LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB

EPOCH_BYTES = 12
DAMAGED = ".damaged"
SUM = ".sum"
NAMES = "names"
NAME_CHARS = 80
"""Of the segment's name in the file's name; the hash tells apart what this cuts."""


class Directory:
    """One process at a time has it, from construction to `close`.

    Raises:
        StoreError: another process has it, or it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._paths: dict[str, str] = {}  # of each segment
        self._names: dict[str, str] = {}  # of databases in other names than their first
        try:
            make_directory(self.path)
            self._lock_file = self._lock()
            try:
                self.epoch, self.seq_floor = self._read_epoch() or self._renew(0)
                self._names = self._read_names()
            except BaseException:
                self._lock_file.close()
                raise
        except OSError as error:
            raise StoreError(
                f"{self.path}: the index cannot be written ({error.strerror})",
                hint="check the directory's owner, or set index_path",
            ) from error

    def database(self, segment: str) -> str:
        """Where the segment is kept; of one that is unknown, where it would be."""
        return self._paths.get(segment) or self._home(segment)

    def place(self, segment: str) -> str:
        """Choose a path for a new segment: none that a renamed one has, or had until it was
        forgotten."""
        if segment in self._paths:  # a try before this one failed
            return self._paths[segment]
        used = {os.path.basename(path) for path in self._paths.values()}.union(self._names)
        path = next(
            path for path in self._iter_homes(segment) if os.path.basename(path) not in used
        )
        self._paths[segment] = path
        return path

    def take(self, segment: str, path: str) -> None:
        """A database that was there already."""
        self._paths[segment] = path

    def leave(self, segment: str) -> None:
        """The segment's database was removed."""
        self._paths.pop(segment, None)

    def rename(self, names: Mapping[str, str]) -> None:
        """Old → new, all at once, also across ``kill -9``; the old ones are known."""
        paths = {name: path for name, path in self._paths.items() if name not in names}
        paths |= {new: self._paths[old] for old, new in names.items()}
        moved = set(names.values())
        known = {
            base: name
            for name, path in paths.items()
            if (base := os.path.basename(path)) in self._names or name in moved
        }
        text = json.dumps(known, indent=0)
        self._write(os.path.join(self.path, NAMES), f"{_check(text, len(known))}\n{text}\n")
        self._names, self._paths = known, paths

    def segment_at(self, path: str, born: str) -> str:
        """The present name of the segment whose database was made for ``born``."""
        return self._names.get(os.path.basename(path), born)

    def is_born_at(self, path: str, segment: str) -> bool:
        """Whether a database at ``path`` can have been made for the segment."""
        stem, base = self._home(segment).removesuffix(".db"), path.removesuffix(".db")
        return re.fullmatch(r"(-\d{1,9})?", base.removeprefix(stem)) is not None

    def _iter_homes(self, segment: str) -> Iterator[str]:
        home = self._home(segment)
        yield home
        for number in count(2):
            yield f"{home.removesuffix('.db')}-{number}.db"

    def _home(self, segment: str) -> str:
        readable = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(segment))[:NAME_CHARS]
        digest = blake2b(segment.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        return os.path.join(self.path, f"{readable}-{digest}.db")

    def size_bytes(self, segment: str) -> int:
        """What the segment's index takes on the disk."""
        database, total = self.database(segment), 0
        for suffix in ("", "-wal", "-shm"):
            try:
                total += os.stat(database + suffix).st_size
            except FileNotFoundError:
                continue
        return total

    def iter_databases(self) -> Iterator[str]:
        for name in sorted(os.listdir(self.path)):
            if name.endswith(".db"):
                yield os.path.join(self.path, name)

    def remove(self, database: str) -> None:
        """The WAL first: it must never be replayed into a new file of this name. A stop in between
        leaves an older, whole database."""
        for suffix in ("-wal", "-shm", "", SUM, DAMAGED):
            try:
                remove_file(database + suffix)
            except FileNotFoundError:
                pass

    def replace(self, database: str, copy: str) -> None:
        """``copy`` becomes the database; nothing writes to the old one. The old one's WAL goes first."""
        for suffix in ("-wal", "-shm"):
            try:
                os.unlink(database + suffix)
            except FileNotFoundError:
                pass
        os.replace(copy, database)

    def mark_damaged(self, database: str) -> None:
        with open(database + DAMAGED, "wb", opener=open_private):
            pass

    def is_damaged(self, database: str) -> bool:
        return os.path.exists(database + DAMAGED)

    def put_sum(self, database: str, digest: str, *, is_compact: bool) -> None:
        """Nothing of the database may be open for writing."""
        self._write(database + SUM, f"{digest} {'compact' if is_compact else 'plain'}\n")

    def read_sum(self, database: str) -> tuple[str, bool] | None:
        """Digest, and whether the database is compact; None where nothing is known."""
        try:
            with open(database + SUM, encoding="ascii") as file:
                digest, form = file.read().split()
        except (OSError, ValueError):
            return None
        return digest, form == "compact"

    def remove_sum(self, database: str) -> None:
        """Before the database is written."""
        try:
            os.unlink(database + SUM)
        except FileNotFoundError:
            pass

    def raise_floor(self, seq: int) -> None:
        """From now on every new seq is greater than ``seq``, also after a restart."""
        if seq > self.seq_floor:
            self._write_epoch(self.epoch, seq)
            self.seq_floor = seq

    def renew(self, seq_floor: int = 0) -> None:
        """Another epoch: whatever seqs anybody remembers are void."""
        self.epoch, self.seq_floor = self._renew(seq_floor)

    def close(self) -> None:
        self._lock_file.close()

    def _renew(self, seq_floor: int) -> tuple[str, int]:
        epoch = token_urlsafe(EPOCH_BYTES)
        self._write_epoch(epoch, seq_floor)
        return epoch, seq_floor

    def _lock(self) -> IO[str]:
        path = os.path.join(self.path, "lock")
        file = open(  # noqa: SIM115 - open as long as the lock is held
            path, "a+", encoding="ascii", opener=open_private
        )
        try:
            if LOCK:
                fcntl.flock(file, LOCK)
        except BlockingIOError:
            file.seek(0)
            owner = file.read(20).strip() or "unknown"
            file.close()
            raise IndexInUse(
                f"{self.path}: the index is in use by process {owner}",
                hint="stop that hub first, or ask it",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def _read_epoch(self) -> tuple[str, int] | None:
        return read_epoch(self.path)

    def _read_names(self) -> dict[str, str]:
        """None where they are damaged: then files are known by their text, or indexed again."""
        try:
            with open(os.path.join(self.path, NAMES), encoding="ascii") as file:
                check, _, text = file.read().partition("\n")
            known = json.loads(text)
        except (FileNotFoundError, ValueError):
            return {}
        return known if check == _check(text.rstrip("\n"), len(known)) else {}

    def _write_epoch(self, epoch: str, seq_floor: int) -> None:
        check = _check(epoch, seq_floor)
        self._write(os.path.join(self.path, "epoch"), f"{epoch} {seq_floor} {check}\n")

    def _write(self, target: str, text: str) -> None:
        with open(target + ".new", "w", encoding="ascii", opener=open_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(target + ".new", target)


def _check(text: str, number: int) -> str:
    return blake2b(f"{text} {number}".encode(), digest_size=6).hexdigest()


def read_epoch(path: str) -> tuple[str, int] | None:
    """Epoch and floor of the index in the directory ``path``; None where there is none."""
    try:
        with open(os.path.join(path, "epoch"), encoding="ascii") as file:
            epoch, floor, check = file.read().split()
            return (epoch, int(floor)) if check == _check(epoch, int(floor)) else None
    except (FileNotFoundError, ValueError):
        return None
