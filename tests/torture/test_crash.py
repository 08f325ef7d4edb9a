"""``kill -9`` at named points of the code: what was acknowledged is there, and nothing twice (P9)."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub as InProcessHub
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.sdk.drop import read_dropped
from laneway.store.api import Query
from tests.port import free_port
from tests.torture.conftest import Report
from tests.torture.crash.sitecustomize import POINTS
from tests.torture.harness import Hub

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
KILLS = 20 if IS_LONG else 1
HOOK_PATH = os.pathsep.join(
    [str(Path(__file__).with_name("crash")), *filter(None, [os.environ.get("PYTHONPATH")])]
)
Found = Counter[tuple[str, int]]

SENDING = ("post-before", "post-after", "position-before", "position-after",
           "spool-unlink-before", "spool-unlink-after")  # fmt: skip
DROPPING = ("dropped-before", "dropped-after", "drop-unlink-before", "drop-unlink-after")
REMOVING = ("retention-before", "retention-after", "forget-before", "drop-begun", "drop-ended")
INDEXING = ("index-created", "commit-before", "commit-after", "show-before")
RENEWING = ("epoch-before", "epoch-after")
ANSWERING = ("hub-before-answer",)
WRITING = tuple(
    sorted(set(POINTS) - {*SENDING, *DROPPING, *REMOVING, *INDEXING, *RENEWING, *ANSWERING})
)

WRITER = """
import sys
import laneway
from laneway.sdk import spool
spool.SEGMENT_BYTES = 3_000
name, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    if laneway.log_event(name, "log", "x" * (n * 37 % 300), n=n):
        print(n, flush=True)
laneway.flush(float(sys.argv[3]) if len(sys.argv) > 3 else 180)
"""

ENGINE = """
import sys
from laneway.base.settings import resolve
from laneway.hub.hub import Hub
hub = Hub(resolve(), in_process=True)
if sys.argv[1] == "reindex":
    hub.follower.reindex()
assert hub.follower.wait_level(180)
hub.close()
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOG_PATH", str(tmp_path / "log"))
    monkeypatch.setenv("LANEWAY_SEGMENT_BYTES", "4000")
    return tmp_path / "log"


