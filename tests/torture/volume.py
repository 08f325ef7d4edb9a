"""A small disk of its own, that a test can fill, remount and take away."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(point: Path, size: str) -> Iterator[Path]:
    """A tmpfs of ``size`` at ``point``; skips the test where mounting is not allowed."""
    point.mkdir()
    mount(["-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(point)])
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


@contextmanager
def looped(point: Path, size_bytes: int) -> Iterator[Path]:
    """An ext4 of its own, in a file beside ``point``."""
    image = point.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(size_bytes)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("mkfs.ext4 is not installed")
    point.mkdir()
    mount(["-o", "loop", str(image), str(point)])
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)
        image.unlink()


@contextmanager
def overlaid(directory: Path) -> Iterator[Path]:
    """An overlay, as containers have it, whose layers lie on a tmpfs: not every kind can be one."""
    with mounted(directory / "layers", "1g") as layers:
        for name in ("lower", "upper", "work"):
            (layers / name).mkdir()
        point = directory / "overlay"
        point.mkdir()
        options = f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work"
        mount(["-t", "overlay", "overlay", "-o", options, str(point)])
        try:
            yield point
        finally:
            subprocess.run(["umount", "--lazy", str(point)], check=True)


@contextmanager
def bound(directory: Path) -> Iterator[Path]:
    """A directory of this file system under a second path, as containers get it."""
    source, point = directory / "source", directory / "bound"
    source.mkdir()
    point.mkdir()
    mount(["--bind", str(source), str(point)])
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


def mount(arguments: list[str]) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


WRITTEN_BYTES = 4 << 20
"""Of what fills a volume; the rest is only taken, which is quick, and needs no space in its image."""


def fill(volume: Path) -> Path:
    """Take all the space that is left; remove the file to give it back."""
    filler = volume / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    facts = os.statvfs(volume)
    most_bytes = facts.f_bavail * facts.f_frsize - WRITTEN_BYTES
    if most_bytes > 0 and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, most_bytes)
    block = b"\0" * 65_536
    try:
        while len(block) > 1:
            try:
                if os.write(fd, block) < len(block):
                    block = block[: len(block) // 2]
            except OSError:
                block = block[: len(block) // 2]
    finally:
        os.close(fd)
    return filler


@contextmanager
def ext4(point: Path, size_bytes: int, *, image: Path | None = None) -> Iterator[Path]:
    """A file system of its own in a file; with an ``image`` that is there already, that one."""
    path = image or point.with_suffix(".img")
    point.mkdir()
    if not path.exists():
        with path.open("wb") as file:
            file.truncate(size_bytes)
        try:
            subprocess.run(
                ["mkfs.ext4", "-q", "-F", "-m", "0", str(path)], check=True, capture_output=True
            )
        except FileNotFoundError:
            pytest.skip("mkfs.ext4 is not installed")
    mount(["-o", "loop", str(path), str(point)])
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)
