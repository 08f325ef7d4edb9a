"""Every test runs with an empty Laneway home of its own, and leaves nothing behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from websockets.asyncio.client import connect
from websockets.sync.client import connect as sync_connect

from laneway.hub import archive, indexer, inquiry
from laneway.sdk import recorder
from laneway.store.sqlite.store import SqliteStore
from laneway.web import query as web_query
from laneway.web import seqs

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"

settings.register_profile(
    "any machine",
    deadline=None,  # a test that depends on a time is wrong
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not IS_LONG,  # what a run finds is then of the change; the long form looks further
)
settings.load_profile("any machine")

PATIENCE_S = 180.0
"""Of a client with the hub that a test started: httpx's own 5 s, and websockets' 10 s, are too short where
the machine is busy."""
for part in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, part, PATIENCE_S)
for given in (sync_connect.__kwdefaults__, connect.__init__.__kwdefaults__):
    given |= {"open_timeout": PATIENCE_S, "close_timeout": PATIENCE_S, "ping_timeout": PATIENCE_S}

# What a query may take before it is stopped, or says that it has looked at a part: a machine that stands
# still has tests fail by it that are about the answer. Those about the limit set one.
web_query.COUNT_S = seqs.PATIENCE_S = PATIENCE_S
inquiry.FACET_S = inquiry.FAILURE_S = archive.PAST_S = PATIENCE_S
SqliteStore.__init__.__kwdefaults__["query_limit_s"] = PATIENCE_S
indexer.OPEN_S = indexer.ANSWER_S = PATIENCE_S

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # The tests start hundreds of processes: each would compile some 400 modules, 1.5 s for a hub.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = f"{sys.prefix}/bytecode"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run that was started in the background ignores Ctrl-C, and so would every process it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


SMALL_RESERVE = "1MiB"
"""Of each hub that a test starts: hundreds of 64 MiB are much to write, and more than some disks have."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The Laneway home; no setting of the machine's own environment reaches a test."""
    for name in list(os.environ):
        is_of_tests = name in ("LANEWAY_TORTURE", "LANEWAY_SEED", "LANEWAY_FIGURES")
        if (name.startswith("LANEWAY_") and not is_of_tests) or name in ("LOG_PATH", "LOGGING_URL"):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("LANEWAY_HOME", str(directory))
    monkeypatch.setenv("LANEWAY_RESERVE_BYTES", SMALL_RESERVE)
    yield directory
    recorder.shared.close()
    recorder.shared._given = {}
    recorder.shared._has_complained = False
    recorder.shared.faults = 0
