"""Whether a scrub of a log runs, or was interrupted and has something left: a file with a lock.

It is made when a scrub begins and removed when it has gone over everything. A process that
ended in between leaves it without the lock.
"""

import os

import orjson

from laneway.base.clock import now_ns
from laneway.base.errors import LogError
from laneway.base.words import number_of
from laneway.hub.lock import try_lock

FILE = ".scrubbing"

_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Scrubbing:
    """Held while a scrub runs.

    Raises:
        LogError: another scrub runs, or the directory cannot be written.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, FILE)
        self.earlier = tell_interrupted(directory)
        """What an interrupted scrub has left; an empty text where there was none."""
        try:
            self._fd = os.open(self._path, _FLAGS | os.O_CREAT, 0o600)
        except OSError as error:
            raise LogError(f"{directory}: {error.strerror}") from error
        if not try_lock(self._fd):
            os.close(self._fd)
            raise LogError(f"{directory}: another scrub runs", hint="wait until it has ended")
        self._begun_ns = now_ns()

    def note(self, left: list[str]) -> None:
        """``left``: the files that were not gone over yet."""
        state = {"begun_ns": self._begun_ns, "left": len(left), "next": left[0] if left else ""}
        data = orjson.dumps(state)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)

    def release(self, *, is_done: bool) -> None:
        if is_done:
            os.unlink(self._path)
        os.close(self._fd)


def tell_interrupted(directory: str) -> str:
    """What a scrub that was interrupted has left; empty where none was, or one runs."""
    try:
        fd = os.open(os.path.join(directory, FILE), _FLAGS)
    except OSError:
        return ""
    try:
        if not try_lock(fd):
            return ""
        state = orjson.loads(os.pread(fd, 4096, 0) or b"{}")
        left, following = int(state.get("left", 0)), str(state.get("next", ""))
    except (OSError, ValueError, AttributeError, TypeError):  # it ended while it wrote this
        return "a scrub was interrupted"
    finally:
        os.close(fd)
    rest = f"{number_of(left, 'file')} from {following} on" if left else "the side files"
    return f"a scrub was interrupted: it has not gone over {rest}"
