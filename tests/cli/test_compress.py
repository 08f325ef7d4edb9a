"""``laneway compress`` and what ``laneway doctor`` says of compressed segments."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from laneway.base.limits import KIB
from laneway.cli.app import run
from laneway.log import pack
from laneway.log.compress import SETTLED_S
from laneway.log.seekable import SeekableFile
from laneway.log.segment import LogPath
from tests.log.sealed import make_lines, write_segment

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log_path = LogPath(str(tmp_path / "log"))
    for number in (1, 2):
        write_segment(log_path, number, make_lines(500, number * 500), sealed=True)
    write_segment(log_path, 3, make_lines(10, 2_000), sealed=False)
    return tmp_path / "log"


def test_it_compresses_what_is_sealed_and_tells_the_sizes(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compress", "--log", str(log), "--settled", "0"]) == 0
    out = capsys.readouterr().out
    assert "events-000001.jsonl: " in out
    assert "→" in out
    assert sorted(os.listdir(log)) == [
        "events-000001.jsonl.zst",
        "events-000002.jsonl.zst",
        "events-000003.jsonl",
    ]
    assert run(["compress", "--log", str(log), "--settled", "0"]) == 0
    assert "nothing to compress" in capsys.readouterr().out


def test_what_was_written_a_moment_ago_is_left_alone(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compress", "--log", str(log)]) == 0
    assert "nothing to compress" in capsys.readouterr().out
    past_s = time.time() - SETTLED_S - 60
    os.utime(log / "events-000001.jsonl", (past_s, past_s))
    assert run(["compress", "--log", str(log)]) == 0
    assert "events-000001.jsonl: " in capsys.readouterr().out


def test_a_misspelt_time_is_a_wrong_usage(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compress", "--log", str(log), "--settled", "soon"]) == 2
    assert "30s, 15m, 12h" in capsys.readouterr().err


def test_queries_and_tail_read_compressed_segments_without_a_hub(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["compress", "--log", str(log), "--settled", "0"])
    capsys.readouterr()
    assert run(["query", "--log", str(log), "--jsonl", "--limit", "2000"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1_010
    assert run(["tail", "--log", str(log), "--no-follow", "-n", "300", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 300


def test_doctor_tells_frame_bytes_and_lines_of_what_is_damaged(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "FRAME_BYTES", 16 * KIB)
    run(["compress", "--log", str(log), "--settled", "0"])
    run(["doctor", "--log", str(log)])
    assert "2 of 2 compressed" in capsys.readouterr().out
    path = log / "events-000002.jsonl.zst"
    frame = SeekableFile(str(path)).layout.frames[1]
    data = bytearray(path.read_bytes())
    data[frame.place + 30] ^= 1
    path.write_bytes(data)
    run(["doctor", "--log", str(log)])
    out = " ".join(capsys.readouterr().out.split())
    assert "frame 1 of events-000002.jsonl is damaged" in out
    assert f"{frame.line_count} lines" in out
