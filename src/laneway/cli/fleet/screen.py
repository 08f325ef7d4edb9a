"""The full screen of `laneway top`: totals, pulse, a row for each agent, and a pane beneath.

Keys are those of htop where it has one for the purpose.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar, Literal

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, Input, Static

from laneway.base.clock import now_ns
from laneway.cli.amount import show_count, show_duration
from laneway.cli.fleet import view
from laneway.cli.fleet.drawn import Drawn
from laneway.cli.fleet.fleet import Fleet, Happened
from laneway.cli.fleet.help import HelpScreen
from laneway.cli.fleet.view import Order
from laneway.cli.line import Layout, crop
from laneway.cli.terminal import Terminal
from laneway.cli.watch import Seen

Pane = Literal["events", "errors", "open"]
PANES: tuple[Pane, ...] = ("events", "errors", "open")

SORTS = {"P": "rate", "M": "tokens", "T": "seen", "N": "agent", "E": "errors"}
"""Direct keys, after htop's P (processor), M (memory), T (time) and N (number)."""

DRAWN_ROWS = 500
"""Rows on the screen at most; a filter brings the others."""

STYLE = """
Screen { background: $background; }
#head, #pulse, #totals { height: 1; padding: 0 1; }
#head { color: $text-muted; }
#rows { height: 1fr; background: $background; padding: 0 1; overflow-x: hidden; scrollbar-size-vertical: 1; }
#below { height: 36%; }
#rows > .datatable--header { background: $panel; color: $text-muted; text-style: none; }
#rows > .datatable--cursor { background: $boost; color: $text; text-style: none; }
#title { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
#pane { height: 1fr; padding: 0 1; }
#ask { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
#ask.is-open { display: block; }
HelpScreen { align: center middle; }
HelpScreen > Static { width: 78; height: auto; padding: 1 2; background: $panel; }
"""


