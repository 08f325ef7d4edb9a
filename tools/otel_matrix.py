"""Runs each stack of tests/matrix in an environment of its own, and tells what arrives.

    tools/otel_matrix.py [--only NAME …] [--home DIR] [--write]

``--write`` puts the table into docs/integrations.md. The environments stay in the home (about 3 GB for all).
``RECORD=FILE`` in the environment keeps what was sent (tests/e2e/openai_agents.otlp is such a run).
Exit code: 0 where all that must arrive does.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.matrix.stack import EXPORTER, STACKS, Stack  # noqa: E402
from tests.torture.harness import Hub  # noqa: E402
from tools.region import put  # noqa: E402

PAGE = ROOT / "docs" / "integrations.md"
PROGRAM_S = 240
QUIET_S = 1.5
"""Nothing new for so long: all has arrived."""

SHOW = """import sys
from importlib.metadata import version
for name in sys.argv[1:]: print(f'{name} {version(name)}')"""

Event = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--home", type=Path, default=ROOT / ".matrix")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--dump", action="store_true", help="print every event")
    options = parser.parse_args()
    chosen = [stack for stack in STACKS if not options.only or stack.name in options.only]
    rows, faults = [], []
    for stack in chosen:
        python = prepare(stack, options.home)
        events, output = run(stack, python)
        missing = find_missing(stack, events)
        rows.append(row(stack, python, events))
        print(f"{stack.name}: {len(events)} events{f'; MISSING {missing}' if missing else ''}")
        if missing:
            faults.append(stack.name)
            print(output[-1500:])
            print(summary(events))
        if options.dump:
            print(json.dumps(events, indent=1))
    if options.write:
        write(rows)
    return 1 if faults else 0


def prepare(stack: Stack, home: Path) -> Path:
    """The interpreter of its environment, made where it is missing."""
    python = home / stack.name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home / stack.name], check=True)
        # pip gives up, after minutes, where a framework takes no newest OpenTelemetry.
        install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python]
        subprocess.run([*install, *EXPORTER, *stack.packages], check=True)
    return python


def run(stack: Stack, python: Path) -> tuple[list[Event], str]:
    """All events of one run, oldest first, and what the program printed."""
    with TemporaryDirectory() as directory, model() as model_url:
        hub = Hub(Path(directory, "home"), Path(directory, "log"))
        hub.start()
        try:
            token = Path(directory, "home", "ingest.token").read_text().strip()
            done = subprocess.run(
                [python, f"{stack.program}.py"],
                cwd=ROOT / "tests" / "matrix" / "program",
                env=environment(hub.url, token, model_url, stack.name),
                capture_output=True, text=True, timeout=PROGRAM_S, check=False,
            )  # fmt: skip
            return read(hub, Path(directory, "home", "access.token")), done.stdout + done.stderr
        finally:
            hub.stop()


def environment(hub_url: str, token: str, model_url: str, name: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "MODEL_URL": model_url,
        "NO_PROXY": "127.0.0.1",
        "OTEL_SERVICE_NAME": name,
        "RECORD": os.environ.get("RECORD", ""),
        "OTEL_EXPORTER_OTLP_ENDPOINT": hub_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{token}",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    }


@contextmanager
def model() -> Iterator[str]:
    """The local model; its address."""
    command = [sys.executable, "-m", "tests.matrix.model_server"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)


def read(hub: Hub, token_path: Path) -> list[Event]:
    headers = {"Authorization": f"Bearer {token_path.read_text().strip()}"}
    ask = urllib.request.Request(f"{hub.url}/api/events?order=oldest&limit=1000", headers=headers)
    events: list[Event] = []
    since = time.monotonic()
    while time.monotonic() - since < QUIET_S:
        with urllib.request.urlopen(ask, timeout=30) as answer:
            found = json.load(answer)["events"]
        if len(found) != len(events):
            events, since = found, time.monotonic()
        time.sleep(0.2)
    return events


def find_missing(stack: Stack, events: list[Event]) -> list[str]:
    missing = sorted(stack.events - {event["event"] for event in events})
    missing += sorted(stack.agents - {event["agent"] for event in events})
    pairs = {(event["agent"], event.get("parent_agent", "")) for event in events}
    missing += [f"{parent} → {agent}" for agent, parent in sorted(stack.parents - pairs)]
    if stack.has_tokens and not any(event.get("input_tokens") for event in events):
        missing.append("tokens")
    if stack.session and {event.get("session_id") for event in events} != {stack.session}:
        missing.append("session")
    return missing


def summary(events: list[Event]) -> str:
    names = (
        "agent",
        "parent_agent",
        "event",
        "tool",
        "name",
        "model",
        "input_tokens",
        "session_id",
    )
    return "\n".join(
        " ".join(f"{name}={event[name]}" for name in names if name in event) for event in events
    )


def row(stack: Stack, python: Path, events: list[Event]) -> str:
    done = subprocess.run(
        [python, "-c", SHOW, *stack.shown], capture_output=True, text=True, check=True
    )
    framework, *rest = done.stdout.splitlines()
    types = sorted({event["event"] for event in events})
    lanes = sorted({event["agent"] for event in events})
    parents = sorted(
        {f"{e['parent_agent']} → {e['agent']}" for e in events if e.get("parent_agent")}
    )
    tokens = sum(event.get("input_tokens", 0) + event.get("output_tokens", 0) for event in events)
    fields = ["model", "provider", "input", "output", "cache_read_tokens", "error"]
    there = [name for name in fields if any(name in event for event in events)]
    return (
        f"| {framework} | {', '.join(rest) or 'its own'} | {', '.join(f'`{t}`' for t in types)} "
        f"| {', '.join(parents or lanes)} | {tokens or '–'} | {', '.join(there)} |"
    )


def write(rows: list[str]) -> None:
    head = "| framework | instrumentation | events | lanes | tokens | fields |\n|---|---|---|---|---|---|\n"
    PAGE.write_text(put(PAGE.read_text(), "matrix", head + "\n".join(rows)))


if __name__ == "__main__":
    sys.exit(main())
