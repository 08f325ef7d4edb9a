"""What an import or a command costs: modules loaded (the same everywhere) and CPU ms over bare Python."""

import os
import resource
import subprocess
import sys

from bench.table import machine, show, sized, tell

STATEMENTS = {
    "laneway": "import laneway",
    "laneway.log_event": "from laneway import log_event",
    "the first event": "from laneway import log_event; log_event('a', 'log')",
    "laneway emit": "from laneway.cli import main; main(['emit', 'a', 'log'])",
    "laneway query": "from laneway.cli import main; main(['query', 'absent'])",
    "structlog": "import structlog",
    "loguru": "import loguru",
    "opentelemetry.sdk.trace": "import opentelemetry.sdk.trace",
    "fastapi": "import fastapi",
}
STARTS = sized(7, 1)


def environment() -> dict[str, str]:
    """With byte code that is kept, as users have it: else each start compiles what was edited."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "LANEWAY_HOME": "/tmp/laneway-bench-home"}


def count_modules(statement: str) -> int:
    probe = f"import sys; n = len(sys.modules); {statement}; print(len(sys.modules) - n)"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=environment()
    )
    return int(done.stdout)


def cpu_ms(statement: str) -> float:
    """The smallest CPU time of several starts."""
    best, env = float("inf"), environment()
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True, env=env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, used * 1000)
    return best


def main() -> None:
    bare_ms = cpu_ms("pass")
    rows: list[dict[str, object]] = [
        {"import": name, "modules": count_modules(code), "CPU ms": cpu_ms(code) - bare_ms}
        for name, code in STATEMENTS.items()
    ]
    modules = {row["import"]: row["modules"] for row in rows}
    peer = {"peer": "structlog", "peer_value": modules["structlog"]}
    tell("imports.modules", modules["laneway.log_event"], runs=1, **peer)
    show(f"Import cost over a bare interpreter of {bare_ms:.1f} ms ({machine()})", rows)


if __name__ == "__main__":
    main()
