"""On which kind of file system a path lies, and whether several processes may append to one file there.

Asked by the SDK before its first append: nothing is imported that Linux does not need.
"""

import os
import sys

SHARES = "it does not keep appends of several processes apart"
OF_THE_HOST = (
    "a folder of the host machine (a VM, WSL, Docker Desktop): locks do not cross that border"
)

REMOTE = {
    "nfs": "locks and appends of several machines do not hold: lines can be lost",
    "cifs": SHARES,
    "smb": SHARES,
    "fuse": "locks and appends do not hold between mounts: 42 % of the lines were lost in our test",
    "9p": OF_THE_HOST,
    "virtiofs": OF_THE_HOST,
    "fakeowner": OF_THE_HOST,
    "grpcfuse": OF_THE_HOST,
    "osxfs": OF_THE_HOST,
    "vboxsf": OF_THE_HOST,
    "prl_fs": OF_THE_HOST,
    "afs": "it writes a file back when it is closed: concurrent appends are lost",
    "ceph": "it is shared by machines: appends of several are not kept apart",
}
"""What is wrong with a file system for a log that several processes append to."""

LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "overlay", "tmpfs", "ramfs"}
    | {"devtmpfs", "aufs", "ecryptfs", "vfat", "exfat"}
    | {"apfs", "hfs", "ntfs", "ntfs3", "reiserfs", "jfs", "nilfs2", "ufs"}
)
"""One kernel, one inode: appends are atomic and locks hold."""

VOLATILE = frozenset({"tmpfs", "ramfs"})


def kind_of(path: str) -> str:
    """``ext4``, ``fuse.sshfs``, …, or ``""`` where it cannot be told."""
    reader = READERS.get(sys.platform)
    return reader(os.path.realpath(path)) if reader else ""


def can_share(directory: str) -> bool:
    """Whether locks and appends hold there for whoever may write; False also where nobody can tell.

    On Linux by the kind of file system: that is where containers mount folders of other machines.
    """
    if sys.platform == "win32":
        return False
    return sys.platform != "linux" or kind_of(directory) in LOCAL


def trouble_with(kind: str) -> str:
    """Why ``kind`` harms a shared log, or ``""``."""
    family = kind.partition(".")[0]
    for name, trouble in REMOTE.items():
        if family == name or (name in ("nfs", "smb") and family.startswith(name)):
            return trouble
    return ""


def _from_mountinfo(path: str) -> str:
    """proc(5): fields 3 (major:minor) and 5 (mount point), and the type behind the `` - ``."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    mounts = []
    for line in lines:
        left, _, right = line.partition(" - ")
        mounts.append((_unescape(left.split()[4]), right.split()[0]))
    return _longest(path, mounts)


def _from_mount_command(path: str) -> str:
    """``/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)``"""
    import re
    import subprocess

    try:
        output = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return _longest(path, re.findall(r" on (.+) \((\w+)", output))


def _longest(path: str, mounts: list[tuple[str, str]]) -> str:
    """The type of the innermost mount that holds ``path``; of equals the last covers the others."""
    best, kind = -1, ""
    for point, name in mounts:
        is_inside = path == point or path.startswith(point.rstrip("/") + "/")
        if is_inside and len(point) >= best:
            best, kind = len(point), name
    return kind


def _unescape(text: str) -> str:
    """Space, tab, newline and backslash stand as ``\\040`` and so on."""
    for sign in " \t\n\\":
        text = text.replace(f"\\{ord(sign):03o}", sign)
    return text


READERS = {"linux": _from_mountinfo, "darwin": _from_mount_command}