def start(code: str, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": HOOK_PATH, **env},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def crash(point: str, count: int, code: str, *arguments: object, **env: str) -> list[str]:
    """What the program had said when it was killed."""
    done = start(code, *arguments, LANEWAY_FAULT=f"{point}:{count}", **env)
    assert done.returncode == -signal.SIGKILL, (
        f"{point} was not passed {count} times\n{done.stderr}"
    )
    return done.stdout.split()


def read_index(settings: Settings) -> Found:
    """Every event of the index, read back from the log."""
    hub = InProcessHub(settings, in_process=True)
    found: Found = Counter()
    try:
        assert hub.follower.wait_level(180)
        after = None
        while True:
            lines, after, *_ = hub.archive.page(Query(newest_first=False, limit=1_000, after=after))
            for line in lines:
                event = orjson.loads(line)
                found[event["agent"], event["n"]] += 1
            if after is None:
                return found
    finally:
        hub.close()


def check(
    report: Report, point: str, kills: int, acknowledged: set[tuple[str, int]], found: Found
) -> None:
    lost = acknowledged - set(found)
    twice = [key for key, count in found.items() if count > 1]
    report(
        f"crash_{point}", kills=kills, acknowledged=len(acknowledged), found=len(found),
        lost=len(lost), twice=len(twice),
    )  # fmt: skip
    assert not lost
    assert not twice


@pytest.mark.parametrize("point", WRITING)
def test_a_writer_killed_at_any_point_loses_and_repeats_nothing(
    log: Path, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    is_durable = point.startswith(("sync", "directory"))
    env = {"LANEWAY_DURABILITY": "durable"} if is_durable else {}
    acknowledged: set[tuple[str, int]] = set()
    for kill in range(KILLS):
        name = f"w{kill}"
        count = draw.randint(
            1, 3 if point.startswith(("link", "directory", "seal", "next")) else 40
        )
        said = crash(point, count, WRITER, name, 400, **env)
        acknowledged |= {(name, int(n)) for n in said}
        done = start(WRITER, f"next{kill}", 20)
        acknowledged |= {(f"next{kill}", int(n)) for n in done.stdout.split()}
    assert len(acknowledged) >= 20 * KILLS
    check(report, point, KILLS, acknowledged, read_index(resolve()))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    running = Hub(directory / "home", directory / "log")
    running.start()
    yield running
    running.stop()


def index_of(hub: Hub, prefix: str) -> Found:
    hub.wait_level()
    events = hub.iter_events("&event=log")
    return Counter((e["agent"], e["n"]) for e in events if e["agent"].startswith(prefix))


@pytest.mark.parametrize("point", SENDING)
def test_a_sender_killed_at_any_point_loses_and_repeats_nothing(
    hub: Hub, tmp_path: Path, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    env = {
        "LOGGING_URL": f"{hub.url}/log",
        "LANEWAY_HOME": str(tmp_path),
        "LANEWAY_TOKEN": token(hub),
    }
    acknowledged: set[tuple[str, int]] = set()
    for kill in range(KILLS):
        name = f"{point}.{kill}"
        said = crash(point, draw.randint(1, 2), WRITER, name, 100, **env)
        acknowledged |= {(name, int(n)) for n in said}
    done = start(WRITER, f"{point}.last", 5, **env)
    assert done.returncode == 0, done.stderr
    acknowledged |= {(f"{point}.last", int(n)) for n in done.stdout.split()}
    check(report, point, KILLS, acknowledged, index_of(hub, point))


@pytest.mark.parametrize("point", DROPPING)
def test_a_sender_killed_while_it_drops_the_oldest_counts_each_of_them_once(
    tmp_path: Path, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    env = {
        "LOGGING_URL": f"http://127.0.0.1:{free_port()}/log",  # nobody is there
        "LANEWAY_HOME": str(tmp_path),
        "LANEWAY_SPOOL_BYTES": "20000",
        "LANEWAY_SPOOL_POLICY": "drop_oldest",
    }
    code = WRITER.replace("spool.SEGMENT_BYTES", "spool.SIZE_CHECK_S = 0; spool.SEGMENT_BYTES")
    acknowledged: list[tuple[str, int]] = []
    for kill in range(KILLS):
        name = f"w{kill}"
        said = crash(point, draw.randint(1, 5), code, name, 2_000, 0.1, **env)
        acknowledged += [(name, int(n)) for n in said]
    done = start(code, "last", 200, 0.1, **env)
    assert done.returncode == 0, done.stderr
    acknowledged += [("last", int(n)) for n in done.stdout.split()]
    assert len(done.stdout.split()) == 200, "a newer event was refused"
    (directory,) = (tmp_path / "spool").iterdir()
    lines = [line for path in directory.glob("spool-0*") for line in path.read_bytes().split(b"\n")]
    kept = [(event["agent"], event["n"]) for event in map(orjson.loads, filter(None, lines))]
    dropped = read_dropped(str(directory))
    report(
        f"drop_{point}",
        kills=KILLS,
        acknowledged=len(acknowledged),
        kept=len(kept),
        dropped=dropped,
    )
    assert len(set(kept)) == len(kept)
    assert dropped > 0
    written = len(set(acknowledged) | set(kept))
    unsaid = len(kept) + dropped - written  # of each kill at most: written, dropped, and not said
    assert 0 <= unsaid <= KILLS
    assert ("last", 199) in kept


def token(hub: Hub) -> str:
    return (hub.home / "ingest.token").read_text().strip()


@pytest.mark.parametrize("point", ANSWERING)
def test_a_hub_killed_before_its_answer_loses_and_repeats_nothing(
    tmp_path: Path, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    hub = Hub(tmp_path / "home", tmp_path / "log")
    kind = dict(hub.env)
    acknowledged: set[tuple[str, int]] = set()
    hub.start()
    hub.stop()  # its tokens are there
    env = {"LOGGING_URL": f"{hub.url}/log", "LANEWAY_HOME": str(hub.home)}
    for kill in range(KILLS):
        fault = f"{point}:{draw.randint(1, 3)}"
        hub.env = {**kind, "PYTHONPATH": HOOK_PATH, "LANEWAY_FAULT": fault}
        hub.start()
        assert hub.process
        name = f"s{kill}"
        while hub.process.poll() is None:
            done = start(WRITER, name, 30, 0.5, **env)  # once the hub is gone nothing is shipped
            acknowledged |= {(name, int(n)) for n in done.stdout.split()}
            name += "+"
        assert hub.process.returncode == -signal.SIGKILL
    hub.env = kind
    hub.start()
    try:
        done = start(WRITER, "s.last", 5, **env)
        acknowledged |= {("s.last", int(n)) for n in done.stdout.split()}
        check(report, point, KILLS, acknowledged, index_of(hub, "s"))
    finally:
        hub.stop()


def append(log: Path, name: str, count: int = 60) -> set[tuple[str, int]]:
    appender = Appender(LogPath.parse(str(log)), segment_bytes=4_000)
    for n in range(count):
        event = {"agent": name, "event": "log", "content": "x" * (n * 37 % 300), "n": n}
        appender.append([orjson.dumps(event)])
    appender.close()
    return {(name, n) for n in range(count)}


@pytest.mark.parametrize("point", [*INDEXING, *RENEWING])
def test_an_indexer_killed_at_any_point_loses_and_repeats_nothing(
    log: Path, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    what = "reindex" if point in RENEWING else "follow"
    written: set[tuple[str, int]] = set()
    for kill in range(KILLS):
        written |= append(log, f"w{kill}")
        crash(point, 1 if point in RENEWING else draw.randint(1, 3), ENGINE, what)
    check(report, point, KILLS, written, read_index(resolve()))


@pytest.mark.parametrize("point", REMOVING)
def test_a_removal_that_is_cut_short_leaves_an_index_that_agrees_with_the_log(
    log: Path, monkeypatch: pytest.MonkeyPatch, point: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    written: set[tuple[str, int]] = set()
    has_removed = False
    for kill in range(KILLS):
        monkeypatch.delenv("LANEWAY_RETENTION_BYTES", raising=False)
        written |= append(log, f"w{kill}")
        assert start(ENGINE, "follow").returncode == 0
        monkeypatch.setenv("LANEWAY_RETENTION_BYTES", "4000")
        count = draw.randint(1, 2)
        crash(point, count, ENGINE, "follow")
        has_removed |= (point, count) != ("retention-before", 1)  # before the first of them
    monkeypatch.delenv("LANEWAY_RETENTION_BYTES")
    kept = {
        (event["agent"], event["n"])
        for path in log.glob("*-0*.jsonl")
        for event in map(orjson.loads, filter(None, path.read_bytes().split(b"\n")))
    }
    found = read_index(resolve())
    check(report, point, KILLS, kept, found)
    assert set(found) == kept
    assert kept < written if has_removed else kept == written


def test_every_point_is_tried() -> None:
    assert len(POINTS) >= 12
    tried = {*WRITING, *SENDING, *DROPPING, *ANSWERING, *INDEXING, *RENEWING, *REMOVING}
    assert tried == set(POINTS)
