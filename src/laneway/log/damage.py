"""What of the log is known to be lost, each stretch once."""

import threading

from laneway.log.text import Damage


class DamageList:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, int], Damage] = {}

    def add(self, damage: Damage) -> bool:
        """Whether it was not known yet."""
        key = damage.segment, damage.start
        with self._lock:
            is_new = key not in self._found
            self._found[key] = damage
        return is_new

    def forget(self, segment: str) -> None:
        """It was removed or replaced."""
        with self._lock:
            for key in [key for key in self._found if key[0] == segment]:
                del self._found[key]

    def all(self) -> list[Damage]:
        with self._lock:
            return sorted(self._found.values())

    @property
    def line_count(self) -> int:
        """Lines that are lost; a stretch of unknown contents counts as one."""
        return sum(damage.line_count if damage.line_count >= 0 else 1 for damage in self.all())
