"""A hub behind a real server."""

from tests.web.conftest import running, settings

__all__ = ["running", "settings"]
