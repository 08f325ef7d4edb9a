"""Each parser as a function of bytes: an answer or an error of ours, and nothing else.

`fuzz` runs them with coverage; ``tests/security/test_corpus.py`` runs what is in ``fuzz/corpus`` through
them at every `make test`: seeds, and every input that once broke something.
"""

import gzip
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from laneway.base.errors import LanewayError
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.log.gzipped import GzipFile
from laneway.log.pack import write
from laneway.log.reference import References
from laneway.log.seekable import SeekableFile
from laneway.log.segment import LogPath
from laneway.log.sweep import iter_referred
from laneway.log.tail import Tail
from laneway.log.text import fingerprint_of
from laneway.model.cut import put_back
from laneway.model.event import normalise, parse_timestamp_ns
from laneway.model.redact import Redactor
from laneway.model.wire import decode_body, decode_line
from laneway.sdk.spool import POSITION, Spool
from laneway.store.query.parse import parse
from laneway.store.query.write import write as write_query
from laneway.web import filter as query_filter
from laneway.web.auth import read_headers
from laneway.web.body import unzip
from laneway.web.live import Wanted

CORPUS = Path(__file__).with_name("corpus")

LINE = b'{"timestamp":"2026-11-26T19:00:00Z","agent":"a","event":"log","content":"tidal power"}\n'

intake = Intake(Redactor(), Metric(), None)
_home = tempfile.TemporaryDirectory(prefix="laneway-fuzz-", ignore_cleanup_errors=True)


def _directory(name: str) -> Path:
    """A place for the files of one target, of this process alone."""
    path = Path(_home.name) / name
    path.mkdir(exist_ok=True)
    return path


def fuzz_body(data: bytes) -> None:
    kind = "application/x-ndjson" if data[:1] < b"\x80" else "application/json"
    for line in intake.take(decode_body(data[1:], kind)).lines:
        decode_line(line)


def fuzz_line(data: bytes) -> None:
    normalise(decode_line(data))


def fuzz_gzip(data: bytes) -> None:
    assert len(unzip(data, 1000)) <= 1000


def fuzz_query(data: bytes) -> None:
    """The parameters of a request."""
    words = data.decode("utf-8", "replace").split("&")
    items = [(name, value) for name, _, value in (word.partition("=") for word in words)]
    query_filter.to_query(query_filter.parse(items, query_filter.PAGE, query_filter.STEP))


def fuzz_words(data: bytes) -> None:
    """The query language: what is read is written, and read back as the same."""
    found = parse(data.decode("utf-8", "replace"), time_ns=1_780_000_000 * 10**9)
    written = write_query(found)
    again = parse(written, time_ns=1) if len(written) <= 4_096 else found
    assert again == found, written


def fuzz_time(data: bytes) -> None:
    try:
        parse_timestamp_ns(data.decode("utf-8", "replace"))
    except ValueError:
        pass


def fuzz_head(data: bytes) -> None:
    pairs = [line.partition(b":")[::2] for line in data.split(b"\n")]
    read_headers(pairs)
    Wanted({"since": data.decode("latin-1")}, data.decode("latin-1"))


@cache
def _spool(name: str) -> Spool:
    return Spool(str(_directory(name)), 1 << 20)


def fuzz_spool(data: bytes) -> None:
    """A damaged spool: its complete lines come, each once and in order, and none stops the others."""
    spool = _spool("spool")
    Path(spool.log_path.segment_path(1)).write_bytes(data)
    found, offset = [], 0
    while True:
        lines, end = spool.read_batch(1, offset, 3, 1 << 20)
        if end == offset:
            break
        found += lines
        offset = end
    assert found == [line for line in data.split(b"\n")[:-1] if line]
    for line in found:
        spool.inline(line)
        spool.bare(line)
    set(spool.iter_referred())
    spool.backlog_bytes()


