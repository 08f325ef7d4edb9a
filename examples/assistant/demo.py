"""Starts everything as processes: the hub, a model, the assistant, and users who keep it busy."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

PACKAGE = __package__ or "examples.assistant"
ROOT = Path(__file__).resolve().parents[PACKAGE.count(".") + 1]  # from where PACKAGE is imported
HUB_PORT = 8001
READY_S = 90.0
HISTORY_S = 300.0  # takes about 12 s on two idle cores
STOP_S = 8.0  # after SIGTERM; then SIGKILL
STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
LAST_WORDS = 15  # lines of a dead child's output that are shown
EXPLANATION = """
  What you see: one lane an agent. A bar is work with a beginning and an end; one that is open still
  grows. assistant takes requests, planner splits them, researcher, coder and memory work side by
  side, watcher looks in now and then. Some requests fail, time out, or are refused; some carry
  passwords and keys, which never reach the log.

  Stop with Ctrl-C.
"""


class DemoError(Exception):
    """Tells which piece failed, and what it said last."""


class Stopped(BaseException):
    """Asked to stop by a signal."""


class Piece:
    """One child process, in a session of its own so that Ctrl-C reaches it only through us."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.output = folder / f"{name}.out"
        with open(os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *command], env=dict(env), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def check(self) -> None:
        code = self.process.poll()
        if code is None:
            return
        end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        words = self.output.read_text(errors="replace").splitlines()[-LAST_WORDS:]
        said = "\n  ".join(words) or "nothing"
        raise DemoError(f"the {self.name} (pid {self.process.pid}) {end}. It said:\n  {said}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def reap(self, deadline: float) -> None:
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Demo:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.env, self.is_own_log = choose_environment(os.environ)
        self.home = Path(self.env["LANEWAY_HOME"])
        self.folder = self.home / "demo"
        self.pieces: list[Piece] = []

    def run(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self.start_all()
            self.watch()
        finally:
            self.stop_all()

    def start_all(self) -> None:
        model, assistant = free_port(), free_port()
        hub = self.options.port or free_port(HUB_PORT if self.options.port is None else 0)
        self.env |= {
            "ASSISTANT_MODEL_URL": f"http://127.0.0.1:{model}/v1",
            "ASSISTANT_DATA": str(self.folder),
        }
        self.start("hub", "laneway", "up", "--port", str(hub), "--no-open")
        self.start("model", f"{PACKAGE}.model_server", "--port", str(model))
        self.start("assistant", f"{PACKAGE}.app", "--port", str(assistant))
        ready = (f"{hub}/health", f"{model}/v1/models", f"{assistant}/health")
        for address in (f"http://127.0.0.1:{path}" for path in ready):
            self.wait_until(lambda: answers(address), f"{address} answers")  # noqa: B023 - called at once
        users = [f"{PACKAGE}.driver", f"http://127.0.0.1:{assistant}"]
        self.make_history(users)
        self.start("users", *users, "--rate", str(self.options.rate))
        self.greet(f"http://127.0.0.1:{hub}")

    def start(self, name: str, *command: str) -> Piece:
        piece = Piece(name, list(command), self.env, self.folder)
        self.pieces.append(piece)
        return piece

    def make_history(self, users: list[str]) -> None:
        """Real requests at full pace, so that the dashboard does not open empty."""
        say("Asking the assistant a few dozen things first …")
        history = self.start("history", *users, "--history")
        self.wait_until(lambda: history.process.poll() == 0, "the history is made", HISTORY_S)
        self.pieces.remove(history)

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float = READY_S) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            for piece in self.pieces:
                piece.check()
            if time.monotonic() > deadline:
                raise DemoError(f"waited {seconds:g} s until {what}, in vain; see {self.folder}")
            time.sleep(0.1)

    def greet(self, hub: str) -> None:
        say(f"\n  Dashboard   {one_time_link(hub, self.home)}")
        say(f"  The log     {self.env.get('LOG_PATH') or self.home / 'logs'}")
        if self.is_own_log:
            say("              (the demo's own; your agents' log is not touched)")
        say(EXPLANATION)

    def watch(self) -> None:
        end = time.monotonic() + (self.options.seconds or float("inf"))
        while time.monotonic() < end:
            for piece in self.pieces:
                piece.check()
            time.sleep(0.2)

    def stop_all(self) -> None:
        """The users first and the hub last, so that it sees the others say goodbye."""
        say("Stopping …")
        for piece in reversed(self.pieces):
            piece.stop()
            piece.reap(time.monotonic() + STOP_S)


def choose_environment(env: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """The children's environment, and whether the log is the demo's own."""
    chosen = {**env, "PYTHONUNBUFFERED": "1"}
    chosen["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    chosen.pop("LOGGING_URL", None)  # the demo has a hub of its own; nothing goes to another
    is_own = not (env.get("LANEWAY_HOME") or env.get("LOG_PATH") or env.get("LANEWAY_LOG_PATH"))
    if not env.get("LANEWAY_HOME"):
        chosen["LANEWAY_HOME"] = str(Path(".demo").absolute())
    return chosen, is_own


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody has it, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def fetch(url: str, **options: object) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    with opener.open(urllib.request.Request(url, **options), timeout=2) as reply:  # type: ignore[arg-type]  # noqa: S310
        return bytes(reply.read())


def answers(url: str) -> bool:
    try:
        fetch(url)
    except (OSError, urllib.error.URLError):
        return False
    return True


def one_time_link(hub: str, home: Path) -> str:
    """What `laneway up` prints in a terminal: an address that lets one browser in, once."""
    try:
        token = (home / "access.token").read_text().strip()
        reply = fetch(f"{hub}/auth/code", data=b"{}", headers={"Authorization": f"Bearer {token}"})
    except OSError as error:
        raise DemoError(f"the hub gives no link to its dashboard: {error}") from error
    return str(json.loads(reply)["url"])


def say(text: str) -> None:
    print(text, flush=True)


def raise_stopped(number: int, frame: FrameType | None) -> None:
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the tidying up
    raise Stopped


def main() -> None:
    parser = argparse.ArgumentParser(description="Laneway, watching a real multi-agent assistant.")
    parser.add_argument(
        "--port", type=int, help=f"the dashboard's; default {HUB_PORT}, or a free one"
    )
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--rate", type=float, default=0.6, help="requests a second")
    options = parser.parse_args()
    for number in STOP_SIGNALS:
        signal.signal(number, raise_stopped)
    try:
        Demo(options).run()
    except Stopped:
        pass
    except DemoError as error:
        sys.exit(f"The demo cannot go on: {error}")


if __name__ == "__main__":
    main()
