"""What was measured of the peers, for docs/comparison.md."""

from typing import Any

from bench.plot import Bar, bars
from bench.result import Result

TITLES = {
    "call": "### What a call costs the caller, and what is kept after `kill -9`",
    "servers": "### Servers: OpenTelemetry spans and events over HTTP",
    "files": "### Questions to the same log",
}
PLOTS = {
    "call": ("peers-call.svg", "One event in the caller, p50: shorter is better", "p50 µs", "µs"),
    "servers": (
        "peers-ingest.svg", "Batches of 500 until stored: longer is better", "batch, stored/s", "events/s"),
    "files": (
        "peers-files.svg", "200 of an agent and type, p50: shorter is better", "200 by agent and type", "ms"),
}  # fmt: skip
PICTURE_ROOM = "pictures"
OURS = "laneway"


def peer_text(result: Result) -> str:
    if not result:
        return "No run has been kept yet: `make bench-peers`.\n"
    box, run = result["machine"], result["run"]
    versions = ", ".join(f"{name} {text}" for name, text in result["versions"].items())
    parts = [
        f"{run['date']}, commit {run['commit']}, {box['cores']} cores ({box['processor']}), "
        f"{box['memory_gib']} GiB, {box['system']}, Python {box['python']}; load {run['load']} before, "
        f"{run['load_after']} after; {run['rounds']} rounds, seed {run['seed']}, {run['seconds']} s.\n",
        f"Versions: {versions}.\n",
    ]
    for name, title in TITLES.items():
        if rows := result["tables"].get(name):
            parts += [title, "", table(rows)]
            parts += (
                [f"![{PLOTS[name][1]}]({PICTURE_ROOM}/{PLOTS[name][0]})\n"]
                if plot(result, name)
                else []
            )
            parts += [better(rows, name)]
    if absent := result["absent"]:
        parts += ["### Not measured", "", table(absent)]
    return "\n".join(parts)


def table(rows: list[dict[str, Any]]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(cell(row.get(key)) for key in keys) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float | int):
        return number(value)
    return str(value).replace("|", "/").replace("\n", " ").replace("<", "&lt;")


def number(value: float) -> str:
    """Three digits, thousands with commas."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 3 - len(str(int(abs(value)))) if abs(value) >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


LOWER = {"call": ("p50 µs", "p99 µs", "CPU µs", "bytes an event"),
         "servers": ("start s", "rest PSS MiB", "visible p50 ms", "disk bytes an event"),
         "files": ()}  # fmt: skip
HIGHER = {
    "call": ("kept %",),
    "servers": ("one, answered/s", "batch, stored/s", "kept %"),
    "files": (),
}


def better(rows: list[dict[str, Any]], name: str) -> str:
    """In a sentence for each column, who is ahead of Laneway: a table alone hides it."""
    sentences = []
    questions = (
        [key for key in rows[0] if key not in ("peer", "promise")] if name == "files" else []
    )
    for key in [*LOWER[name], *questions, *HIGHER[name]]:
        is_higher = key in HIGHER[name]
        ours = [
            row[key] for row in rows if row["peer"].startswith(OURS) and _is_number(row.get(key))
        ]
        if not ours:
            continue
        best = max(ours) if is_higher else min(ours)
        ahead = [
            row["peer"] for row in rows
            if not row["peer"].startswith(OURS) and _is_number(row.get(key))
            and (row[key] > best if is_higher else row[key] < best)
        ]  # fmt: skip
        if ahead:
            sentences.append(f"**{key}**: {', '.join(ahead)}")
    return f"Better than Laneway's best row in {'; in '.join(sentences)}.\n" if sentences else ""


def _is_number(value: object) -> bool:
    return isinstance(value, float | int)


def plot(result: Result, name: str) -> str:
    _, title, key, unit = PLOTS[name]
    drawn = [
        Bar(row["peer"], row[key], f"{number(row[key])} {unit}",
            "ours" if row["peer"].startswith(OURS) else "plain")
        for row in result["tables"].get(name, []) if _is_number(row.get(key))
    ]  # fmt: skip
    return bars(title, sorted(drawn, key=lambda bar: bar.value)) if drawn else ""


def peer_plots(result: Result) -> dict[str, str]:
    if not result:
        return {}
    return {file: svg for name, (file, *_) in PLOTS.items() if (svg := plot(result, name))}
