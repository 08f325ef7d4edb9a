"""The current agent, session, trace and span, in a ContextVar.

It follows asyncio tasks by itself, and threads through ``contextvars.copy_context().run``.
"""

from contextvars import ContextVar


class Context:
    """An immutable frame. ``additions`` are the fields that it puts on every event, ready to merge."""

    __slots__ = ("additions", "agent", "parent_agent")

    def __init__(self, agent: str, parent_agent: str, additions: dict[str, object]) -> None:
        self.agent = agent
        self.parent_agent = parent_agent
        self.additions = additions

    @property
    def session_id(self) -> str:
        return str(self.additions.get("session_id", ""))

    @property
    def trace_id(self) -> str:
        return str(self.additions.get("trace_id", ""))

    @property
    def span_id(self) -> str:
        """The span that is open here; an event logged now names it as ``parent_span_id``."""
        return str(self.additions.get("parent_span_id", ""))

    def __repr__(self) -> str:
        return (
            f"Context(agent={self.agent!r}, parent_agent={self.parent_agent!r}, {self.additions})"
        )

    def derive(self, agent: str | None, fields: dict[str, object]) -> "Context":
        """A frame inside this one. A new agent's parent is the agent here, unless told otherwise."""
        parent = fields.pop("parent_agent", None)
        additions = {**self.additions, **fields} if fields else self.additions
        if agent is None or agent == self.agent:
            return Context(self.agent, str(parent or self.parent_agent), additions)
        return Context(agent, str(parent or self.agent), additions)


ROOT = Context("", "", {})
_context: ContextVar[Context] = ContextVar("laneway", default=ROOT)

current = _context.get
enter = _context.set


def leave(token: object) -> None:
    """Undo an `enter`; one made in another context (a generator closed elsewhere) has ended already."""
    try:
        _context.reset(token)  # type: ignore[arg-type]
    except ValueError:
        pass


class bind:
    """``with bind(agent="planner", session_id="s1"):`` puts these fields on every event inside."""

    __slots__ = ("_agent", "_fields", "_tokens")

    def __init__(self, agent: str | None = None, **fields: object) -> None:
        self._agent = agent
        self._fields = {name: value for name, value in fields.items() if value is not None}
        if "span_id" in self._fields:
            self._fields["parent_span_id"] = self._fields.pop("span_id")
        self._tokens: list[object] = []

    def __enter__(self) -> Context:
        frame = current().derive(self._agent, dict(self._fields))
        self._tokens.append(enter(frame))
        return frame

    def __exit__(self, *exc: object) -> None:
        leave(self._tokens.pop())

    async def __aenter__(self) -> Context:
        return self.__enter__()

    async def __aexit__(self, *exc: object) -> None:
        self.__exit__()
