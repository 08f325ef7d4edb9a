"""Retention removes the oldest sealed segments, and nothing else."""

import os
from pathlib import Path

from laneway.base.clock import NS_PER_DAY
from laneway.log.retention import apply_retention
from laneway.log.segment import LogPath

NOW_NS = 20_000 * NS_PER_DAY


def make(directory: Path, number: int, days_old: float, size: int = 100) -> None:
    path = directory / f"events-{number:06d}.jsonl"
    path.write_bytes(b"x" * size)
    mtime_ns = NOW_NS - int(days_old * NS_PER_DAY)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def apply(directory: Path, **rules: float) -> list[str]:
    return apply_retention(LogPath(str(directory)), time_ns=NOW_NS, **rules)  # type: ignore[arg-type]


def test_old_segments_go(tmp_path: Path) -> None:
    for number, age in ((1, 9), (2, 8), (3, 1), (4, 0)):
        make(tmp_path, number, age)

    assert apply(tmp_path, age_s=7 * 86_400) == ["events-000001.jsonl", "events-000002.jsonl"]
    assert LogPath(str(tmp_path)).numbers() == [3, 4]


def test_the_live_segment_stays_however_old(tmp_path: Path) -> None:
    make(tmp_path, 1, 900)

    assert apply(tmp_path, age_s=86_400, total_bytes=1) == []


def test_the_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    for number in range(1, 6):
        make(tmp_path, number, 5 - number)

    assert apply(tmp_path, total_bytes=300) == ["events-000001.jsonl", "events-000002.jsonl"]


def test_foreign_files_stay(tmp_path: Path) -> None:
    make(tmp_path, 1, 9)
    make(tmp_path, 2, 0)
    (tmp_path / "observability.jsonl").write_bytes(b"x" * 1000)
    os.utime(tmp_path / "observability.jsonl", ns=(1, 1))
    apply(tmp_path, age_s=86_400, total_bytes=50)

    assert (tmp_path / "observability.jsonl").exists()


def test_without_rules_nothing_goes(tmp_path: Path) -> None:
    make(tmp_path, 1, 900)
    make(tmp_path, 2, 0)

    assert apply(tmp_path) == []


def test_a_time_in_the_future_makes_no_segment_outlive_those_that_follow_it(tmp_path: Path) -> None:
    log_path = LogPath(str(tmp_path))
    for number in range(1, 6):
        path = Path(log_path.segment_path(number))
        path.write_bytes(b"{}\n" * 100)
        os.utime(path, (1_000.0 + number, 1_000.0 + number))
    os.utime(log_path.segment_path(1), (4e9, 4e9))

    assert apply_retention(log_path, total_bytes=1_000) == [
        log_path.segment_name(1),
        log_path.segment_name(2),
    ]


def test_what_goes_with_a_segment_counts(tmp_path: Path) -> None:
    log_path = LogPath(str(tmp_path))
    for number in range(1, 6):
        Path(log_path.segment_path(number)).write_bytes(b"{}\n" * 100)

    assert len(apply_retention(log_path, total_bytes=1_200)) == 1
    assert len(apply_retention(log_path, total_bytes=1_200, index_bytes=lambda name: 300)) == 2