class Rows(DataTable[Text]):
    """A row for each agent; Home and End go to the first and the last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]


class PaneTerminal(Terminal):
    """Lines of `Layout` for a part of the screen: its width is ours to set."""

    def __init__(self) -> None:
        super().__init__()
        self.has_colour = True
        self.cells = 80

    @property
    def width(self) -> int:
        return self.cells


class Top(App[None]):
    """``poll`` hands over what came since it was asked last; it is asked every ``interval_s``.
    ``is_reading`` tells whether the past is still being read."""

    TITLE = "laneway top"
    CSS = STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,f1,question_mark", "help", "Help", key_display="F1"),
        Binding("slash,f3", "ask('search')", "Search", key_display="F3"),
        Binding("backslash,f4", "ask('filter')", "Filter", key_display="F4"),
        Binding("t,f5", "tree", "Tree", key_display="F5"),
        Binding("greater_than_sign,f6", "sort(1)", "Sort", key_display="F6"),
        Binding("less_than_sign", "sort(-1)", show=False),
        Binding("I", "invert", show=False),
        Binding("tab,e", "pane", "Below", key_display="Tab", priority=True),
        Binding("Z,space", "hold", "Hold", key_display="Z"),
        Binding("escape", "undo", show=False),
        Binding("q,f10", "quit", "Quit", key_display="F10"),
        *(Binding(key, f"sort_by('{name}')", show=False) for key, name in SORTS.items()),
    ]

    def __init__(
        self,
        poll: Callable[[], Iterable[Seen]],
        place: str,
        *,
        interval_s: float,
        is_utc: bool = False,
        is_reading: Callable[[], bool] = lambda: False,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        super().__init__(ansi_color=False)
        self.fleet = Fleet()
        self.order = Order()
        self.pane: Pane = "events"
        self.alone = ""
        self.needle = ""
        self.is_held = False
        self._poll = poll
        self._is_reading = is_reading
        self._place = place
        self._interval_s = interval_s
        self._clock = clock
        self._now_ns = clock()
        self._layout = Layout(PaneTerminal(), is_utc=is_utc, is_cropped=True)
        self._asked = ""
        self._drawn_head: tuple[object, ...] = ()
        self._drawn_names: list[str] = []
        self._drawn, self._drawn_cells = Drawn(), Drawn()

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="totals")
        yield Static(id="pulse")
        yield Rows(id="rows", cursor_type="row", cell_padding=0)
        with Vertical(id="below"):
            yield Static(id="title")
            yield Static(id="pane")
        yield Input(id="ask", compact=True)
        yield Footer()

    def on_mount(self) -> None:
        self.table.focus()
        self._tick()
        self.set_interval(self._interval_s, self._tick)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    @property
    def table(self) -> Rows:
        return self.query_one("#rows", Rows)

    def _tick(self) -> None:
        """Take what came; draw it unless the picture is held."""
        time_ns = self._clock()
        for seen in self._poll():
            if seen.event is not None:
                self.fleet.take(seen.event, seen.ts_ns, time_ns)
        if not self.is_held:
            self._now_ns = time_ns
            self._draw()

    def _draw(self) -> None:
        width = max(self.size.width - 2, 20)
        self._show("head", self._head(width))
        self._show("totals", view.summary(self.fleet, self._now_ns))
        self._show("pulse", view.pulse(self.fleet, self._now_ns, width))
        self._draw_rows(width)
        self._draw_pane(width)

    def _show(self, where: str, text: Text) -> None:
        if self._drawn.is_new(where, text):
            self.query_one(f"#{where}", Static).update(text, layout=False)

    def _head(self, width: int) -> Text:
        state = ("● live", "green")
        if self.is_held:
            state = ("HELD: nothing is missed, Z goes on", "bold yellow")
        elif self._is_reading():
            state = ("○ reading the past …", "yellow")
        left = Text.assemble(("laneway top", "bold"), "  ", self._place)
        left.truncate(max(width - len(state[0]) - 2, 11), overflow="ellipsis")
        left.append(" " * max(width - left.cell_len - len(state[0]), 1))
        return left.append(*state)

    def _draw_rows(self, width: int) -> None:
        table = self.table
        columns = view.columns_for(width)
        shown = view.rows(self.fleet, self.order, self._now_ns, self.needle)[:DRAWN_ROWS]
        head = (self.order, *((column.key, cells) for column, cells in columns))
        names = [row.agent.name for row in shown]
        kept = self._at_cursor()
        if self._drawn_head != head:
            self._draw_head(columns)
            self._drawn_head, self._drawn_names = head, []
        if self._drawn_names != names:
            self._replace_rows(names, kept)
            self._drawn_names = names
        for row in shown:
            for column, cells in columns:
                text = view.cell(column, cells, row, self._now_ns)
                text.append(" ")
                if self._drawn_cells.is_new((row.agent.name, column.key), text):
                    table.update_cell(row.agent.name, column.key, text)

    def _draw_head(self, columns: list[tuple[view.Column, int]]) -> None:
        self.table.clear(columns=True)
        for column, cells in columns:
            is_key = column.key == self.order.key
            arrow = "▲" if column.is_descending == self.order.is_inverted else "▼"
            name = crop(column.title + (arrow if is_key else ""), cells)
            title = name.rjust(cells) if column.key in view.RIGHT else name.ljust(cells)
            self.table.add_column(
                Text(title + " ", "bold" if is_key else ""), key=column.key, width=cells + 1
            )

    def _replace_rows(self, names: list[str], kept: str) -> None:
        """Anew in another order; the cursor stays on the agent ``kept``."""
        table = self.table
        place = table.scroll_y
        table.clear()
        self._drawn_cells = Drawn()
        blank = [Text("")] * len(table.columns)
        for name in names:
            table.add_row(*blank, key=name)
        if kept in names:
            table.move_cursor(row=names.index(kept), scroll=False)
        table.scroll_to(y=place, animate=False)

    def _at_cursor(self) -> str:
        row = self.table.cursor_row
        return self._drawn_names[row] if 0 <= row < len(self._drawn_names) else ""

    def _draw_pane(self, width: int) -> None:
        pane = self.query_one("#pane", Static)
        height = max(pane.size.height, 1)
        lines = (
            self._open_lines(width, height)
            if self.pane == "open"
            else self._event_lines(width, height)
        )
        self._show("pane", Text("\n").join(lines) if lines else Text(self._nothing(), "dim"))
        self._show("title", self._title())

    def _title(self) -> Text:
        counts = {
            "events": self.fleet.event_count,
            "errors": sum(agent.error_count for agent in self.fleet.agents.values()),
            "open": len(self.fleet.open_work()),
        }
        text = Text(no_wrap=True)
        for name in PANES:
            style = "bold reverse" if name == self.pane else ""
            text.append(f" {name} {show_count(counts[name])} ", style)
        if self.alone:
            text.append(f"  of {view.one_line(self.alone)} alone (Enter: all)", "yellow")
        if self.needle:
            text.append(f"  agents with “{view.one_line(self.needle)}” (Esc: all)", "yellow")
        return text

    def _nothing(self) -> str:
        if self._is_reading():
            return "Reading the newest events of the log …"
        if not self.fleet.event_count:
            return "No events yet. In another terminal: laneway emit me hello “is this on?”"
        return {"errors": "No errors.", "open": "Nothing is open."}.get(
            self.pane, "No events of this agent in memory."
        )

    def _event_lines(self, width: int, height: int) -> list[Text]:
        """The newest, oldest of them first, as `laneway tail` has them."""
        source = self.fleet.errors if self.pane == "errors" else self.fleet.events
        found: list[Happened] = []
        for happened in reversed(source):
            if not self.alone or happened.event["agent"] == self.alone:
                found.append(happened)
                if len(found) >= height:
                    break
        terminal = self._layout.terminal
        assert isinstance(terminal, PaneTerminal)
        terminal.cells = width
        found.sort(key=lambda happened: happened.ts_ns)
        return [Text.from_ansi(self._layout.line(event, ts_ns)) for ts_ns, event in found]

    def _open_lines(self, width: int, height: int) -> list[Text]:
        lines = []
        for work in self.fleet.open_work(self.alone)[:height]:
            took = show_duration((self._now_ns - work.start_ns) / 1e6)
            text = Text(f"{took:>8}  ", "dim", no_wrap=True)
            text.append(crop(view.one_line(work.agent), view.NAME_CELLS) + "  ", "bold")
            text.append(crop(view.describe_work(work), max(width - text.cell_len, 8)))
            lines.append(text)
        return lines

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_tree(self) -> None:
        self.order = self.order._replace(is_tree=not self.order.is_tree)
        self._draw()

    def action_sort(self, by: int) -> None:
        keys = [column.key for column, _ in view.columns_for(self.size.width - 2)]
        at = keys.index(self.order.key) if self.order.key in keys else 0
        self.action_sort_by(keys[(at + by) % len(keys)])

    def action_sort_by(self, key: str) -> None:
        self.order = Order(key, is_tree=self.order.is_tree)
        self._draw()

    def action_invert(self) -> None:
        self.order = self.order._replace(is_inverted=not self.order.is_inverted)
        self._draw()

    def action_pane(self) -> None:
        if self.query_one("#ask", Input).has_focus:
            return
        self.pane = PANES[(PANES.index(self.pane) + 1) % len(PANES)]
        self._draw()

    def action_hold(self) -> None:
        self.is_held = not self.is_held
        self._now_ns = self._clock()
        self._draw()

    def action_undo(self) -> None:
        self.alone = self.needle = ""
        self.is_held = False
        self._close_ask()
        self._draw()

    def action_ask(self, purpose: str) -> None:
        self._asked = purpose
        ask = self.query_one("#ask", Input)
        ask.value = self.needle if purpose == "filter" else ""
        ask.placeholder = (
            "only agents whose name holds …" if purpose == "filter" else "go to agent …"
        )
        ask.add_class("is-open")
        ask.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._asked == "filter":
            self.needle = event.value.strip()
            self._draw()
        elif self._asked == "search":
            self._go_to(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._close_ask()

    def on_data_table_row_selected(self, event: "DataTable.RowSelected") -> None:
        name = self._at_cursor()
        self.alone = "" if self.alone == name else name
        self._draw()

    def on_data_table_header_selected(self, event: "DataTable.HeaderSelected") -> None:
        key = str(event.column_key.value)
        if key == self.order.key:
            self.action_invert()
        else:
            self.action_sort_by(key)

    def _go_to(self, needle: str) -> None:
        names = self._drawn_names
        start = self.table.cursor_row
        for step in range(len(names)):
            at = (start + step) % len(names)
            if needle.casefold() in names[at].casefold():
                self.table.move_cursor(row=at)
                return

    def _close_ask(self) -> None:
        self._asked = ""
        self.query_one("#ask", Input).remove_class("is-open")
        self.table.focus()
