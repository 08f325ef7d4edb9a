"""Record what AI agents do, and read it. ``import laneway`` loads nothing else."""

import sys
from _thread import RLock

TYPE_CHECKING = False  # type checkers read it as True; spares importing typing

if TYPE_CHECKING:
    from laneway.reader.read import read as read
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
    "read",
    "span",
    "stats",
    "tool",
]


loading = RLock()
"""Held while Laneway imports what it is made of, and over every fork: a module that another thread is
importing at the fork stays locked in the child for ever. A signal handler may come back into it."""


def _before_fork() -> None:
    loading.acquire()
    recorder = sys.modules.get("laneway.sdk.recorder")
    if recorder:
        recorder.shared.load_late()


if "posix" in sys.builtin_module_names:  # `os` would be ten modules
    from posix import register_at_fork

    register_at_fork(
        before=_before_fork, after_in_parent=loading.release, after_in_child=loading.release
    )


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'laneway' has no attribute {name!r}")
    with loading:
        if name == "read":
            from laneway.reader import read as api
        else:
            from laneway.sdk import api  # type: ignore[no-redef]

    value = globals()[name] = getattr(api, name)  # later look-ups skip this hook
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
