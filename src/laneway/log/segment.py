"""Names of the log directory: which file is a segment, which one is live, and the link to it.

``LOG_PATH`` is a directory, or a file ending in ``.jsonl`` as in older set-ups:
``…/observability.jsonl`` means ``observability-000001.jsonl``, … in its folder,
with ``observability.jsonl`` a symbolic link to the live one, so that
``tail -F`` and every habit keep working.
"""

import os

from laneway.base.errors import LogError

SUFFIX = ".jsonl"
PACKED = ".zst"
"""Follows `SUFFIX` once a sealed segment is compressed (`laneway.log.frame`)."""

GZIPPED = ".gz"
"""Follows the name of a foreign log that somebody else compressed (`laneway.log.gzipped`)."""

DEFAULT_NAME = "events"
SEAL = b"\n\n"
"""A sealed segment ends in an empty line, and a higher number exists. JSON Lines readers skip empty
lines; a writer that still has the segment open sees the mark in the two bytes it reads anyway.
Mode bits were not chosen: in a shared volume only the owner may change them."""


DIRECTORY_MODE = 0o700
"""A log is its owner's alone; `laneway.log.share` tells when it is a group's."""


def make_directory(path: str) -> None:
    """``path`` and what is missing above it, each its owner's alone: `os.makedirs` gives a mode to the last
    only, and what is above a log is as a rule the home with its tokens.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    above = os.path.dirname(path)
    if above and not os.path.exists(above):
        make_directory(above)
    try:
        os.mkdir(path or ".", DIRECTORY_MODE)
    except OSError:
        if not os.path.isdir(path or "."):
            raise


def tell_fault(directory: str, error: OSError) -> tuple[str, str]:
    """What is wrong with a log's directory, and what to do."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        hint = "name the directory of a log, or a file in it that ends in .jsonl"
        return f"{directory} is not a directory", hint
    place = error.filename or directory
    return f"{place}: {error.strerror or error}", "`laneway doctor` tells what is wrong"


class LogPath:
    """A parsed ``LOG_PATH``: ``directory`` and the segments' ``name``."""

    __slots__ = ("_prefix", "directory", "link", "name")

    def __init__(self, directory: str, name: str = DEFAULT_NAME) -> None:
        self.directory = os.path.abspath(os.path.expanduser(directory))
        self.name = name
        self.link = os.path.join(self.directory, name + SUFFIX)
        self._prefix = name + "-"

    @classmethod
    def parse(cls, path: str) -> "LogPath":
        """From a directory, or a path that ends in ``.jsonl``."""
        if not path.endswith(SUFFIX):
            return cls(path)
        directory, base = os.path.split(path)
        return cls(directory or ".", base[: -len(SUFFIX)] or DEFAULT_NAME)

    def require(self) -> None:
        """Raises LogError where there is no log yet, or none that we may read."""
        try:
            os.scandir(self.directory).close()
        except OSError as error:
            raise self.explain(error) from error

    def explain(self, error: OSError | None) -> LogError:
        """What to say where the directory cannot be read, or holds nothing."""
        if error is None or isinstance(error, FileNotFoundError):
            hint = "the first event makes it: laneway emit me hello"
            return LogError(f"{self.directory}: there is no log yet", hint=hint)
        told, hint = tell_fault(self.directory, error)
        return LogError(told, hint=hint)

    def __repr__(self) -> str:
        return f"LogPath({self.directory!r}, {self.name!r})"

    def segment_name(self, number: int) -> str:
        return f"{self.name}-{number:06d}{SUFFIX}"

    def segment_path(self, number: int) -> str:
        return os.path.join(self.directory, self.segment_name(number))

    def number_of(self, file_name: str) -> int:
        """The number of a segment, compressed or not; 0 for any other file."""
        file_name = file_name.removesuffix(PACKED)
        if not (file_name.startswith(self._prefix) and file_name.endswith(SUFFIX)):
            return 0
        digits = file_name[len(self._prefix) : -len(SUFFIX)]
        return int(digits) if digits.isascii() and digits.isdigit() else 0

    def numbers(self) -> list[int]:
        """Numbers of the segments that exist, ascending; empty where there is no directory."""
        return sorted(set(filter(None, map(self.number_of, self._names()))))

    def newest(self) -> int:
        """The live segment's number, or 0 where there is none. What was compressed is never written
        again, so where nothing else is left the live one is the next."""
        return max(
            (
                number + name.endswith(PACKED)
                for name in self._names()
                if (number := self.number_of(name))
            ),
            default=0,
        )

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.directory)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def point_link(self, number: int) -> None:
        """Let the link name segment ``number``; someone else's regular file is left alone."""
        try:
            if os.readlink(self.link) == self.segment_name(number):
                return
        except FileNotFoundError:
            pass
        except OSError:  # a regular file
            return
        temporary = f"{self.link}.{os.getpid()}.tmp"
        try:
            os.symlink(self.segment_name(number), temporary)
            os.replace(temporary, self.link)
        except OSError:  # a file system without links: only the habit is lost
            try:
                os.unlink(temporary)
            except OSError:
                pass
