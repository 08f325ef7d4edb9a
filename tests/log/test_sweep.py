"""Side files go with the last line that refers to them, and no sooner."""

import json
import os
import time
from pathlib import Path

import orjson
import pytest

from laneway.base.errors import LogError
from laneway.log import sweep as sweep_module
from laneway.log.compress import compress
from laneway.log.reference import References
from laneway.log.retention import apply_retention
from laneway.log.segment import SEAL, LogPath
from laneway.log.side import SideFiles
from laneway.log.sweep import iter_referred, sweep

DAY_S = 86_400


class Log:
    """A log directory with side files and the segments that refer to them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.path = LogPath(str(directory))
        self.side = SideFiles(str(directory))
        self.references = References(self.path)

    def keep(self, payload: str, age_s: float = 3 * DAY_S) -> str:
        digest = self.side.keep(payload.encode())
        self.age(self.file(digest), age_s)
        return digest

    def file(self, digest: str) -> Path:
        return Path(self.path.directory, "side", digest[:2], f"{digest}.txt")

    def age(self, path: Path, age_s: float) -> None:
        moment = time.time() - age_s
        os.utime(path, (moment, moment))

    def write(self, number: int, *digests: str) -> Path:
        path = Path(self.path.segment_path(number))
        files = [
            {"path": "/output", "sha256": digest, "bytes": 1, "form": "text"} for digest in digests
        ]
        path.write_bytes(orjson.dumps({"agent": "a", "output": "x", "side_files": files}) + SEAL)
        return path

    def sweep(self) -> int:
        return sweep(self.side, self.references.all)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def test_what_a_line_refers_to_stays_and_an_orphan_goes(log: Log) -> None:
    kept, orphan = log.keep("kept"), log.keep("orphan")
    log.write(1, kept)

    assert log.sweep() == 1
    assert log.file(kept).exists()
    assert not log.file(orphan).exists()


def test_an_orphan_of_today_may_be_getting_its_line(log: Log) -> None:
    orphan = log.keep("orphan", age_s=DAY_S / 2)

    assert log.sweep() == 0
    assert log.file(orphan).exists()


def test_a_payload_of_two_segments_goes_with_the_second(log: Log) -> None:
    shared = log.keep("shared")
    first, second = log.write(1, shared), log.write(2, shared)
    log.write(3)
    log.age(first, 10 * DAY_S)
    log.age(second, 5 * DAY_S)

    assert apply_retention(log.path, age_s=7 * DAY_S) == [first.name]
    assert log.sweep() == 0
    assert apply_retention(log.path, age_s=4 * DAY_S) == [second.name]
    assert log.sweep() == 1
    assert not log.file(shared).exists()


def test_a_compressed_segment_still_refers(log: Log) -> None:
    kept = log.keep("kept")
    segment = log.write(1, kept)
    log.write(2)
    compress(log.path.directory, segment.name)
    assert not segment.exists()

    assert log.sweep() == 0
    assert log.file(kept).exists()


def test_a_foreign_line_may_be_spaced(log: Log) -> None:
    kept = log.keep("kept")
    line = json.dumps({"agent": "a", "side_files": [{"path": "/x", "sha256": kept}]})
    Path(log.path.directory, "observability.jsonl.1").write_text(line + "\n")

    assert log.sweep() == 0


def test_a_segment_that_cannot_be_read_keeps_all(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = log.keep("orphan")
    log.write(1)

    def fail(*_: object) -> None:
        raise LogError("damaged")

    monkeypatch.setattr(log.references, "_read", fail)
    with pytest.raises(LogError):
        log.sweep()
    assert log.file(orphan).exists()


def test_a_file_made_new_while_it_is_removed_stays(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer met it just before its name was taken away."""
    payload = "met by a writer"
    digest = log.keep(payload)
    rename = os.rename

    def late(source: str, target: str) -> None:
        if source.endswith(".txt"):
            log.side.keep(payload.encode())
        rename(source, target)

    monkeypatch.setattr(sweep_module.os, "rename", late)
    assert log.sweep() == 0
    assert log.side.read(digest) == payload.encode()


def test_a_sweep_that_was_killed_is_undone_or_ended(log: Log) -> None:
    kept, orphan = log.keep("kept"), log.keep("orphan")
    log.write(1, kept)
    for digest in (kept, orphan):
        path = log.file(digest)
        path.rename(path.with_suffix(".gone"))

    assert log.sweep() == 1
    assert log.side.read(kept) == b"kept"
    assert not log.file(orphan).with_suffix(".gone").exists()


def test_the_draft_of_a_killed_writer_goes(log: Log) -> None:
    folder = log.file(log.keep("kept", age_s=0)).parent
    draft = folder / ".abc.1.2.draft"
    draft.write_bytes(b"half")
    log.age(draft, 2 * DAY_S)

    assert log.sweep() == 1
    assert not draft.exists()


def test_a_segment_is_read_once(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(1, log.keep("kept"))
    assert log.sweep() == 0

    monkeypatch.setattr("laneway.log.reference.RawFile", None)
    assert log.sweep() == 0


def test_a_text_that_speaks_of_side_files_refers_to_none() -> None:
    inner = orjson.dumps({"side_files": [{"sha256": "a" * 64}]}).decode()

    assert list(iter_referred([orjson.dumps({"content": inner})])) == []
