"""``laneway redact``: what a text would lose, what an existing log would, and why."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from laneway.base.errors import SettingError
from laneway.base.limits import KIB
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.escape import escape, escape_json
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.model.encode import encode
from laneway.model.redact import Redactor, make_redactor
from laneway.model.redact.explain import Find, explain

BLOCK_CHARS = 64 * KIB
"""Of a text looked at in one go, cut at a line's end."""


def command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Texts or JSON lines; else standard input."),
    ] = None,
    why: Annotated[
        bool, typer.Option("--explain", help="Each find with its rule, its place, and why.")
    ] = False,
    of_log: Annotated[
        bool, typer.Option("--scan", help="Go over the log: what today's rules find in it.")
    ] = False,
    log: option.Log = None,
    as_json: option.Json = False,
) -> None:
    """Print what would be stored of a text, or of events as JSON lines. Nothing is changed.

    With --explain it prints for each find its rule, its place and why; the value is never shown.
    With --scan it goes over the log and tells what `laneway scrub` would replace.
    """
    settings = resolve({"log_path": log})
    if of_log or log is not None:
        from laneway.cli.scrub import report

        LogPath.parse(settings.log_path).require()
        report(settings, Terminal(), as_json=as_json)
        return
    redactor = make_redactor(settings, os.environ)
    out = Terminal()
    for name, data in _iter_inputs(files or []):
        for place, item in _iter_items(data):
            if why:
                _print_finds(redactor, out, name, place, item, as_json=as_json)
            elif isinstance(item, dict):
                out.write_data(encode(redactor.redact_event(item)[0]) + b"\n", is_json=True)
            else:
                text = redactor.redact_text(item).encode("utf-8", "replace")
                out.write_data(text, is_json=False)
            sys.stdout.flush()


def _iter_inputs(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    if not files:
        yield "", sys.stdin.buffer.read()
    for path in files:
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            raise SettingError(f"{path}: {error.strerror}") from None


def _iter_items(data: bytes) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(number of the first line, an event or a piece of text)."""
    lines = data.splitlines(keepends=True)
    events = [_try_object(line) for line in lines if line.strip()]
    if events and all(event is not None for event in events):
        numbers = [number for number, line in enumerate(lines, 1) if line.strip()]
        yield from (
            (n, event) for n, event in zip(numbers, events, strict=True) if event is not None
        )
        return
    begin, held = 1, ""
    for number, line in enumerate(lines, 1):
        held += line.decode("utf-8", "replace")
        if len(held) >= BLOCK_CHARS:
            yield begin, held
            begin, held = number + 1, ""
    if held:
        yield begin, held


def _try_object(line: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _print_finds(
    redactor: Redactor, out: Terminal, name: str, line: int, item: dict[str, Any] | str, *, as_json: bool
) -> None:  # fmt: skip
    is_text = isinstance(item, str)
    _, finds = explain(redactor, item if isinstance(item, dict) else {"": item})
    for find in finds:
        place = _text_place(str(item), line, find) if is_text else _field_place(line, find)
        if as_json:
            row = {**find._asdict(), "file": name, "line": line}
            sys.stdout.write(escape_json(orjson.dumps(row).decode()) + "\n")
        else:
            where = escape(f"{name}: {place}" if name else place)
            out.print(f"{out.paint(find.rule, 'bold')}  {where}  {out.paint(find.why, 'dim')}")


def _text_place(text: str, line: int, find: Find) -> str:
    before = text[: max(find.start, 0)]
    column = len(before) - (before.rfind("\n") + 1) + 1
    return (
        f"line {line + before.count(chr(10))}, column {column}, {find.end - find.start} characters"
    )


def _field_place(line: int, find: Find) -> str:
    part = "the whole value" if find.start < 0 else f"characters {find.start + 1} to {find.end}"
    return f"line {line}, {find.path}, {part}"
