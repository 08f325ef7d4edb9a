"""Ways in which programs start workers, are interrupted and end: nothing hangs, nothing acknowledged is
lost (P10, P11)."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.port import free_port
from tests.torture.conftest import Report
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
RUNS = 20 if IS_LONG else 2
Found = Counter[tuple[str, int]]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "LOG_PATH": str(tmp_path / "log"), "LANEWAY_SEGMENT_BYTES": "64KiB"}


def read(tmp_path: Path) -> Found:
    found: Found = Counter()
    for path in (tmp_path / "log").glob("*-0*.jsonl"):
        for line in filter(None, path.read_bytes().split(b"\n")):
            event = orjson.loads(line)
            found[event["agent"], event["n"]] += 1
    return found


def check(report: Report, name: str, found: Found, acknowledged: set[tuple[str, int]]) -> None:
    lost, twice = acknowledged - set(found), [key for key in found if found[key] > 1]
    report(
        f"process_{name}", acknowledged=len(acknowledged), hung=0, lost=len(lost), twice=len(twice)
    )
    assert not lost
    assert not twice


APP = """
import os
import laneway
laneway.log_event("load", "log", n=os.getpid())
count = 0
def app(environ, start_response):
    global count
    count += 1
    id_ = laneway.log_event(f"worker{os.getpid()}", "log", n=count)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"worker{os.getpid()} {count} {id_}".encode()]
"""


@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no-preload"])
def test_gunicorn_workers_log_each_event_once(
    tmp_path: Path, env: dict[str, str], preload: bool, report: Report
) -> None:
    pytest.importorskip("gunicorn", reason="gunicorn runs on POSIX only")
    (tmp_path / "service.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "4", "--max-requests", "40",
               "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "20", "service:app"]  # fmt: skip
    server = subprocess.Popen(
        [*command, *(["--preload"] if preload else [])], env=env, cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    acknowledged: set[tuple[str, int]] = set()
    try:
        eventually(lambda: answers(port), "gunicorn")
        for _ in range(300 * (10 if IS_LONG else 1)):
            if said := ask(port):
                name, n, id_ = said.split()
                assert id_
                acknowledged.add((name, int(n)))
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(180) == 0
    assert len({name for name, _ in acknowledged}) > 4  # workers came and went
    check(
        report, f"gunicorn_{'preload' if preload else 'no_preload'}", read(tmp_path), acknowledged
    )


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int) -> str:
    """Empty where the worker went away, as it does after so many requests."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=180) as response:
            return str(response.read(), "ascii")
    except OSError:
        return ""


PROGRAMS = {
    "threads": """
import threading
def work(name):
    for n in range(200):
        say(name, n)
threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
""",
    "asyncio": """
import asyncio
async def work(name):
    for n in range(50):
        say(name, n)
        await asyncio.sleep(0)
        await asyncio.to_thread(say, name + ".thread", n)
async def main():
    await asyncio.gather(*(work(f"a{i}") for i in range(8)))
asyncio.run(main())
""",
    "daemon threads at exit": """
import threading, time
def work(name):
    n = 0
    while True:
        say(name, n)
        n += 1
say("main", 0)
for i in range(4):
    threading.Thread(target=work, args=(f"d{i}",), daemon=True).start()
time.sleep(0.2)
""",
    "os._exit": """
import os
for n in range(100):
    say("x", n)
os._exit(0)
""",
    "exec": """
import os, sys
for n in range(100):
    say("x", n)
if "again" not in sys.argv[1]:
    os.execv(sys.executable, [sys.executable, sys.argv[0], "again" + sys.argv[1]])
""",
    "sys.exit in a thread pool": """
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(4)
for n in range(100):
    pool.submit(say, "pool", n)
sys.exit(0)
""",
    "logging at exit": """
import atexit, weakref
class Last:
    def __del__(self): say("deleted", 0)
last = Last()
atexit.register(say, "atexit", 0)
say("main", 0)
""",
    "forks of forks": """
import os
for child in range(10):
    pid = os.fork()
    if not pid:
        say(f"child{child}", 0)
        if os.fork() == 0:
            say(f"grandchild{child}", 0)
            os._exit(0)
        os.wait()
        raise SystemExit(0)
    os.waitpid(pid, 0)
""",
}

SAY = """
import os, sys
import laneway
def say(name, n):
    name = f"{name}/{os.getpid()}/{sys.argv[1]}"
    if laneway.log_event(name, "log", "x" * 200, n=n):
        os.write(1, f"{name} {n}\\n".encode())
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_and_its_events_are_there(
    tmp_path: Path, env: dict[str, str], name: str, report: Report
) -> None:
    script = tmp_path / "program.py"
    script.write_text(SAY + PROGRAMS[name])
    acknowledged: set[tuple[str, int]] = set()
    for run in range(RUNS):
        done = subprocess.run(
            [sys.executable, str(script), str(run)], env=env, capture_output=True, timeout=180
        )
        assert done.returncode == 0, done.stderr.decode()
        acknowledged |= pairs(done.stdout)
    assert acknowledged
    found = read(tmp_path)
    check(report, name.replace(" ", "_"), found, acknowledged)


def pairs(said: bytes) -> set[tuple[str, int]]:
    words = [line.split() for line in said.decode().split("\n")[:-1]]
    return {(word[0], int(word[1])) for word in words}


INTERRUPTED = """
import signal, threading, time
is_over = False
def handle(number, frame):  # an error raised here could end anywhere, also where Python ignores it
    global is_over
    say("handler", number)
    is_over = True
if sys.argv[2] == "handled":
    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
def work():
    n = 0
    while True:
        say("thread", n)
        n += 1
threading.Thread(target=work, daemon=True).start()
n = 0
while not is_over:
    say("main", n)
    n += 1
"""


@pytest.mark.parametrize("how", ["handled", "default"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_program_ended_by_a_signal_ends_and_loses_nothing(
    tmp_path: Path, env: dict[str, str], how: str, number: signal.Signals, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    script = tmp_path / "program.py"
    script.write_text(SAY + INTERRUPTED)
    acknowledged: set[tuple[str, int]] = set()
    for run in range(2 * RUNS):
        program = subprocess.Popen(
            [sys.executable, str(script), str(run), how], env=env,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        assert program.stdout
        first = (
            program.stdout.readline()
        )  # unbuffered: `communicate` would not see what this read ahead
        time.sleep(draw.uniform(0, 0.05))
        program.send_signal(number)
        said, _ = program.communicate(timeout=180)
        acknowledged |= pairs(first + said)
    check(report, f"{number.name}_{how}", read(tmp_path), acknowledged)


def test_an_exit_with_the_hub_down_keeps_all_in_the_spool(
    tmp_path: Path, env: dict[str, str], home: Path, report: Report
) -> None:
    script = tmp_path / "program.py"
    script.write_text(SAY + "for n in range(500): say('down', n)\n")
    env["LOGGING_URL"] = f"http://127.0.0.1:{free_port()}/log"
    begun_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(script), "0"], env=env, capture_output=True, timeout=100, check=True
    )
    run_s = time.monotonic() - begun_s
    lines = [line for path in home.glob("spool/*/spool-0*.jsonl")
             for line in path.read_bytes().split(b"\n") if line]  # fmt: skip
    events = map(orjson.loads, lines)
    found = Counter((event["agent"], event["n"]) for event in events)
    report("exit_hub_down", seconds=round(run_s, 2))
    check(report, "exit_hub_down", found, pairs(done.stdout))
