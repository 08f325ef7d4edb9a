"""The hub, its page, what waits to be sent, and what could not be read."""

import os

from laneway import __version__
from laneway.base.errors import LanewayError
from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.base.words import number_of
from laneway.cli.amount import show_bytes
from laneway.cli.check import FAIL, NOTE, OK, WARN, Finding
from laneway.reader.client import Client, StrangerError, read_address

LAG_BYTES = 64 * MIB
"""The index of a healthy hub is behind by a burst at most."""


def check_hub(settings: Settings) -> Finding:
    client = Client.of_log(settings)
    try:
        health = client.health()
    except StrangerError:
        remedy = "stop that program, or `laneway up --port 8002`"
        return Finding("hub", WARN, f"another program listens at {client.url}", remedy)
    except LanewayError:
        return Finding("hub", NOTE, f"none at {client.url}; `laneway up` starts one")
    version = str(health["version"])
    if version != __version__:
        value = f"{client.url} runs version {version}, and this is {__version__}"
        return Finding("hub", WARN, value, "stop the hub and start it again")
    if health.get("status") != "ok":
        value = f"{client.url} says it is {health.get('status')}"
        return Finding("hub", FAIL, value, "its own output tells why")
    viewers = number_of(int(health["viewers"]), "viewer")
    return Finding("hub", OK, f"{client.url}, version {version}, {viewers}")


def check_index(settings: Settings) -> Finding:
    """How far the index is behind the log, and the lines of the log that are no events."""
    health = Client.of_log(settings).try_health() if read_address(settings) else None
    if health is None:
        return _index_at_rest(settings)
    index = health["index"]
    lag_bytes, bad_lines = int(index["lag_bytes"]), int(index.get("quarantined", 0))
    value = f"{number_of(index['events'], 'event')}, {show_bytes(lag_bytes)} behind the log"
    if not index.get("following", True):
        return Finding("index", FAIL, f"{value}, and standing still", "the hub's output tells why")
    if lag_bytes > LAG_BYTES:
        return Finding(
            "index", WARN, value, "it catches up after a burst; if not, the disk is slow"
        )
    if unreadable := int(health["log"].get("unreadable", 0)):
        remedy = "let the user of the hub read them: chmod g+r, or chown"
        value = f"{value}; {number_of(unreadable, 'log file')} closed to the hub"
        return Finding("index", WARN, value, remedy)
    if bad_lines:
        remedy = "torn or foreign lines; `laneway tail` marks them with ?, all others are indexed"
        told = f"{number_of(bad_lines, 'line')} not readable as an event"
        return Finding("index", WARN, f"{value}; {told}", remedy)
    if broken := int(index.get("broken", 0)):
        remedy = "let the rotation rename and create; copytruncate loses lines"
        value = f"{value}; {number_of(broken, 'log file')} cut, or taken away before being read"
        return Finding("index", WARN, value, remedy)
    return Finding("index", OK, value)


def _index_at_rest(settings: Settings) -> Finding:
    from laneway.hub.engine import index_path

    path = index_path(settings)
    if not os.path.isdir(path):
        return Finding("index", NOTE, "not built yet; the hub or a query builds it")
    sizes = [entry.stat().st_size for entry in os.scandir(path) if entry.is_file()]
    return Finding("index", OK, f"{path} ({show_bytes(sum(sizes))})")


def check_page(settings: Settings) -> Finding:
    import laneway

    page = os.path.join(os.path.dirname(laneway.__file__), "web", "_ui", "index.html")
    if os.path.isfile(page):
        return Finding("dashboard", OK, "built")
    remedy = "in a checkout: make ui; otherwise: pip install --force-reinstall laneway"
    return Finding("dashboard", WARN, "its page is not built", remedy)


def check_sending(settings: Settings) -> Finding:
    """The spools of HTTP mode: what no hub has acknowledged yet."""
    root = os.path.join(settings.home, "spool")
    names = sorted(os.listdir(root)) if os.path.isdir(root) else []
    waiting = sum(_spool_bytes(os.path.join(root, name)) for name in names)
    rejected = sum(_line_count(os.path.join(root, name, "rejected.jsonl")) for name in names)
    mode = f"to {settings.logging_url}" if settings.logging_url else "by file"
    if dropped := sum(_dropped(os.path.join(root, name)) for name in names):
        mode += f"; {number_of(dropped, 'event')} dropped for newer ones so far"
    if rejected:
        value = f"{mode}; {number_of(rejected, 'event')} refused by the hub"
        return Finding("sending", WARN, value, f"they are in '{root}'/*/rejected.jsonl")
    if waiting:
        remedy = "any process with LOGGING_URL sends them once the hub is there"
        return Finding("sending", WARN, f"{mode}; {show_bytes(waiting)} wait in the spool", remedy)
    return Finding("sending", OK, f"{mode}; nothing waits")


def _spool_bytes(directory: str) -> int:
    from laneway.sdk.spool import Spool

    return Spool(directory, 1).backlog_bytes() if os.path.isdir(directory) else 0


def _dropped(directory: str) -> int:
    from laneway.sdk.drop import read_dropped

    return read_dropped(directory)


def _line_count(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(MIB), b""))
    except OSError:
        return 0
