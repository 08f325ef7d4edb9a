"""Real processes to torture: a hub that can be killed and started again, writers, and a viewer."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.port import free_port
from tests.waiting import eventually

WRITER = """
import random, sys, time
import laneway
name, count, largest, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rate = float(sys.argv[5])
draw = random.Random(seed)
prose = "The planner asks the researcher for three sources on tidal power. " * 4_000
due_s = time.monotonic()
for i in range(count):
    luck = draw.random()
    most = 1_000 if luck < 0.97 else 4_000 if luck < 0.998 else largest
    size = draw.randrange(100, most)
    if rate:
        due_s = max(due_s + 1 / rate, time.monotonic() - 0.1)  # it never catches up in a burst
        time.sleep(max(0, due_s - time.monotonic()))
    if laneway.log_event(name, "log", prose[:size], i=i):
        print(i, flush=True)
"""


PAUSE_S = 0.05
LEVEL_S = 0.7
"""For so long an indexer that answers must say that it has all: it may not have seen the last lines."""

TRIES = 60
"""At an answer 503: a query is stopped after 2 s, for which a busy machine may stand still."""

STILL_S = 120
"""Without any progress for so long, on however busy a machine, something stands still."""


def wait_while_it_moves(
    is_done: Callable[[], object], progress: Callable[[], object], what: str
) -> None:
    """Wait as long as it takes, but not where ``progress`` stays the same."""
    known, until_s = progress(), time.monotonic() + STILL_S
    while not is_done():
        if (now := progress()) != known:
            known, until_s = now, time.monotonic() + STILL_S
        if time.monotonic() > until_s:
            raise AssertionError(f"nothing moved for {STILL_S} s while waiting for {what}: {known}")
        time.sleep(PAUSE_S)


class Hub:
    """``laneway up`` as a process of its own."""

    def __init__(self, home: Path, log_path: Path) -> None:
        self.home = home
        self.port = free_port()
        self.proxy_port = 0
        self.env = {**os.environ, "LANEWAY_HOME": str(home), "LOG_PATH": str(log_path)}
        self.env.pop("LOGGING_URL", None)
        self.process: subprocess.Popen[bytes] | None = None
        self.output = home.parent / "hub.out"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "laneway",
            "up",
            "--port",
            str(self.port),
            "--no-open",
        ]
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(command, env=self.env, stdout=out, stderr=out)
        try:
            eventually(self.is_healthy, self.tell)
        except BaseException:  # whoever called it has nothing to stop yet
            self.kill()
            raise

    def tell(self) -> str:
        """For an error about a hub that does not come."""
        return f"the hub; it said:\n{self.output.read_text()[-2000:]}"

    def is_healthy(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.output.read_text()[-4000:]
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=180) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(180)
        except BaseException:  # too late, or interrupted: it must not outlive its test
            self.kill()
            raise

    @property
    def access_token(self) -> str:
        return (self.home / "access.token").read_text().strip()

    def get(self, path: str) -> dict:
        headers = {"Authorization": f"Bearer {self.access_token}"}
        request = urllib.request.Request(self.url + path, headers=headers)
        for left in reversed(range(TRIES)):
            try:
                with urllib.request.urlopen(request, timeout=180) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                if error.code != 503 or not left:
                    raise
                error.close()
            time.sleep(PAUSE_S)

    def lag_bytes(self) -> int:
        return int(self.get("/health")["index"]["lag_bytes"])

    def wait_level(self) -> None:
        """Wait for the index to have all of the log; an error where it stands still before."""

        def progress() -> tuple[int, int]:
            index = self.get("/health")["index"]
            return index["events"], index["lag_bytes"]

        in_turn = 0  # looks; the directory is listed every half second, on a busy machine later

        def is_level() -> bool:
            nonlocal in_turn
            in_turn = in_turn + 1 if self.lag_bytes() == 0 else 0
            return in_turn > LEVEL_S / PAUSE_S

        wait_while_it_moves(is_level, progress, "the index")

    def iter_events(self, query: str = "") -> Iterator[dict]:
        """All events, oldest first."""
        cursor = ""
        while True:
            page = self.get(f"/api/events?order=oldest&limit=1000{query}{cursor}")
            yield from page["events"]
            if not page["next"]:
                return
            cursor = f"&cursor={page['next']}"


class Writer:
    """A process that logs and reports each event that was acknowledged to it."""

    def __init__(
        self,
        name: str,
        env: dict[str, str],
        count: int,
        largest: int,
        seed: int,
        rate: float = 0,
    ) -> None:
        """``rate``: events a second; 0 for as many as it can."""
        self.name = name
        arguments = [name, str(count), str(largest), str(seed), str(rate)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, *arguments], env=env, stdout=subprocess.PIPE, text=True
        )
        self.acknowledged: list[int] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.acknowledged.append(int(line))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def join(self) -> None:
        self.process.wait(900)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


class Viewer:
    """A viewer of the live stream that reconnects and resumes, as the dashboard does."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.seqs: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        self.epochs: set[str] = set()
        self.is_done = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.is_done:
            try:
                self._watch()
            except (OSError, ConnectionClosed, TimeoutError, EOFError):
                time.sleep(0.02)
            except Exception as error:
                if "HTTP" not in str(error) and "handshake" not in str(error).lower():
                    raise
                time.sleep(0.02)

    def _watch(self) -> None:
        since = max([*self.seqs[-1:], *(end - 1 for _, end in self.gaps[-1:])], default=0)
        epoch = f"&epoch={next(iter(self.epochs))}" if self.epochs else ""
        address = f"ws://127.0.0.1:{self.hub.port}/logs/ws?history=1000000&since={since}{epoch}"
        headers = {"Authorization": f"Bearer {self.hub.access_token}"}
        with connect(
            address, additional_headers=headers, max_size=None, compression=None
        ) as socket_:
            while not self.is_done:
                self._take(json.loads(socket_.recv(timeout=180)))

    def _take(self, message: dict) -> None:
        if message["type"] == "hello":
            self.epochs.add(message["epoch"])
        elif message["type"] == "batch":
            self.seqs.extend(range(message["seq0"], message["seq0"] + message["n"]))
        elif message["type"] == "gap":
            self.gaps.append((message["from"], message["to"]))

    def skipped(self) -> set[int]:
        """Numbers that it was told it would not get."""
        return {seq for begin, end in self.gaps for seq in range(begin, end)}

    def stop(self) -> None:
        self.is_done = True
        self._thread.join(180)
