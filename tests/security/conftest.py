"""The real application over ASGI, as the tests of the web floor have it."""

from tests.web.conftest import (
    access,
    app,
    client,
    hub,
    running,
    serving,
    settings,
    tokens,
    transport,
    ui_root,
    way,
)

__all__ = [
    "access",
    "app",
    "client",
    "hub",
    "running",
    "serving",
    "settings",
    "tokens",
    "transport",
    "ui_root",
    "way",
]
