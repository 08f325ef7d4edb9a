"""The courier process: carries events between one log and the bus.

Started by `laneway.hub.bus.link`, which sends the settings on standard input and closes that to end it,
however the hub ends; every line of its output is a `Status`. It reads and writes the log like any other
process: a hub without a courier loses nothing, and a courier that dies is started again.
"""

import asyncio
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import orjson

from laneway.base.errors import LanewayError
from laneway.base.settings import Settings
from laneway.hub.bus.incoming import Incoming
from laneway.hub.bus.outgoing import Outgoing
from laneway.hub.bus.place import Place
from laneway.hub.bus.status import Status
from laneway.hub.bus.stream import BusLost, Connection, Plan, Unfinished, connect
from laneway.hub.line import LineReader
from laneway.hub.lock import try_lock
from laneway.hub.metric import Metric
from laneway.hub.output import configure_output
from laneway.hub.pipeline import Intake, open_side_files
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.model.redact import make_redactor
from laneway.sdk.bus.address import Address, read_address

new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
try:
    import uvloop

    new_loop = uvloop.new_event_loop  # two thirds of the client's processor time for an event
except ImportError:  # Windows, PyPy
    pass

TELL_S = 0.25
"""How often the hub is told how things stand."""

BACKOFF_S = (0.25, 5.0)
"""Pauses between two tries to reach the bus: doubled after each that fails."""

CANCEL_S = 0.5
"""Pause before a task that has not ended is cancelled once more."""

STOP_S = 4 * CANCEL_S
"""The same for the courier as a whole, which ends its tasks in that time."""

LOCK_S = 0.1
"""The courier of a hub that was killed a moment ago lets go of the log when it notices."""

log = logging.getLogger("laneway.hub")


