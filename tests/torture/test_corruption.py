"""Bits flip, files are cut and blocks are zeroed: what is not hit is found, what is lost is told (P8).

One damage at a time at a random place of a log and its index, at rest. The oracle is exact:

* a compressed segment: just the lines of the frames that were hit are missing, and as many are told;
* a plain segment: every line that was not hit is found; what is missing is told (a flip that leaves
  JSON valid changes the line, and cannot be told; nor can a cut, where the index is gone as well);
  where the live segment ends in the middle of a line, with the next append;
* index, epoch, digests, lock: nothing is missing, and all answers are those of before.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from laneway.base.errors import LanewayError
from laneway.base.settings import Settings, resolve
from laneway.hub import keeper as keeper_module
from laneway.hub.engine import Engine
from laneway.hub.live import Live
from laneway.log import pack
from laneway.log.append import Appender
from laneway.log.compress import compress
from laneway.log.seekable import SeekableFile
from laneway.log.segment import LogPath
from laneway.store.api import Query, Split
from tests.log.sealed import make_lines, write_segment
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
DAMAGES = 1_000 if IS_LONG else 12
SEGMENT_LINES = 150
PACKED_SEGMENTS = 3
SEGMENTS = PACKED_SEGMENTS + 2  # one sealed and plain, one live
BLOCK_BYTES = 4_096

Answers = list[Any]


class Hit(NamedTuple):
    """What was done to a file: ``[start, end)`` of it is not what it was."""

    name: str
    kind: str
    start: int
    end: int


class World:
    """A log with its index, of which copies are damaged."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log_path = LogPath(str(directory / "log"))
        self.lines: dict[str, list[bytes]] = {}
        for number in range(1, SEGMENTS + 1):
            lines = make_lines(SEGMENT_LINES, number * SEGMENT_LINES)
            name = write_segment(self.log_path, number, lines, sealed=number < SEGMENTS).name
            self.lines[name] = lines
        for number in range(1, PACKED_SEGMENTS + 1):
            assert compress(self.log_path.directory, self.log_path.segment_name(number))
        with opened(self.settings(directory)) as engine:
            eventually(lambda: is_level(engine), lambda: "the index never got there")
            compact_all(engine, self.log_path)
            self.answers = ask(engine)
            shutil.copytree(directory / "log", directory / "killed")  # as after `kill -9`
        self.frames = {
            name: SeekableFile(os.path.join(self.log_path.directory, f"{name}.zst")).layout.frames
            for name in list(self.lines)[:PACKED_SEGMENTS]
        }
        self.ids = {orjson.loads(line)["id"]: line for line in self.all_lines()}

    def all_lines(self) -> Iterator[bytes]:
        for lines in self.lines.values():
            yield from lines

    def settings(self, directory: Path) -> Settings:
        values = {
            "home": directory / "home",
            "log_path": directory / "log",
            "compress": False,
            "compress_after": 0,
        }
        return resolve(values, env={})

    def copy(self, directory: Path, *, killed: bool) -> Settings:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.directory / ("killed" if killed else "log"), directory / "log")
        return self.settings(directory)

    def hit_lines(self, hit: Hit) -> list[bytes]:
        """The lines that a damage may cost."""
        segment = hit.name.removesuffix(".zst")
        text = b"".join(line + b"\n" for line in self.lines[segment])
        if segment != hit.name:
            frames = [
                frame
                for frame in self.frames[segment]
                if frame.place < hit.end and hit.start < frame.place + frame.size
            ]
            return [line for f in frames for line in text[f.offset : f.end].split(b"\n") if line]
        found, offset = [], 0
        for line in self.lines[segment]:
            # A line whose newline is hit runs into the next one.
            if offset - 1 < hit.end and hit.start < offset + len(line) + 1:
                found.append(line)
            offset += len(line) + 1
        return found


class opened:
    """An engine whose follower runs, and whose keeper works when it is told to."""

    def __init__(self, settings: Settings) -> None:
        live = Live("", 100)
        self.engine = Engine(settings, live, live.metric, on_problem=lambda text: None, keeps=False)

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def compact_all(engine: Engine, log_path: LogPath) -> None:
    from laneway.hub.chore import compact_index

    for number in range(1, PACKED_SEGMENTS + 1):
        segment = log_path.segment_name(number)
        database = engine.store.compactable(segment)
        digest = compact_index(database, f"{database}.new")
        assert engine.store.adopt(segment, f"{database}.new", digest)


def is_level(engine: Engine) -> bool:
    return engine.follower.wait_level(0.01) and not engine.follower.lag_bytes()


def events_of(engine: Engine) -> list[dict[str, Any]]:
    page = engine.archive.page(Query(limit=1000, newest_first=False))
    assert page[1] is None
    events = [orjson.loads(line) for line in page[0]]
    for event in events:
        event.pop("seq")
    return events


