"""A directory is listed while logrotate renames in it: nothing is taken for gone that only moved."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from laneway.log import gzipped, listing
from laneway.log import tail as tail_module
from laneway.log import text as text_module
from laneway.log.position import Vanished
from laneway.log.segment import LogPath
from laneway.log.tail import Chunk, Tail
from laneway.log.text import open_own

Step = Callable[[], object]

HEADER = b'{"log":"begins"}\n'
"""The first line of each file: they cannot be told apart by it."""


def packed(path: Path) -> Path:
    return path.with_name(path.name + ".gz")


def make(path: Path, name: str) -> None:
    path.write_bytes(HEADER + b"".join(b'{"%s":%d}\n' % (name.encode(), n) for n in range(9)))


def add(path: Path, name: str) -> None:
    with path.open("ab") as file:
        file.write(b'{"%s":"late"}\n' % name.encode())


def compress(path: Path) -> Iterator[Step]:
    """As logrotate does it: into a file beside it, which is there before it is whole."""

    def write(share: int) -> None:
        data = gzip.compress(path.read_bytes())
        packed(path).write_bytes(data[: len(data) // share])

    yield lambda: write(2)
    yield lambda: write(1)
    yield path.unlink


def steps_of(how: str, app: Path) -> Iterator[Step]:
    """What logrotate does to ``app`` and two older files."""
    one, two, three = (app.with_name(f"{app.name}.{n}") for n in (1, 2, 3))
    if how == "delaycompress":
        yield from compress(one)
    yield lambda: packed(two).rename(packed(three))
    yield lambda: packed(one).rename(packed(two))
    yield lambda: app.rename(one)
    yield lambda: make(app, "new")
    if how == "compress":
        yield from compress(one)


class Moments:
    """Takes ``pace`` steps at each of the tail's system calls, once ``start`` of them were made."""

    def __init__(self, steps: Iterator[Step], start: int, pace: int) -> None:
        self._steps, self._start, self._pace = list(steps), start, pace

    def pass_by(self) -> None:
        self._start -= 1
        if self._start < 0:
            due, self._steps = self._steps[: self._pace], self._steps[self._pace :]
            for step in due:
                step()

    @property
    def is_over(self) -> bool:
        return not self._steps

    def scandir(self, directory: str) -> list[Any]:
        self.pass_by()
        found = [self._entry(entry) for entry in os.scandir(directory)]
        self.pass_by()
        return found

    def _entry(self, entry: "os.DirEntry[str]") -> Any:
        def stat(*, follow_symlinks: bool) -> os.stat_result:
            self.pass_by()
            return os.stat(entry.path, follow_symlinks=follow_symlinks)

        return SimpleNamespace(name=entry.name, is_file=entry.is_file, stat=stat)

    def open_own(self, path: str, flags: int) -> int:
        self.pass_by()
        return open_own(path, flags)


def lines_of(chunks: list[Chunk]) -> list[bytes]:
    return [line for chunk in chunks for _, line in chunk.lines]


@pytest.mark.parametrize("pace", [1, 2, 3, 9])
@pytest.mark.parametrize("how", ["compress", "delaycompress"])
def test_a_rotation_at_any_moment_of_a_look_has_nothing_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, pace: int
) -> None:
    monkeypatch.setattr(tail_module, "SCAN_S", 0)
    for start in range(40):
        directory = tmp_path / str(start)
        directory.mkdir()
        app, one, two = (directory / f"app.jsonl{end}" for end in ("", ".1", ".2"))
        for path, name in ((app, "app"), (one, "one"), (two, "two")):
            make(path, name)
        for path in (one, two) if how == "compress" else (two,):
            for step in compress(path):
                step()
        tail = Tail(LogPath(str(directory)), {})
        found = lines_of(tail.poll())
        add(app, "app")
        if how == "delaycompress":
            add(one, "one")
        moments = Moments(steps_of(how, app), start, pace)
        with monkeypatch.context() as patched:
            patched.setattr(listing, "os", SimpleNamespace(scandir=moments.scandir))
            patched.setattr(gzipped, "open_own", moments.open_own)
            patched.setattr(text_module, "open_own", moments.open_own)
            while not moments.is_over:
                found += lines_of(tail.poll())
        while chunks := tail.poll():
            found += lines_of(chunks)

        stands = b"".join(
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for path in directory.iterdir()
        )
        assert sorted(found) == sorted(stands.splitlines()), start
        assert not any(isinstance(change, Vanished) for change in tail.take_changes()), start
        assert tail.take_breaks() == []
        assert tail.lag_bytes() == 0
        tail.close()
