"""File systems are known by their kind, and only known ones are trusted with one file for all."""

import sys

import pytest

from laneway.log import mount


def test_the_innermost_mount_counts_and_the_last_of_equals() -> None:
    mounts = [("/", "ext4"), ("/home", "xfs"), ("/home/a b", "nfs"), ("/home/a b", "fuse.x")]
    assert mount._longest("/home/a b/log", mounts) == "fuse.x"
    assert mount._longest("/home/a", mounts) == "xfs"
    assert mount._longest("/homes", mounts) == "ext4"


def test_signs_in_a_mount_point_are_read_as_the_kernel_writes_them() -> None:
    assert mount._unescape(r"/a\040b\011c\134d") == "/a b\tc\\d"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_kind_of_proc_is_found() -> None:
    assert mount.kind_of("/proc/self") == "proc"


@pytest.mark.parametrize(
    ("kind", "can"),
    [("ext4", True), ("overlay", True), ("tmpfs", True), ("btrfs", True), ("fuse.sshfs", False),
     ("fuse", False), ("nfs4", False), ("9p", False), ("cifs", False), ("virtiofs", False),
     ("newfs", False), ("", False)],
)  # fmt: skip
def test_only_known_local_file_systems_are_shared(
    monkeypatch: pytest.MonkeyPatch, kind: str, can: bool
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(mount, "kind_of", lambda path: kind)
    assert mount.can_share("/anywhere") is can