def ask(engine: Engine) -> Answers:
    return [
        events_of(engine),
        engine.store.groups("agent", Query()),
        engine.store.aggregate(Query(), Split(by=("agent",), step_ns=60_000_000_000)),
    ]


def try_ask(engine: Engine) -> Answers | None:
    try:
        return ask(engine)
    except LanewayError:
        return None


def spoil(path: Path, draw: random.Random) -> Hit | None:
    """One damage; None where it changed nothing."""
    data = path.read_bytes()
    if not data:
        return None
    kind = draw.choice(["flip", "flip", "cut", "zero"])
    place = draw.randrange(len(data))
    if kind == "flip":
        changed = bytearray(data)
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        return Hit(path.name, kind, place, place + 1)
    if kind == "cut":
        os.truncate(path, place)
        return Hit(path.name, kind, place, len(data))
    start = place // BLOCK_BYTES * BLOCK_BYTES
    end = min(start + BLOCK_BYTES, len(data))
    changed = bytearray(data)
    changed[start:end] = bytes(end - start)
    path.write_bytes(changed)
    return Hit(path.name, kind, start, end) if changed != data else None


def targets(directory: Path) -> dict[str, list[Path]]:
    index = directory / ".index"
    return {
        "packed": sorted(directory.glob("*.zst")),
        "plain": sorted(path for path in directory.glob("*-0*.jsonl") if not path.is_symlink()),
        "database": sorted(index.glob("*.db")),
        "small": [path for path in sorted(index.iterdir()) if path.suffix in ("", ".sum")],
        "wal": sorted([*index.glob("*-wal"), *index.glob("*-shm")]),
    }


def check_log(world: World, directory: Path, engine: Engine, hit: Hit, *, has_index: bool) -> None:
    """Wait until what is missing is what was hit, and is told."""
    lost = {orjson.loads(line)["id"] for line in world.hit_lines(hit)}
    state = ""
    if hit.name == world.log_path.segment_name(SEGMENTS):
        appender = Appender(LogPath(str(directory / "log")))
        appender.append([b""])
        appender.close()

    def is_exact() -> bool:
        nonlocal state
        found = events_of(engine)
        whole = [event for event in found if orjson.dumps(event) == world.ids.get(event.get("id"))]
        changed = len(found) - len(whole)
        missing = set(world.ids) - {event["id"] for event in whole}
        told = engine.status().damaged_line_count
        quarantined = engine.status().quarantined_count
        state = f"{len(missing)} missing, {changed} changed, {told} told, {quarantined} put aside"
        assert missing <= lost, (hit, missing - lost)
        if hit.name.endswith(".zst"):
            return missing == lost and not changed and told == len(lost)
        if hit.kind == "cut" and not has_index:
            return len(missing) >= len(lost) - 1
        return len(missing) - changed in (told, quarantined, told + quarantined) or (
            # Zeros have no ends of lines: what stood there is one line that is none.
            hit.kind == "zero" and 0 < quarantined <= len(missing)
        )

    eventually(is_exact, lambda: f"{hit}: {state}")


def one_damage(world: World, directory: Path, draw: random.Random) -> tuple[str, Hit | None]:
    is_killed = draw.random() < 0.3
    settings = world.copy(directory, killed=is_killed)
    kinds = {kind: paths for kind, paths in targets(directory / "log").items() if paths}
    kind = draw.choice(sorted(kinds))
    path = draw.choice(kinds[kind])
    if kind in ("packed", "plain") and draw.random() < 0.2:
        shutil.rmtree(directory / "log" / ".index")
        kind += " without index"
    has_sum = Path(f"{path}.sum").exists()
    hit = spoil(path, draw)
    if hit is None:
        return kind, None
    with opened(settings) as engine:
        eventually(lambda: is_level(engine), lambda: f"never level after {hit}")
        engine._keeper.work()
        if kind == "database" and not has_sum:
            # A value that was flipped in a database that had no orderly close is known to nobody.
            engine.follower.reindex()
        if path.parent.name == ".index":
            eventually(
                lambda: try_ask(engine) == world.answers, lambda: f"other answers after {hit}"
            )
            assert engine.status().damaged_line_count == 0
        else:
            check_log(world, directory, engine, hit, has_index="without" not in kind)
    return kind, hit


def test_what_is_hit_is_told_and_everything_else_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(pack, "FRAME_BYTES", 8_192)
    monkeypatch.setattr(keeper_module, "REST", 0)
    draw = random.Random(seed)
    world = World(tmp_path / "whole")
    assert len(world.answers[0]) == SEGMENTS * SEGMENT_LINES
    total: Counter[str] = Counter()
    for number in range(DAMAGES):
        try:
            kind, hit = one_damage(world, tmp_path / "damaged", draw)
        except BaseException:
            print(f"\nseed {seed}, damage {number}")
            raise
        total[f"{kind}: {hit.kind if hit else 'nothing changed'}"] += 1
    print(f"\nseed {seed}: {sum(total.values())} damages: {dict(sorted(total.items()))}")
