"""One hub a log: a lock file in the log's directory, held for the life of the process."""

import os

import orjson

from laneway.base.errors import HubError
from laneway.log.segment import make_directory, tell_fault

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: nothing stops a second hub there

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        return

    LOCK_EX = LOCK_NB = 0  # type: ignore[misc]

LOCK_FILE = ".hub.lock"


def try_lock(fd: int) -> bool:
    """Whether the file could be locked at once; the kernel lets go of it with the descriptor."""
    try:
        flock(fd, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    return True


class HubLock:
    """Taken when made; the kernel releases it however the process ends.

    Raises:
        HubError: another hub has it, or the directory cannot be written.
    """

    def __init__(self, directory: str) -> None:
        path = os.path.join(directory, LOCK_FILE)
        try:
            make_directory(directory)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            told, hint = tell_fault(directory, error)
            raise HubError(told, hint=hint) from error
        if not try_lock(self._fd):
            holder = _describe(os.pread(self._fd, 4096, 0))
            os.close(self._fd)
            raise HubError(
                f"{directory}: {holder} serves this log already",
                hint="open its page with `laneway open`, or stop it first",
            ) from None
        self.tell("")

    def tell(self, url: str) -> None:
        """Leave word of who holds it."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, orjson.dumps({"pid": os.getpid(), "url": url}), 0)

    def release(self) -> None:
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _describe(text: bytes) -> str:
    try:
        holder = orjson.loads(text)
        at = f", {holder['url']}" if holder.get("url") else ""
        return f"a hub (process {holder['pid']}{at})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "another hub"
