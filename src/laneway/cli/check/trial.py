"""Trials in the log's directory, with real processes and the real disk: locks, and what a sync costs."""

import os
import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter

from laneway.base.settings import Settings
from laneway.cli.check import FAIL, NOTE, OK, WARN, Finding
from laneway.cli.check.disk import existing_parent, too_open, try_write, wrong_owner
from laneway.log import mount
from laneway.log.segment import LogPath
from laneway.log.sync import sync_directory, sync_file

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
"""Holds the lock until its input ends, or it is killed."""

TAKER = """
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1], "r+b"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(3)
"""
REFUSED = 3

WAIT_S = 30.0
SYNCS = 20
SYNC_BYTES = 4096

SLOW_SYNC_S = 0.25
"""Above it the second that a power cut may cost becomes longer (the sync begins after half a second)."""

IS_POSIX = os.name == "posix"


def check_owner(settings: Settings) -> Finding:
    """Events may hold anything: nobody else shall read or write them by accident."""
    directory = LogPath.parse(settings.log_path).directory
    if not os.path.isdir(directory):
        return Finding("owner", NOTE, "not there yet; it is made for you alone (mode 0700)")
    facts = os.stat(directory)
    value = f"user {facts.st_uid}, group {facts.st_gid}, mode {facts.st_mode & 0o7777:04o}"
    if others_write := too_open(directory, 0o002):
        remedy = f"chmod o-rwx '{directory}': whoever may write there may forge and remove events"
        return Finding("owner", WARN, f"{value}: {others_write}", remedy)
    if wrong := wrong_owner(directory):
        return Finding("owner", NOTE, f"{value}: it {wrong}; shared by its group")
    return Finding("owner", OK, value)


def check_locks(settings: Settings) -> Finding:
    """One process holds a lock and another asks for it; then the holder is killed."""
    if not IS_POSIX:
        return Finding("locks", NOTE, "none here: every line is led by a newline instead")
    directory = existing_parent(LogPath.parse(settings.log_path).directory)
    if try_write(directory):
        return Finding("locks", NOTE, f"not tried: {directory} cannot be written")
    with tempfile.TemporaryDirectory(prefix=".laneway-doctor-", dir=directory) as trial:
        path = os.path.join(trial, "lock")
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        while_held, after_kill = _try_lock(path)
    remedy = "LANEWAY_SHARED_LOG=no: a file for each process; or LOGGING_URL"
    if while_held != REFUSED:
        return Finding("locks", FAIL, "two processes had one lock at a time", remedy)
    if after_kill:
        return Finding("locks", FAIL, "the lock of a killed process stays", remedy)
    if mount.can_share(directory):
        value = "one process at a time, and free after a kill; so processes share one file"
        return Finding("locks", OK, value)
    value = (
        "they hold on this mount; between mounts or machines nobody can tell from here, "
        "so each process writes a file of its own"
    )
    return Finding("locks", NOTE, value)


def _try_lock(path: str) -> tuple[int, int]:
    """Exit codes of the process that asks: while another holds the lock, and after that was killed."""
    asks = [sys.executable, "-c", TAKER, path]
    with subprocess.Popen(  # noqa: S603 - this very Python, our own words
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        while_held = subprocess.run(asks, timeout=WAIT_S, check=False).returncode  # noqa: S603
        holder.kill()
    return while_held, subprocess.run(asks, timeout=WAIT_S, check=False).returncode  # noqa: S603


def check_sync(settings: Settings) -> Finding:
    """What a sync costs, and whether new and renamed names can be made durable."""
    directory = existing_parent(LogPath.parse(settings.log_path).directory)
    if try_write(directory):
        return Finding("sync", NOTE, f"not tried: {directory} cannot be written")
    with tempfile.TemporaryDirectory(prefix=".laneway-doctor-", dir=directory) as trial:
        try:
            times_s = _time_syncs(os.path.join(trial, "sync"))
            os.replace(os.path.join(trial, "sync"), os.path.join(trial, "renamed"))
            sync_directory(trial)
        except OSError as error:
            value = f"it fails: {error.strerror or error}"
            remedy = "a power cut can cost everything since the last start; use another disk"
            return Finding("sync", FAIL, value, remedy)
    value = f"{median(times_s) * 1e3:.1f} ms, slowest of {SYNCS} {max(times_s) * 1e3:.1f} ms"
    if mount.kind_of(directory) in mount.VOLATILE:
        return Finding("sync", NOTE, f"{value}; but the disk is memory")
    if median(times_s) > SLOW_SYNC_S:
        return Finding("sync", WARN, value, "slow: a power cut may cost more than a second")
    return Finding("sync", OK, f"{value}; renames hold")


def _time_syncs(path: str) -> list[float]:
    times_s = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(SYNCS):
            os.write(fd, b"x" * SYNC_BYTES)
            began_s = perf_counter()
            sync_file(fd)
            times_s.append(perf_counter() - began_s)
    finally:
        os.close(fd)
    return times_s
