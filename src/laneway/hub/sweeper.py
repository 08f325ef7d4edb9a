"""Removes side files that no line refers to any more, now and then, beside everything else."""

import logging
import threading

from laneway.base.errors import LogError
from laneway.log.reference import References
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles
from laneway.log.sweep import ORPHAN_NS, sweep

FIRST_S = 60.0
"""A hub that starts has better things to do; a command that borrows the engine ends before."""

AGAIN_S = 3600.0
"""Nothing goes before it is a day old, so that an hour more does not matter."""

log = logging.getLogger("laneway.hub")


class Sweeper:
    """Runs from `start` until `stop`."""

    def __init__(self, log_path: LogPath, side: SideFiles, *, age_ns: int = ORPHAN_NS) -> None:
        self._side = side
        self._age_ns = age_ns
        self._references = References(log_path)
        self._stopping = threading.Event()
        self._fault = ""
        self._thread = threading.Thread(target=self._run, name="laneway-sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def sweep(self) -> int:
        """How many side files went; 0 also where it cannot be told which may."""
        try:
            count = sweep(self._side, self._references.all, self._age_ns)
        except (OSError, LogError) as error:
            if str(error) != self._fault:
                log.warning("side files are not swept: %s", error)
            self._fault = str(error)
            return 0
        self._fault = ""
        if count:
            log.info("%d side files went with the last line that referred to them", count)
        return count

    def _run(self) -> None:
        pause_s = FIRST_S
        while not self._stopping.wait(pause_s):
            pause_s = AGAIN_S
            self.sweep()
