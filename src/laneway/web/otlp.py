"""``POST /v1/traces``, ``/v1/logs``, ``/v1/metrics``: OTLP over HTTP, answered as its specification says."""

import asyncio
import logging
from http import HTTPStatus
from types import ModuleType

import orjson
from starlette.types import Receive, Scope, Send

from laneway.base.errors import BodyError, LanewayError, LogError, quote
from laneway.hub.hub import Hub
from laneway.hub.telemetry import Arrival
from laneway.sources.otlp.record import Signal
from laneway.web.body import UNSUPPORTED, GoneError
from laneway.web.door import HeaderMap
from laneway.web.ingest import LEVEL_HEADER, Ingest
from laneway.web.keyring import Grant
from laneway.web.problem import COME_BACK, RETRY_AFTER_S, encode

PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}

PROTOBUF, JSON = b"application/x-protobuf", b"application/json"

BEAT_S = 0.5
"""Between two looks at what waits for its ancestors."""

REASONS = 3
"""Told of all that were rejected; an exporter logs the message as one line."""

RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14, 507: 14}
"""``google.rpc.Code`` of a status: what the body of a refusal has to tell."""

log = logging.getLogger("laneway.web")


class Otlp:
    """The routes; access was checked before."""

    def __init__(self, hub: Hub, ingest: Ingest) -> None:
        self._hub = hub
        self._ingest = ingest

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, headers: HeaderMap, grant: Grant
    ) -> None:
        kind = form_of(headers)
        try:
            form = _form(headers)
            body = await self._ingest.read(receive, headers, grant)
            is_durable = headers.get(LEVEL_HEADER) == b"durable"
            signal = PATHS[scope["path"]]
            answer = await self.take(signal, form, body, grant, durable=is_durable)
        except LanewayError as error:
            self._hub.metric.refused.add(1, error.code)
            await send_refusal(send, kind, error)
        except GoneError:
            pass
        else:
            await _send(send, HTTPStatus.OK, kind, answer)

    async def run(self) -> None:
        """Log what has waited for long enough, until it is cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self.settle()
            except LogError as error:
                log.warning("spans that waited are kept until the log can be written: %s", error)

    async def settle(self) -> None:
        """Raises LogError where the log cannot be written; nothing is lost then."""
        lines = self._hub.telemetry.settle()
        if lines:
            try:
                await self._ingest.append(lines, durable=self._hub.is_durable)
            except BaseException:
                self._hub.telemetry.owe(lines)
                raise
            self._hub.telemetry.note_written()

    async def take(
        self, signal: Signal, form: ModuleType, body: bytes, grant: Grant, *, durable: bool = False
    ) -> bytes:
        """The answer to a body in one ``form``; what was taken is in the log, or waits on the disk.

        Raises:
            LanewayError: nothing was taken.
        """
        # Never on the event loop: whoever holds the traces' lock would hold up everybody.
        arrival = await self._ingest.decode_aside(self._read, form, signal, body, grant)
        taken = arrival.taken
        try:
            if taken.lines:
                await self._ingest.keep(taken, grant, durable=durable or self._hub.is_durable)
        except BaseException:
            self._hub.telemetry.owe(taken.lines)  # others' spans may be among them
            raise
        self._hub.telemetry.note_written()
        message = "; ".join(arrival.reasons[:REASONS])
        answer: bytes = form.write_answer(signal, arrival.rejected_count, message)
        return answer

    def _read(self, form: ModuleType, signal: Signal, body: bytes, grant: Grant) -> Arrival:
        batch = form.read(signal, body)
        return self._hub.telemetry.take(batch, grant.check_sender if grant.is_bound else None)


def _bare_type(headers: HeaderMap) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def form_of(headers: HeaderMap) -> bytes:
    """The content type of the answer: that of the request."""
    return JSON if _bare_type(headers) == JSON else PROTOBUF


def _form(headers: HeaderMap) -> ModuleType:
    """The module that reads the body; protobuf takes a moment to load and waits for the first who uses it.

    Raises:
        BodyError: it is in neither form.
    """
    kind = _bare_type(headers)
    if kind == JSON:
        from laneway.sources.otlp import json

        return json
    if kind == PROTOBUF and b"origin" not in headers and b"sec-fetch-site" not in headers:
        from laneway.sources.otlp import protobuf

        return protobuf
    raise BodyError(
        f"Content-Type {quote(kind.decode('latin-1'))} is neither {PROTOBUF.decode()} nor {JSON.decode()}",
        hint="OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or http/json",
        status=UNSUPPORTED,
    )


async def send_refusal(send: Send, kind: bytes, error: LanewayError) -> None:
    """A ``google.rpc.Status`` in the form of the request. A full disk is told as 503: exporters
    send again what got 429, 502, 503 or 504, and throw away all else."""
    status, code, message = refusal(error)
    body = orjson.dumps({"code": code, "message": message})
    if kind == PROTOBUF:
        text = message.encode()
        body = b"\x08" + varint(code) + b"\x12" + varint(len(text)) + text
    await _send(send, status, kind, body, retry_after_s(error))


def refusal(error: LanewayError) -> tuple[int, int, str]:
    """Status, ``google.rpc.Code`` and words of a refusal."""
    status, _, told = encode(error)
    problem = orjson.loads(told)
    message = f"{problem['message']} ({problem['hint']})" if problem["hint"] else problem["message"]
    code = RPC_CODES.get(status, 2)
    return (503 if status == HTTPStatus.INSUFFICIENT_STORAGE else status), code, message


def retry_after_s(error: LanewayError) -> int:
    """Ask again no sooner."""
    return int(getattr(error, "retry_after_s", RETRY_AFTER_S))


def varint(number: int) -> bytes:
    """Protobuf's form of a small number."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


async def _send(
    send: Send, status: int, kind: bytes, body: bytes, wait_s: int = RETRY_AFTER_S
) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    if status in COME_BACK:
        headers.append((b"retry-after", b"%d" % wait_s))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
