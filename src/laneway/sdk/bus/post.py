"""Batches to the bus itself, without a hub between: what `laneway.sdk.post` is for HTTP.

Runs an event loop of its own in the shipper's thread, and only while a batch is on its way.
"""

import asyncio
import socket
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from laneway.base.limits import KIB
from laneway.base.settings import Settings
from laneway.sdk.bus.address import Address, read_address
from laneway.sdk.bus.subject import encode_name, subject_of
from laneway.sdk.post import Refusal

CONNECT_S = 3
ANSWER_S = 4.0
"""Three copies answer within milliseconds; what takes this long is sent again, by another server."""

FRESH_S = 30.0
"""A connection that was not used for longer is made anew: nobody answered the server's pings."""

ENVELOPE_BYTES = 2 * KIB
"""Headers of a message, and to spare, out of the largest that the servers take."""

TOO_LARGE = 413


class BusPost:
    """For one thread. Messages carry the event's id, so that the stream and every index know a repeat."""

    def __init__(self, settings: Settings) -> None:
        servers = tuple(filter(None, (one.strip() for one in settings.logging_url.split(","))))
        self._address: Address = read_address(settings, servers)
        self._stream = settings.bus_stream
        self._turn = 0
        self._used_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None

    def send(self, lines: list[bytes]) -> list[int]:
        """Nothing is rejected by a bus.

        Raises:
            OSError: the bus did not acknowledge all of them; send the batch again.
            Refusal: a line is longer than the servers take.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        try:
            self._loop.run_until_complete(self._send(lines))
        except Refusal:
            raise
        except Exception as error:
            self._drop()
            if isinstance(error, OSError):
                raise
            reason = str(error).removeprefix("nats: ") or type(error).__name__
            raise OSError(f"the bus: {reason}") from error
        return []

    def close(self) -> None:
        self._drop()
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    async def _send(self, lines: list[bytes]) -> None:
        client = await self._connected()
        if max(map(len, lines)) > client.max_payload - ENVELOPE_BYTES:
            raise Refusal(f"the bus takes messages of {client.max_payload} bytes", status=TOO_LARGE)
        jet = client.jetstream(timeout=ANSWER_S, publish_async_max_pending=2 * len(lines))
        answers = [
            await jet.publish_async(
                subject, line, wait_stall=ANSWER_S, stream=self._stream, headers=headers
            )
            for subject, line, headers in map(self._message, lines)
        ]
        await asyncio.wait_for(asyncio.gather(*answers), ANSWER_S)
        self._used_s = monotonic()

    def _message(self, line: bytes) -> tuple[str, bytes, dict[str, str]]:
        import orjson

        event = orjson.loads(line)
        subject = subject_of(self._stream, str(event.get("pod") or ""), str(event["agent"]))
        return subject, line, {"Nats-Msg-Id": encode_name(str(event["id"]))}

    async def _connected(self) -> Any:
        if self._client is not None:
            if self._client.is_connected and monotonic() - self._used_s < FRESH_S:
                return self._client
            await self._client.close()
            self._client = None
        from nats.aio.client import Client

        server = self._address.servers[self._turn % len(self._address.servers)]
        self._turn += 1  # another one, should this fail
        client = Client()
        errors: list[Exception] = []

        async def note(error: Exception) -> None:
            errors[:] = [error]

        place, name = _resolve(server)
        options = dict(self._address.options)
        if "tls" in options:
            options["tls_hostname"] = name
        try:
            await asyncio.wait_for(
                client.connect(
                    servers=[place],
                    name="laneway sdk",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_S,
                    error_cb=note,
                    **options,
                ),
                2 * CONNECT_S,
            )
        except Exception as error:
            await client.close()
            raise (errors[0] if errors else error) from error
        self._client = client
        return client

    def _drop(self) -> None:
        if self._client is not None and self._loop is not None:
            with suppress(Exception):  # it is of no more use, whatever it says
                self._loop.run_until_complete(asyncio.wait_for(self._client.close(), CONNECT_S))
        self._client = None


def _resolve(server: str) -> tuple[str, str]:
    """The server by number, and its name. The loop would ask a pool of threads, which a program that
    ends no longer has."""
    url = urlsplit(server)
    name = url.hostname or ""
    found = socket.getaddrinfo(name, url.port, type=socket.SOCK_STREAM)
    host = str(found[0][4][0])
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{url.port}", name
