"""What each dependency weighs: bytes on the disk, what it brings, and what its import costs over bare Python.

    python -m bench.dependencies [--write]

``--write`` puts the table into docs/dependencies.md; what is not installed keeps its row there. Sizes are of this
machine's wheels, without byte code.
"""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

from packaging.requirements import Requirement

from bench.imports import count_modules, cpu_ms
from bench.result import ROOT
from bench.table import machine, show
from tools.region import put

PAGE = ROOT / "docs" / "dependencies.md"


class Reason(NamedTuple):
    statement: str
    """What is imported of it."""
    why: str
    when: str
    """When Laneway imports it."""


REASONS = {
    "orjson": Reason("import orjson", "JSON, in and out: every event pays for it twice, and the standard library's takes many times as long", "with the first event"),
    "ahocorasick-rs": Reason("import ahocorasick_rs", "looks through a long text for all anchors of the redaction rules at once; without it redaction is the same and slower", "with the hub"),
    "anyio": Reason("import anyio", "worker threads and cancellation in the web face; Starlette is built on it", "with the hub"),
    "backports.zstd": Reason("from backports import zstd", "compressed segments, by the interface of Python 3.14's own `compression.zstd`", "with the hub, and where a segment is compressed"),
    "starlette": Reason("import starlette.applications, starlette.routing, starlette.websockets", "routes, requests and answers of all but the hottest way in", "with the hub"),
    "uvicorn": Reason("import uvicorn", "the HTTP server", "with the hub"),
    "uvloop": Reason("import uvloop", "the event loop, in C: less processor time for each request than asyncio's own", "with the hub"),
    "httptools": Reason("import httptools", "reads HTTP/1.1 in C; uvicorn takes it, and so does the plain `POST /log`", "with the hub"),
    "websockets": Reason("import websockets.server", "the protocol of the live stream's sockets, driven by uvicorn", "with the hub"),
    "google-re2": Reason("import re2", "regular expressions of strangers in linear time: queries, and the user's own rules of redaction", "with the first expression"),
    "opentelemetry-proto": Reason("import opentelemetry.proto.collector.trace.v1.trace_service_pb2", "OpenTelemetry's own messages; protobuf comes with it", "with the first binary OTLP request"),
    "typer": Reason("import typer", "the command line: parsing, help, completion", "with every command but `emit` and `hook`"),
    "rich": Reason("import rich.console", "how wide characters are, bars of progress, helps", "with the commands that ask"),
    "textual": Reason("import textual.app, textual.widgets", "the full screen of `laneway top`", "with `laneway top`"),
    "duckdb": Reason("import duckdb", "`laneway sql`, and Parquet", "with these"),
    "grpcio": Reason("import grpc", "OTLP over gRPC", "with `--grpc-port`"),
    "mcp": Reason("import mcp.server", "`laneway mcp`: the protocol, by its own SDK", "with `laneway mcp`"),
    "nats-py": Reason("import nats", "the bus between hubs, and the SDK's way to it", "with a bus"),
    "clickhouse-connect": Reason("import clickhouse_connect", "the index on ClickHouse: its own driver, which sends columns in the server's own form, compressed", "with `--store`"),
}  # fmt: skip
"""Of each that `pyproject.toml` lets a user install; a test holds the two to each other."""

EXAMPLE = "example"
"""The extra of the demo's assistant, which is no part of Laneway."""


def declared() -> dict[str, str]:
    """Each dependency's name, and the extra that brings it; ``""`` is the bare install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, str] = {}
    for extra in ("", "hub", *groups):
        for requirement in groups[extra] if extra != EXAMPLE else ():
            found.setdefault(Requirement(requirement).name, extra)
    return found


def size_bytes(name: str) -> int:
    files = distribution(name).files or []
    return sum(
        file.locate().stat().st_size
        for file in files
        if file.suffix != ".pyc" and file.locate().is_file()
    )


def brings(name: str, seen: set[str] | None = None) -> set[str]:
    """The installed distributions that come with it, however far down."""
    seen = set() if seen is None else seen
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        other = needed.name.lower().replace("_", "-")
        is_for_us = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if is_for_us and other not in seen:
            seen.add(other)
            brings(other, seen)
    return seen


def rows() -> Iterator[dict[str, object]]:
    bare_ms = cpu_ms("pass")
    for name, extra in declared().items():
        reason = REASONS[name]
        row: dict[str, object] = {
            "dependency": f"`{name}`",
            "comes with": f"`laneway[{extra}]`" if extra else "`laneway`",
            "for": reason.why,
            "imported": reason.when,
            **dict.fromkeys(("MB", "brings", "modules", "CPU ms"), "–"),
        }
        try:
            row["MB"] = f"{size_bytes(name) / 1e6:.1f}"
        except PackageNotFoundError:  # not installed here: as it was measured where it is
            yield from _written(name) or [row]
            continue
        yield row | {
            "dependency": f"`{name}` {distribution(name).version}",
            "brings": ", ".join(sorted(brings(name))) or "–",
            "modules": count_modules(reason.statement),
            "CPU ms": max(0, round(cpu_ms(reason.statement) - bare_ms)),
        }


def _written(name: str) -> list[dict[str, object]]:
    """The row that the page has, if it has one."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines()]
    head = next(cells for cells in lines if cells[0] == "dependency")
    return [dict(zip(head, cells, strict=True)) for cells in lines if f"`{name}`" in cells[0]]


def main() -> None:
    found = list(rows())
    show(f"Dependencies ({machine()})", found)
    if "--write" in sys.argv:
        head = " | ".join(found[0])
        lines = [f"| {head} |", "|" + "---|" * len(found[0])]
        lines += ["| " + " | ".join(map(str, row.values())) + " |" for row in found]
        PAGE.write_text(put(PAGE.read_text(), "dependencies", "\n".join(lines)))


if __name__ == "__main__":
    main()
