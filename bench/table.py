"""What every bench hands over: tables for a reader, and figures by name for the runner.

A table is printed. Both go as JSON lines to the file that ``LANEWAY_BENCH_JSON`` names, where `bench.run`
reads them: ``{"title", "rows"}`` and ``{"figure", "value", …}``. With ``LANEWAY_BENCH_SMOKE`` a bench takes
its small sizes: it shows that it runs, and its figures mean nothing.
"""

import json
import os
import platform
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def machine() -> str:
    """What the figures were measured on, in one line."""
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def sized(full: T, smoke: T) -> T:
    """A size, a number of rounds or a time, as this run asks for it."""
    return smoke if os.environ.get("LANEWAY_BENCH_SMOKE") else full


def show(title: str, rows: list[dict[str, object]]) -> None:
    """Print ``rows`` (all with the keys of the first) as aligned columns."""
    print_columns(title, rows)
    _hand_over({"title": title, "rows": rows})


def print_columns(title: str, rows: list[dict[str, object]]) -> None:
    keys = list(rows[0])
    cells = [[_text(row.get(key, "")) for key in keys] for row in rows]
    widths = [max(len(key), *(len(line[i]) for line in cells)) for i, key in enumerate(keys)]
    print(f"\n{title}")
    print("  " + "  ".join(key.ljust(width) for key, width in zip(keys, widths, strict=True)))
    for line in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def tell(
    name: str,
    value: float,
    *,
    runs: int,
    peer: str = "",
    peer_value: float | None = None,
    events: int = 0,
) -> None:
    """One figure of `bench.goal`, with the peer or limit that stood beside it in this run.

    ``runs``: how many measurements it is the middle, or the quantile, of; ``events``: the size of the log
    that was asked.
    """
    _hand_over(
        {
            "figure": name,
            "value": value,
            "runs": runs,
            "peer": peer,
            "peer_value": peer_value,
            "events": events,
        }
    )


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def middle(values: list[float]) -> float:
    return median(values)


def _hand_over(entry: dict[str, object]) -> None:
    if path := os.environ.get("LANEWAY_BENCH_JSON"):
        with open(path, "a") as file:
            file.write(json.dumps(entry) + "\n")


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
