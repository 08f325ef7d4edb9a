import os
from pathlib import Path

import pytest

from laneway.log.removal import remove_file
from tests.waiting import eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 4_096)
    return path


def test_a_removed_file_is_gone_at_once_and_let_go_of_soon(path: Path) -> None:
    remove_file(str(path))
    assert not path.exists()
    if os.path.isdir("/proc/self/fd"):
        eventually(lambda: str(path) not in open_files())


def open_files() -> str:
    names = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:  # closed since
            continue
    return "\n".join(names)


def test_a_file_that_is_not_there_is_told(path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        remove_file(str(path))


def test_a_directory_stays_and_nothing_is_left_open(path: Path) -> None:
    folder = path.parent / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="folder"):
        remove_file(str(folder))
    assert folder.is_dir()


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_of_a_link_the_link_alone_is_removed(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)
    remove_file(str(link))
    assert path.exists()
    assert not link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_not_waited_for(path: Path) -> None:
    pipe = path.parent / "pipe"
    os.mkfifo(pipe)
    remove_file(str(pipe))
    assert not pipe.exists()
