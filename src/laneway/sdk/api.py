"""The public calls. After `configure`, none of them raises or waits for anything but a local append."""

from laneway.sdk.context import Context, bind, current
from laneway.sdk.recorder import shared as _recorder
from laneway.sdk.span import agent, aspan, span, tool

__all__ = [
    "Context",
    "agent",
    "aspan",
    "bind",
    "configure",
    "current",
    "flush",
    "log_event",
    "span",
    "stats",
    "tool",
]


def log_event(agent: str | None, event_type: str, content: object = None, **fields: object) -> str:
    """Record one event; on return it survives ``kill -9`` of this process, and a power cut with
    ``durability="durable"``.

    It goes to the log (``LOG_PATH``), or with ``LOGGING_URL`` to a local spool that is
    forwarded to the hub. Secrets are redacted first. Nothing is raised: what could not be
    kept is counted by reason in `stats`. While the disk refuses it, it waits in memory, and
    `stats` says so.

    Args:
        agent: Whose lane it belongs to; None is the agent of the context.
        event_type: A word of the vocabulary such as ``"tool_invocation"``, or any other.
        content: The main text.
        fields: Fields of the event (``tool``, ``input``, ``session_id``, …) or anything else.

    Returns:
        The event's id, or ``""`` if it was not kept (with ``durable``: is not on the disk yet).
    """
    return _recorder.record(agent, event_type, content, fields)


def configure(**settings: object) -> None:
    """Set what differs from environment and defaults: ``log_path``, ``logging_url``, ``agent``, …

    Raises:
        SettingError: a name is unknown or a value cannot be read. The only call that raises.
    """
    _recorder.configure(settings)


def flush(timeout_s: float = 2.0) -> bool:
    """Wait until the hub has all that was recorded so far; True if it has (at once in file mode)."""
    return _recorder.flush(timeout_s)


def stats() -> dict[str, object]:
    """Counters of this process: recorded, waiting, lost by reason, redacted by rule, faults."""
    return _recorder.stats()
