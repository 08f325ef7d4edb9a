"""What LOG_PATH means, and which files are segments."""

import os
from pathlib import Path

import pytest

from laneway.log.segment import LogPath, make_directory


@pytest.mark.parametrize(
    ("given", "directory", "name"),
    [
        ("/mnt/data/logs/observability.jsonl", "/mnt/data/logs", "observability"),
        ("/mnt/data/logs", "/mnt/data/logs", "events"),
        ("/mnt/data/logs/", "/mnt/data/logs", "events"),
        ("/a b/ü.jsonl", "/a b", "ü"),
    ],
)
def test_a_path_names_a_directory_or_a_file(given: str, directory: str, name: str) -> None:
    path = LogPath.parse(given)

    assert (path.directory, path.name) == (directory, name)


def test_a_bare_file_name_means_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert LogPath.parse("log.jsonl").directory == str(tmp_path)


def test_only_our_own_names_are_segments(tmp_path: Path) -> None:
    for name in (
        "a-000002.jsonl",
        "a-000010.jsonl",
        "a.jsonl",
        "a-x.jsonl",
        "b-000003.jsonl",
        "a--1.jsonl",
    ):
        (tmp_path / name).touch()

    assert LogPath(str(tmp_path), "a").numbers() == [2, 10]


def test_a_directory_that_is_not_there_has_no_segments(tmp_path: Path) -> None:
    assert LogPath(str(tmp_path / "none")).newest() == 0


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_what_is_missing_above_a_log_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        make_directory(str(tmp_path / "home" / "logs"))
    finally:
        os.umask(old)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("home", "home/logs")]
    assert modes == [0o700, 0o700]
    make_directory(str(tmp_path / "home" / "logs"))  # there already


def test_a_directory_that_is_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_directory(str(tmp_path / "file"))
    with pytest.raises(NotADirectoryError):
        make_directory(str(tmp_path / "file" / "log"))
