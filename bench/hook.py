"""What a hook of a coding agent costs: CPU and wall time of its process, as ratios to Python alone."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.table import machine, show, sized
from laneway.cli import quick_hook

STARTS = sized(15, 2)
PAYLOAD = orjson.dumps({
    "hook_event_name": "PreToolUse", "session_id": "s1", "tool_name": "Bash", "tool_use_id": "t1",
    "tool_input": {"command": "ls -l"},
})  # fmt: skip
BARE, BARE_S = "python -c pass", "python -I -S -c pass"


def cost_ms(words: list[str]) -> tuple[float, float]:
    """CPU and wall, the smallest of several starts: whatever else runs only adds."""
    cpu_ms = wall_ms = float("inf")
    for _ in range(STARTS):
        before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(words, input=PAYLOAD, check=True)
        wall_ms = min(wall_ms, (time.perf_counter() - began_s) * 1000)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cpu_ms = min(cpu_ms, used_s * 1000)
    return cpu_ms, wall_ms


@contextmanager
def hub(home: Path) -> Iterator[None]:
    """A hub on the log of ``home``."""
    env = {**os.environ, "LANEWAY_HOME": str(home)}
    words = [sys.executable, "-m", "laneway", "up", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, env=env, text=True)
    assert process.stdout
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="laneway-hook-") as place:
        home = Path(place)
        hook = [sys.executable, "-I", "-S", quick_hook.__file__, "hook", "claude-code"]
        hook += [str(home / "logs"), str(home)]
        found = {
            BARE: cost_ms([sys.executable, "-c", "pass"]),
            BARE_S: cost_ms([sys.executable, "-I", "-S", "-c", "pass"]),
            "the hook, without a hub": cost_ms(hook),
        }
        with hub(home):
            found["the hook, with a hub"] = cost_ms(hook)
    rows: list[dict[str, object]] = [
        {
            "process": name,
            "CPU ms": cpu_ms,
            "x python": cpu_ms / found[BARE][0],
            "x python -I -S": cpu_ms / found[BARE_S][0],
            "wall ms": wall_ms,
            "wall x": wall_ms / found[BARE][1],
        }
        for name, (cpu_ms, wall_ms) in found.items()
    ]
    show(f"A hook of Claude Code ({machine()})", rows)


if __name__ == "__main__":
    main()
