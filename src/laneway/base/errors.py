"""Every error that Laneway raises on purpose.

LanewayError
├── SettingError     a setting is unknown or malformed
├── EventError       one event cannot be taken; ``problems`` tells each field
├── BodyError        a request body is not JSON, or too large
├── QueryError       a filter or its bounds are wrong
├── AccessError      no token, a wrong one, or a foreign Host or Origin
├── LogError         the log directory cannot be read or written
├── StoreError       the index failed; it can be rebuilt with ``laneway reindex``
└── HubError         the hub cannot start, or does not answer
"""

from collections.abc import Callable, Sequence

ORJSON_HINT = (
    "orjson is missing: pip install orjson "
    "(where it has no wheel for this Python, it is built by a Rust compiler)"
)
"""The one dependency of the logging call; a Python may be newer than its wheels."""


class LanewayError(Exception):
    """The root; every class has a stable ``code``, an HTTP ``status``, and may have a ``hint``."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if status:
            self.status = status


class SettingError(LanewayError):
    code = "bad_setting"
    status = 500


def not_installed(what: str, part: str, extra: str) -> SettingError:
    """What to say where a part of an extra is missing."""
    return SettingError(
        f"{what} needs {part}, which is not installed", hint=f'pip install "laneway[{extra}]"'
    )


class Problem:
    """What is wrong with one field: ``timestamp: "yesterday" is not ISO 8601 or a Unix time``."""

    __slots__ = ("field", "message")

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def __repr__(self) -> str:
        return f"Problem({self.field!r}, {self.message!r})"


class EventError(LanewayError):
    code = "bad_event"
    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = list(problems)


class BodyError(LanewayError):
    code = "bad_body"
    status = 400


class QueryError(LanewayError):
    """``column``: where in the query's text, from 1; 0 where that is not at fault."""

    code = "bad_query"
    status = 400

    def __init__(self, message: str, *, hint: str = "", status: int = 0, column: int = 0) -> None:
        super().__init__(message, hint=hint, status=status)
        self.column = column


class AccessError(LanewayError):
    code = "forbidden"
    status = 403


class LogError(LanewayError):
    code = "log_failed"
    status = 503  # or 507 where there is no space


class StoreError(LanewayError):
    code = "index_failed"
    status = 503


class HubError(LanewayError):
    code = "hub_failed"
    status = 503


QUOTED_CHARS = 64 * 1024
"""Looked through of a value that is quoted; longer than any secret that a rule knows."""


def _as_it_is(text: str) -> str:
    return text


_redact: Callable[[str], str] = _as_it_is


def redact_quotes(redact: Callable[[str], str]) -> None:
    """From now on, what messages of this process quote goes through ``redact`` first, and is cut then:
    the beginning of a secret would be known for one by no rule."""
    global _redact
    _redact = redact


def redacted(text: str) -> str:
    """``text`` as `quote` would have it, uncut."""
    return _redact(text)


def quote(value: object, limit: int = 120) -> str:
    """``value`` as it was seen, redacted (`redact_quotes`), quoted and cut, for a message."""
    try:
        text = f'"{value}"' if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - a message must come out whatever __repr__ does
        text = f"<{type(value).__name__}>"
    text = _redact(text[:QUOTED_CHARS])
    return text if len(text) <= limit else f"{text[:limit]}…"
