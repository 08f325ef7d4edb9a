"""One connection to the bus: publishes with an acknowledgement for each event, and pulls what others sent.

A connection is never mended. Whatever goes wrong with it (`BusLost`), its owner closes it and opens the
next one, to the next server: a server that is cut off from its cluster keeps its connections, so that
waiting for them to come back would wait for ever.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import NamedTuple

import nats
import nats.errors
import nats.js.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DiscardPolicy, PubAck, StorageType, StreamConfig

from laneway.base.errors import LanewayError
from laneway.base.limits import LINE_BYTES, MIB
from laneway.sdk.bus.address import Address

CONNECT_S = 3.0
ANSWER_S = 4.0
"""Three copies answer within milliseconds; what takes this long is tried again, over another server."""

PING_S, PINGS = 2, 2
"""A server that has not answered for about six seconds is gone."""

PUBLISHED = 512
"""Events on their way to the bus at a time: enough to hide a round trip to three copies."""

PULLED, PULLED_BYTES = 1_000, 4 * MIB
"""Asked for at a time, at most so many of them or bytes."""

PULL_S, BEAT_S = 20.0, 1.0
"""How long one request for events stands, and how often the bus says that it still does."""

UNACKED = 4 * PULLED
"""Handed to one hub and not acknowledged yet; past it the bus waits."""

REDELIVER_S = 10.0
"""What a hub took and did not acknowledge (it was killed) comes again after this."""

DUPLICATE_WINDOW_S = 120.0
"""Within it the stream knows an id again. Later repeats cost space, and the index knows them."""

ENVELOPE_BYTES = 2048
"""Headers of a message, and to spare, out of the largest that the servers take."""

STATUS = "Status"
IDLE, MORE = frozenset({"100"}), frozenset({"404", "408"})

ORIGIN = "Laneway-Hub"
MESSAGE_ID = "Nats-Msg-Id"

FAULTS = (nats.errors.Error, OSError, asyncio.TimeoutError)


class BusLost(LanewayError):
    """The connection is of no more use."""

    code = "bus_lost"


class Message(NamedTuple):
    """One event on its way out; ``id`` is safe in a header."""

    id: str
    subject: str
    line: bytes


class Plan(NamedTuple):
    """The stream as it is made where there is none. One that is there is used as it is."""

    name: str
    replicas: int
    age_s: float


class Connection:
    """For one event loop. `close` it, whatever happened."""

    def __init__(self, client: Client, plan: Plan, lost: "asyncio.Future[None]") -> None:
        self._client = client
        self._plan = plan
        self._jet = client.jetstream(timeout=ANSWER_S, publish_async_max_pending=2 * PUBLISHED)
        self.lost = lost
        """Done when the server hangs up."""
        self._pulled: asyncio.Queue[Msg] = asyncio.Queue()
        self._requests = count(1)
        self._open = 0  # of the last request, events that may still come
        self._ending = ""  # why no more will

    @property
    def message_bytes(self) -> int:
        """A line longer than this does not fit."""
        return int(self._client.max_payload) - ENVELOPE_BYTES

    async def ensure_stream(self) -> None:
        """Make the stream where there is none.

        Raises:
            BusLost: the bus does not answer, or refuses.
        """
        plan = self._plan
        if self.message_bytes < LINE_BYTES:
            raise BusLost(
                f"the server takes messages of {self._client.max_payload} bytes; max_payload must be"
                f" {LINE_BYTES + ENVELOPE_BYTES} at least"
            )
        try:
            await self._jet.stream_info(plan.name)
            return
        except nats.js.errors.NotFoundError:
            pass
        except FAULTS as error:
            raise _lost("the stream", error) from error
        is_cluster = bool(self._client._server_info.get("cluster"))
        wanted = StreamConfig(
            name=plan.name,
            description="Events of Laneway's hubs",
            subjects=[f"{plan.name}.>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=plan.age_s,
            duplicate_window=min(DUPLICATE_WINDOW_S, plan.age_s),
            num_replicas=plan.replicas or (3 if is_cluster else 1),
        )
        try:
            await self._jet.add_stream(wanted)
        except FAULTS as error:  # another hub may have made it just now: the next try finds it
            raise _lost("the stream could not be made", error) from error

    async def publish(self, messages: Sequence[Message], origin: str) -> dict[str, bool]:
        """The ids that the bus has acknowledged, each with whether it knew it before.

        Raises:
            BusLost: nothing of what is not among the answers can be said; the rest is in ``done``.
        """
        done: dict[str, bool] = {}
        try:
            for start in range(0, len(messages), PUBLISHED):
                await self._publish_some(messages[start : start + PUBLISHED], origin, done)
        except FAULTS as error:
            raise Unfinished(_lost("an event was not acknowledged", error).message, done) from error
        return done

    async def _publish_some(
        self, messages: Sequence[Message], origin: str, done: dict[str, bool]
    ) -> None:
        futures = []
        for one in messages:
            headers = {MESSAGE_ID: one.id, ORIGIN: origin}
            futures.append(
                await self._jet.publish_async(
                    one.subject,
                    one.line,
                    wait_stall=ANSWER_S,
                    stream=self._plan.name,
                    headers=headers,
                )
            )
        await asyncio.wait(futures, timeout=ANSWER_S)
        failure: BaseException | None = None
        for one, future in zip(messages, futures, strict=True):
            answer = _answer_of(future)
            if isinstance(answer, PubAck):
                done[one.id] = bool(answer.duplicate)
            else:
                failure = failure or answer
        if failure:
            raise failure

    async def subscribe(self, hub: str) -> None:
        """Begin to take what others publish, from where this hub was.

        Raises:
            BusLost: the bus does not answer, or refuses.
        """
        name = f"hub-{hub}"
        wanted = ConsumerConfig(
            durable_name=name,
            ack_wait=REDELIVER_S,
            max_ack_pending=UNACKED,
            inactive_threshold=self._plan.age_s,
        )
        try:
            try:
                await self._jet.consumer_info(self._plan.name, name)
            except nats.js.errors.NotFoundError:
                await self._jet.add_consumer(self._plan.name, wanted)
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._pulled.put)
        except FAULTS as error:
            raise _lost("the consumer", error) from error
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{self._plan.name}.{name}"
        await self._ask()

    async def _ask(self) -> None:
        wanted = {
            "batch": PULLED,
            "max_bytes": max(PULLED_BYTES, int(self._client.max_payload)),
            "expires": int(PULL_S * 1e9),
            "idle_heartbeat": int(BEAT_S * 1e9),
        }
        self._reply = f"{self._inbox}.{next(self._requests)}"
        self._open = PULLED
        try:
            await self._client.publish(self._next, orjson.dumps(wanted), self._reply)
        except FAULTS as error:
            raise _lost("asking for events", error) from error

    async def pull(self) -> list[Msg]:
        """What has come, one message at least; acknowledge each once it is kept.

        Raises:
            BusLost: the bus has fallen silent, or no longer knows this hub.
        """
        found: list[Msg] = []
        while not found:
            if self._ending:
                raise BusLost(self._ending)
            try:
                async with asyncio.timeout(3 * BEAT_S):
                    message = await self._pulled.get()
            except TimeoutError:
                raise BusLost("the bus has fallen silent") from None
            await self._sort(message, found)
            while not self._pulled.empty() and len(found) < PULLED:
                await self._sort(self._pulled.get_nowait(), found)
        return found

    async def _sort(self, message: Msg, found: list[Msg]) -> None:
        status = (message.headers or {}).get(STATUS, "") if not message.data else ""
        if not status:
            found.append(message)
            self._open -= 1
            if not self._open:
                await self._ask()
        elif status in IDLE or message.subject != self._reply:
            return
        elif status in MORE or _is_served(message.headers):
            await self._ask()
        else:
            reason = (message.headers or {}).get("Description", "")
            self._ending = f"the bus ended the delivery: {status} {reason}"

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._client.close()
        except FAULTS:
            pass


class Unfinished(BusLost):
    """Some of what was published is acknowledged: ``done``."""

    def __init__(self, message: str, done: Mapping[str, bool]) -> None:
        super().__init__(message)
        self.done = done


async def connect(address: Address, server: str, plan: Plan, name: str) -> Connection:
    """
    Raises:
        BusLost: nobody answers there, or lets us in.
    """
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def note_lost() -> None:
        if not lost.done():
            lost.set_result(None)

    errors: list[Exception] = []

    async def note_error(error: Exception) -> None:
        errors[:] = [error]  # later ones are met by whoever waits for an answer

    client = Client()
    try:
        async with asyncio.timeout(2 * CONNECT_S):
            await client.connect(
                servers=[server],
                name=name,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # else the client tries a server that is down for ever
                reconnect_time_wait=0,
                connect_timeout=int(CONNECT_S),
                ping_interval=PING_S,
                max_outstanding_pings=PINGS,
                disconnected_cb=note_lost,
                closed_cb=note_lost,
                error_cb=note_error,
                **address.options,
            )
    except Exception as error:
        await Connection(client, plan, lost).close()
        if isinstance(error, nats.errors.NoServersError) and errors:
            error = errors[0]
        if isinstance(error, FAULTS):
            raise _lost(f"no connection to {server}", error) from error
        raise
    return Connection(client, plan, lost)


def _answer_of(future: "asyncio.Future[PubAck]") -> PubAck | BaseException:
    if not future.done():
        future.cancel()
        return TimeoutError()
    return future.exception() or future.result()


def _is_served(headers: Mapping[str, str] | None) -> bool:
    """What was asked for has come, as far as it fits; other ends have the same number."""
    reason = (headers or {}).get("Description", "")
    return "Batch Completed" in reason or "MaxBytes" in reason


def _lost(what: str, error: BaseException) -> BusLost:
    reason = str(error).removeprefix("nats: ") or type(error).__name__
    return BusLost(f"{what}: {reason}")
