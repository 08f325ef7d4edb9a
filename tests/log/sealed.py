"""Sealed segments of lines, for tests."""

import os
from pathlib import Path

import orjson

from laneway.base.clock import format_ns
from laneway.base.ids import new_event_id
from laneway.log.segment import LogPath

T0_NS = 1_790_000_000_000_000_000


def make_lines(count: int, first: int = 0, size: int = 300) -> list[bytes]:
    """Events that compress about as well as real ones do."""
    lines = []
    for i in range(first, first + count):
        ts_ns = T0_NS + i * 1_000_000
        prose = f"step {i}: the planner reads source {i % 7} about tidal power {i * 7919 % 1000} "
        event = {
            "timestamp": format_ns(ts_ns),
            "agent": f"agent-{i % 5}",
            "event": "log",
            "id": new_event_id(ts_ns),
            "content": (prose * 9)[:size],
            "i": i,
        }
        lines.append(orjson.dumps(event))
    return lines


def write_segment(log_path: LogPath, number: int, lines: list[bytes], *, sealed: bool) -> Path:
    os.makedirs(log_path.directory, exist_ok=True)
    path = Path(log_path.segment_path(number))
    path.write_bytes(b"\n".join(lines) + b"\n" + (b"\n" if sealed else b""))
    return path
