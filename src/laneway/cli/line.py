"""One event as one aligned line: time, agent, mark, type, and what it is about.

``18:22:33.123  planner     → tool_invocation   search_files  {"query": "lanes"}``
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

from laneway.base.words import number_of
from laneway.cli.amount import show_duration
from laneway.cli.escape import escape, escape_json
from laneway.cli.terminal import Terminal
from laneway.cli.when import moment_of
from laneway.model.vocabulary import is_end, is_start

Part = tuple[str, str]
"""Escaped text, and the name of a style (or an SGR code)."""

AGENT_CELLS = (8, 16)
KIND_CELLS = (11, 19)
"""Narrowest and widest; a column grows with what was seen, so that lines stay close and aligned."""

NARROW_CELLS = 100
"""Below this width the milliseconds go, and the columns stay slimmer."""

SLIM_CELLS = 60
"""Below this width an event's type is shown only where it has no text: the mark tells its kind."""

RETURN = " ⏎ "
FOLD = "fold"

EMPTY: tuple[object, ...] = (None, "", {}, [])

FEW = 4
"""Fields of a payload that read well without their braces."""

TEXT_CHARS = 2_000
"""Of a text that is cropped anyway, no more than this is looked at."""


class Layout:
    """Lays out events for one terminal; remembers the widths of its columns."""

    def __init__(
        self, terminal: Terminal, *, is_utc: bool = False, is_cropped: bool | None = None
    ) -> None:
        self.terminal = terminal
        self.is_utc = is_utc
        self.is_cropped = terminal.is_tty if is_cropped is None else is_cropped
        self._agent_cells, self._kind_cells = AGENT_CELLS[0], KIND_CELLS[0]
        self._day = ""

    def widen(self, events: Iterable[dict[str, Any]]) -> None:
        """Make the columns fit for ``events`` before the first of them is laid out."""
        slack = 6 if self._is_slim else 3 if self._is_narrow else 0
        for event in events:
            agent, kind = escape(str(event["agent"])), escape(str(event["event"]))
            self._agent_cells = grown(self._agent_cells, agent, AGENT_CELLS[1] - slack)
            self._kind_cells = grown(self._kind_cells, kind, KIND_CELLS[1] - slack)

    @property
    def _is_narrow(self) -> bool:
        return self.is_cropped and self.terminal.width < NARROW_CELLS

    @property
    def _is_slim(self) -> bool:
        return self.is_cropped and self.terminal.width < SLIM_CELLS

    def line(self, event: dict[str, Any], ts_ns: int) -> str:
        width = self.terminal.width if self.is_cropped else 0
        self.widen([event])
        parts = list(self._head(event, ts_ns))
        told = list(describe(event, is_folded=bool(width)))
        if not (self._is_slim and told):
            parts.append(self._kind(event))
        parts += told
        return self._paint(fit(parts, width) if width else parts)

    def day_line(self, ts_ns: int) -> str | None:
        """A dim rule with the date where it differs from the line before (today goes without)."""
        day = self._local(ts_ns).strftime("%Y-%m-%d")
        before = self._day or datetime.now(UTC if self.is_utc else None).strftime("%Y-%m-%d")
        self._day = day
        return None if day == before else self.terminal.paint(f"── {day} " + "─" * 8, "dim")

    def broken_line(self, raw: bytes, reason: str) -> str:
        """A line of the log that is no event."""
        head = f"{'?':>8}  not an event: {escape(reason)}: "
        text = escape(raw[:TEXT_CHARS].decode("utf-8", "replace"))
        parts = [(head, "yellow"), (text, "dim")]
        shown = fit(parts, self.terminal.width) if self.is_cropped else parts
        return self._paint(shown)

    def full_lines(self, event: dict[str, Any]) -> Iterator[str]:
        """The payload in full, for beneath the line."""
        for field in ("content", "input", "output", "error"):
            if event.get(field) not in EMPTY:
                yield from self._payload_lines(field, _in_full(event[field]))

    def _payload_lines(self, field: str, text: str) -> Iterator[str]:
        label = self.terminal.paint(f"  {field:<8}", "dim")
        for line in text.rstrip("\n").split("\n"):
            yield f"{label}{self.terminal.paint('│', 'dim')} {escape(line)}"
            label = " " * 10

    def _paint(self, parts: list[Part]) -> str:
        """Blanks at the end of a line are nobody's."""
        while parts and not parts[-1][0].strip():
            parts = parts[:-1]
        if parts:
            parts = [*parts[:-1], (parts[-1][0].rstrip(), parts[-1][1])]
        return "".join(self.terminal.paint(text, *style.split()) for text, style in parts)

    def _head(self, event: dict[str, Any], ts_ns: int) -> Iterator[Part]:
        moment = self._local(ts_ns)
        clock = moment.strftime("%H:%M:%S")
        millis = "" if self._is_narrow else f".{moment.microsecond // 1000:03d}"
        yield clock + millis, "dim"
        agent = escape(str(event["agent"]))
        yield "  " + pad(agent, self._agent_cells), self.terminal.agent_style(agent)
        mark, style = mark_of(event)
        yield f"  {mark} ", style

    def _kind(self, event: dict[str, Any]) -> Part:
        return pad(escape(str(event["event"])), self._kind_cells) + "  ", mark_of(event)[1]

    def _local(self, ts_ns: int) -> datetime:
        return moment_of(ts_ns, is_utc=self.is_utc)


