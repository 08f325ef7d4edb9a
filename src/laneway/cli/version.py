"""``laneway version``: what a bug report needs."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version

from laneway import __version__

PARTS = ("orjson", "starlette", "uvicorn", "typer", "rich")


def command() -> None:
    """Show the versions of Laneway, Python, SQLite and the parts of the hub."""
    print(f"laneway {__version__}")
    print(f"python {platform.python_version()} ({platform.python_implementation()})")
    print(f"sqlite {sqlite3.sqlite_version}")
    for part in PARTS:
        print(f"{part} {_version_of(part)}")
    print(f"system {platform.system()} {platform.release()} {platform.machine()}")


def _version_of(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "not installed"
