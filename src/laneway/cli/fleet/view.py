"""The fleet as text: rows in an order, cells of a width, and nothing that a terminal would obey."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rich.text import Text

from laneway.base.clock import NS_PER_S
from laneway.cli.amount import show_age, show_cost, show_count, show_duration, show_rate
from laneway.cli.chart import sparkline
from laneway.cli.escape import escape
from laneway.cli.fleet.fleet import Agent, Fleet, State, Work
from laneway.cli.line import crop, main_text, mark_of, pad

SPARK_STEPS, SPARK_STEP_S = 12, 5
"""The last minute, in steps of five seconds."""

NAME_CELLS = 18
TEXT_CHARS = 300
INDENT = "  "

STATE_STYLES: dict[State, str] = {
    "working": "green",
    "waiting": "bold yellow",
    "failed": "red",
    "idle": "dim",
}
STATE_MARKS: dict[State, str] = {"working": "●", "waiting": "?", "failed": "✗", "idle": "·"}


class Column(NamedTuple):
    """``wants_cells``: narrower windows go without it. ``cells`` 0: what is left of the line."""

    key: str
    title: str
    cells: int
    sort: Callable[[Agent, int], Any]
    is_descending: bool = True
    wants_cells: int = 0


COLUMNS = (
    Column("agent", "AGENT", NAME_CELLS, lambda agent, _: agent.name.casefold(), False),
    Column("state", "STATE", 9, lambda agent, _: list(STATE_MARKS).index(agent.state), False),
    Column("rate", "EV/S", 6, lambda agent, now_s: agent.rate.per_second(now_s)),
    Column("minute", "LAST MINUTE", SPARK_STEPS, lambda agent, now_s: agent.rate.total(now_s, 60),
           wants_cells=100),
    Column("events", "EVENTS", 7, lambda agent, _: agent.event_count),
    Column("errors", "ERR", 5, lambda agent, _: agent.error_count),
    Column("open", "OPEN", 4, lambda agent, _: len(agent.work)),
    Column("tokens", "TOKENS", 7, lambda agent, _: agent.token_count),
    Column("cost", "COST", 8, lambda agent, _: agent.cost_usd, wants_cells=120),
    Column("seen", "SEEN", 5, lambda agent, _: agent.last_ns),
    Column("last", "NOW", 0, lambda agent, _: agent.last_ns),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
RIGHT = frozenset({"rate", "events", "errors", "open", "tokens", "cost", "seen"})


class Order(NamedTuple):
    """How rows are sorted. ``is_tree``: agents stand beneath who spawned them."""

    key: str = "rate"
    is_inverted: bool = False
    is_tree: bool = False


class Row(NamedTuple):
    agent: Agent
    depth: int


def rows(fleet: Fleet, order: Order, now_ns: int, needle: str = "") -> list[Row]:
    """The agents whose name holds ``needle``, in order; equals stay in order of their names."""
    column, now_s = BY_KEY[order.key], now_ns // NS_PER_S
    found = [a for a in fleet.agents.values() if needle.casefold() in a.name.casefold()]
    found.sort(key=lambda agent: agent.name.casefold())
    found.sort(
        key=lambda agent: column.sort(agent, now_s),
        reverse=column.is_descending != order.is_inverted,
    )
    return list(_iter_tree(found)) if order.is_tree else [Row(agent, 0) for agent in found]


def _iter_tree(agents: list[Agent]) -> Iterator[Row]:
    """Depth first; siblings keep their order, and a circle of parents hangs from its first member."""
    names = {agent.name for agent in agents}
    children: dict[str, list[Agent]] = {}
    for agent in agents:
        parent = agent.parent if agent.parent in names and agent.parent != agent.name else ""
        children.setdefault(parent, []).append(agent)
    shown: set[str] = set()
    for start in (*children.get("", ()), *agents):
        stack = [Row(start, 0)]
        while stack:
            row = stack.pop()
            if row.agent.name not in shown:
                shown.add(row.agent.name)
                yield row
                below = children.get(row.agent.name, []) if row.agent.name else []
                stack += [Row(child, row.depth + 1) for child in reversed(below)]


def columns_for(width: int) -> list[tuple[Column, int]]:
    """The columns that fit, with their cells; one blank stands between two."""
    chosen = [column for column in COLUMNS if column.wants_cells <= width]
    taken = sum(column.cells for column in chosen) + len(chosen) - 1
    return [(column, column.cells or max(width - taken, 8)) for column in chosen]


def cell(column: Column, cells: int, row: Row, now_ns: int) -> Text:
    text, style = _content(column.key, row, now_ns)
    text = crop(text, cells)
    shown = text.rjust(cells) if column.key in RIGHT else pad(text, cells)
    return Text(shown, style=style, no_wrap=True)


def _content(key: str, row: Row, now_ns: int) -> tuple[str, str]:
    agent, now_s = row.agent, now_ns // NS_PER_S
    match key:
        case "agent":
            branch = INDENT * (row.depth - 1) + "└ " if row.depth else ""
            return branch + escape(agent.name), "bold"
        case "state":
            return f"{STATE_MARKS[agent.state]} {agent.state}", STATE_STYLES[agent.state]
        case "rate":
            return show_rate(agent.rate.per_second(now_s)), ""
        case "minute":
            return sparkline(agent.rate.steps(now_s, SPARK_STEPS, SPARK_STEP_S)), "cyan"
        case "events":
            return show_count(agent.event_count), ""
        case "errors":
            return show_count(agent.error_count), "red" if agent.error_count else "dim"
        case "open":
            return show_count(len(agent.work)), "green" if agent.work else "dim"
        case "tokens":
            return show_count(agent.token_count), ""
        case "cost":
            return show_cost(agent.cost_usd), ""
        case "seen":
            return show_age(now_ns - agent.last_ns), "dim"
    return describe_now(agent, now_ns), "red" if agent.state == "failed" else ""


def describe_now(agent: Agent, now_ns: int) -> str:
    """What it is at, and since when; else the last thing that it did."""
    if agent.work:
        work = agent.work[-1]
        return f"{describe_work(work)} {show_duration((now_ns - work.start_ns) / 1e6)}"
    mark, _ = mark_of(agent.last)
    _, text = main_text(agent.last)
    return f"{mark} {escape(str(agent.last['event']))} {one_line(text)}".rstrip()


def describe_work(work: Work) -> str:
    _, text = main_text(work.event)
    return f"→ {escape(work.label)} {one_line(text)}".rstrip()


def one_line(text: str) -> str:
    return escape(" ".join(text[:TEXT_CHARS].split()))


def summary(fleet: Fleet, now_ns: int) -> Text:
    """The line of totals."""
    now_s = now_ns // NS_PER_S
    states = [agent.state for agent in fleet.agents.values()]
    errors = fleet.error_rate.total(now_s, 60)
    parts: list[tuple[str, str]] = [
        (f"{len(states)}", "bold"), (" agent" if len(states) == 1 else " agents", ""),
        *_tally(states, "working"), *_tally(states, "waiting"), *_tally(states, "failed"),
        ("   ", ""), (show_rate(fleet.rate.per_second(now_s)), "bold"), (" events/s", ""),
        ("   ", ""), (f"{errors}", "bold red" if errors else "bold"), (" errors/min", ""),
        ("   ", ""), (show_count(fleet.tokens()), "bold"), (" tokens", ""),
    ]  # fmt: skip
    if fleet.cost_usd():
        parts += [("   ", ""), (show_cost(fleet.cost_usd()), "bold")]
    return Text.assemble(*parts)


def _tally(states: list[State], state: State) -> list[tuple[str, str]]:
    count = states.count(state)
    return [(", ", ""), (f"{count} {state}", STATE_STYLES[state])] if count else []


def pulse(fleet: Fleet, now_ns: int, width: int) -> Text:
    """A bar a second, newest at the right; red where something failed."""
    now_s = now_ns // NS_PER_S
    counts = fleet.rate.steps(now_s, min(width, 120), 1)
    failures = fleet.error_rate.steps(now_s, len(counts), 1)
    text = Text(no_wrap=True)
    for bar, failed in zip(sparkline(counts, 4), failures, strict=True):
        text.append(bar if bar != " " or not failed else "▁", style="red" if failed else "cyan")
    text.pad_left(max(0, width - len(counts)))
    return text
