"""Work with a beginning and an end: ``span``, ``@tool``, ``@agent``.

A span writes its start event at once, so that running work is seen, and its end
event with ``duration_ms`` and the result or the error. The two share ``span_id``.
"""

from collections.abc import Callable
from time import perf_counter_ns

from laneway.base.ids import new_span_id, new_trace_id
from laneway.sdk.context import Context, current, enter, leave
from laneway.sdk.recorder import shared as recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ParamSpec, TypeVar, overload

    P = ParamSpec("P")
    R = TypeVar("R")

KINDS = {
    "tool": ("tool_invocation", "tool_result", "tool"),
    "llm": ("llm_request", "llm_response", "model"),
    "agent": ("agent_start", "agent_end", ""),
    "session": ("session_start", "session_end", ""),
    "permission": ("permission_request", "permission_decision", "tool"),
}
"""Kind: start event, end event, and the field that holds the span's name."""

ON_BOTH = ("provider", "attempt")
"""Fields given to a span that its end event repeats: tokens are summed by them without a join."""

STACK_CHARS = 16_384
"""The end of a stack tells where it broke; deep recursion repeats itself before that."""

CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200
"""Flags of a code object (``inspect`` has the names, and 40 modules with them)."""


class span:
    """``with span("search", input={...}) as s: s.result = ...`` (or ``async with``).

    ``kind`` is ``tool``, ``llm``, ``agent``, ``session``, or any word X: then the events are
    ``X_start`` and ``X_end`` with a field ``name``. Fields go on the start event;
    those given to `set` go on the end event. An exception is recorded and passes on.
    """

    def __init__(
        self, name: str, *, kind: str = "tool", agent: str | None = None, **fields: object
    ) -> None:
        self.name = name
        self.result: object = None
        self.span_id = new_span_id()
        self._start, self._end, self._name_field = KINDS.get(
            kind, (f"{kind}_start", f"{kind}_end", "name")
        )
        self._kind = kind
        self._agent = name if kind == "agent" else agent
        self._fields = fields
        self._outcome: dict[str, object] = {}
        self._token: object = None
        self._began_ns = 0
        self._shared: dict[str, object] = {}
        self._context: Context | None = None

    def set(self, **fields: object) -> None:
        """Fields for the end event, such as ``output_tokens``."""
        self._outcome.update(fields)

    def __enter__(self) -> "span":
        self._open()
        if self._context:
            self._token = enter(self._context)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._token:
            leave(self._token)
        self._close(error)

    async def __aenter__(self) -> "span":
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)

    def _open(self) -> None:
        outer = current()
        inner: dict[str, object] = {}
        if self._kind == "session":
            inner["session_id"] = self.name
        if not outer.trace_id:
            inner["trace_id"] = new_trace_id()
        self._shared = {**outer.additions, **inner, "span_id": self.span_id}
        if self._name_field:
            self._shared[self._name_field] = self.name
        self._shared.update({key: self._fields[key] for key in ON_BOTH if key in self._fields})
        self._context = outer.derive(self._agent, {**inner, "parent_span_id": self.span_id})
        self._record(self._start, self._fields)
        self._began_ns = perf_counter_ns()

    def _close(self, error: BaseException | None) -> None:
        elapsed_ms = round((perf_counter_ns() - self._began_ns) / 1e6, 3)
        outcome: dict[str, object] = {"duration_ms": elapsed_ms}
        if error is not None and not isinstance(error, GeneratorExit):
            outcome["level"] = "error" if isinstance(error, Exception) else "warning"
            outcome["error"] = describe_error(error)
        elif self.result is not None:
            is_text = self._kind != "tool" and isinstance(self.result, str)
            outcome["content" if is_text else "output"] = self.result
        self._record(self._end, {**outcome, **self._outcome})

    def _record(self, event_type: str, fields: dict[str, object]) -> None:
        assert self._context
        fields = {**self._shared, **fields}
        if self._context.parent_agent:
            fields.setdefault("parent_agent", self._context.parent_agent)
        content = fields.pop("content", None)
        recorder.record(self._context.agent or None, event_type, content, fields)


aspan = span


def describe_error(error: BaseException) -> dict[str, object]:
    """``{type, message, stack}`` of an exception, also of one that cannot be printed."""
    try:
        message = str(error)
    except Exception as fault:  # noqa: BLE001 - whatever __str__ of a user's class raises
        message = f"<{type(fault).__name__} while reading the message>"
    try:
        from traceback import format_exception

        stack = "".join(format_exception(error))[-STACK_CHARS:]
    except Exception:  # noqa: BLE001 - the same, from __cause__ or __notes__
        stack = ""
    return {"type": type(error).__qualname__, "message": message, "stack": stack}


if TYPE_CHECKING:

    @overload
    def tool(named: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def tool(named: str | None = None, /) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def tool(named: Any = None, /) -> Any: ...

    @overload
    def agent(named: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def agent(named: str | None = None, /) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def agent(named: Any = None, /) -> Any: ...

else:

    def tool(named=None, /):
        """Record every call of a function as a tool call: ``@tool`` or ``@tool("search")``."""
        return _decorator(named, "tool")

    def agent(named=None, /):
        """A function is an agent's work: what it records belongs to that agent's lane."""
        return _decorator(named, "agent")


def _decorator(named: "str | Callable[..., Any] | None", kind: str) -> "Any":
    if callable(named):
        return _wrap(named, named.__name__, kind)
    return lambda function: _wrap(function, named or function.__name__, kind)


def _wrap(function: "Callable[..., Any]", name: str, kind: str) -> "Any":
    from functools import wraps

    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & CO_COROUTINE:

        @wraps(function)
        async def in_coroutine(*args: object, **kwargs: object) -> object:
            with span(name, kind=kind, input=_arguments(function, args, kwargs)) as work:
                work.result = result = await function(*args, **kwargs)
            return result

        return in_coroutine
    if flags & CO_ASYNC_GENERATOR:

        @wraps(function)
        async def in_async_generator(*args: object, **kwargs: object) -> object:
            with _unbound(name, kind, _arguments(function, args, kwargs)):
                async for item in function(*args, **kwargs):
                    yield item

        return in_async_generator
    if flags & CO_GENERATOR:

        @wraps(function)
        def in_generator(*args: object, **kwargs: object) -> "Any":
            with _unbound(name, kind, _arguments(function, args, kwargs)):
                return (yield from function(*args, **kwargs))

        return in_generator

    @wraps(function)
    def in_call(*args: object, **kwargs: object) -> object:
        with span(name, kind=kind, input=_arguments(function, args, kwargs)) as work:
            work.result = result = function(*args, **kwargs)
        return result

    return in_call


class _unbound(span):
    """A generator runs in its caller's context between two items, so it must not leave its own there."""

    def __init__(self, name: str, kind: str, arguments: dict[str, object]) -> None:
        super().__init__(name, kind=kind, input=arguments)

    def __enter__(self) -> span:
        self._open()
        return self


def _arguments(
    function: "Callable[..., Any]", args: tuple[object, ...], kwargs: dict[str, object]
) -> dict[str, object]:
    """The arguments by name; ``self`` and ``cls`` are left out."""
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    named = dict(zip(names, args, strict=False))
    if names and names[0] in ("self", "cls"):
        named.pop(names[0], None)
    if len(args) > len(names):
        named["args"] = list(args[len(names) :])
    return {**named, **kwargs}
