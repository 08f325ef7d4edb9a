"""A trace as a waterfall: its spans as a tree, each with a bar on one scale of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.cells import cell_len

from laneway.base.clock import NS_PER_MS
from laneway.cli.amount import count_of, show_duration
from laneway.cli.escape import escape
from laneway.cli.line import Part, crop, pad
from laneway.cli.table import Line, cells_of, flow
from laneway.cli.terminal import Terminal
from laneway.cli.when import moment_of
from laneway.model.moment import parse_timestamp_ns

NAME_CELLS = (16, 40)
"""Of the tree; between them it takes what its names need, and never more than two fifths."""

TIME_CELLS = 9
TEXT_CELLS = 24
"""Wider windows than `TEXT_FROM` also tell in so many cells, or more, what each span is about."""

TEXT_FROM = 120

TICK_CELLS = 14
"""Between two times on the scale, at least."""

DEEP = 12
"""Beyond this depth the tree is told by a number, and no longer drawn."""

INSTANTS = 20
"""Events of no span that are listed; more are counted."""

FULL, LEFT, RIGHT, DASH, MARK, FAILURE = "━", "╸", "╺", "╌", "◆", "✗"


@dataclass(frozen=True, slots=True)
class Scale:
    """From times to half cells; what lies outside is moved to the edge."""

    start_ns: int
    end_ns: int
    cells: int

    def half(self, ts_ns: int) -> int:
        span_ns = max(self.end_ns - self.start_ns, 1)
        place = (ts_ns - self.start_ns) * self.cells * 2 // span_ns
        return min(max(place, 0), self.cells * 2)


def waterfall(
    trace: dict[str, Any], terminal: Terminal, *, is_utc: bool, lists_events: bool
) -> Iterator[Line]:
    """All lines of the picture."""
    width = terminal.width
    names = _names(trace["spans"], terminal)
    widest = max(map(cells_of, names), default=0)
    name_cells = min(max(widest, NAME_CELLS[0]), NAME_CELLS[1], width * 2 // 5)
    text_cells = max(TEXT_CELLS, (width - TEXT_FROM) // 2) if width >= TEXT_FROM else 0
    taken = name_cells + TIME_CELLS + 4 + (text_cells + 2 if text_cells else 0)
    scale = Scale(_ns(trace["start"]), _ns(trace["end"]), max(width - taken, 10))
    yield from _head(trace, width, is_utc)
    yield [(" " * (name_cells + 1), ""), (_ticks(scale), "dim")]
    for span, name in zip(trace["spans"], names, strict=True):
        line = [*_crop(name, name_cells), (" ", ""), *_bar(span, scale, terminal), (" ", "")]
        yield [*line, *_time(span), *_text(span, text_cells)]
        if lists_events:
            indent = "  " * min(span["depth"] + 1, DEEP)
            for event in span["events"]:
                yield _instant(event, scale, name_cells, width, indent)
    yield from _outside(trace["outside"], scale, name_cells, width)


def _head(trace: dict[str, Any], width: int, is_utc: bool) -> Iterator[Line]:
    shown = moment_of(_ns(trace["start"]), is_utc=is_utc)
    yield [("trace ", "dim"), (escape(trace["trace_id"]), "bold")]
    facts: list[Part] = [
        (f"{shown:%Y-%m-%d %H:%M:%S}.{shown.microsecond // 1000:03d}", ""),
        (show_duration(trace["duration_ms"]), "bold"),
        (count_of(sum(span["state"] != "missing" for span in trace["spans"]), "span"), ""),
        (count_of(trace["events"], "event"), ""),
        (count_of(len(trace["agents"]), "agent"), ""),
        (count_of(trace["errors"], "error"), "red" if trace["errors"] else "dim"),
    ]
    if trace["open"]:
        facts.append((f"{trace['open']} open", "yellow"))
    yield from flow([[fact] for fact in facts], width, 2)
    if not trace["complete"]:
        yield [(f"only its oldest {trace['events']:,} events are shown", "yellow")]
    missing = sum(span["state"] == "missing" for span in trace["spans"])
    if missing:
        parents = "a parent span was" if missing == 1 else f"{missing} parent spans were"
        yield [
            (
                crop(f"{parents} never seen: not sent, lost, or removed by retention", width),
                "yellow",
            )
        ]
    yield []


def _names(spans: Sequence[dict[str, Any]], terminal: Terminal) -> list[Line]:
    """The tree, and what each span is called in the colour of its agent."""
    return [
        [(branch, "dim"), *_called(span, terminal)]
        for span, branch in zip(spans, _branches([s["depth"] for s in spans]), strict=True)
    ]


def _called(span: dict[str, Any], terminal: Terminal) -> Iterator[Part]:
    if span["state"] == "missing":
        yield f"? {escape(span['span_id'])}", "dim"
        return
    name, agent = escape(span["name"]), escape(span["agent"])
    yield name, f"bold {terminal.agent_style(agent)}"
    yield f" {agent if agent != name else escape(span['event'])}", "dim"


def _branches(depths: Sequence[int]) -> list[str]:
    """``│ ├ `` and so on for spans that stand before their children."""
    drawn: list[str] = []
    goes_on: list[bool] = []
    for depth in reversed(depths):
        below = goes_on[depth] if depth < len(goes_on) else False
        goes_on += [False] * (depth + 1 - len(goes_on))
        del goes_on[depth + 1 :]
        if depth > DEEP:
            drawn.append(f"⋯{depth} ")
        else:
            rails = "".join("│ " if goes_on[level] else "  " for level in range(1, depth))
            drawn.append(rails + ("├ " if below else "└ ") if depth else "")
        goes_on[depth] = True
    return drawn[::-1]


def _bar(span: dict[str, Any], scale: Scale, terminal: Terminal) -> Line:
    """Half a cell exact; what is shorter is half a cell. Events in the span are marks on it."""
    cells: list[Part] = [(" ", "")] * scale.cells
    if span["state"] == "missing":
        return [(" " * scale.cells, "")]
    style = "red" if span["state"] == "failed" else terminal.agent_style(escape(span["agent"]))
    is_open = span["end"] is None
    begin = min(scale.half(_ns(span["start"])), scale.cells * 2 - 1)
    end = scale.cells * 2 if is_open else max(scale.half(_ns(span["end"])), begin + 1)
    for cell in range(begin // 2, (end + 1) // 2):
        has_left, has_right = begin <= 2 * cell < end, begin <= 2 * cell + 1 < end
        sign = FULL if has_left and has_right else LEFT if has_left else RIGHT
        cells[cell] = (DASH, "yellow") if is_open and cell > begin // 2 else (sign, style)
    for event in span["events"]:
        place = min(scale.half(_ns(event["timestamp"])) // 2, scale.cells - 1)
        if cells[place][0] != FAILURE:
            cells[place] = (FAILURE, "red") if event["error"] else (MARK, style)
    return _merged(cells)


def _merged(cells: Sequence[Part]) -> Line:
    groups = groupby(cells, key=lambda part: part[1])
    return [("".join(text for text, _ in group), style) for style, group in groups]


def _time(span: dict[str, Any]) -> Line:
    if span["state"] == "missing":
        return [("missing".rjust(TIME_CELLS), "dim")]
    if span["duration_ms"] is None:
        return [("open".rjust(TIME_CELLS), "yellow")]
    failed = span["state"] == "failed"
    shown = crop(show_duration(span["duration_ms"]), TIME_CELLS).rjust(TIME_CELLS)
    return [(shown, "red" if failed else ""), (" ✗" if failed else "", "red")]


def _text(span: dict[str, Any], cells: int) -> Line:
    text = escape(span["text"])
    if not cells or not text or text == span["name"]:
        return []
    gap = "" if span["state"] == "failed" else "  "
    return [(gap + "  ", ""), (crop(text, cells - 2), "dim")]


def _instant(
    event: dict[str, Any], scale: Scale, name_cells: int, width: int, indent: str = "  "
) -> Line:
    """One event on a line of its own: its mark on the scale, and what it says."""
    place = min(scale.half(_ns(event["timestamp"])) // 2, scale.cells - 1)
    mark = (FAILURE, "red") if event["error"] else (MARK, "dim")
    kind, text = escape(event["event"]), escape(event["text"])
    said = kind if text == event["event"] else f"{kind}  {text}"
    name = pad(indent + escape(event["agent"]), name_cells)
    room = width - name_cells - 1 - place - 2
    is_left = cell_len(said) > room and room < place  # there is more room before the mark
    shown = crop(said, place - 1) if is_left else crop(said, max(room, 1))
    style = "red" if event["error"] else "dim"
    line: Line = [(name + " ", "dim")]
    if is_left:
        blank = " " * (place - 1 - cell_len(shown))
        return [*line, (blank, ""), (shown + " ", style), mark]
    return [*line, (" " * place, ""), mark, (" " + shown, style)]


def _outside(
    events: Sequence[dict[str, Any]], scale: Scale, cells: int, width: int
) -> Iterator[Line]:
    if not events:
        return
    yield []
    yield [("in no span", "dim")]
    yield from (_instant(event, scale, cells, width) for event in events[:INSTANTS])
    if len(events) > INSTANTS:
        yield [(f"  and {len(events) - INSTANTS:,} more; --json has all", "dim")]


def _ticks(scale: Scale) -> str:
    """Times since the start, as many as stand well apart, and the whole at the end."""
    total_ms = (scale.end_ns - scale.start_ns) / NS_PER_MS
    end = show_duration(total_ms) + "╷"
    count = max(scale.cells // TICK_CELLS, 1)
    text = "╷0"
    for number in range(1, count):
        place = scale.cells * number // count
        label = "╷" + show_duration(total_ms * number / count)
        if place + len(label) + 2 <= scale.cells - len(end):
            text = text.ljust(place) + label
    room = scale.cells - len(text)
    return text + end.rjust(room) if room > len(end) else text.ljust(scale.cells)


def _crop(line: Line, cells: int) -> Line:
    """Exactly ``cells`` wide."""
    shown: Line = []
    for text, style in line:
        text = crop(text, cells)
        cells -= cell_len(text)
        shown.append((text, style))
        if cells <= 0:
            return shown
    return [*shown, (" " * cells, "")]


def _ns(text: str) -> int:
    return parse_timestamp_ns(text)
