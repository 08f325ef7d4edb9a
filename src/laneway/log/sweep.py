"""Which side files are still referred to, and the removal of those that are not.

A side file goes when the last line that refers to it is gone, and never younger than
`ORPHAN_NS`: a writer puts the file there before its line, and makes one that is there
already new. Where it cannot be told what is referred to, nothing is removed.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator

from laneway.base.clock import NS_PER_DAY, now_ns
from laneway.log.side import DIRECTORY, DRAFT, HASH_CHARS, PREFIX_CHARS, SUFFIX, SideFiles

ORPHAN_NS = NS_PER_DAY
"""No writer takes this long from the file to its line; a stopped one may take hours."""

GONE = ".gone"
"""What a file is called while it is removed, so that a writer that meets it meanwhile writes it anew."""

MARK = b'"side_files"'
_REFERENCE = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')


def iter_referred(lines: Iterable[bytes]) -> Iterator[str]:
    """The SHA-256 of all that ``lines`` refer to, and of some that they merely mention."""
    for line in lines:
        if MARK in line:
            for found in _REFERENCE.finditer(line):
                yield found[1].decode()


def sweep(
    side: SideFiles,
    referred: Callable[[], Iterable[str]],
    age_ns: int = ORPHAN_NS,
    time_ns: int = 0,
    only: Callable[[str], bool] = lambda path: True,
) -> int:
    """Remove side files older than ``age_ns`` that are not among ``referred()``; how many went.

    ``only`` says of each path whether it is to go.

    Raises:
        OSError, LogError: ``referred`` cannot tell; nothing was removed.
    """
    oldest_ns = (time_ns or now_ns()) - age_ns
    paths = list(_iter_paths(side.directory))
    old = [path for path in paths if path.endswith(GONE) or _mtime_ns(path) < oldest_ns]
    if not old:
        return 0
    kept = set(referred())
    count = 0
    for path in old:
        if _digest(path) not in kept:
            count += only(path) and _remove(path, oldest_ns)
        elif path.endswith(GONE):  # a sweep was killed when it had taken the name away
            _try(os.rename, path, path.removesuffix(GONE) + SUFFIX)
    return count


def iter_unreferred(side: SideFiles, referred: Callable[[], Iterable[str]]) -> Iterator[str]:
    """The paths of the side files, drafts included, that are not among ``referred()``.

    Raises:
        OSError, LogError: ``referred`` cannot tell.
    """
    paths = list(_iter_paths(side.directory))
    kept = set(referred()) if paths else set()
    return (path for path in paths if _digest(path) not in kept)


def _iter_paths(directory: str) -> Iterator[str]:
    """All files in the side directory: whole ones, drafts, and those that a killed sweep left."""
    top = os.path.join(directory, DIRECTORY)
    for prefix in _names(top):
        folder = os.path.join(top, prefix)
        if len(prefix) == PREFIX_CHARS and not os.path.islink(folder):
            for name in _names(folder):
                if name.endswith((SUFFIX, DRAFT, GONE)):
                    yield os.path.join(folder, name)


def _names(folder: str) -> list[str]:
    try:
        return [] if os.path.islink(folder) else os.listdir(folder)
    except OSError:
        return []


def _digest(path: str) -> str:
    return os.path.basename(path)[:HASH_CHARS] if path.endswith((SUFFIX, GONE)) else ""


def _mtime_ns(path: str) -> int:
    try:
        facts = os.lstat(path)
    except OSError:
        return now_ns()
    return facts.st_mtime_ns if stat.S_ISREG(facts.st_mode) else now_ns()


def _remove(path: str, oldest_ns: int) -> bool:
    """Take the name away first: a file that a writer made new before that gets it back."""
    if not path.endswith(SUFFIX):
        return _mtime_ns(path) < oldest_ns and _try(os.unlink, path)
    gone = path.removesuffix(SUFFIX) + GONE
    if not _try(os.rename, path, gone):
        return False
    if _mtime_ns(gone) >= oldest_ns:
        _try(os.rename, gone, path)
        return False
    return _try(os.unlink, gone)


def _try(call: Callable[..., None], *paths: str) -> bool:
    try:
        call(*paths)
    except OSError:  # gone already, or not ours
        return False
    return True
