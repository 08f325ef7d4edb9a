"""One file of the log from its beginning to its end, in whatever form it stands on the disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from laneway.base.limits import MIB
from laneway.log.segment import GZIPPED, PACKED
from laneway.log.text import RawFile

if TYPE_CHECKING:
    from laneway.log.gzipped import GzipFile
    from laneway.log.seekable import SeekableFile

    Whole = RawFile | SeekableFile | GzipFile


@contextmanager
def open_whole(path: str) -> Iterator["Whole"]:
    """The text of the file; where ``path`` has no ``.zst`` and there is no such file, that of the
    compressed one. What reads a form is loaded with the first file that has it.

    Raises:
        OSError: there is neither.
    """
    if path.endswith(GZIPPED):
        from laneway.log.gzipped import GzipFile

        yield GzipFile(path)
        return
    try:
        plain = None if path.endswith(PACKED) else RawFile(path)
    except FileNotFoundError:
        plain = None
    if plain is None:
        from laneway.log.seekable import SeekableFile

        yield SeekableFile(path.removesuffix(PACKED) + PACKED)
        return
    with plain:
        yield plain


def fingerprint_of_whole(text: "Whole") -> str:
    """Empty while the first line is not there."""
    return text.read_fingerprint() if isinstance(text, RawFile) else text.fingerprint


def iter_all_lines(text: "Whole") -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of every line, blank and unfinished ones as well; damage is passed over."""
    from laneway.log.seekable import SeekableFile

    if not isinstance(text, RawFile):
        _ = text.layout  # of several ``.gz`` in one file the size is known only then
    offset, size = 0, text.size
    while offset < size:
        lines = text.read_lines(offset, MIB)
        if lines.end <= offset:
            break
        begin = lines.end - len(lines.data)
        for line in lines.data.removesuffix(b"\n").split(b"\n"):
            yield begin, line
            begin += len(line) + 1
        offset = lines.end
    if offset < size and not isinstance(text, SeekableFile):
        yield offset, text.read(offset, size - offset)
