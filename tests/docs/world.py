"""Where the documents' commands are run: a home with a history, a hub, and the files that they name."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson

from laneway.log.frame import zstd
from tests.waiting import eventually

BIN = Path(sys.executable).parent
PATIENCE_S = 180.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MINUTE_S = 60.0


def history(now_s: float) -> list[dict[str, Any]]:
    """One session in which a search is repeated in vain, a key is said, and a call never ends."""

    def at(ago_s: float, agent: str, event: str, **fields: Any) -> dict[str, Any]:
        time_s = now_s - ago_s
        base = {"timestamp": time_s, "agent": agent, "event": event, "session_id": "trip-7"}
        return {**base, "trace_id": TRACE, **fields}

    def call(ago_s: float, span: int, tool: str, given: Any, **ends: Any) -> list[dict[str, Any]]:
        ids = {"span_id": f"{span:016x}", "tool": tool, "input": given}
        end = {"duration_ms": 2500.0, **ends}
        return [
            at(ago_s, "researcher", "tool_invocation", **ids),
            at(ago_s - 2.5, "researcher", "tool_result", **{**ids, **end}),
        ]

    events = [at(300, "user", "user_message", content="When does the ferry go? ACME")]
    for number in range(4):
        events += call(290 - number * 10, number + 1, "search", {"query": "ferry"}, output=[])
    fault = {"type": "TimeoutError", "message": "no answer within 5 s"}
    events += call(240, 9, "search", {"query": "boat"}, error=fault, level="error")
    events += call(235, 10, "Bash", {"command": "git push origin main"}, output="done")
    events += call(230, 11, "Edit", {"file_path": "main.py"}, output="ok")
    cost = {"input_tokens": 900, "output_tokens": 40, "cost_usd": 0.02, "duration_ms": 800.0}
    events += [
        at(220, "planner", "llm_response", model="local-8b", span_id=f"{12:016x}", **cost),
        at(219, "planner", "permission_request", tool="write_note"),
        at(218, "planner", "permission_decision", content="denied"),
        at(
            217,
            "coder",
            "log",
            content="deploy failed: connection refused: timeout",
            level="warning",
        ),
        at(30 * MINUTE_S, "coder", "tool_invocation", tool="deploy", span_id=f"{13:016x}"),
        at(216, "coder", "decision", content="the key is ghp_" + "Zx81" * 9),
        {**at(216, "planner", "note", content="another one"), "session_id": "s1"},
        at(215, "planner", "agent_response", content="At 10:15."),
    ]
    return events


def is_level(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/health", timeout=PATIENCE_S) as answer:
        index = orjson.loads(answer.read())["index"]
    return bool(index["events"]) and not index["lag_bytes"]


class World:
    """Commands see nothing of this machine but its programs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "work"
        self.folder.mkdir(parents=True)
        self.env = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(root),
            "USER": "ada",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLUMNS": "80",
            "TZ": "UTC",
            "LANEWAY_HOME": str(root / "home"),
            "LANEWAY_PORT": "0",
            "LANEWAY_RESERVE_BYTES": "1MiB",
        } | {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
        self._lay_files()
        told = b"\n".join(map(orjson.dumps, history(time.time())))
        self.bash("laneway emit --json", data=told).check_returncode()
        self.segments = self._compress()
        subprocess.run(["git", "init", "-q"], cwd=self.folder, env=self.env, check=True)
        self.hub = subprocess.Popen(
            ["laneway", "up"], env=self.env, stdout=subprocess.PIPE, text=True, cwd=self.folder
        )
        assert self.hub.stdout
        url = ""
        for line in self.hub.stdout:
            if not url and (found := re.search(r"http://[\d.]+:\d+", line)):
                url = found[0]
            if "Ctrl-C" in line:
                break
        assert self.hub.poll() is None
        eventually(lambda: is_level(url), "the index")

    def _lay_files(self) -> None:
        line = {"service": "shop", "msg": "started", "ts": "2026-11-26T10:00:00Z", "level": "info"}
        envelope = {
            "source_app": "pai",
            "session_id": "p1",
            "hook_event_type": "Stop",
            "payload": {},
        }
        files = {
            "app.log": orjson.dumps(line),
            "transcript.txt": b"my password=hunter2hunter2",
            "events.jsonl": orjson.dumps({"agent": "a", "event": "log", "content": "key AKIA"}),
            "build.sh": b"#!/bin/sh\necho built\n",
            "script.sh": b"#!/bin/sh\necho done\n",
            "Makefile": b"test:\n\t@echo tested\n",
            "../events.jsonl": orjson.dumps(envelope),
            "../.claude/history/raw-outputs/day.jsonl": orjson.dumps(envelope),
            "../.claude/projects/x/s.jsonl": b"",
            "../.codex/sessions/r.jsonl": b"",
        }
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data + b"\n")
        for name in ("build.sh", "script.sh"):
            (self.folder / name).chmod(0o755)

    def _compress(self) -> Path:
        """The log as it is when its first segment was sealed and compressed long ago."""
        folder = self.root / "segments"
        folder.mkdir()
        for segment in (self.root / "home" / "logs").glob("events-0*.jsonl"):
            (folder / f"{segment.name}.zst").write_bytes(zstd.compress(segment.read_bytes()))
        return folder

    def bash(
        self, text: str, data: bytes = b"", folder: Path | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        """Runs ``text`` to its end; of a pipe every part must succeed, but for a reader that had enough."""
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", text],
            env=self.env,
            cwd=folder or self.folder,
            input=data,
            capture_output=True,
            timeout=PATIENCE_S,
        )

    def close(self) -> None:
        self.hub.send_signal(signal.SIGINT)
        self.hub.communicate(timeout=PATIENCE_S)
        shutil.rmtree(self.root, ignore_errors=True)
