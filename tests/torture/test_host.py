"""Whatever an application hands over, and whatever happens to it, it is never broken (P10)."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import orjson
import pytest

import laneway
from laneway import log_event
from tests.torture.conftest import Report

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
INTERRUPTS = 20_000 if IS_LONG else 300


class Hostile:
    """Every way in which a value can be looked at raises."""

    def fail(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __hash__ = __iter__ = __len__ = __getattr__ = __bool__ = fail  # type: ignore[assignment]


class ExitingError(Exception):
    """An error that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Raising:
    def __str__(self) -> str:
        raise ExitingError

    __repr__ = __str__


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {"list": []}
    value["self"] = value
    value["list"].append(value["list"])
    return value


def deep(levels: int) -> object:
    value: object = "bottom"
    for _ in range(levels):
        value = [value]
    return value


class Growing(dict[str, object]):
    """Changes while it is read."""

    def items(self) -> Any:
        for n in range(3):
            self[f"more{len(self)}{n}"] = n
            yield f"k{n}", n


VALUES = {
    "object": object(), "hostile": Hostile(), "raising": Raising(), "50 MB text": "x" * 50_000_000,
    "50 MB bytes": b"\xff" * 50_000_000, "cycle": cycle(), "deep": deep(10_000), "nan": math.nan,
    "infinity": -math.inf, "surrogate": "\ud800 lone", "control": "\x00\x1b[2J\u202e", "set": {1, "a"},
    "huge int": 10**5_000, "generator": (n for n in range(3)), "lambda": lambda: None, "growing": Growing(),
    "million items": list(range(1_000_000)), "many keys": {f"k{n}": n for n in range(100_000)},
    "odd keys": {None: 1, 1: 2, "1": 3, (1, 2): 4, b"b": 5}, "error": ExitingError(), "module": os,
}  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    laneway.configure(log_path=str(tmp_path / "log"))
    return tmp_path / "log"


def read(log: Path) -> list[dict[str, Any]]:
    lines = [line for path in log.glob("*-0*.jsonl") for line in path.read_bytes().split(b"\n")]
    return [orjson.loads(line) for line in filter(None, lines)]


@pytest.mark.parametrize("name", VALUES)
def test_any_value_in_any_place_makes_a_valid_line(log: Path, name: str) -> None:
    value: Any = VALUES[name]
    assert log_event("a", "log", value)
    assert log_event("a", "log", "text", field=value, nested={"in": [value]})
    assert log_event(value, "log")
    assert log_event("a", value)

    events = read(log)
    assert len(events) == 4
    assert laneway.stats()["lost"] == {}
    assert all(len(orjson.dumps(event)) <= 256 * 1024 for event in events)


def test_whoever_takes_the_complaints_and_fails_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laneway.sdk.recorder import shared

    (tmp_path / "file").write_text("")
    laneway.configure(log_path=str(tmp_path / "file" / "log"))

    def fail(message: str) -> NoReturn:
        raise RuntimeError(message)

    monkeypatch.setattr(shared, "say", fail)
    log_event("a", "log")
    assert laneway.stats()["waiting"] == 1


@pytest.mark.parametrize("setting", ["log_path", "home"], ids=str)
def test_a_place_that_cannot_be_used_stops_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], setting: str
) -> None:
    (tmp_path / "file").write_text("")
    where = {"log_path": str(tmp_path / "log"), setting: str(tmp_path / "file" / "x")}
    laneway.configure(**where)
    for n in range(5):
        log_event("a", "log", n=n)
    laneway.flush(0.1)
    stats = laneway.stats()

    lost = sum(stats["lost"].values())  # type: ignore[attr-defined]
    assert stats["recorded"] + stats["waiting"] + lost == 5  # type: ignore[operator]


INTERRUPTED = """
import signal, sys, laneway
laneway.log_event("main", "log", n=0)
handled = told = acknowledged = 0
is_inside = False
def handle(*_):
    global handled, told, is_inside
    handled += 1
    if laneway.log_event("signal", "log", n=handled):  # a second signal may end the first one's call
        told += 1
    if is_inside:
        is_inside = False
        raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
n = 0
while handled < int(sys.argv[1]):
    n += 1
    try:
        is_inside = True
        if laneway.log_event("main", "log", "x" * 300, n=n):
            acknowledged += 1
        is_inside = False
    except KeyboardInterrupt:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
print(acknowledged, told)
"""


def test_ctrl_c_at_any_moment_leaves_a_log_that_works(tmp_path: Path, report: Report) -> None:
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log")}
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(INTERRUPTS)],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    acknowledged, told = map(int, done.stdout.split())

    events = read(tmp_path / "log")
    assert sum(event["agent"] == "main" for event in events) >= acknowledged
    assert told > INTERRUPTS * 2 // 3
    assert sum(event["agent"] == "signal" for event in events) >= told
    report("host", values=len(VALUES), interrupts=INTERRUPTS, acknowledged=acknowledged, lost=0)


STARTED_BY_A_SIGNAL = """
import signal
import laneway
from laneway import log_event
handled = 0
def handle(*_):
    global handled
    if not handled:
        handled = 1
        log_event("signal", "log", n=1)
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, %s)
log_event("main", "log", n=0)
while not handled:
    pass
assert laneway.flush(180)
lost = sum(laneway.stats()["lost"].values())
print(lost)
"""


@pytest.mark.parametrize("delay_ms", [1, 2, 4, 6, 8, 12, 16, 24])
def test_a_signal_handler_that_logs_during_the_start_does_not_hang(
    tmp_path: Path, delay_ms: int
) -> None:
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log")}
    code = STARTED_BY_A_SIGNAL % (delay_ms / 1000)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=180
    )

    assert done.returncode == 0, done.stderr
    assert len(read(tmp_path / "log")) + int(done.stdout) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interpreter_that_is_ended_ends(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import laneway, sys, time\n"
        "laneway.log_event('a', 'log', n=1)\n"
        "print(flush=True)\n"
        "while True: time.sleep(0.05)"  # a signal just before a long one is heard at its end
    )
    env = {**os.environ, "LOGGING_URL": "http://127.0.0.1:9/log"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(number)
    assert process.wait(180) != 0
    process.stdout.close()