class Courier:
    """Runs in one event loop until it is cancelled."""

    def __init__(
        self, settings: Settings, address: Address, tell: Callable[[Status], None]
    ) -> None:
        """
        Raises:
            LogError: the log's directory cannot be written.
        """
        self._address = address
        self._tell = tell
        self._plan = Plan(settings.bus_stream, settings.bus_replicas, settings.bus_age)
        self._is_out = settings.bus_flow != "in"
        self._is_in = settings.bus_flow != "out"
        log_path = LogPath.parse(settings.log_path)
        self._place = Place(log_path, settings.bus_stream)
        self._side = open_side_files(settings)
        self._appender = Appender(
            self._place.series,
            segment_bytes=settings.segment_bytes,
            shared="yes",  # nobody else writes it
            durable=settings.durability == "durable",
        )
        lines = LineReader(make_redactor(settings, os.environ), None, self._side)
        self._outgoing = Outgoing(log_path, self._place, settings.bus_stream, lines, self._side)
        intake = Intake(make_redactor(settings, os.environ), Metric(), None, self._side)
        self._incoming = Incoming(self._place.hub, intake, self._appender)
        self._reader = ThreadPoolExecutor(1, "laneway-bus-out")
        self._writer = ThreadPoolExecutor(1, "laneway-bus-in")
        self._published_count = self._repeated_count = 0
        self._is_connected = False
        self._fault = ""

    async def run(self) -> None:
        telling = asyncio.create_task(self._keep_telling())
        try:
            await self._keep_connected()
        finally:
            telling.cancel()
            self._outgoing.wake()
            self._incoming.is_stopping = True
            self._reader.shutdown()
            self._writer.shutdown()
            self._outgoing.close()
            self._appender.close()
            self._tell(self.status())

    def status(self) -> Status:
        return Status(
            is_connected=self._is_connected,
            fault=self._fault or self._incoming.fault,
            pending_bytes=self._outgoing.pending_bytes() if self._is_out else 0,
            published=self._published_count,
            repeated=self._repeated_count,
            received=self._incoming.received_count,
            rejected=self._incoming.rejected_count,
            cut=self._outgoing.cut_count,
            lost_bytes=self._outgoing.lost_bytes,
        )

    async def _keep_connected(self) -> None:
        loop, pause_s = asyncio.get_running_loop(), BACKOFF_S[0]
        for server in cycle(self._address.servers):
            try:
                await self._serve(server)
            except LanewayError as error:
                self._note_fault(error.message)
            pause_s = BACKOFF_S[0] if self._is_connected else min(2 * pause_s, BACKOFF_S[1])
            self._is_connected = False
            await loop.run_in_executor(self._reader, self._outgoing.look)
            await asyncio.sleep(pause_s)

    async def _serve(self, server: str) -> None:
        """Work over one connection until it is lost.

        Raises:
            LanewayError: why it is.
        """
        connection = await connect(self._address, server, self._plan, f"laneway {self._place.hub}")
        try:
            await connection.ensure_stream()
            if self._is_in:
                await connection.subscribe(self._place.hub)
            work: list[Coroutine[Any, Any, None]] = [_wait_lost(connection)]
            if self._is_in:
                work.append(self._take_in(connection))
            if self._is_out:
                self._outgoing.message_bytes = connection.message_bytes
                work.append(self._send_out(connection))
            self._note_connected()
            await _first_failure(work)
        finally:
            await connection.close()

    async def _send_out(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        outgoing = self._outgoing
        while True:
            await loop.run_in_executor(self._reader, outgoing.fill)
            if outgoing.batch:
                try:
                    done = await connection.publish(outgoing.batch, self._place.hub)
                except Unfinished as error:
                    self._note_published(error.done)
                    raise
                self._note_published(done)
            await loop.run_in_executor(self._reader, outgoing.settle)

    def _note_published(self, done: Any) -> None:
        self._published_count += len(done)
        self._repeated_count += sum(done.values())
        self._outgoing.note_acknowledged(done)

    async def _take_in(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            messages = await connection.pull()
            if await loop.run_in_executor(self._writer, self._incoming.keep, messages):
                for message in messages:
                    await message.ack()

    async def _keep_telling(self) -> None:
        while True:
            self._tell(self.status())
            await asyncio.sleep(TELL_S)

    def _note_connected(self) -> None:
        if self._fault:
            log.warning("the bus answers again")
        self._is_connected, self._fault = True, ""

    def _note_fault(self, fault: str) -> None:
        if not self._fault:  # said once, not with every try and for every server
            log.warning("the bus: %s; events wait in the log", fault)
        self._fault = fault


async def _wait_lost(connection: Connection) -> None:
    await connection.lost
    raise BusLost("the server hung up")


async def _first_failure(work: list[Coroutine[Any, Any, None]]) -> None:
    """Run all until one of them raises; that is raised, once the others have ended."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
    for task in done:
        task.result()


async def _end(tasks: Sequence["asyncio.Task[None]"], pause_s: float = CANCEL_S) -> None:
    """Cancel until they have ended: before Python 3.12 `asyncio.wait_for`, which the client uses, loses a
    cancellation that comes together with what it waits for, and the task would go on for ever."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=pause_s)


def _tell_hub(status: Status) -> None:
    try:
        sys.stdout.buffer.write(orjson.dumps(status._asdict()) + b"\n")
        sys.stdout.buffer.flush()
    except OSError:  # the hub is gone
        pass


async def _run(settings: Settings) -> None:
    """Until the hub hangs up, or the courier cannot work."""
    loop = asyncio.get_running_loop()
    hung_up = asyncio.Event()

    def end_with_hub() -> None:
        sys.stdin.buffer.read(1)
        loop.call_soon_threadsafe(hung_up.set)

    threading.Thread(target=end_with_hub, daemon=True).start()
    await run_until(hung_up, _carry(settings))


async def run_until(end: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it fails, which is raised, or until ``end`` is set, and then until it has ended."""
    working, ending = asyncio.create_task(work), asyncio.create_task(end.wait())
    await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    await _end([working], STOP_S)
    if not working.cancelled():
        working.result()


async def _carry(settings: Settings) -> None:
    lock = _open_lock(settings)
    while not try_lock(lock):  # noqa: ASYNC110 - another process lets go of it
        await asyncio.sleep(LOCK_S)
    await Courier(settings, read_address(settings), _tell_hub).run()


def _open_lock(settings: Settings) -> int:
    directory = LogPath.parse(settings.log_path).directory
    Place(LogPath.parse(settings.log_path), settings.bus_stream)
    path = os.path.join(directory, ".bus", "lock")
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)


def main() -> None:
    settings: Settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the hub that started us
    configure_output("laneway: %(message)s")
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)  # they go to the whole group; the hub decides
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_run(settings))
    except LanewayError as error:
        log.error("the bus: %s", error.message)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # a thread may wait for standard input
