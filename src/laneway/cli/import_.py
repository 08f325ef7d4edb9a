"""``laneway import``: what coding agents keep on this machine, into the log; once, or as it grows."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol

import orjson
import typer

from laneway.base.clock import now_ns
from laneway.base.errors import EventError, SettingError
from laneway.base.settings import resolve
from laneway.base.words import number_of
from laneway.cli import option
from laneway.cli.terminal import Terminal
from laneway.log.segment import make_directory
from laneway.model.event import normalise
from laneway.sdk.api import flush, log_event
from laneway.sources.claude.transcript import Transcript
from laneway.sources.codex import Rollout
from laneway.sources.envelope import envelope_event, is_envelope
from laneway.sources.gemini import Outfile
from laneway.sources.opencode import OpenCode

LOOK_S = 0.3
"""Between two looks at files that may have grown."""

OUTFILE = "laneway-telemetry.json"
"""Beside Gemini CLI's settings; `laneway connect gemini-cli` has it written."""

NOTES = "imports.json"
"""In the home: how far each file was read."""

BLOCK_BYTES = 4 * 1024 * 1024


class Reader(Protocol):
    """Takes a file's lines in their order."""

    def events(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]: ...


class Envelopes:
    """JSON lines of hook payloads, as PAI and other dashboards keep them."""

    def __init__(self, path: str) -> None:
        self._path = path

    def events(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if is_envelope(line):
            yield envelope_event(line, now_ns())
        elif "agent" in line and ("event" in line or "event_type" in line):
            yield dict(line)


def read_transcript(path: str) -> Transcript:
    """A sub-agent's type stands in a file beside its transcript."""
    try:
        about = orjson.loads(Path(path.removesuffix(".jsonl") + ".meta.json").read_bytes())
        return Transcript(path, str(about["agentType"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Transcript(path)


Split = Callable[[Iterable[bytes]], Iterator[bytes]]


def iter_lines(file: Iterable[bytes]) -> Iterator[bytes]:
    """Those that are complete; the last one may be being written."""
    return takewhile(lambda line: line.endswith(b"\n"), file)


def iter_documents(file: Iterable[bytes]) -> Iterator[bytes]:
    """Objects that are indented over many lines, and end where a brace stands first in its line."""
    found: list[bytes] = []
    for line in iter_lines(file):
        found.append(line)
        if line.rstrip() == b"}" or (len(found) == 1 and line.rstrip().endswith(b"}")):
            yield b"".join(found)
            found.clear()


SOURCES: dict[str, tuple[Callable[[str], Reader], str, Split]] = {
    "claude-code": (read_transcript, "~/.claude/projects", iter_lines),
    "codex": (Rollout, "~/.codex/sessions", iter_lines),
    "gemini-cli": (Outfile, f"~/.gemini/{OUTFILE}", iter_documents),
    "opencode": (OpenCode, "", iter_lines),
    "pai": (Envelopes, "~/.claude/history/raw-outputs", iter_lines),
    "jsonl": (Envelopes, "", iter_lines),
}
"""Name, who reads it, where it is by default, and what its files consist of."""


def command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="One of claude-code, codex, gemini-cli, opencode, pai or jsonl."
        ),
    ],
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="A file, a directory, or - (standard input); else where it mostly is.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as the files grow, until it is stopped.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read what was read before, too; it counts once.")
    ] = False,
) -> None:
    """Record what coding agents have done, from the files that they keep.

    Claude Code's transcripts and Codex's rollouts have the model's words, the tokens and the titles; a
    tool call that a hook has told as well counts once.
    """
    option.require_choice("SOURCE", source, SOURCES)
    make, default, split = SOURCES[source]
    if path == Path("-"):
        reader = make("-")
        for item in split(sys.stdin.buffer):
            record(reader, item)
        flush(10)
        return
    root = path or Path(default).expanduser()
    if not root.exists() or root == Path():
        raise SettingError(f"{root}: nothing is there", hint=f"laneway import {source} PATH")
    notes = Notes(Path(resolve().home, NOTES), again=again)
    tail = Tail(make, root, notes, split)
    out = Terminal()
    count = tail.look()
    flush(10)
    out.print(f"{number_of(count, 'event')} of {number_of(len(tail.files), 'file')} in {root}")
    sys.stdout.flush()  # who follows may wait for it
    while follow:
        time.sleep(LOOK_S)
        tail.look()


class Notes:
    """How far each file was read, by path and inode."""

    def __init__(self, path: Path, *, again: bool) -> None:
        self._path = path
        self._read: dict[str, int] = {}
        if not again:
            try:
                self._read = dict(orjson.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError):
                self._read = {}

    def offset(self, file: Path) -> int:
        known = self._read.get(self._key(file), 0)
        return known if known <= file.stat().st_size else 0

    def put(self, file: Path, offset: int) -> None:
        self._read[self._key(file)] = offset

    def save(self) -> None:
        make_directory(str(self._path.parent))
        new = self._path.with_suffix(".new")
        new.write_bytes(orjson.dumps(self._read))
        new.replace(self._path)

    def _key(self, file: Path) -> str:
        return f"{file.stat().st_ino} {file.absolute()}"


class Tail:
    """All files of one source."""

    def __init__(
        self, make: Callable[[str], Reader], root: Path, notes: Notes, split: Split
    ) -> None:
        self._make = make
        self._split = split
        self._root = root
        self._notes = notes
        self.files: dict[Path, Reader] = {}

    def look(self) -> int:
        """Record what has come since the last look; how many events it was."""
        count = 0
        for file in [self._root] if self._root.is_file() else sorted(self._root.rglob("*.jsonl")):
            try:
                count += self._read(file)
            except OSError:  # it went, or may not be read
                continue
        if count:
            self._notes.save()
        return count

    def _read(self, file: Path) -> int:
        offset = self._notes.offset(file)
        if file in self.files and file.stat().st_size == offset:
            return 0
        count = 0
        reader = self.files.get(file)
        with file.open("rb") as lines:
            if reader is None:
                reader = self.files[file] = self._make(str(file))
                self._catch_up(reader, lines, offset)
            lines.seek(offset)
            for item in self._split(lines):
                offset += len(item)
                count += record(reader, item)
        self._notes.put(file, offset)
        return count

    def _catch_up(self, reader: Reader, file: BinaryIO, offset: int) -> None:
        """A reader that begins in the middle has to know what came before."""
        for item in self._split(file) if offset else ():
            for _ in parse(reader, item):
                pass
            offset -= len(item)
            if offset <= 0:
                return


def parse(reader: Reader, line: bytes) -> Iterator[dict[str, Any]]:
    """The events of one line; none of one that is broken."""
    try:
        tree = orjson.loads(line)
        if isinstance(tree, dict):
            yield from reader.events(tree)
    except (ValueError, TypeError, KeyError, AttributeError):
        return


def record(reader: Reader, line: bytes) -> int:
    count = 0
    for raw in parse(reader, line):
        try:
            event: dict[str, Any] = dict(normalise(raw)[0])
        except EventError:
            continue
        name, kind = str(event.pop("agent")), str(event.pop("event"))
        count += bool(log_event(name, kind, event.pop("content", None), **event))
    return count
