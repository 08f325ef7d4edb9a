"""The paths that every event takes, each as a call made many times. ``python -m bench.hot PATH CALLS``

What `bench.check` counts. A path is set up once in a folder of its own; a call is one event, whatever the
size of the batches that it comes in.
"""

import asyncio
import itertools
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import orjson

from bench.append import CONTENT, laneway_call, naive_call
from bench.ingest import EVENT
from bench.redact import PROSE, event_of

BATCH_EVENTS = 100
"""Of a request, a message to the viewers, and a transaction of the index."""

POOL_EVENTS = 2_000
"""Made before the index is measured; it begins anew when they are used up."""

Run = Callable[[int], object]
"""Makes so many calls."""


def repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()


def in_batches(call: Callable[[], object], count: int) -> None:
    repeat(call, count // BATCH_EVENTS)


def naive(folder: str) -> Run:
    return partial(repeat, naive_call(folder))


def log_event(folder: str) -> Run:
    return partial(repeat, laneway_call(folder))


def append(folder: str) -> Run:
    from laneway.log.append import Appender
    from laneway.log.segment import LogPath

    appender, line = Appender(LogPath.parse(f"{folder}/log")), b"x" * 400
    return partial(repeat, lambda: appender.append((line,)))


def redact(event: dict[str, Any], _: str) -> Run:
    from laneway.model.event import normalise
    from laneway.model.redact import Redactor
    from laneway.model.wire import encode_redacted

    normal, redactor, made = normalise(event)[0], Redactor(), frozenset({"timestamp"})
    return partial(repeat, lambda: encode_redacted(normal, redactor, made))


def read(_: str) -> Run:
    from laneway.hub.line import LineReader
    from laneway.model.encode import encode
    from laneway.model.event import normalise
    from laneway.model.redact import Redactor

    reader, line = LineReader(Redactor()), encode(normalise(EVENT)[0])
    return partial(repeat, lambda: reader.read(line, "f", 0, 1))


def take(_: str) -> Run:
    from laneway.hub.metric import Metric
    from laneway.hub.pipeline import Intake
    from laneway.model.redact import Redactor
    from laneway.model.wire import decode_body

    intake = Intake(Redactor(), Metric(), None)
    body = b"\n".join([orjson.dumps(EVENT)] * BATCH_EVENTS)
    return partial(in_batches, lambda: intake.take(decode_body(body, "application/x-ndjson")))


def deaf_app(folder: str) -> tuple[Any, bytes]:
    """An application without an index, and its token."""
    from laneway.base.settings import resolve
    from laneway.hub.hub import Hub
    from laneway.web.app import create_app
    from laneway.web.auth import Access

    class Deaf(Hub):
        def _open_index(self, recent: object) -> Any:
            return SimpleNamespace(
                store=None, archive=None, inquiry=None, wake=lambda segment: None
            )

    settings = resolve({"home": f"{folder}/hub", "log_path": f"{folder}/hub/log"})
    app = create_app(Deaf(settings), Access.of(settings, 80))
    with open(f"{folder}/hub/ingest.token", "rb") as file:
        return app, file.read().strip()


def post(folder: str) -> Run:
    """The application without its server and without an index."""
    app, token = deaf_app(folder)
    body = orjson.dumps(EVENT)
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"),
               (b"authorization", b"Bearer " + token), (b"content-length", b"%d" % len(body))]  # fmt: skip
    scope = {"type": "http", "method": "POST", "path": "/log", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    async def run(count: int) -> None:
        for _ in range(count):
            await app(scope, receive, send)

    loop = asyncio.new_event_loop()
    return lambda count: loop.run_until_complete(run(count))


def post_plain(folder: str) -> Run:
    """From the bytes of a request to those of its answer, without the socket."""
    from tests.web.protocol import Link

    app, token = deaf_app(folder)
    body = orjson.dumps(EVENT)
    head = b"POST /log HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (token, len(body))
    data = head + body

    async def run(count: int) -> None:
        link = Link(app)
        for _ in range(count):
            assert (await link.exchange(data)).startswith(b"HTTP/1.1 200 ")

    loop = asyncio.new_event_loop()
    return lambda count: loop.run_until_complete(run(count))


def show(_: str) -> Run:
    """From the indexer's process into the hub's ring, without the socket."""
    import pickle

    from laneway.hub.channel import pack_rows, unpack_rows
    from laneway.hub.live import Live
    from laneway.hub.ring import Row, entry_of
    from laneway.model.event import normalise

    live, event = Live("e", 20_000), normalise(EVENT)[0]
    live.fill("e", [], 1)
    seqs = itertools.count(1)

    def call() -> None:
        some = [next(seqs) for _ in range(BATCH_EVENTS)]
        rows = [Row(seq, 1, entry_of(event, is_redacted=False), b"x" * 400) for seq in some]
        live.publish(unpack_rows(pickle.loads(pickle.dumps(pack_rows(rows)))))

    return partial(in_batches, call)


def index(folder: str) -> Run:
    from bench.index import iter_records
    from laneway.store.sqlite.store import SqliteStore

    records = list(iter_records(POOL_EVENTS))
    stores = (SqliteStore(f"{folder}/index-{number}") for number in itertools.count())
    starts = itertools.cycle(range(0, POOL_EVENTS, BATCH_EVENTS))
    held: list[SqliteStore] = []

    def call() -> None:
        start = next(starts)
        if not start:
            for store in held:
                store.close()
            held[:] = [next(stores)]
        batch = records[start : start + BATCH_EVENTS]
        end = batch[-1].offset + batch[-1].length + 1
        held[0].add("events-000001.jsonl", "f", batch, end)

    return partial(in_batches, call)


YARDSTICK = "naive writer"

PATHS: dict[str, Callable[[str], Run]] = {
    YARDSTICK: naive,
    "log_event": log_event,
    "append a line": append,
    "redact and encode, flat": partial(redact, event_of(CONTENT)),
    "redact and encode, a tool call": partial(redact, EVENT),
    "redact and encode, 4 KB of prose": partial(redact, event_of((PROSE * 30)[:4096])),
    "POST /log, one event": post,
    "POST /log, in the protocol": post_plain,
    "take a batch": take,
    "read a line of the log": read,
    "index": index,
    "hand to the viewers": show,
}


def main() -> None:
    name, calls = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        run = PATHS[name](folder)
        run(2 * BATCH_EVENTS)  # what is loaded and cached with the first calls
        run(calls)
        sys.stdout.flush()
        os.chdir("/")


if __name__ == "__main__":
    main()
