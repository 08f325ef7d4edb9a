"""One request and its answer as two events, whichever server carries them."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import wraps
from time import perf_counter_ns
from typing import Any, Generic, ParamSpec, TypeVar

from laneway.base.ids import is_hex, new_span_id, new_trace_id
from laneway.integrations.body import (
    COPY_BYTES,
    MESSAGE,
    REPLY,
    SESSION,
    Copy,
    parse,
    read_text,
    text_at,
)
from laneway.sdk.api import log_event
from laneway.sdk.context import current, enter
from laneway.sdk.recorder import shared as recorder
from laneway.sdk.span import describe_error

P = ParamSpec("P")
App = TypeVar("App")

CHARS = 500
"""Of a message or an answer; more on request."""

SESSION_HEADERS = ("x-session-id", "x-conversation-id")

Paths = str | tuple[str, ...]


class Route:
    """Which requests are recorded, and where their bodies have the words."""

    def __init__(
        self,
        path: str = "*",
        *,
        methods: tuple[str, ...] = ("POST",),
        agent: str = "",
        message: Paths = MESSAGE,
        reply: Paths = REPLY,
        session: Paths = SESSION,
        chars: int = CHARS,
        when: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """
        Args:
            path: ``/chat``, or a pattern such as ``/chat/*``.
            methods: Of HTTP; WebSockets have none.
            agent: The lane; empty: the middleware's.
            message: JSON path of what the user says (``messages.-1.content``), or several.
            reply: The same of the answer; of each piece, where it is streamed.
            session: The same of the conversation, in the request.
            chars: Of message and answer, so many characters are kept.
            when: A further condition on the ASGI scope, or the WSGI environ.
        """
        self.path = path
        self.methods = frozenset(method.upper() for method in methods)
        self.agent = agent
        self.message = (message,) if isinstance(message, str) else message
        self.reply = (reply,) if isinstance(reply, str) else reply
        self.session = (session,) if isinstance(session, str) else session
        self.chars = chars
        self.when = when

    def matches(self, path: str, method: str, scope: Mapping[str, Any]) -> bool:
        """``method`` is empty for a WebSocket."""
        if method and method not in self.methods:
            return False
        if path != self.path and not fnmatchcase(path, self.path):
            return False
        return self.when is None or self.when(scope)


def to_routes(routes: "str | Route | tuple[str | Route, ...] | list[str | Route]") -> list[Route]:
    given = [routes] if isinstance(routes, (str, Route)) else routes
    return [Route(route) if isinstance(route, str) else route for route in given]


class Middleware(Generic[App]):
    """Around an application: which of its requests are recorded, and in whose lane."""

    def __init__(
        self,
        app: App,
        *,
        agent: str = "MainAgent",
        routes: str | Route | tuple[str | Route, ...] | list[str | Route] = ("/chat",),
    ) -> None:
        self.app = app
        self._agent = agent
        self._routes = to_routes(routes)

    def choose(self, path: str, method: str, scope: Mapping[str, Any]) -> Route | None:
        """The first route that takes the request."""
        return next((r for r in self._routes if r.matches(path, method, scope)), None)


def guarded(record: Callable[P, None]) -> Callable[P, None]:
    """A method that never raises into the application: a fault is counted, as `laneway.stats` tells."""

    @wraps(record)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            record(*args, **kwargs)
        except Exception:
            recorder.faults += 1
            if recorder.is_strict:
                raise

    return run


class Exchange:
    """What passes between a client and the application. It never raises and never waits."""

    def __init__(
        self, route: Route, agent: str, path: str, method: str, headers: Mapping[str, str]
    ) -> None:
        self.route = route
        self.request, self.answer = Copy(), Copy()
        self.status = 0
        self.answer_type = self.answer_encoding = ""
        self._headers = headers
        self._agent = route.agent or agent
        self._is_asked = self._is_ended = False
        self._begun_ns = perf_counter_ns()
        trace_id, parent_id = read_traceparent(headers.get("traceparent", ""))
        self._outer = outer = current()
        self._span_id = new_span_id()
        self._fields: dict[str, object] = {
            "trace_id": trace_id or outer.trace_id or new_trace_id(),
            "path": path,
            **({"method": method} if method else {}),
        }
        parent_id = parent_id or outer.span_id
        self._parent = {"parent_span_id": parent_id} if parent_id else {}
        session = next((headers[name] for name in SESSION_HEADERS if headers.get(name)), "")
        if session:
            self._fields["session_id"] = session
        self.enter()

    def leave(self) -> None:
        """Back to where it was before: a server's thread or task goes on to others."""
        enter(self._outer)

    def enter(self) -> None:
        """What the application records from here on belongs to this request."""
        fields = {k: v for k, v in self._fields.items() if k in ("trace_id", "session_id")}
        enter(self._outer.derive(self._agent, {**fields, "parent_span_id": self._span_id}))

    @guarded
    def asked(self) -> None:
        """The request's body is complete, or all of it that anybody will read."""
        if self._is_asked:
            return
        self._is_asked = True
        data, kind = self.request.read(), self._headers.get("content-type", "")
        self._find_session(data)
        text = read_text(data, kind, self.route.message, self.route.chars)
        self.say("user_message", text or "(empty)", role="user")

    @guarded
    def ended(self, error: BaseException | None = None, *, disconnected: bool = False) -> None:
        """The answer is complete, or will not come."""
        if self._is_ended:
            return
        self._is_ended = True
        self.asked()
        data = self.answer.read(self.answer_encoding)
        fields: dict[str, object] = {"status": self.status} if self.status else {}
        if disconnected:
            fields |= {"level": "warning", "disconnected": True}
        if error is not None:
            fields |= {"level": "error", "error": describe_error(error)}
        elif self.status >= 500:
            fields["level"] = "error"
        elif self.status >= 400:
            fields["level"] = "warning"
        self.say(
            "agent_response",
            read_text(data, self.answer_type, self.route.reply, self.route.chars),
            role="assistant",
            span_id=self._span_id,
            duration_ms=round((perf_counter_ns() - self._begun_ns) / 1e6, 3),
            answer_bytes=self.answer.size,
            **fields,
        )

    @guarded
    def heard(self, data: str | bytes) -> None:
        """A message of a WebSocket's client."""
        body = _head(data)
        self._find_session(body)
        self.say("user_message", read_text(body, _kind(data), self.route.message), role="user")

    @guarded
    def told(self, data: str | bytes) -> None:
        """A message to it."""
        text = read_text(_head(data), _kind(data), self.route.reply)
        self.say("agent_response", text, role="assistant", parent_span_id=self._span_id)

    @guarded
    def broke(self, error: BaseException) -> None:
        self.say("error", str(error), level="error", error=describe_error(error))

    def _find_session(self, data: bytes) -> None:
        if "session_id" in self._fields or not data.lstrip().startswith(b"{"):
            return
        session = text_at(parse(data.decode("utf-8", "replace")), self.route.session)
        if session:
            self._fields["session_id"] = session
            self.enter()

    def say(self, event: str, text: str, **fields: object) -> None:
        log_event(
            self._agent,
            event,
            text[: self.route.chars],
            **{**self._fields, **self._parent, **fields},
        )


def _head(data: str | bytes) -> bytes:
    return data[:COPY_BYTES].encode() if isinstance(data, str) else data[:COPY_BYTES]


def _kind(data: str | bytes) -> str:
    return "" if isinstance(data, str) else "application/octet-stream"


def read_traceparent(text: str) -> tuple[str, str]:
    """Trace and span of a W3C ``traceparent``; empty where it is none."""
    parts = text.strip().lower().split("-")
    if len(parts) >= 4 and len(parts[0]) == 2 and is_hex(parts[1], 32) and is_hex(parts[2], 16):
        return parts[1], parts[2]
    return "", ""
