"""Side files as the hub gives them out: whole, and only while no rule finds anything in them."""

import threading

from laneway.base.errors import LogError
from laneway.hub.cleaner import Cleaner
from laneway.log.side import SideFiles
from laneway.model.redact import Redactor

CLEAN_FILES = 4_096
"""Known to be clean; a file's name is the hash of its bytes, so that one look is enough."""


class Payloads:
    """Thread-safe. A file is looked through when it is first asked for: some 40 ms a megabyte."""

    def __init__(self, side: SideFiles, redactor: Redactor) -> None:
        """``redactor``: of its own, for its counts are no events."""
        self._side = side
        self._cleaner = Cleaner(redactor, side)
        self._clean: set[str] = set()
        self._turn = threading.Lock()

    def size(self, digest: str) -> int:
        """
        Raises:
            LogError: 404, as `SideFiles.size`, or a rule finds something in it that was not looked
                for when it was written; 503 where the redactor fails.
        """
        self._check(digest)
        return self._side.size(digest)

    def read(self, digest: str, offset: int = 0, length: int = -1) -> bytes:
        """The bytes from ``offset`` on, all or at most ``length``.

        Raises:
            LogError: as for `size`.
        """
        self._check(digest)
        return self._side.read(digest, offset, length)

    def _check(self, digest: str) -> None:
        with self._turn:
            if digest in self._clean:
                return
            found = self._cleaner.inspect_payload(self._side.read(digest))
            if found:
                raise LogError(
                    f"the side file {digest} holds what a rule finds by now: {', '.join(found)}",
                    hint="`laneway scrub` puts a clean one in its place",
                    status=404,
                )
            if len(self._clean) >= CLEAN_FILES:
                self._clean.clear()
            self._clean.add(digest)
