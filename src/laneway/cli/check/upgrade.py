"""What an upgrade, or a step back, meets here: ``laneway doctor --upgrade``, after the install and before the
hub is started again."""

import os
import sys
from pathlib import Path

from laneway import __version__
from laneway.base.settings import Settings
from laneway.base.words import number_of
from laneway.cli.amount import show_bytes
from laneway.cli.check import NOTE, OK, WARN, Finding
from laneway.log.segment import LogPath
from laneway.log.series import list_segments
from laneway.model.vocabulary import SCHEMA_VERSION

HEADER_BYTES = 100
USER_VERSION = slice(60, 64)
APPLICATION = slice(68, 72)
"""Big-endian numbers in the head of every SQLite file (https://www.sqlite.org/fileformat.html#the_database_header):
read so, nothing is opened that a running hub has open."""


def check_log_format(settings: Settings) -> Finding:
    log_path = LogPath.parse(settings.log_path)
    files = list_segments(log_path) if os.path.isdir(log_path.directory) else []
    size = show_bytes(sum(file.size for file in files))
    told = f"schema {SCHEMA_VERSION}, {number_of(len(files), 'segment')}, {size}: read as they are"
    return Finding("log format", OK, told)


def check_layout(settings: Settings) -> Finding:
    """Whether the index is of this version's layout, or is built again by the next start."""
    from laneway.hub.engine import index_path
    from laneway.store.sqlite.schema import APPLICATION_ID, VERSION

    heads = [read_head(path) for path in Path(index_path(settings)).glob("*.db")]
    found = [version for application, version in heads if application == APPLICATION_ID]
    others = sorted({version for version in found if version != VERSION})
    if not found:
        return Finding("layout", NOTE, f"no index yet; this version's layout is {VERSION}")
    if not others:
        return Finding("layout", OK, f"{VERSION}, as this version's: the index stays")
    count = sum(version != VERSION for version in found)
    value = (
        f"{count} of {number_of(len(found), 'segment')} of layout {', '.join(map(str, others))}; this "
        f"version's is {VERSION}"
    )
    remedy = "nothing: the next start builds them again from the log, which is not touched"
    return Finding("layout", NOTE, value, remedy)


def read_head(path: Path) -> tuple[int, int]:
    """The numbers of application and layout; zeros of a file in the making."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except OSError:
        return 0, 0
    return int.from_bytes(head[APPLICATION], "big"), int.from_bytes(head[USER_VERSION], "big")


def check_service_file(settings: Settings) -> Finding:
    """Whether the service, if there is one, starts the Python that this is."""
    from laneway.cli.manager.launchd import Launchd
    from laneway.cli.manager.systemd import Systemd

    file = (Launchd() if sys.platform == "darwin" else Systemd()).file
    try:
        text = file.read_text("utf-8")
    except OSError:
        return Finding("service", OK, "none installed")
    if sys.executable in text:
        return Finding("service", OK, f"{file} starts this Laneway, {__version__}")
    remedy = "laneway service install, from a shell with the same settings"
    return Finding("service", WARN, f"{file} starts another Python than {sys.executable}", remedy)
