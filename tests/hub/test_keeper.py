"""The keeper compresses, compacts and verifies behind a running engine; answers stay what they were."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from laneway.base.settings import Settings
from laneway.hub import keeper as keeper_module
from laneway.hub.hub import Hub, reindex
from laneway.log.seekable import SeekableFile
from laneway.store.api import Query, Split
from tests.waiting import eventually

from .event import event

Make = Callable[[], Hub]


@pytest.fixture
def log(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keeper_module, "FIRST_S", 0.01)
    monkeypatch.setattr(keeper_module, "ROUND_S", 0.05)
    settings.compress_after = 0.0
    monkeypatch.setattr(keeper_module, "NICE", 0)  # a busy machine would let them wait for ever
    settings.segment_bytes = 90_000
    return Path(settings.log_path)


def fill(hub: Hub, count: int = 600) -> None:
    for first in range(1, count, 50):
        batch = [event(n, content=f"message {n} " + "tide " * 40) for n in range(first, first + 50)]
        hub.append(hub.intake.take(batch).lines)
    eventually(lambda: hub.store.last_seq == count)


def answers(hub: Hub) -> list[Any]:
    """Without seqs, which a rebuilt index gives anew."""
    queries = [Query(limit=1000), Query(limit=1000, newest_first=False)]
    pages = [hub.archive.page(query)[0] for query in queries]
    events = [[{**orjson.loads(line), "seq": 0} for line in page] for page in pages]
    return [
        events,
        hub.store.groups("agent", Query()),
        hub.store.aggregate(Query(), Split(by=("event",), step_ns=10**9)),
    ]


def forms(log: Path) -> list[str]:
    return sorted(name for name in os.listdir(log) if "-0" in name)


def segments(log: Path) -> set[str]:
    """One that is being compressed has both its forms for a moment."""
    return {name.removesuffix(".zst") for name in forms(log)}


def sums(log: Path) -> list[str]:
    names = [name for name in os.listdir(log / ".index") if name.endswith(".sum")]
    try:
        return [(log / ".index" / name).read_text().split()[1] for name in names]
    except FileNotFoundError:  # one is being replaced
        return []


def test_sealed_segments_are_compressed_and_their_indexes_compacted(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    settings.compress = False
    hub = make_hub()
    fill(hub)
    before = answers(hub)
    hub.close()
    settings.compress = True
    hub = make_hub()
    sealed = len(segments(log)) - 1
    eventually(lambda: sum(name.endswith(".zst") for name in forms(log)) == sealed)
    assert not forms(log)[-1].endswith(".zst")
    eventually(lambda: sums(log).count("compact") == sealed)
    assert answers(hub) == before
    assert len(before[0][0]) == 600
    eventually(
        lambda: hub.health()["log"]["bytes"] == sum(os.path.getsize(log / n) for n in forms(log))
    )
    hub.append(hub.intake.take([event(601)]).lines)
    eventually(lambda: hub.store.last_seq == 601)
    hub.close()
    hub = make_hub()
    eventually(lambda: hub.lag_bytes() == 0)
    assert hub.store.last_seq == 601


def test_an_index_built_from_compressed_segments_gives_the_same_answers(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    hub = make_hub()
    fill(hub)
    before = answers(hub)
    eventually(lambda: sum(name.endswith(".zst") for name in forms(log)) == len(forms(log)) - 1)
    hub.close()
    assert reindex(settings, lambda done, left: None) == 600
    hub = make_hub()
    assert answers(hub) == before


def test_nothing_is_compressed_before_it_is_indexed_and_settled(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    settings.compress_after = 3600.0
    hub = make_hub()
    fill(hub)
    hub._index._keeper.work()  # type: ignore[union-attr]
    assert not any(name.endswith(".zst") for name in forms(log))


def test_retention_removes_compressed_segments_too(
    make_hub: Make, log: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub()
    fill(hub)
    eventually(lambda: sum(name.endswith(".zst") for name in forms(log)) == len(forms(log)) - 1)
    hub.close()
    settings.retention_bytes = hub.log_bytes() - 1
    hub = make_hub()
    eventually(lambda: hub.log_bytes() <= settings.retention_bytes)
    eventually(lambda: hub.store.last_seq == 600)

    eventually(lambda: {state.segment for state in hub.store.segments()} == segments(log))


def test_a_damaged_frame_is_found_without_being_asked_for(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    hub = make_hub()
    fill(hub)
    eventually(lambda: sum(name.endswith(".zst") for name in forms(log)) == len(forms(log)) - 1)
    hub.close()
    path = log / forms(log)[0]
    frame = SeekableFile(str(path)).layout.frames[0]
    data = bytearray(path.read_bytes())
    data[frame.place + 20] ^= 4
    path.write_bytes(data)
    hub = make_hub()
    eventually(lambda: hub.health()["log"]["damaged_lines"] == frame.line_count)
    eventually(lambda: f"laneway_log_damaged_lines {frame.line_count}\n" in hub.metrics())
    eventually(lambda: len(answers(hub)[0][0]) == 600 - frame.line_count)


def spoil(database: Path) -> None:
    """A value is changed so that SQLite itself sees nothing wrong."""
    data = database.read_bytes()
    assert b"planner" in data
    database.write_bytes(data.replace(b"planner", b"plXnner"))


def test_a_damaged_index_is_built_again_while_the_hub_runs(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    hub = make_hub()
    fill(hub)
    before, epoch = answers(hub), hub.store.epoch
    sealed = len(segments(log)) - 1
    eventually(lambda: sums(log).count("compact") == sealed)
    hub.close()
    spoil(sorted((log / ".index").glob("*.db"))[0])
    hub = make_hub()
    eventually(lambda: hub.store.epoch != epoch)
    eventually(lambda: len(answers(hub)[0][0]) == 600 and answers(hub) == before)
    assert hub.metric.fault.values.get(("index",)) == 1
    eventually(lambda: sums(log).count("compact") == sealed)


def test_an_index_damaged_under_a_query_is_built_again(make_hub: Make, log: Path) -> None:
    hub = make_hub()
    fill(hub)
    before = answers(hub)
    hub._index._keeper.stop()  # type: ignore[union-attr]
    database = sorted((log / ".index").glob("*.db"))[0]
    for path in (log / ".index").glob(database.name + "*"):
        if path.suffix == ".db" or path.name.endswith("-wal"):
            with path.open("r+b") as file:
                file.write(b"\x17" * path.stat().st_size)
    hub.store._catalog._pool.discard(str(database))
    hub.store._writers.clear()

    def is_mended() -> bool:
        try:
            return answers(hub) == before
        except Exception:
            return False

    eventually(is_mended)


@pytest.mark.parametrize(("of_the_last", "whole"), [(40, 10), (-2, 10), (-1, 11)])
def test_a_segment_that_was_cut_is_told_with_its_lines(
    make_hub: Make, log: Path, settings: Settings, of_the_last: int, whole: int
) -> None:
    """A line that lost its newline alone is there again once the segment is sealed."""
    settings.compress = False
    hub = make_hub()
    fill(hub)
    hub.close()
    path = log / forms(log)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    kept = b"".join(lines[:10]) + lines[10][:of_the_last]
    os.truncate(path, len(kept))
    hub = make_hub()
    lost = sum(1 for line in lines if line.strip()) - whole
    eventually(lambda: hub.health()["log"]["damaged_lines"] == lost)
    eventually(lambda: len(answers(hub)[0][0]) == 600 - lost)
    eventually(lambda: hub.health()["index"]["events"] == 600 - lost)
    assert hub.health()["log"]["damaged_lines"] == lost


def test_a_finished_segment_that_lost_its_end_is_sealed_and_told(
    make_hub: Make, log: Path, settings: Settings
) -> None:
    """As a power cut leaves it that comes just after the next segment was begun."""
    settings.compress = False
    hub = make_hub()
    fill(hub)
    hub.close()
    first = log / forms(log)[0]
    text = first.read_bytes()
    start = text.rindex(b"{")
    first.write_bytes(text[: start + 20] + bytes(80))
    shutil.rmtree(log / ".index")
    hub = make_hub()
    eventually(lambda: hub.health()["index"]["quarantined"] == 1)
    eventually(lambda: hub.health()["index"]["events"] == 599)
    assert first.read_bytes() == text[: start + 20] + bytes(80) + b"\n\n"
