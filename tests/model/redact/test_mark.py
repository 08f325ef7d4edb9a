"""The key of the marks: one for the machine, for its owner alone, and never an error."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laneway.model.redact import Redactor
from laneway.model.redact.mark import Marker, load_key


def test_the_key_is_made_at_the_first_mark_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "redact.key"
    marker = Marker(str(path))
    assert not path.exists()

    marker.mark("rule", "secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert os.listdir(path.parent) == ["redact.key"]


def test_two_processes_with_one_key_make_equal_marks(tmp_path: Path) -> None:
    path = str(tmp_path / "key")

    assert Marker(path).mark("r", "s") == Marker(path).mark("r", "s")
    assert Marker(path).mark("r", "s") != Marker(None).mark("r", "s")


def test_of_many_that_start_at_once_all_get_the_same_key(tmp_path: Path) -> None:
    path = str(tmp_path / "key")

    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(load_key, [path] * 64))

    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_file_is_left_alone_and_marks_go_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)

    assert Marker(str(path)).mark("r", "s").startswith("[redacted:r:")
    assert path.read_bytes() == content


def test_without_a_place_for_the_key_marks_go_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    redactor = Redactor(key_path=str(blocked / "key"))

    first, _ = redactor.redact_event({"password": "correct horse"})
    again, _ = redactor.redact_event({"password": "correct horse"})

    assert first == again
    assert first["password"].startswith("[redacted:password:")
