"""Every call to the operating system fails in turn, as SQLite tests it: call 1, call 2, … until a run
passes clean. Nothing reaches the host, nothing acknowledged is lost, every loss is counted (P7, P14)."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from laneway.log import append, segment, sync
from laneway.sdk import outbox, shipper, spool
from laneway.sdk.recorder import Recorder
from tests.torture.conftest import Report
from tests.torture.fault import CALLS, KINDS, WRITES, Faults, inject

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
EVENTS = 40 if IS_LONG else 14
RUNS_OF_FAULTS = (1, 2, 4, 9) if IS_LONG else (1, 4)
MOST_CALLS = 5_000


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory where that can be: a loop of faults makes thousands of files."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting lines are tried again with every event, and by nobody else."""
    monkeypatch.setattr(outbox, "RETRY_S", 0.0)
    monkeypatch.setattr(outbox.Outbox, "_start_thread", lambda self: None)
    monkeypatch.setattr(shipper.Shipper, "start", lambda self: None)
    monkeypatch.setattr(shipper.Shipper, "wake", lambda self: None)
    monkeypatch.setattr(spool, "SIZE_CHECK_S", 0.0)
    monkeypatch.setattr(spool, "SEGMENT_BYTES", 1_000)
    monkeypatch.setattr(sync, "REST_NS", (0, 0))


def new_recorder(**settings: object) -> Recorder:
    recorder = Recorder()
    recorder.say = lambda message: None
    recorder.configure({"segment_bytes": 1_000, **settings})
    recorder._start()  # what the package itself loads and reads is not under test
    return recorder


def emit(recorder: Recorder) -> list[str]:
    """Ids of what was acknowledged."""
    return [recorder.record("a", "log", "x" * (n * 7 % 90), {"n": n}) for n in range(EVENTS)]


def ids_in(directory: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in directory.glob("*.jsonl"):
        if path.is_symlink():
            continue
        for line in path.read_bytes().split(b"\n"):
            try:
                found[orjson.loads(line)["id"]] += 1
            except (orjson.JSONDecodeError, KeyError):
                continue  # blank, or what a failed write left
    return found


class Disk:
    """A disk that loses what was being written when a sync fails, and says so only once."""

    def __init__(self, faults: Faults) -> None:
        self.durable: set[str] = set()
        self._faults = faults
        self._damaged: dict[int, int] = {}

    def sync_file(self, fd: int) -> None:
        facts = os.fstat(fd)
        if self._faults.strikes("fdatasync"):
            self._damaged[facts.st_ino] = facts.st_size
            raise OSError(KINDS[self._faults.kind], "injected into fdatasync")
        begin = self._damaged.get(facts.st_ino, 0)  # before it, all is as good as lost
        for line in os.pread(fd, facts.st_size, begin).split(b"\n"):
            try:
                self.durable.add(orjson.loads(line)["id"])
            except (orjson.JSONDecodeError, KeyError):
                continue


@pytest.mark.parametrize("only", [CALLS, WRITES], ids=["all", "writes"])
@pytest.mark.parametrize("count", RUNS_OF_FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_failing_call_costs_an_event_of_the_log(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    count: int,
    only: frozenset[str],
    report: Report,
) -> None:
    for number in range(1, MOST_CALLS):
        directory = tmp_path / f"{number}"
        recorder = new_recorder(log_path=str(directory))
        faults = Faults(kind, number, count, only)
        with monkeypatch.context() as patch:
            inject(patch, faults, append, segment)
            ids = emit(recorder)
        assert recorder.flush(180), f"call {number}: {faults.names[number - 1]}"
        stats = recorder.stats()
        recorder.close()

        found = ids_in(directory)
        where = f"call {number}, {faults.names[number - 1 : number]}"
        assert set(ids) == set(found), where
        assert stats["recorded"] == EVENTS, where
        assert stats["lost"] == {}, where
        if not faults.has_fired:
            which = "all" if only == CALLS else "writes"
            report(f"fault_{kind}_{count}_{which}", faulty=number - 1, lost=0)
            assert number > 3 * EVENTS, "the loop met fewer calls than a run makes"
            return
    pytest.fail("no run passed clean")


@pytest.mark.parametrize("count", RUNS_OF_FAULTS)
@pytest.mark.parametrize("kind", ["EIO", "short"])
def test_no_failing_call_acknowledges_what_is_not_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, count: int, report: Report
) -> None:
    for number in range(1, MOST_CALLS):
        directory = tmp_path / f"{number}"
        recorder = new_recorder(log_path=str(directory), durability="durable")
        faults = Faults(kind, number, count)
        disk = Disk(faults)
        with monkeypatch.context() as patch:
            inject(patch, faults, append, segment, sync)
            patch.setattr(sync, "sync_file", disk.sync_file)
            for n in range(EVENTS):
                id_ = recorder.record("a", "log", "x" * 90, {"n": n})
                assert not id_ or id_ in disk.durable, f"call {number}"
        assert recorder.flush(180)
        assert recorder.stats()["recorded"] == EVENTS == len(ids_in(directory))
        recorder.close()
        if not faults.has_fired:
            report(f"sync_{kind}_{count}", faulty=number - 1, lost=0)
            return
    pytest.fail("no run passed clean")


@pytest.mark.parametrize("kind", ["ENOSPC", "short"])
def test_what_memory_cannot_hold_is_counted_to_the_last_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(outbox, "WAITING_BYTES", 700)
    for number in range(1, 40):
        directory = tmp_path / f"{number}"
        recorder = new_recorder(log_path=str(directory))
        faults = Faults(kind, number, MOST_CALLS)  # and no call works from there on
        with monkeypatch.context() as patch:
            inject(patch, faults, append, segment)
            ids = emit(recorder)
        assert recorder.flush(180)
        stats = recorder.stats()
        recorder.close()

        acknowledged = set(filter(None, ids))
        assert acknowledged <= set(ids_in(directory))
        assert stats["recorded"] == len(acknowledged)
        assert sum(stats["lost"].values()) == EVENTS - len(acknowledged)


@pytest.mark.parametrize("kind", KINDS)
def test_no_failing_call_costs_an_event_of_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, report: Report
) -> None:
    step = 1 if IS_LONG else 4
    for number in range(1, MOST_CALLS, step):
        received: list[bytes] = []
        recorder = new_recorder(
            home=str(tmp_path / f"{number}"), logging_url="http://127.0.0.1:9/log"
        )
        forward = recorder._shipper
        assert forward
        monkeypatch.setattr(
            forward._post, "send", lambda lines, to=received: to.extend(lines) or []
        )
        faults = Faults(kind, number, 5)
        ids = []
        with monkeypatch.context() as patch:
            inject(patch, faults, append, segment, spool, shipper)
            for n in range(EVENTS):
                ids.append(recorder.record("a", "log", "x" * 90, {"n": n}))
                forward._turn()
        recorder._outbox.write_waiting(now=True)
        end = forward.spool.end()
        for _ in range(200):
            forward._turn()
            if forward._has_shipped(end):
                break
        stats = recorder.stats()
        forward._release()
        recorder.close()

        where = f"call {number}, {faults.names[number - 1 : number]}"
        assert {orjson.loads(line)["id"] for line in received} == set(ids), where
        assert stats["spool_bytes"] == 0, where
        assert stats["lost"] == {}, where
        if not faults.has_fired:
            report(f"fault_{kind}_spool", faulty=(number - 1) // step, lost=0)
            return
    pytest.fail("no run passed clean")
