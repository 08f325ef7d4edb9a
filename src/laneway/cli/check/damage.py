"""What is wrong within the log: compressed segments, read from end to end, for every frame has a checksum;
and old secrets that an interrupted scrub has left."""

import os
from time import monotonic

from laneway.base.settings import Settings
from laneway.cli.amount import show_bytes
from laneway.cli.check import FAIL, NOTE, OK, WARN, Finding
from laneway.hub.scrubbing import tell_interrupted
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import list_segments

PATIENCE_S = 20.0
"""About 15 GB of text; the rest is left to the hub, which reads all of it once a day."""


def check_damage(settings: Settings) -> Finding:
    log_path = LogPath.parse(settings.log_path)
    files = [file for file in list_segments(log_path) if file.name.endswith(PACKED)]
    if not files:
        return Finding("segments", NOTE, "none is compressed yet: nothing has a checksum")
    until_s = monotonic() + PATIENCE_S
    lost: list[str] = []
    faults: list[str] = []
    text_bytes = checked = 0
    for file in reversed(files):  # the newest first
        if monotonic() > until_s:
            break
        checked += 1
        text_bytes += _read(os.path.join(log_path.directory, file.name), lost, faults)
    if lost:
        remedy = "the rest is read; a back-up of the file brings the lines back"
        return Finding("segments", FAIL, "; ".join(lost[:3]) + _more(lost[3:]), remedy)
    if faults:
        remedy = "no line is lost; copy the text: zstdcat FILE, and compress it again"
        return Finding("segments", WARN, "; ".join(faults[:3]) + _more(faults[3:]), remedy)
    value = f"{checked} of {len(files)} compressed, {show_bytes(text_bytes)} of text, all whole"
    return Finding("segments", OK, value)


def check_scrub(settings: Settings) -> Finding:
    interrupted = tell_interrupted(LogPath.parse(settings.log_path).directory)
    if interrupted:
        return Finding("scrub", WARN, interrupted, "laneway scrub")
    return Finding("scrub", OK, "none was interrupted")


def _read(path: str, lost: list[str], faults: list[str]) -> int:
    """Size of the text."""
    from laneway.log.seekable import SeekableFile

    try:
        packed = SeekableFile(path)
        lost += [str(error.damage) for error in packed.iter_damage()]
    except OSError:  # retention has taken it
        return 0
    if packed.layout.fault:
        faults.append(f"{os.path.basename(path)}: {packed.layout.fault}")
    return packed.size


def _more(rest: list[str]) -> str:
    return f"; and {len(rest)} more" if rest else ""
