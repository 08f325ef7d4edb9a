"""``POST /log``: one event a request and batches of 500, beside an empty ASGI handler on the same server.

Needs wrk. The hub does all its work meanwhile: redaction, append, index.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from bench.table import machine, middle, show, sized, tell

ROUNDS, SECONDS = sized((3, 3), (1, 1))
CONNECTIONS, BATCH = 16, 500

DISLER_PER_S = 7_780
"""Its Bun server, wrk with 16 connections, another quiet machine of two cores (November 2026)."""

CONTENT = ("The planner asks the researcher for three sources on tidal power, " * 4)[:250]
EVENT = {
    "agent": "planner",
    "event": "tool_invocation",
    "content": CONTENT,
    "tool": "search_files",
    "session_id": "s1",
    "input": {"pattern": "tidal", "path": "notes"},
}

SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "{kind}"
wrk.headers["Authorization"] = "Bearer {token}"
"""

ANSWER = b'{"status":"logged","accepted":1,"rejected":0,"durable":false,"durability":"default","errors":[]}'


async def bare(scope, receive, send):  # type: ignore[no-untyped-def]
    """Reads the body and answers; what a hub would do if it had nothing to do."""
    while (await receive()).get("more_body"):
        pass
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": ANSWER})


def serve_bare() -> None:
    import asyncio

    import uvicorn
    import uvloop

    from laneway.web.server import bind

    listener = bind("127.0.0.1", 0)
    listener.listen()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    quiet = {"log_config": None, "access_log": False, "server_header": False, "date_header": False}
    config = uvicorn.Config(bare, ws="none", lifespan="off", proxy_headers=False, **quiet)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


def serve_hub(home: str) -> None:
    from laneway.base.settings import resolve
    from laneway.web.server import serve

    settings = resolve({"home": home, "log_path": f"{home}/logs", "port": 0})
    serve(settings, on_ready=lambda ready: print(ready.url, flush=True))


class Server(NamedTuple):
    url: str
    pid: int

    def cpu_s(self) -> float:
        """Processor time that its threads used so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """A server of this module in a process of its own."""
    command = [sys.executable, "-m", "bench.ingest", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Server(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


def load(server: Server, script: str) -> tuple[float, float]:
    """Requests a second, and the server's processor time for each in µs."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script, f"{server.url}/log"]
    before_s = server.cpu_s()
    done = subprocess.run(command, capture_output=True, text=True)
    text = done.stdout + done.stderr
    if "Non-2xx" in text:
        raise RuntimeError(text)
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found, text
    rate = float(found[1])
    return rate, (server.cpu_s() - before_s) / (rate * SECONDS) * 1e6


def write_scripts(folder: Path, token: str) -> dict[int, str]:
    """wrk's scripts by events in a request."""
    one = orjson.dumps(EVENT)
    scripts = {}
    for count, kind in ((1, "application/json"), (BATCH, "application/x-ndjson")):
        (folder / f"{count}.body").write_bytes(b"\n".join([one] * count))
        script = folder / f"{count}.lua"
        body = str(folder / f"{count}.body")
        script.write_text(SCRIPT.format(body=body, kind=kind, token=token))
        scripts[count] = str(script)
    return scripts


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("bench/ingest.py needs wrk (apt install wrk, brew install wrk)")
    figures: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running("hub", name) as hub, running("bare") as empty:
            scripts = write_scripts(folder, (folder / "ingest.token").read_text().strip())
            for _ in range(ROUNDS):
                for count, script in scripts.items():
                    for who, server in (("bare ASGI", empty), ("hub", hub)):
                        figures.setdefault((who, count), []).append(load(server, script))
    rows: list[dict[str, object]] = []
    for count in scripts:
        limit = middle([rate for rate, _ in figures["bare ASGI", count]])
        for who in ("bare ASGI", "hub"):
            rate = middle([rate for rate, _ in figures[who, count]])
            cpu_us = middle([cpu_us for _, cpu_us in figures[who, count]])
            rows.append(
                {
                    "events a request": count,
                    "server": who,
                    "events/s": rate * count,
                    "of bare": rate / limit,
                    "cpu us/event": cpu_us / count,
                }
            )
    rates = {(row["server"], row["events a request"]): float(str(row["events/s"])) for row in rows}
    one, batch, limit = rates["hub", 1], rates["hub", BATCH], rates["bare ASGI", 1]
    tell("ingest.one_of_bare", one / limit, runs=ROUNDS, peer="bare ASGI", peer_value=1.0)
    tell("ingest.one_of_disler", one / DISLER_PER_S, runs=ROUNDS)
    tell("ingest.batch_per_s", batch, runs=ROUNDS)
    show(f"POST /log ({machine()}, {os.getloadavg()[0]:.1f} load)", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        serve_bare()
    elif sys.argv[1:2] == ["hub"]:
        serve_hub(sys.argv[2])
    else:
        main()
