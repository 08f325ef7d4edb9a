"""A proxy on loopback with faults on order, between a sender and the hub.

Each connection takes the next fault of ``faults``; where none is left, it passes everything on.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, NamedTuple

PIECE_BYTES = 16_384

Kind = Literal[
    "pass", "delay", "reset", "half-close", "black hole", "twice", "lost reply", "5xx", "cut",
    "drip", "endless", "endless head", "continue",
]  # fmt: skip


class Fault(NamedTuple):
    kind: Kind
    after: int = 0
    """Bytes from the sender (``reset``) or from the hub (``cut``) that are let through."""


class Proxy:
    """Runs in a thread of its own. ``target`` is the hub's port; 0 where there is none."""

    def __init__(self, target: int, port: int) -> None:
        self.target = target
        self.port = port
        self.faults: list[Fault] = []
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._ends:
            end.abort() if isinstance(end, asyncio.WriteTransport) else end.close()
        await asyncio.sleep(0.01)  # a transport lets go of its socket in a later turn of the loop

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the hub, which ends with the proxy at the latest."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._ends.add(writer.transport)
        return reader, writer

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._ends.add(writer.transport)
        self.connections += 1
        fault = self.faults.pop(0) if self.faults else Fault("pass")
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(fault, reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(
        self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if fault.kind == "black hole":
            await asyncio.sleep(3_600)
        elif fault.kind == "reset":
            await self._pass_some(reader, fault.after)
        elif fault.kind == "half-close":
            await self._read_request(reader)
            writer.write_eof()
            await asyncio.sleep(0.2)
        elif fault.kind in ("5xx", "endless", "endless head", "continue", "drip"):
            await self._read_request(reader)
            await self._answer_badly(fault.kind, writer)
        elif fault.kind in ("twice", "lost reply", "cut"):
            request = await self._read_request(reader)
            answer = await self._ask(request)
            if fault.kind == "twice":
                answer = await self._ask(request)
            writer.write(answer[: {"lost reply": 0, "cut": fault.after}.get(fault.kind)])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        else:
            await asyncio.sleep(0.3 if fault.kind == "delay" else 0)
            await self._pass_all(reader, writer)

    async def _pass_some(self, reader: asyncio.StreamReader, count: int) -> None:
        """The hub gets the first ``count`` bytes, and then nobody anything."""
        _, hub = await self._open()
        while count > 0 and (piece := await reader.read(min(count, PIECE_BYTES))):
            hub.write(piece)
            await hub.drain()
            count -= len(piece)
        hub.transport.abort()

    async def _pass_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_hub, to_hub = await self._open()

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while piece := await source.read(PIECE_BYTES):
                sink.write(piece)
                await sink.drain()

        ways = [
            asyncio.create_task(copy(reader, to_hub)),
            asyncio.create_task(copy(from_hub, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_hub.transport.abort()

    async def _read_request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        return head + await reader.readexactly(int(lengths[0].partition(b":")[2]))

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await self._open()
        try:
            writer.write(request)
            return await self._read_request(reader)  # an answer has the same frame
        finally:
            writer.transport.abort()

    async def _answer_badly(self, kind: Kind, writer: asyncio.StreamWriter) -> None:
        if kind == "5xx":
            writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\nno")
            await writer.drain()
            return
        head = b"HTTP/1.1 100 Continue\r\n\r\n" if kind == "continue" else b"HTTP/1.1 200 OK\r\n"
        writer.write(head)
        if kind in ("endless", "drip"):
            writer.write(b"Content-Length: 9999999999\r\n\r\n")
        piece = {"endless": b"x" * PIECE_BYTES, "drip": b"x", "endless head": b"A: b\r\n",
                 "continue": head * 100}[kind]  # fmt: skip
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05 if kind in ("drip", "endless head") else 0)


@contextmanager
def running_proxy(target: int, port: int) -> Iterator[Proxy]:
    proxy = Proxy(target, port)
    loop = proxy._loop
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