def mark_of(event: dict[str, Any]) -> Part:
    """A sign that tells the kind of a line without colour, and the style for both."""
    level, kind = event.get("level"), str(event["event"])
    if level in ("error", "critical") or kind == "error" or event.get("error"):
        return "✗", "red"
    if level == "warning":
        return "!", "yellow"
    style = "dim" if level == "debug" else ""
    return ("→" if is_start(kind) else "←" if is_end(kind) else "·"), style


def describe(event: dict[str, Any], *, is_folded: bool) -> Iterator[Part]:
    """What the event is about: tool or model, time taken, tokens, then its main text."""
    label = event.get("tool") or event.get("model")
    if label:
        yield escape(str(label)) + "  ", "bold"
    facts = list(_facts(event))
    if facts:
        yield "  ".join(facts) + "  ", "dim"
    style, text = main_text(event)
    if text:
        yield from _folded(text, style) if is_folded else [(escape(text), style)]


def _facts(event: dict[str, Any]) -> Iterator[str]:
    if isinstance(event.get("duration_ms"), (int, float)):
        yield show_duration(event["duration_ms"])
    tokens = [event.get("input_tokens"), event.get("output_tokens")]
    if any(isinstance(count, int) for count in tokens):
        shown = ["?" if count is None else escape(str(count)) for count in tokens]
        yield f"{shown[0]}→{shown[1]} tok"


def main_text(event: dict[str, Any]) -> Part:
    """``(style, text)``: the error if there is one, else content, else what went in or came out."""
    error = event.get("error")
    if error:
        return "red", as_text(_error_text(error) if isinstance(error, dict) else error)
    fields = (
        ("content", "output", "input")
        if is_end(str(event["event"]))
        else ("content", "input", "output")
    )
    for field in fields:
        if event.get(field) not in EMPTY:
            return "", as_prose(event[field])
    return "", ""


def as_prose(value: object) -> str:
    """What a person would say of a payload: the last message of a conversation, ``key=value`` for a
    few plain fields, else JSON."""
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if isinstance(value, list) and value and isinstance(value[-1], dict) and "role" in value[-1]:
        last = value[-1]
        return f"{last['role']}: {as_prose(last.get('content') or last)}"
    if isinstance(value, dict) and len(value) <= FEW and not any(map(_is_nested, value.values())):
        return "  ".join(f"{name}={as_text(item)}" for name, item in value.items())
    return as_text(value)


def _is_nested(value: object) -> bool:
    return isinstance(value, (dict, list))


def _error_text(error: dict[str, Any]) -> str:
    parts = [as_text(error[name]) for name in ("type", "message") if error.get(name)]
    return ": ".join(parts) or as_text(error)


def _in_full(value: object) -> str:
    """A payload on as many lines as it has; of an error with a stack, the stack as it was printed."""
    if isinstance(value, dict) and isinstance(value.get("stack"), str):
        rest = {name: item for name, item in value.items() if name != "stack"}
        head = (
            _error_text(rest) if rest.keys() <= {"type", "message"} else as_text(rest, indent=True)
        )
        return f"{head}\n{value['stack']}"
    return as_text(value, indent=True)


def to_json(event: dict[str, Any]) -> str:
    """One line of JSON that is safe to look at."""
    import orjson

    return escape_json(orjson.dumps(event).decode())


def as_text(value: object, *, indent: bool = False) -> str:
    if isinstance(value, str):
        return value
    import orjson

    encoded = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None).decode()
    return encoded if indent else escape_json(encoded)


def _folded(text: str, style: str) -> Iterator[Part]:
    """The lines of ``text`` joined into one, and how many there are more than that."""
    lines = [line.strip() for line in text[:TEXT_CHARS].split("\n") if line.strip()]
    yield RETURN.join(map(escape, lines)) or escape(text[:TEXT_CHARS]), style
    more = text.strip().count("\n")
    if more:
        yield f"  +{number_of(more, 'line')}", FOLD


def fit(parts: list[Part], width: int) -> list[Part]:
    """``parts`` cropped to ``width`` cells with an ellipsis, and then the count of folded lines."""
    fold = [(text, "dim") for text, style in parts if style == FOLD]
    parts = [(text, style) for text, style in parts if style != FOLD]
    if cell_len("".join(text for text, _ in parts)) <= width:
        return parts
    fold_cells = sum(cell_len(text) for text, _ in fold)
    if fold_cells > width // 3:
        fold, fold_cells = [], 0
    room = width - fold_cells
    shown: list[Part] = []
    for text, style in parts:
        cells = cell_len(text)
        if cells > room:
            shown.append((crop(text, room), style))
            break
        shown.append((text, style))
        room -= cells
    return shown + fold


def crop(text: str, cells: int) -> str:
    """At most ``cells`` wide, with an ellipsis where something is gone."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text[: cells + 1], cells - 1).rstrip() + "…" if cells > 0 else ""


def pad(text: str, cells: int) -> str:
    return set_cell_size(crop(text, cells), cells)


def grown(cells: int, text: str, most: int) -> int:
    return min(max(cells, cell_len(text)), most)
