"""A table of figures on a terminal, and as JSON lines for bench/README.md."""

import json
import os
import platform
from statistics import median


def machine() -> str:
    """What the figures were measured on, in one line."""
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def show(title: str, rows: list[dict[str, object]]) -> None:
    """Print ``rows`` (all with the keys of the first) as aligned columns."""
    keys = list(rows[0])
    cells = [[_text(row.get(key, "")) for key in keys] for row in rows]
    widths = [max(len(key), *(len(line[i]) for line in cells)) for i, key in enumerate(keys)]
    print(f"\n{title}")
    print("  " + "  ".join(key.ljust(width) for key, width in zip(keys, widths, strict=True)))
    for line in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    if path := os.environ.get("LANEWAY_BENCH_JSON"):
        with open(path, "a") as file:
            file.write(json.dumps({"title": title, "rows": rows}) + "\n")


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def middle(values: list[float]) -> float:
    return median(values)


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
