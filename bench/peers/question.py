"""The same questions to one JSONL log: Laneway's hub over HTTP, DuckDB, ripgrep, jq and lnav, in turns.

The hub keeps an index and stays up; the programs read the file anew for each question, as they do for a
person, with the page cache warm; DuckDB once more in a process that stays. Each gives what it found on its
output, and an answer with too few lines is a failure.
"""

import json
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.peers.event import iter_events
from bench.peers.install import PYTHON
from bench.peers.server import LanewayEvents
from bench.table import middle
from laneway.log.append import Appender
from laneway.log.segment import LogPath

ASKED = 3
"""Times in a round."""

PATIENCE_S = 240.0
START = datetime(2026, 11, 27, 8, tzinfo=UTC)
GAP = timedelta(milliseconds=20)
RARE, AGENT, KIND = "xylograph", "agent-3", "tool_result"
QUESTIONS = {"newest 200": 200, "200 by agent and type": 20, "a rare word": 1, "events a minute": 1}
"""And the least number of lines that an answer has."""

DUCK = """import duckdb, sys
for row in duckdb.sql(sys.argv[1]).fetchall(): print(row)"""

LNAV_FORMAT = {
    "$schema": "https://lnav.org/schemas/format-v1.schema.json",
    "laneway_log": {
        "title": "Laneway",
        "json": True,
        "hide-extra": True,
        "file-pattern": "jsonl$",
        "timestamp-field": "timestamp",
        "body-field": "content",
        "line-format": [{"field": "timestamp"}, " ", {"field": "agent"}, " ", {"field": "content"}],
        "value": {
            name: {"kind": "string", "identifier": True}
            for name in ("agent", "event", "session_id", "tool")
        },
    },
}


