"""Tables and plots for the documents, made from the results: ``python -m bench.report --write``.

In docs/figures.md stands each figure beside its goal, in docs/comparison.md what was measured of others.
``make check`` finds what is not as the results say.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.goal import GOALS, Goal, Verdict, judge
from bench.peers.report import number, peer_plots, peer_text, table
from bench.plot import Bar, Kind, bars
from bench.result import FIGURES, PEERS, ROOT, Result, read
from tools.region import put

DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
SIGNS: dict[Verdict, tuple[Kind, str]] = {
    "met": ("good", "✓ "),
    "missed": ("bad", "✗ "),
    "not measured here": ("plain", ""),
}
Row = dict[str, Any]


def figure_rows(result: Result) -> list[Row]:
    """A row for each goal; ``bench`` says who measures it."""
    return [figure_row(goal, result) for goal in GOALS]


def with_peers(figures: Result, peers: Result) -> Result:
    """And those that need a peer, which another run measured."""
    both = figures.get("figures", {}) | peers.get("figures", {})
    return {**figures, "figures": both}


def figure_row(goal: Goal, result: Result) -> Row:
    told = result.get("figures", {}).get(goal.figure)
    verdict = judge(goal, told)
    beside = ""
    if told and told["peer"]:
        value = told["peer_value"]
        beside = f"{told['peer']}: {number(value)} {goal.unit}" if value else told["peer"]
        if value and goal.unit != "×":
            beside += f" ({number(told['value'] / value)} ×)"
    return {
        "bench": goal.bench,
        "figure": goal.what,
        "measured": f"{number(told['value'])} {goal.unit}" if told else "–",
        "goal": f"{goal.sign} {number(goal.limit)} {goal.unit}",
        "verdict": verdict,
        "beside it": beside,
        "known elsewhere": goal.peer,
        "note": note_of(goal, result),
    }


def note_of(goal: Goal, result: Result) -> str:
    """Of what size the log was, or why there is no figure."""
    told, run = result.get("figures", {}).get(goal.figure), result.get("runs", {}).get(goal.bench)
    if told:
        is_smaller = told["events"] < goal.events
        size = f"with {told['events']:,} events"
        return (
            f"{size}; the goal is for {goal.events:,}"
            if is_smaller
            else size
            if goal.events
            else ""
        )
    if goal.bench == "peers":
        return "see the comparison (`make bench-peers`)"
    if run is None:
        return "not run"
    return f"did not finish: {run['failure']}" if run["failure"] else "no bench measures it yet"


def figures_text(result: Result) -> str:
    if not result:
        return "No run has been kept yet: `make bench`.\n"
    rows = [
        {key: text for key, text in row.items() if key != "bench"} for row in figure_rows(result)
    ]
    counts = {verdict: sum(row["verdict"] == verdict for row in rows)
              for verdict in ("met", "missed", "not measured here")}  # fmt: skip
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return (
        f"{machine_line(result)}\n\n**{summary}.**\n\n{table(rows)}\n"
        f"![Each figure as a part of its goal](pictures/figures.svg)\n\n{runs_text(result)}"
    )


def machine_line(result: Result) -> str:
    box = result["machine"]
    parts = ", ".join(f"{name} {text}" for name, text in result["versions"].items())
    return (
        f"Measured on {box['cores']} cores ({box['processor']}), {box['memory_gib']} GiB, {box['system']}, "
        f"Python {box['python']}; {parts}."
    )


def runs_text(result: Result) -> str:
    rows = [
        {"bench": f"`{name}`", "when": run["date"], "load before": str(run["load"]),
         "took s": str(run["seconds"]), "commit": run["commit"], "seed": str(run["seed"]),
         "end": run["failure"] or "well"}
        for name, run in result["runs"].items()
    ]  # fmt: skip
    return (
        "Load is the mean number of processes that wanted a core in the minute before.\n\n"
        + table(rows)
    )


def figures_plot(result: Result) -> str:
    """How much of its goal each figure takes: below 1 is met, whatever its unit."""
    drawn = []
    for goal in GOALS:
        told = result.get("figures", {}).get(goal.figure)
        if not told or not told["value"]:
            continue
        part = told["value"] / goal.limit if goal.sign == "≤" else goal.limit / told["value"]
        verdict = judge(goal, told)
        kind, sign = SIGNS[verdict]
        text = f"{sign}{number(told['value'])} {goal.unit}"
        drawn.append(Bar(goal.what.replace("`", ""), part, text, kind))
    title = (
        "Figures as parts of their goals: met up to the line; grey: the goal is for a larger log"
    )
    return bars(title, drawn, limit=1.0)


def outputs() -> dict[Path, str]:
    """What each generated file, or page with a generated part, should hold."""
    figures, peers = read(FIGURES), read(PEERS)
    judged = with_peers(figures, peers) if figures else {}
    made = {
        page: put(page.read_text(), name, text)
        for page, name, text in (
            (DOCS / "figures.md", "figures", figures_text(judged)),
            (DOCS / "comparison.md", "peers", peer_text(peers)),
        )
    }
    if figures:
        made[PICTURES / "figures.svg"] = figures_plot(judged)
    return made | {PICTURES / name: svg for name, svg in peer_plots(peers).items()}


def iter_stale() -> Iterator[str]:
    """Problems for tools/check_docs.py."""
    for path, text in outputs().items():
        if not path.exists() or path.read_text() != text:
            yield f"{path.relative_to(ROOT)} is not as bench/results says: run python -m bench.report --write"


def main() -> int:
    if "--write" not in sys.argv:
        stale = list(iter_stale())
        print("\n".join(stale) or "documents: as the results say")
        return bool(stale)
    for path, text in outputs().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
