"""Amounts as people read them: durations, sizes, counts, costs, ages."""

from collections.abc import Sequence

from laneway.base.clock import NS_PER_S


def show_duration(ms: float) -> str:
    """``834 ms``, ``1.2 s``, ``5 m``, ``3 m 05 s``, ``2 h 05 m``, ``1 d 09 h``, as on the page."""
    if ms < 9.95:
        return f"{_tenths(ms)} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{_tenths(ms / 1_000)} s"
    seconds = round(ms / 1_000)
    if seconds < 3_600:
        return _parts(seconds // 60, "m", seconds % 60, "s")
    minutes = round(seconds / 60)
    if minutes < 1_440:
        return _parts(minutes // 60, "h", minutes % 60, "m")
    return _parts(minutes // 1_440, "d", minutes % 1_440 // 60, "h")


def _tenths(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _parts(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small:02d} {small_unit}" if small else f"{large} {large_unit}"


def show_bytes(count: float) -> str:
    """``512 B``, ``3.4 KiB``, ``12 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if count >= 10 or count == int(count) else f"{count:.1f} {unit}"


def show_rate(per_second: float) -> str:
    if per_second >= 100:
        return show_count(round(per_second))
    return f"{per_second:.1f}" if per_second else "-"


def show_count(count: int) -> str:
    """``950``, ``12.3k``, ``456k``, ``7.9M``; a dash for none."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= (10_000 if unit == "k" else size):
            value = count / size
            return f"{value:.1f}{unit}" if value < 100 else f"{value:.0f}{unit}"
    return str(count) if count else "-"


def count_of(count: int, noun: str) -> str:
    """``1 error``, ``12.3k events``, ``no agents``."""
    return f"{show_count(count) if count else 'no'} {noun}{'s' * (count != 1)}"


def some_of(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c …``"""
    return ", ".join(names[:most]) + " …" * (len(names) > most)


def show_cost(cost_usd: float) -> str:
    return f"${cost_usd:.4f}" if 0 < cost_usd < 0.01 else f"${cost_usd:.2f}" if cost_usd else "-"


def show_age(age_ns: int) -> str:
    """``now``, ``42 s``, ``5 m``, ``3 h``, ``12 d``."""
    seconds = age_ns // NS_PER_S
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"
