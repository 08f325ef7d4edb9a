"""Does an installed Laneway work? ``python smoke.py sdk`` for the wheel alone, ``hub`` for the whole.

Runs with the Python of the environment it is about, in an empty directory, with nothing else there: so
it takes from the standard library only what it needs, and `laneway`.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE_S = 60
LANEWAY = [sys.executable, "-I", "-m", "laneway"]


def run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run([*LANEWAY, *words], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode in codes, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def try_sdk(home: Path) -> None:
    import laneway

    assert "site-packages" in laneway.__file__, f"not the installed one: {laneway.__file__}"
    laneway.configure(home=home)
    laneway.log_event(
        "planner", "user_message", "hello from the wheel", api_key="sk-not-to-be-seen"
    )
    run("emit", "coder", "log", "hello from the shell")
    texts = [file.read_text("utf-8") for file in (home / "logs").glob("events-0*.jsonl")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    assert [line["agent"] for line in lines] == ["planner", "coder"], lines
    assert "sk-not-to-be-seen" not in json.dumps(lines)


def try_hub(home: Path) -> None:
    assert run("--version").startswith("laneway ")
    hub = subprocess.Popen(
        [*LANEWAY, "up", "--port", "0", "--no-open"], stdout=subprocess.PIPE, text=True
    )
    try:
        link = next(word for line in hub.stdout for word in line.split() if "/logs#code=" in word)
        base = link.partition("/logs#")[0]
        token = (home / "ingest.token").read_text().strip()
        body = json.dumps({"agent": "far", "event": "log", "content": "hello by HTTP"}).encode()
        sent = urllib.request.Request(f"{base}/log", body, {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(sent, timeout=PATIENCE_S) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{base}/logs", timeout=PATIENCE_S) as page:
            assert b"<script" in page.read(), "the wheel has no dashboard"
        wanted, until = {"planner", "coder", "far"}, time.monotonic() + PATIENCE_S
        while True:
            found = run("query", "hello", "--json", codes=(0, 1))  # 1: nothing yet
            agents = {event["agent"] for event in json.loads(found or "[]")}
            if agents == wanted:
                break
            assert time.monotonic() < until, f"found {agents}, and not {wanted}"
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.communicate(timeout=PATIENCE_S)
    assert hub.returncode == 0, f"the hub ended with {hub.returncode}"


if __name__ == "__main__":
    home = Path.cwd() / "home"
    os.environ["LANEWAY_HOME"] = str(home)
    try_sdk(home)
    if sys.argv[1:] == ["hub"]:
        try_hub(home)