def write_log(directory: Path, count: int) -> Path:
    """One segment, whose path is returned."""
    appender = Appender(LogPath.parse(str(directory)), segment_bytes=1 << 34)
    lines = []
    for n, event in enumerate(iter_events(count)):
        if n == count // 3:
            event["content"] = RARE
        stamp = (START + n * GAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lines.append(
            json.dumps({"timestamp": stamp, "id": f"e{n}", **event}, separators=(",", ":")).encode()
        )
        if len(lines) == 500:
            appender.append(lines)
            lines = []
    if lines:
        appender.append(lines)
    appender.close()
    return next(directory.glob("*-000001.jsonl"))


def duck_questions(log: Path, agent: str, kind: str) -> dict[str, str]:
    table = f"read_json('{log}', format='newline_delimited')"
    return {
        "newest 200": f"SELECT * FROM {table} ORDER BY timestamp DESC LIMIT 200",
        "200 by agent and type": f"SELECT * FROM {table} WHERE agent = '{agent}' AND event = '{kind}'"
        " ORDER BY timestamp DESC LIMIT 200",
        "a rare word": f"SELECT * FROM {table} WHERE content LIKE '%{RARE}%'",
        "events a minute": f"SELECT date_trunc('minute', timestamp) m, count(*) FROM {table} GROUP BY m",
    }


def duck_askers(log: Path) -> dict[str, Callable[[], int]]:
    """In this process."""
    import duckdb

    connection = duckdb.connect()
    questions = duck_questions(log, AGENT, KIND)
    return {
        q: (lambda sql=sql: len(connection.execute(sql).fetchall())) for q, sql in questions.items()
    }  # type: ignore[misc]


def shell_commands(log: Path, folder: Path) -> dict[str, dict[str, str]]:
    """By peer and question."""
    agent, kind = AGENT, KIND
    formats = folder / "lnav" / "formats" / "laneway"
    formats.mkdir(parents=True)
    (formats / "format.json").write_text(json.dumps(LNAV_FORMAT))

    def duck(sql: str) -> str:
        return f"{PYTHON} -c '{DUCK}' \"{sql}\""

    asked = duck_questions(log, agent, kind)

    def lnav(sql: str) -> str:
        return f"lnav -n -I {folder / 'lnav'} -c ';{sql}' {log}"

    both = f"agent = '{agent}' AND event = '{kind}'"
    quoted = both.replace("'", '"')
    rows = "log_time, agent, log_body"
    return {
        "DuckDB": {question: duck(sql) for question, sql in asked.items()},
        "ripgrep": {
            "newest 200": f"tail -n 200 {log}",
            "200 by agent and type":
                f"rg -F '\"agent\":\"{agent}\"' {log} | rg -F '\"event\":\"{kind}\"' | tail -n 200",
            "a rare word": f"rg -F {RARE} {log}",
            "events a minute": f"rg -o '\"timestamp\":\"(.{{16}})' -r '$1' {log} | sort | uniq -c",
        },
        "jq": {
            "newest 200": f"tail -n 200 {log} | jq -c .",
            "200 by agent and type":
                f"jq -c 'select(.agent == \"{agent}\" and .event == \"{kind}\")' {log} | tail -n 200",
            "a rare word": f"jq -c 'select(.content | contains(\"{RARE}\"))' {log}",
            "events a minute": f"jq -r '.timestamp[:16]' {log} | sort | uniq -c",
        },
        "lnav": {
            "newest 200": lnav(f"SELECT {rows} FROM laneway_log ORDER BY log_line DESC LIMIT 200"),
            "200 by agent and type": lnav(
                f"SELECT {rows} FROM laneway_log WHERE {quoted} ORDER BY log_line DESC LIMIT 200"),
            "a rare word": lnav(f'SELECT {rows} FROM laneway_log WHERE log_body LIKE "%{RARE}%"'),
            "events a minute": lnav(
                'SELECT strftime("%H:%M", log_time) AS m, count(*) FROM laneway_log GROUP BY m'),
        },
    }  # fmt: skip


def hub_askers(hub: LanewayEvents) -> dict[str, Callable[[], int]]:
    def events(query: str) -> Callable[[], int]:
        return lambda: len(
            hub.get(f"/api/events?limit=200&q={urllib.parse.quote(query)}")["events"]
        )

    return {
        "newest 200": events(""),
        "200 by agent and type": events(f"agent:{AGENT} event:{KIND}"),
        "a rare word": events(RARE),
        "events a minute": lambda: len(hub.get("/api/pulse?step=60s")["buckets"]),
    }


PROGRAMS = {"DuckDB": str(PYTHON), "ripgrep": "rg", "jq": "jq", "lnav": "lnav"}


def lines_of(command: str) -> int:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return len(done.stdout.splitlines())


def ask_all(
    folder: Path, count: int, rounds: int, wanted: Callable[[str], bool]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Rows by peer, and who has none and why."""
    log = write_log(folder / "log", count)
    hub = LanewayEvents(folder)
    hub.start()
    try:
        while hub.count() < count:
            time.sleep(0.1)
        asked: dict[str, dict[str, Callable[[], int]]] = {
            "laneway, hub": hub_askers(hub),
            "DuckDB, kept open": duck_askers(log),
        }
        absent = {}
        for name, commands in shell_commands(log, folder).items():
            if shutil.which(PROGRAMS[name]):
                asked[name] = {
                    q: (lambda text=text: lines_of(text)) for q, text in commands.items()
                }  # type: ignore[misc]
            else:
                absent[name] = "not installed on this machine"
        chosen = {name: askers for name, askers in asked.items() if wanted(name)}
        rows = [
            row for name, row in ask_in_turns(chosen, rounds, absent).items() if name not in absent
        ]
    finally:
        hub.kill()
    return rows, absent


def ask_in_turns(
    asked: dict[str, dict[str, Callable[[], int]]], rounds: int, absent: dict[str, str]
) -> dict[str, dict[str, Any]]:
    times: dict[str, dict[str, list[float]]] = {name: {q: [] for q in QUESTIONS} for name in asked}
    for _ in range(rounds):
        for question, least in QUESTIONS.items():
            for name in [name for name in asked if name not in absent]:
                try:
                    for _ in range(ASKED):
                        began_s = time.perf_counter()
                        found = asked[name][question]()
                        times[name][question].append((time.perf_counter() - began_s) * 1000)
                        if found < min(least, 200):
                            raise RuntimeError(f"{question}: {found} lines, wanted {least}")
                except Exception as problem:  # a peer may fail in any way
                    absent[name] = f"{type(problem).__name__}: {problem}"[:300]
    return {
        name: {"peer": name} | {q: middle(taken) if taken else None for q, taken in found.items()}
        for name, found in times.items()
    }
