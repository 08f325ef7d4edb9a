"""A table in a window: columns as wide as what they hold, and the least worth goes where room is short."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from laneway.cli.line import Part, crop, pad
from laneway.cli.terminal import Terminal

GAP = "  "


class Column(NamedTuple):
    """``least``: it may shrink to so many cells; 0: it may not. ``most``: never wider. The lowest
    ``worth`` goes first."""

    title: str
    is_right: bool = False
    least: int = 0
    most: int = 1_000_000
    worth: int = 9


Row = Sequence[Part]
"""A cell for each column: escaped text, and its style."""

Line = list[Part]


def lay_out(columns: Sequence[Column], rows: Sequence[Row], width: int = 0) -> list[Line]:
    """A line of titles and one for each row, none wider than ``width``; 0: as wide as it gets."""
    cells = _natural(columns, rows)
    places = _fit(columns, cells, width) if width else list(range(len(columns)))
    titles = [(column.title, "dim") for column in columns]
    return [
        _line([(columns[place], cells[place], row[place]) for place in places])
        for row in [titles, *rows]
    ]


def count_fitting(columns: Sequence[Column], rows: Sequence[Row], width: int) -> int:
    """Of how many columns `lay_out` has room."""
    return len(_fit(columns, _natural(columns, rows), width)) if width else len(columns)


def show(terminal: Terminal, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """The table on the terminal, within its width; in a pipe as wide as it gets."""
    lines = lay_out(columns, rows, terminal.width if terminal.is_tty else 0)
    terminal.write(paint(terminal, line) for line in lines)


def width_of(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """What the table takes if nobody restrains it."""
    return sum(_natural(columns, rows)) + len(GAP) * (len(columns) - 1)


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int = 4) -> list[Line]:
    """Two blocks of lines side by side, the right one ``gap`` cells after ``width``."""
    lines: list[Line] = []
    for number in range(max(len(left), len(right))):
        line = list(left[number]) if number < len(left) else []
        if number < len(right):
            blank = width - cells_of(line) + gap
            line = [*line, (" " * blank, ""), *right[number]]
        lines.append(line)
    return lines


def flow(facts: Sequence[Line], width: int, gap: int = 3) -> list[Line]:
    """Short facts one after the other, on as many lines as that takes; 0: on one."""
    lines: list[Line] = []
    room = 0
    for fact in facts:
        cells = cells_of(fact)
        if lines and (not width or cells + gap <= room):
            lines[-1] += [(" " * gap, ""), *fact]
            room -= cells + gap
        else:
            lines.append(list(fact))
            room = width - cells
    return lines


def cells_of(line: Line) -> int:
    return cell_len("".join(text for text, _ in line))


def paint(terminal: Terminal, line: Line) -> str:
    """The line for a terminal; blanks at its end are nobody's."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    if line:
        line = [*line[:-1], (line[-1][0].rstrip(), line[-1][1])]
    return "".join(terminal.paint(text, *style.split()) for text, style in line)


def _natural(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    return [
        min(max(cell_len(text) for text in (c.title, *(row[i][0] for row in rows))), c.most)
        for i, c in enumerate(columns)
    ]


def _fit(columns: Sequence[Column], cells: list[int], width: int) -> list[int]:
    """The places of the columns that stay; shrinks ``cells`` where columns allow it."""
    places = list(range(len(columns)))
    while len(places) > 1 and _least(columns, cells, places) > width:
        places.remove(min(places, key=lambda place: columns[place].worth))
    excess = sum(cells[place] for place in places) + len(GAP) * (len(places) - 1) - width
    for place in reversed(places):  # the last one is the text
        least = columns[place].least
        if excess > 0 and least:
            taken = min(excess, max(cells[place] - least, 0))
            cells[place] -= taken
            excess -= taken
    if excess > 0:
        cells[places[-1]] = max(cells[places[-1]] - excess, 1)
    return places


def _least(columns: Sequence[Column], cells: Sequence[int], places: Sequence[int]) -> int:
    needs = (min(columns[p].least or cells[p], cells[p]) for p in places)
    return sum(needs) + len(GAP) * (len(places) - 1)


def _line(parts: Sequence[tuple[Column, int, Part]]) -> Line:
    line: Line = []
    for column, cells, (text, style) in parts:
        text = crop(text, cells)
        blank = " " * (cells - cell_len(text))
        line.append((GAP if line else "", ""))
        line += [(blank, ""), (text, style)] if column.is_right else [(pad(text, cells), style)]
    return line
