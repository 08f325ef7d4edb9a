"""The index directory: its epoch, its lock, and the name of each segment's database.

```
.index/
  epoch            "k3f9… 41000": the index's name; the highest seq of what was forgotten
  lock             held by the one process that uses the index
  NAME-HASH.db     one database per log segment (and NAME-HASH.db-wal, -shm while in use)
  NAME-HASH.db.damaged   an empty file: drop that database at the next start
```
"""

import os
import re
from collections.abc import Iterator
from hashlib import blake2b
from secrets import token_urlsafe
from typing import IO

from laneway.base.errors import StoreError
from laneway.store.api import IndexInUse

try:
    import fcntl
except ImportError:  # Windows: SQLite's own locks still keep the files whole
    LOCK = 0
else:
    LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB

EPOCH_BYTES = 12
DAMAGED = ".damaged"
NAME_CHARS = 80
"""Of the segment's name in the file's name; the hash tells apart what this cuts."""


class Directory:
    """One process at a time has it, from construction to `close`.

    Raises:
        StoreError: another process has it, or it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            self._lock_file = self._lock()
            try:
                self.epoch, self.seq_floor = self._read_epoch() or self._renew(0)
            except BaseException:
                self._lock_file.close()
                raise
        except OSError as error:
            raise StoreError(
                f"{self.path}: the index cannot be written ({error.strerror})",
                hint="check the directory's owner, or set index_path",
            ) from error

    def database(self, segment: str) -> str:
        readable = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(segment))[:NAME_CHARS]
        digest = blake2b(segment.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        return os.path.join(self.path, f"{readable}-{digest}.db")

    def iter_databases(self) -> Iterator[str]:
        for name in sorted(os.listdir(self.path)):
            if name.endswith(".db"):
                yield os.path.join(self.path, name)

    def remove(self, database: str) -> None:
        """The WAL first: it must never be replayed into a new file of this name. A stop in between
        leaves an older, whole database."""
        for suffix in ("-wal", "-shm", "", DAMAGED):
            try:
                os.unlink(database + suffix)
            except FileNotFoundError:
                pass

    def mark_damaged(self, database: str) -> None:
        with open(database + DAMAGED, "wb"):
            pass

    def is_damaged(self, database: str) -> bool:
        return os.path.exists(database + DAMAGED)

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
        file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - open as long as the lock is held
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
        try:
            with open(os.path.join(self.path, "epoch"), encoding="ascii") as file:
                epoch, floor = file.read().split()
                return epoch, int(floor)
        except (FileNotFoundError, ValueError):
            return None

    def _write_epoch(self, epoch: str, seq_floor: int) -> None:
        target = os.path.join(self.path, "epoch")
        with open(target + ".new", "w", encoding="ascii") as file:
            file.write(f"{epoch} {seq_floor}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(target + ".new", target)
