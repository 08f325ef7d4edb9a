"""Record what AI agents do. ``import laneway`` loads nothing else."""

TYPE_CHECKING = False  # type checkers read it as True; spares importing typing

if TYPE_CHECKING:
    from laneway.sdk.api import agent as agent
    from laneway.sdk.api import aspan as aspan
    from laneway.sdk.api import bind as bind
    from laneway.sdk.api import configure as configure
    from laneway.sdk.api import current as current
    from laneway.sdk.api import flush as flush
    from laneway.sdk.api import log_event as log_event
    from laneway.sdk.api import span as span
    from laneway.sdk.api import stats as stats
    from laneway.sdk.api import tool as tool

__version__ = "0.1.0"

__all__ = [
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


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'laneway' has no attribute {name!r}")
    from laneway.sdk import api

    value = globals()[name] = getattr(api, name)  # later look-ups skip this hook
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
