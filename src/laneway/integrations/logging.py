"""The standard library's ``logging``, structlog and loguru: their records as events.

logging.getLogger().addHandler(LanewayHandler())
structlog.configure(processors=[..., laneway_processor, structlog.dev.ConsoleRenderer()])
loguru.logger.add(laneway_sink)
"""

import logging
import threading
from collections.abc import MutableMapping
from typing import Any

from laneway.sdk.api import log_event
from laneway.sdk.span import STACK_CHARS, describe_error

STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
}
"""What every record has; all else was given with ``extra``."""

FIELDS = frozenset({"timestamp", "id", "event", "agent", "content", "level", "error"})
"""An extra of such a name is kept as ``extra.NAME``."""

_busy = threading.local()


def _record(agent: str | None, level: str, content: object, fields: dict[str, Any]) -> None:
    """One event; a record that is made while one is recorded (by a library of ours) is passed over."""
    if getattr(_busy, "on", False):
        return
    _busy.on = True
    try:
        named = {
            f"extra.{name}" if name in FIELDS else name: value for name, value in fields.items()
        }
        error = named.pop("extra.error", None) if isinstance(fields.get("error"), dict) else None
        log_event(
            agent, "log", content, level=level, **({"error": error} if error else {}), **named
        )
    finally:
        _busy.on = False


class LanewayHandler(logging.Handler):
    """Records in the lane of ``agent``, or of the context; extras are fields. It raises nothing."""

    def __init__(self, agent: str | None = None, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._agent = agent

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields = {name: value for name, value in vars(record).items() if name not in STANDARD}
            fields |= {"logger": record.name, "line": f"{record.filename}:{record.lineno}"}
            if record.exc_info and record.exc_info[1] is not None:
                fields["error"] = describe_error(record.exc_info[1])
            if record.stack_info:
                fields["stack"] = record.stack_info[-STACK_CHARS:]
            _record(self._agent, level_of(record.levelno), record.getMessage(), fields)
        except Exception:  # noqa: BLE001 - as logging wants it: a handler's fault is reported, not raised
            self.handleError(record)


def level_of(number: int) -> str:
    """Levels between the standard ones count as the one below."""
    for least, name in ((50, "critical"), (40, "error"), (30, "warning"), (20, "info")):
        if number >= least:
            return name
    return "debug"


def laneway_processor(logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
    """A processor of structlog, before the renderer; ``agent`` in the event names the lane."""
    fields = {
        name: value
        for name, value in event.items()
        if name not in ("event", "level", "agent", "timestamp")
    }
    failure = fields.pop("exc_info", None)
    if isinstance(failure, tuple):
        failure = failure[1]
    if failure is True:
        import sys

        failure = sys.exc_info()[1]
    if isinstance(failure, BaseException):
        fields["error"] = describe_error(failure)
    level = str(event.get("level") or method)
    agent = event.get("agent")
    _record(
        str(agent) if agent else None,
        "error" if level == "exception" else level,
        event.get("event"),
        fields,
    )
    return event


def laneway_sink(message: Any) -> None:
    """A sink of loguru; what was bound is a field, and ``agent`` names the lane."""
    record = message.record
    fields = dict(record["extra"])
    agent = fields.pop("agent", None)
    fields |= {"logger": record["name"], "line": f"{record['file'].name}:{record['line']}"}
    if record["exception"] is not None and record["exception"].value is not None:
        fields["error"] = describe_error(record["exception"].value)
    _record(str(agent) if agent else None, level_of(record["level"].no), record["message"], fields)
