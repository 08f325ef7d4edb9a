"""Sums over the last so many minutes, kept as events come and never counted again."""

from laneway.base.clock import NS_PER_S

SLOTS = 60
"""A window moves in so many steps: it holds between 59 and 60 sixtieths of its length."""

MOST_GROUPS = 200
"""Names told apart by one rule; what comes beyond is one group, `REST`."""

REST = "(other)"


class Window:
    """Two sums over the newest `SLOTS` slots. Times are event times."""

    __slots__ = ("_oldest", "_slots", "count", "other")

    def __init__(self) -> None:
        self.count = self.other = 0
        self._slots: dict[int, list[int]] = {}
        self._oldest = 0

    def add(self, slot: int, count: int, other: int) -> None:
        found = self._slots.get(slot)
        if found is None:
            found = self._slots[slot] = [0, 0]
        found[0] += count
        found[1] += other
        self.count += count
        self.other += other

    def expire(self, oldest: int) -> None:
        """Let go of the slots before ``oldest``; a look at each, once for each step of the window."""
        if oldest == self._oldest:
            return
        self._oldest = oldest
        for slot in [slot for slot in self._slots if slot < oldest]:
            count, other = self._slots.pop(slot)
            self.count -= count
            self.other -= other


class Windows:
    """A window for each group."""

    def __init__(self, window_ns: int) -> None:
        self.slot_ns = max(window_ns // SLOTS, NS_PER_S // 10)
        self._span = max(1, round(window_ns / self.slot_ns))
        self.groups: dict[str, Window] = {}
        self.late = 0
        """Events that came when their time had left the window already."""

    def add(self, group: str, ts_ns: int, now_ns: int, count: int, other: int = 0) -> None:
        """What claims to come from the future counts as now."""
        slot = min(ts_ns, now_ns) // self.slot_ns
        if slot < self._oldest(now_ns):
            self.late += 1
            return
        window = self.groups.get(group)
        if window is None:
            if len(self.groups) >= MOST_GROUPS:
                group = REST
            window = self.groups.setdefault(group, Window())
        window.add(slot, count, other)

    def expire(self, now_ns: int) -> None:
        oldest = self._oldest(now_ns)
        empty = []
        for name, window in self.groups.items():
            window.expire(oldest)
            if not window.count and not window.other:
                empty.append(name)
        for name in empty:
            del self.groups[name]

    def _oldest(self, now_ns: int) -> int:
        return now_ns // self.slot_ns - self._span + 1
