"""The machine and what is installed on it."""

import os
import platform
import sys
import time
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from laneway.base.errors import LogError
from laneway.base.settings import SETTINGS, Settings
from laneway.cli.check import FAIL, OK, WARN, Finding

OLDEST_PYTHON = (3, 11)

HUB_PARTS = ("starlette", "uvicorn", "httptools", "websockets")
FAST_PARTS = ("uvloop",)
"""Speed, where the platform has it."""

EARLIEST_CLOCK_S = 1_735_689_600
"""1 January 2025: before Laneway was written. A board without a battery wakes up in 1970."""

CLOCK_SKEW_S = 5.0
"""A file server's clock may differ from ours by this much before ages and order mislead."""


def check_python(settings: Settings) -> Finding:
    value = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", FAIL, value, "Laneway needs Python 3.11 or newer")
    return Finding("python", OK, value)


def check_encoder(settings: Settings) -> Finding:
    try:
        import orjson

        is_whole = orjson.loads(orjson.dumps({"a": [1, "é"]})) == {"a": [1, "é"]}
    except Exception as error:  # noqa: BLE001 - a broken wheel can raise anything
        remedy = "pip install --force-reinstall orjson"
        return Finding("orjson", FAIL, f"{type(error).__name__}: {error}", remedy)
    state = OK if is_whole else FAIL
    return Finding("orjson", state, orjson.__version__, "" if is_whole else "pip install -U orjson")


def check_parts(settings: Settings) -> Finding:
    """The hub's parts are imported, since an installed wheel may be of another platform."""
    broken = {part: problem for part in HUB_PARTS if (problem := _try_import(part))}
    if broken:
        value = "; ".join(f"{part}: {problem}" for part, problem in broken.items())
        return Finding("hub parts", WARN, value, 'pip install "laneway[hub]"')
    slow = [part for part in FAST_PARTS if sys.platform != "win32" and _try_import(part)]
    if slow:
        remedy = f"the hub works, slower; pip install {' '.join(slow)}"
        return Finding("hub parts", WARN, f"without {', '.join(slow)}", remedy)
    return Finding("hub parts", OK, " ".join(f"{p} {_version(p)}" for p in HUB_PARTS[:3]))


def check_environment(settings: Settings) -> Finding:
    """A misspelt variable is silently ignored, so say so."""
    known = {name for setting in SETTINGS for name in setting.envs}
    unknown = [n for n in sorted(os.environ) if n.startswith("LANEWAY_") and n not in known]
    if not unknown:
        used = [n for n in sorted(os.environ) if n in known and os.environ[n]]
        return Finding("environment", OK, " ".join(used) or "nothing set")
    near = get_close_matches(unknown[0], known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "`laneway config` lists what there is"
    return Finding("environment", WARN, f"not a setting: {' '.join(unknown)}", remedy)


def check_clock(settings: Settings) -> Finding:
    now_s = time.time()
    value = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if now_s < EARLIEST_CLOCK_S:
        return Finding("clock", FAIL, value, "set the system's clock (timedatectl set-ntp true)")
    newest_s = _newest_mtime_s(settings)
    if newest_s > now_s + CLOCK_SKEW_S:
        ahead = f"the log was written {newest_s - now_s:.0f} s in the future"
        remedy = "the clock jumped back, or a file server's clock runs ahead; synchronise both"
        return Finding("clock", WARN, f"{value}; {ahead}", remedy)
    return Finding("clock", OK, value)


def _newest_mtime_s(settings: Settings) -> float:
    from laneway.cli.backlog import log_files
    from laneway.log.segment import PACKED, LogPath

    log_path = LogPath.parse(settings.log_path)
    try:
        newest = log_files(log_path)[:1]
    except LogError:  # another check tells of it
        return 0.0
    names = [name + form for name in newest for form in ("", PACKED)]
    paths = [os.path.join(log_path.directory, name) for name in names]
    return max((os.stat(path).st_mtime for path in paths if os.path.exists(path)), default=0.0)


def _try_import(part: str) -> str:
    """Why ``part`` cannot be imported, or ``""``."""
    try:
        import_module(part)
    except ModuleNotFoundError:
        return "not installed"
    except Exception as error:  # noqa: BLE001 - a broken wheel can raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _version(part: str) -> str:
    try:
        return version(part)
    except PackageNotFoundError:
        return "?"