def fuzz_place(data: bytes) -> None:
    """The shipper's note of how far the hub has everything: a place that exists."""
    spool = _spool("place")
    for number in (3, 4):
        Path(spool.log_path.segment_path(number)).write_bytes(LINE)
    (Path(spool.directory) / POSITION).write_bytes(data)
    number, offset = spool.read_position()
    assert number in (3, 4)
    assert 0 <= offset <= len(LINE)


@cache
def _packed() -> bytes:
    source = _directory("seek") / "plain"
    source.write_bytes(LINE * 5_000)
    fd = os.open(source, os.O_RDONLY)
    target = _directory("seek") / "whole"
    try:
        with target.open("wb") as file:
            write(fd, len(LINE) * 5_000, fingerprint_of(LINE), file)
    finally:
        os.close(fd)
    return target.read_bytes()


def fuzz_seek(data: bytes) -> None:
    """A compressed segment with bytes replaced, or any bytes: every byte of its text is read or lost."""
    content = data[1:]
    if data[:1] < b"\xc0":  # (place from the end, value) in three bytes each
        whole = bytearray(_packed())
        for at in range(0, len(content) - 2, 3):
            place = int.from_bytes(content[at : at + 2], "little") % len(whole)
            whole[-1 - place] = content[at + 2]
        content = bytes(whole[: len(whole) - data[0] if data[:1] >= b"\x80" else None])
    path = _directory("seek") / "events-000001.jsonl.zst"
    path.write_bytes(content)
    try:
        file = SeekableFile(str(path))
    except OSError:
        return
    try:
        offset = 0
        while True:
            lines = file.read_lines(offset, 1 << 16)
            assert lines.end >= offset
            if lines.end == offset:
                break
            offset = lines.end
    except OSError:
        pass


def fuzz_rotated(data: bytes) -> None:
    """A gzip of somebody else's with bytes replaced, or any bytes: it ends, and reads the same again."""
    content = data[1:]
    if data[:1] < b"\xc0":
        whole = bytearray(gzip.compress(b'{"event":"log","n":1}\n' * 400, mtime=0))
        for at in range(0, len(content) - 1, 2):
            whole[content[at] % len(whole)] = content[at + 1]
        content = bytes(whole)
    path = _directory("rotated") / "app.jsonl.1.gz"
    path.write_bytes(content)
    file, offset, found = GzipFile(str(path)), 0, b""
    while (lines := file.read_lines(offset, 1 << 12)).data:
        assert lines.end > offset
        offset, found = lines.end, found + lines.data
    assert file.read(0, len(found)) == found


def fuzz_tail(data: bytes) -> None:
    """What an index claims to have of a file: what comes is the rest of it, or all of it, byte for byte."""
    directory = _directory("tail")
    content = data[3:]
    (directory / "events-000001.jsonl").write_bytes(content)
    name = fingerprint_of(content) if data[:1] < b"\x80" else data[:1].hex() * 16
    offset = int.from_bytes(data[1:3], "little")
    log_path = LogPath(str(directory), "events")
    tail = Tail(log_path, {"events-000001.jsonl": (name, offset)})
    try:
        last = -1
        while chunks := tail.poll(64):
            for chunk in chunks:
                assert chunk.end > last
                last = chunk.end
                for at, line in chunk.lines:
                    assert content[at : at + len(line)] == line
                    assert b"\n" not in line
        assert 0 <= tail.lag_bytes() <= len(content)
    finally:
        tail.close()


def fuzz_side(data: bytes) -> None:
    """References to side files: whatever stands there, an event stays one."""
    for digest in iter_referred(data.split(b"\n")):
        assert len(digest) == 64
    directory = _directory("side")
    (directory / "events-000001.jsonl").write_bytes(data)
    References(LogPath(str(directory), "events")).all()
    event = decode_line(data)
    if isinstance(event, dict):
        assert put_back(event, lambda digest: data if digest < "8" else b"[1]") >= 0


TARGETS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("fuzz_"): call
    for name, call in dict(globals()).items()
    if name.startswith("fuzz_")
}


def run(target: Callable[[bytes], None], data: bytes) -> None:
    try:
        target(data)
    except LanewayError:
        pass
