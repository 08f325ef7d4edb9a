"""Which log files are in a directory, as it stood at one time."""

import os
import re
from collections.abc import Callable, Iterator, Mapping

from laneway.log.followed import OWN_FILE
from laneway.log.segment import GZIPPED, PACKED

ROTATED = r"(\.\d+|-\d{8,}|-\d{10}\.backup)?"
"""What a foreign rotation puts behind a name: ``.1``, ``-20261123``, and logrotate's ``-2026112304.backup``,
into which it moves what a writer began between its own rename and its creation of the new file."""

LOG_FILE = re.compile(rf"[^.].*\.jsonl{ROTATED}|[^.].*-\d{{6,}}\.jsonl\.zst")
"""Segments, compressed segments, foreign logs, and their rotated forms."""

GZIPPED_FILE = re.compile(rf"[^.].*\.jsonl{ROTATED}\.gz")
"""What a foreign rotation makes of its files: of the segment that is called without the ``.gz``."""

LISTS = 10
"""Of one look, at most: a rotation is over before, and there are file systems whose inodes never agree."""

Inode = tuple[int, int]
"""With its device."""

Listing = Mapping[str, tuple[str, Inode]]
"""Segment → its file and inode."""


def is_log_file(name: str) -> bool:
    """Nobody but ourselves compresses our segments."""
    if GZIPPED_FILE.fullmatch(name):
        return not OWN_FILE.fullmatch(name.removesuffix(GZIPPED))
    return LOG_FILE.fullmatch(name) is not None


def find_unreadable(directory: str) -> list[str]:
    """The log files that this user may not read: they are passed over until he may."""
    with os.scandir(directory) as entries:
        return sorted(
            entry.name
            for entry in entries
            if is_log_file(entry.name) and not entry.is_symlink() and not os.access(entry, os.R_OK)
        )


def iter_sizes(directory: str) -> Iterator[tuple[str, int]]:
    """Log files, whoever writes them, and their bytes on the disk."""
    for name, facts in _iter_facts(directory):
        yield name, facts.st_size


def list_settled(
    directory: str, skip: Callable[[str], bool], known: Mapping[str, Inode]
) -> Listing:
    """``skip``: which segments to leave out. ``known``: what was there before, by segment.

    A list and the inodes of its names are not taken at one time. While a rotation renames, a file can
    have left its old name and not be listed under the new one, as if it were gone: where anything is
    other than before, two lists in a row must agree.
    """
    seen = _list(directory, skip)
    for _ in range(LISTS - 1):
        if {segment: inode for segment, (_, inode) in seen.items()} == known:
            break
        before, seen = seen, _list(directory, skip)
        if seen == before:
            break
    return seen


def _list(directory: str, skip: Callable[[str], bool]) -> Listing:
    """Where both forms are there, the plain one counts: it is removed only when the other is whole."""
    seen: dict[str, tuple[str, Inode]] = {}
    for name, inode in iter_entries(directory):
        segment = name.removesuffix(PACKED).removesuffix(GZIPPED)
        if not skip(segment) and (segment == name or segment not in seen):
            seen[segment] = name, inode
    return seen


def iter_entries(directory: str) -> Iterator[tuple[str, Inode]]:
    """Log files that are files, and their inodes."""
    for name, facts in _iter_facts(directory):
        yield name, (facts.st_dev, facts.st_ino)


def _iter_facts(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if is_log_file(entry.name) and entry.is_file(follow_symlinks=False):
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except OSError:
                continue
