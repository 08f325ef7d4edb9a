"""Handlers of Telegram bots: what the user wrote, and what the bot answers, as events.

    @record("MainAgent")                    # aiogram: async def handler(message, **data)
    async def answer(update, context): ...  # python-telegram-bot: (update, context)

The decorator goes below that of the framework. Neither framework is imported.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from time import perf_counter_ns
from typing import Any, ParamSpec, TypeVar

from laneway.sdk.api import bind, log_event
from laneway.sdk.span import describe_error

P = ParamSpec("P")
R = TypeVar("R")

CHARS = 500

Handler = Callable[P, Awaitable[R]]


def record(
    agent: str = "MainAgent", *, chars: int = CHARS
) -> Callable[[Handler[P, R]], Handler[P, R]]:
    """A decorator for a handler; ``chars`` of a message are kept.

    What the handler records itself, and what it calls, belongs to the chat's session. Its answer is what it
    returns, where that is a message or a text (``return await message.answer(…)``).
    """

    def decorate(handler: Handler[P, R]) -> Handler[P, R]:
        @wraps(handler)
        async def handle(*args: P.args, **kwargs: P.kwargs) -> R:
            begun_ns = perf_counter_ns()
            message = find_message(args[0] if args else None)
            with bind(agent=agent, session_id=session_of(message)):
                log_event(
                    agent,
                    "user_message",
                    text_of(message)[:chars],
                    role="user",
                    **sender_of(message),
                )
                try:
                    result = await handler(*args, **kwargs)
                except Exception as error:
                    log_event(
                        agent, "error", str(error), level="error", error=describe_error(error)
                    )
                    raise
                text = result if isinstance(result, str) else text_of(result)
                log_event(agent, "agent_response", text[:chars] or None, role="assistant",
                          duration_ms=round((perf_counter_ns() - begun_ns) / 1e6, 3))  # fmt: skip
                return result

        return handle

    return decorate


def find_message(given: Any) -> Any:
    """The message of an update, of a callback query, or what is one itself."""
    for name in ("effective_message", "message"):
        inner = getattr(given, name, None)
        if inner is not None:
            return inner
    return given


def text_of(message: Any) -> str:
    for name in ("text", "caption", "data"):
        value = getattr(message, name, None)
        if isinstance(value, str):
            return value
    return ""


def session_of(message: Any) -> str | None:
    chat = getattr(getattr(message, "chat", None), "id", None) or getattr(message, "chat_id", None)
    return None if chat is None else f"telegram-{chat}"


def sender_of(message: Any) -> dict[str, object]:
    user = getattr(message, "from_user", None)
    known = {
        "user_id": getattr(user, "id", None),
        "message_id": getattr(message, "message_id", None),
    }
    return {name: value for name, value in known.items() if value is not None}
