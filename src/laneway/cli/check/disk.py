"""Laneway's home, the log's directory, and what its file system does to concurrent appends."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time

from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.base.words import number_of
from laneway.cli.amount import show_bytes, some_of
from laneway.cli.check import FAIL, NOTE, OK, WARN, Finding
from laneway.cli.check.machine import CLOCK_SKEW_S
from laneway.log import mount
from laneway.log.listing import find_unreadable
from laneway.log.segment import LogPath
from laneway.log.series import list_segments

LOW_SPACE_BYTES, NO_SPACE_BYTES = 1024 * MIB, 64 * MIB
"""Two or three segments with their index; less than a burst of a minute."""

TRIAL_LINES = 200
TRIAL_WAIT_S = 30.0

WRITER = """
import sys
from laneway.log.append import Appender
from laneway.log import mount
from laneway.log.segment import LogPath
appender = Appender(LogPath.parse(sys.argv[1]), shared=sys.argv[4])
for i in range(int(sys.argv[3])):
    line = b'{"from":"%s","n":%d,"pad":"%s"}' % (sys.argv[2].encode(), i, b"x" * (i * 331 % 20000))
    appender.append([line])
"""
"""One of two processes that append at the same time, lines of up to 20 kB."""

IS_POSIX = os.name == "posix"


def check_home(settings: Settings) -> Finding:
    home = settings.home
    if not os.path.isdir(home):
        if os.path.lexists(home):
            return Finding("home", FAIL, f"{home} is not a directory", f"move {home} away")
        return Finding("home", NOTE, f"{home} (not there yet; made at first use)")
    wrong = wrong_owner(home) or too_open(home, 0o077)
    if wrong:
        return Finding("home", WARN, f"{home}: {wrong}", f"chmod 700 '{home}'")
    return Finding("home", OK, home)


def check_secrets(settings: Settings) -> Finding:
    """The tokens are what keeps other users and web pages out."""
    names = ("ingest.token", "access.token", "redact.key")
    paths = [p for n in names if os.path.exists(p := os.path.join(settings.home, n))]
    if len([p for p in paths if p.endswith(".token")]) < 2:
        return Finding("tokens", NOTE, "not there yet; the hub makes them at its first start")
    for path in paths:
        wrong = wrong_owner(path) or too_open(path, 0o077)
        if wrong:
            return Finding("tokens", FAIL, f"{path}: {wrong}", f"chmod 600 '{path}'")
        if not os.access(path, os.R_OK) or not os.path.getsize(path):
            remedy = f"remove '{path}' and start the hub again: it makes a new one"
            return Finding("tokens", FAIL, f"{path}: empty or not readable", remedy)
    return Finding("tokens", OK, " ".join(map(os.path.basename, paths)))


def check_log_directory(settings: Settings) -> Finding:
    log_path = LogPath.parse(settings.log_path)
    directory = log_path.directory
    origin = settings.origin["log_path"]
    if not os.path.isdir(directory):
        return _missing_directory(directory)
    problem = try_write(directory)
    if problem:
        remedy = (
            f"chown $USER '{directory}' && chmod u+rwx '{directory}', or set LOG_PATH to another"
        )
        return Finding("log", FAIL, f"{directory}: {problem}", remedy)
    if closed := find_unreadable(directory):
        value = f"{directory}: you may not read {some_of(closed)}"
        return Finding("log", FAIL, value, f"chmod u+r '{directory}'/*, or chown them to you")
    numbers = log_path.numbers()
    size = sum(file.size for file in list_segments(log_path))
    facts = f"{number_of(len(numbers), 'segment')}, {show_bytes(size)}, from {origin}"
    if log_path.name != "events":
        facts = f"{log_path.name}-*.jsonl, {facts}"
    return Finding("log", OK, f"{directory} ({facts})")


def check_file_system(settings: Settings) -> Finding:
    directory = existing_parent(LogPath.parse(settings.log_path).directory)
    kind = mount.kind_of(directory) or "unknown"
    trouble = mount.trouble_with(kind)
    if settings.shared_log == "auto" and not mount.can_share(directory):
        value = f"{kind}: {trouble or 'not known to us'}; so each process writes a file of its own"
        remedy = "processes that live for one event send it better over HTTP (LOGGING_URL)"
        return Finding("file system", NOTE, value, remedy)
    if trouble and settings.shared_log == "yes":
        remedy = "LANEWAY_SHARED_LOG=auto, or a local disk, or send over HTTP (LOGGING_URL)"
        return Finding("file system", WARN, f"{kind}: {trouble}", remedy)
    if kind in mount.VOLATILE:
        value = f"{kind}: in memory, gone after a restart"
        return Finding("file system", WARN, value, "set LOG_PATH to a folder on disk")
    if kind in mount.LOCAL:
        return Finding("file system", OK, f"{kind}: appends are atomic and locks hold")
    return Finding("file system", NOTE, f"{kind}: the trial below tells whether appends hold")


def check_space(settings: Settings) -> Finding:
    directory = existing_parent(LogPath.parse(settings.log_path).directory)
    usage = shutil.disk_usage(directory)
    value = f"{show_bytes(usage.free)} free of {show_bytes(usage.total)}"
    remedy = "make room, or bound the log with LANEWAY_RETENTION_BYTES=5GiB"
    state = FAIL if usage.free < NO_SPACE_BYTES else WARN if usage.free < LOW_SPACE_BYTES else OK
    return Finding("disk", state, value, "" if state == OK else remedy)


def check_appends(settings: Settings) -> Finding:
    """Two processes append to one trial log beside the real one; every line must be there."""
    directory = existing_parent(LogPath.parse(settings.log_path).directory)
    if try_write(directory):
        return Finding("appends", NOTE, f"not tried: {directory} cannot be written")
    with tempfile.TemporaryDirectory(prefix=".laneway-doctor-", dir=directory) as trial:
        began_s = time.time()
        problem = _run_writers(trial, settings.shared_log)
        written_s = _newest_s(trial)
        kept, torn = _count_lines(trial)
    wanted = 2 * TRIAL_LINES
    if problem:
        return Finding("appends", FAIL, problem, "reinstall: pip install --force-reinstall laneway")
    if kept != wanted or torn:
        value = f"{wanted - kept} of {wanted} lines of two processes lost, {torn} torn"
        return Finding("appends", FAIL, value, "do not share this folder: use LOGGING_URL instead")
    if abs(written_s - began_s) > CLOCK_SKEW_S + TRIAL_WAIT_S:
        value = f"files get a time {written_s - began_s:+.0f} s from the system's clock"
        return Finding("appends", WARN, value, "synchronise the file server's clock")
    return Finding("appends", OK, f"{kept} of {wanted} lines of two processes at once survived")


def _missing_directory(directory: str) -> Finding:
    if os.path.lexists(directory):
        return Finding(
            "log", FAIL, f"{directory} is not a directory", "set LOG_PATH to a directory"
        )
    parent = existing_parent(directory)
    if os.access(parent, os.W_OK):
        return Finding("log", NOTE, f"{directory} (not there yet; the first event makes it)")
    remedy = f"sudo install -d -o $USER -m 700 '{directory}', or set LOG_PATH to another"
    return Finding("log", FAIL, f"{directory}: cannot be made in {parent}", remedy)


def wrong_owner(path: str) -> str:
    if not IS_POSIX or os.stat(path).st_uid in (os.geteuid(), 0):
        return ""
    return f"belongs to user {os.stat(path).st_uid}, and you are {os.geteuid()}"


def too_open(path: str, forbidden: int) -> str:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    return f"others can read it (mode {mode:04o})" if IS_POSIX and mode & forbidden else ""


def try_write(directory: str) -> str:
    """Why no file can be made there, or ``""``. Permission bits do not tell all."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".laneway-doctor-", dir=directory) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def existing_parent(path: str) -> str:
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _run_writers(trial: str, shared: str) -> str:
    """What went wrong with the processes themselves, or ``""``."""
    command = [sys.executable, "-c", WRITER, trial]
    writers = [
        subprocess.Popen(  # noqa: S603 - this very Python, our own words
            [*command, name, str(TRIAL_LINES), shared], stderr=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    problem = ""
    for writer in writers:
        try:
            _, errors = writer.communicate(timeout=TRIAL_WAIT_S)
        except subprocess.TimeoutExpired:
            writer.kill()
            writer.communicate()
            problem = f"an append did not return within {TRIAL_WAIT_S:.0f} s"
        else:
            if writer.returncode:
                problem = (errors.strip().splitlines() or ["a writer died"])[-1]
    return problem


def _count_lines(trial: str) -> tuple[int, int]:
    """Different lines that are whole, and pieces that are not."""
    import orjson

    kept: set[tuple[str, int]] = set()
    torn = 0
    for name in os.listdir(trial):
        if os.path.islink(os.path.join(trial, name)):
            continue
        with open(os.path.join(trial, name), "rb") as file:
            for line in filter(None, file.read().split(b"\n")):
                try:
                    item = orjson.loads(line)
                    kept.add((item["from"], item["n"]))
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    torn += 1
    return len(kept), torn


def _newest_s(trial: str) -> float:
    paths = [os.path.join(trial, name) for name in os.listdir(trial)]
    return max((os.stat(path).st_mtime for path in paths), default=time.time())
