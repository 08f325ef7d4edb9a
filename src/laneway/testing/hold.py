"""All events of this process, and of those that it starts, in a place of one's own for a while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laneway.base.settings import BY_NAME
from laneway.sdk.recorder import shared
from laneway.testing.capture import Events


@contextmanager
def holding(directory: Path) -> Iterator[Events]:
    """What the program itself configures, then or before, changes everything but where events go."""
    log_path = str(directory / "log")
    held: dict[str, object] = {
        "home": str(directory / "home"),
        "log_path": log_path,
        "logging_url": "",
        "disabled": False,
    }
    inherited = {BY_NAME[name].envs[-1]: str(value or "") for name, value in held.items()}
    inherited |= dict.fromkeys(("LOG_PATH", "LOGGING_URL"), "")
    before = {name: os.environ.get(name) for name in inherited}
    os.environ.update(inherited)
    earlier = shared.hold(held)
    try:
        yield Events(log_path)
    finally:
        shared.hold(earlier)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
