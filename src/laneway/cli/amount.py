"""Amounts as people read them: durations, sizes, counts, costs, ages."""

from laneway.base.clock import NS_PER_S


def show_duration(ms: float) -> str:
    """``0.4 ms``, ``834 ms``, ``1.2 s``, ``3m05s``, ``2h05m``, ``1d09h``."""
    if ms < 10:
        return f"{ms:.1f} ms" if ms else "0 ms"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1_000:.1f} s"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 24 else f"{hours // 24}d{hours % 24:02d}h"


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


def show_cost(cost_usd: float) -> str:
    return f"${cost_usd:.4f}" if 0 < cost_usd < 0.01 else f"${cost_usd:.2f}" if cost_usd else "-"


def show_age(age_ns: int) -> str:
    """``now``, ``42s``, ``5m``, ``3h``, ``12d``."""
    seconds = age_ns // NS_PER_S
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "now"
