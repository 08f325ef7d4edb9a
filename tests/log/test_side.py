"""Side files: whole or not there, found by their hash, and never a way out of the directory."""

import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from laneway.base.errors import LogError
from laneway.log import side as side_module
from laneway.log.side import SideFiles

DATA = b"the whole of a long payload " * 1_000
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def side(tmp_path: Path) -> SideFiles:
    return SideFiles(str(tmp_path / "log"))


def path_of(tmp_path: Path, digest: str = DIGEST) -> Path:
    return tmp_path / "log" / "side" / digest[:2] / f"{digest}.txt"


def test_what_is_kept_is_read_back_by_its_hash(side: SideFiles, tmp_path: Path) -> None:
    assert side.keep(DATA) == DIGEST

    assert side.read(DIGEST) == DATA
    assert side.size(DIGEST) == len(DATA)
    assert side.read(DIGEST, 10, 5) == DATA[10:15]
    assert side.read(DIGEST, len(DATA) + 5) == b""
    assert path_of(tmp_path).read_bytes() == DATA


@pytest.mark.skipif(os.name != "posix", reason="mode bits are of POSIX")
def test_nobody_else_can_read_it(side: SideFiles, tmp_path: Path) -> None:
    side.keep(DATA)

    path = path_of(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_the_same_payload_is_kept_once_and_counts_as_new(side: SideFiles, tmp_path: Path) -> None:
    side.keep(DATA)
    path = path_of(tmp_path)
    inode = path.stat().st_ino
    os.utime(path, (1, 1))

    assert side.keep(DATA) == DIGEST

    assert path.stat().st_ino == inode
    assert path.stat().st_mtime > 1_000_000_000
    assert side.kept == 2
    assert len(list(path.parent.iterdir())) == 1


def test_a_file_of_the_wrong_size_is_written_anew(side: SideFiles, tmp_path: Path) -> None:
    side.keep(DATA)
    path_of(tmp_path).write_bytes(DATA[:100])

    assert side.keep(DATA) == DIGEST
    assert side.read(DIGEST) == DATA


def test_a_damaged_file_is_told_and_not_given(side: SideFiles, tmp_path: Path) -> None:
    side.keep(DATA)
    assert side.read(DIGEST, 0, 10)
    path_of(tmp_path).write_bytes(DATA[:-1] + b"X")

    with pytest.raises(LogError, match="damaged") as caught:
        side.read(DIGEST, 0, 10)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "name", ["", "ab", "../" * 10 + "etc/passwd", "A" * 64, "g" * 64, "a" * 65]
)
def test_only_a_hash_names_a_side_file(side: SideFiles, name: str) -> None:
    with pytest.raises(LogError, match="is not a SHA-256"):
        side.read(name)


def test_a_file_that_is_gone_says_why(side: SideFiles) -> None:
    with pytest.raises(LogError, match="there is no side file") as caught:
        side.read(DIGEST)
    assert "retention" in caught.value.hint


@pytest.mark.parametrize("link", ["side", "prefix", "file"])
def test_no_symbolic_link_is_followed(side: SideFiles, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    secret = elsewhere / "secret"
    secret.write_bytes(DATA)
    path = path_of(tmp_path)
    place = {"side": path.parent.parent, "prefix": path.parent, "file": path}[link]
    place.parent.mkdir(parents=True)
    place.symlink_to(secret if link == "file" else elsewhere)

    if link == "file":
        with pytest.raises(LogError):
            side.read(DIGEST)
        assert side.keep(DATA) == DIGEST
        assert not path.is_symlink()
    else:
        assert side.keep(DATA) == ""
        assert side.lost == {"side_unwritable": 1}
    assert list(elsewhere.iterdir()) == [secret]


@pytest.mark.parametrize("call", ["write", "open", "rename", "mkdir"])
def test_a_disk_that_refuses_it_leaves_no_half_file(
    side: SideFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(side_module.os, call, refuse)
        assert side.keep(DATA) == ""

    assert side.lost == {"side_unwritable": 1}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert side.keep(DATA) == DIGEST


def test_a_short_write_goes_on(side: SideFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(side_module.os, "write", lambda fd, data: write(fd, data[:1000]))

    assert side.keep(DATA) == DIGEST
    assert side.read(DIGEST) == DATA


def test_a_durable_one_is_synced_before_its_name_and_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    me = threading.get_ident()  # what other tests wrote is synced behind them, by another thread

    def noted(name: str, call: Callable[..., None]) -> Callable[..., None]:
        def note(*args: Any, **options: Any) -> None:
            if threading.get_ident() == me:
                calls.append(name)
            call(*args, **options)

        return note

    for name in ("fsync", "rename"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))

    SideFiles(str(tmp_path / "log"), durable=True).keep(DATA)

    at = calls.index("rename")
    assert "fsync" in calls[:at]
    assert calls[at + 1 :].count("fsync") == 2  # the file's own state, and the directory's
