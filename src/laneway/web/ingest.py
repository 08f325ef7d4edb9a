"""``POST /log``: the hot route, answered before any framework sees it.

Two ways lead in, with the same steps: `Ingest.__call__` is plain ASGI and takes every body;
`Ingest.take_plain` takes one that is here as a whole, without a task (`laneway.web.plain`).
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar, TypeVarTuple, Unpack

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.types import Message, Receive, Scope, Send

from laneway.base.clock import now_ns
from laneway.base.errors import BodyError, LanewayError, LogError, quote
from laneway.base.limits import KIB
from laneway.hub.hub import Hub
from laneway.hub.pipeline import BATCH_EVENTS, Taken
from laneway.model.wire import decode_body, may_be_deep, try_split_body
from laneway.web.body import UNSUPPORTED, GoneError, read_body
from laneway.web.commit import Commit, DurableCommit
from laneway.web.door import HeaderMap
from laneway.web.keyring import Grant
from laneway.web.problem import Headers, send_problem
from laneway.web.rate import Buckets

INLINE_BYTES = 64 * KIB
"""A larger body is decoded in a worker thread: it would hold up everybody for milliseconds."""

DECODERS = 1
"""Large bodies decoded at a time: more threads would only pass one interpreter to and fro."""

LINES = 10 * BATCH_EVENTS
"""Lines of a body, blank ones with them: more are refused before they become objects in memory."""

JSON_TYPES = frozenset({b"application/json", b"application/x-ndjson", b"application/jsonl"})

LEVEL_HEADER = b"laneway-durability"
"""A sender that keeps its copy until the event is on the disk says ``durable`` in it."""

ONE_LOGGED = {
    is_durable: b'{"status":"logged","accepted":1,"rejected":0,"durable":%s,"durability":"%s","errors":[]}'
    % ((b"true", b"durable") if is_durable else (b"false", b"default"))
    for is_durable in (False, True)
}
"""What most requests are answered, encoded once."""


Given = TypeVarTuple("Given")
Found = TypeVar("Found")
Decode = Callable[[bytes, bytes, Grant], Taken]
Answer = Callable[[tuple[int, bytes] | BaseException], None]
"""Takes status and body of a receipt, or why there is none."""


class Ingest:
    """The route's handler; access was checked before."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._limit_bytes = hub.settings.body_bytes
        self._is_durable = hub.is_durable
        self._durable_commit = DurableCommit(hub)
        self._commit = self._durable_commit if self._is_durable else Commit(hub.append)
        self._decoders = CapacityLimiter(DECODERS)
        self._tokens = Buckets("token", hub.settings.token_rate)
        self._agents = Buckets("agent", hub.settings.agent_rate)

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: HeaderMap,
        grant: Grant,
        decode: Decode | None = None,
    ) -> None:
        """``decode`` reads a body that is in another form than ours."""
        try:
            status, answer = await self._take(receive, headers, grant, decode or self._decode)
        except LanewayError as error:
            self.note_refused(error)
            await send_problem(scope, send, error)
        except GoneError:
            pass
        else:
            await send(ONE_LOGGED_START.get(answer) or _start(status, answer))
            await send({"type": "http.response.body", "body": answer})

    async def _take(
        self, receive: Receive, headers: HeaderMap, grant: Grant, decode: Decode
    ) -> tuple[int, bytes]:
        content_type = self._admit(headers, grant)
        body = await read_body(receive, headers, self._limit_bytes)
        begun_s = perf_counter()
        if len(body) <= INLINE_BYTES:
            taken = decode(body, content_type, grant)
        else:
            taken = await self.decode_aside(decode, body, content_type, grant)
        is_durable = self._wants_disk(headers)
        if taken.lines:
            self._charge(taken, grant)
            await self.append(taken.lines, durable=is_durable)
        self._hub.metric.ingest_s.observe(perf_counter() - begun_s)
        return _receipt(taken, is_durable=is_durable)

    @property
    def plain_bytes(self) -> int:
        """The longest body that `take_plain` takes."""
        return min(INLINE_BYTES, self._limit_bytes)

    def take_plain(self, body: bytes, headers: HeaderMap, grant: Grant, answer: Answer) -> None:
        """``answer`` is called once: now, or when the lines stand in the log, or with what went wrong.

        ``body`` has no encoding and at most `plain_bytes`.
        """
        begun_s = perf_counter()
        try:
            taken = self._decode(body, self._admit(headers, grant), grant)
            if taken.lines:
                self._charge(taken, grant)
        except LanewayError as error:
            self.note_refused(error)
            answer(error)
            return
        is_durable = self._wants_disk(headers)

        def tell(error: BaseException | None) -> None:
            if error is None:
                self._hub.metric.ingest_s.observe(perf_counter() - begun_s)
                answer(_receipt(taken, is_durable=is_durable))
                return
            if isinstance(error, LogError):
                error = _unwritable(error)
                self.note_refused(error)
            answer(error)

        if taken.lines:
            self._commit_of(is_durable).add(taken.lines, tell)
        else:
            tell(None)

    def note_refused(self, error: LanewayError) -> None:
        self._hub.metric.refused.add(1, error.code)

    def _admit(self, headers: HeaderMap, grant: Grant) -> bytes:
        """The body's type, of a sender who may send now."""
        content_type = headers.get(b"content-type", b"")
        _check_type(content_type, headers)
        self.check_token(grant)
        return content_type

    def _wants_disk(self, headers: HeaderMap) -> bool:
        return self._is_durable or headers.get(LEVEL_HEADER) == b"durable"

    def _commit_of(self, is_durable: bool) -> Commit:
        return self._durable_commit if is_durable else self._commit

    def decode_hooks(self, body: bytes, content_type: bytes, grant: Grant) -> Taken:
        """`Decode` for ``POST /events``: hook payloads, bare or in an envelope."""
        from laneway.sources.envelope import envelope_event, is_envelope

        received_ns = now_ns()
        items = (
            envelope_event(item, received_ns) if is_envelope(item) else item  # type: ignore[arg-type]
            for item in decode_body(body, content_type.decode("latin-1"))
        )
        return self._hub.intake.take(items, grant.check_sender if grant.is_bound else None)

    async def read(self, receive: Receive, headers: HeaderMap, grant: Grant) -> bytes:
        """The body of a sender that is let in."""
        self.check_token(grant)
        return await read_body(receive, headers, self._limit_bytes)

    def check_token(self, grant: Grant) -> None:
        """Raises RateError for a token that has sent too much."""
        if self._tokens.rate:
            self._tokens.check((grant.name,))

    async def decode_aside(self, decode: Callable[[Unpack[Given]], Found], *args: *Given) -> Found:
        """Decode a large body in a worker thread."""
        return await to_thread.run_sync(decode, *args, limiter=self._decoders)

    async def keep(self, taken: Taken, grant: Grant, *, durable: bool) -> None:
        """Append what was taken, as far as its senders may send so much."""
        self._charge(taken, grant)
        await self.append(taken.lines, durable=durable)

    def _charge(self, taken: Taken, grant: Grant) -> None:
        if self._agents.rate:
            self._agents.check(taken.agents)
            self._agents.take(taken.agents)
        if self._tokens.rate:
            self._tokens.take({grant.name: len(taken.lines)})

    def _decode(self, body: bytes, content_type: bytes, grant: Grant) -> Taken:
        if body.count(b"\n") > LINES:
            raise BodyError(
                f"more than {LINES} lines in one request", hint="send smaller batches", status=413
            )
        check_sender = grant.check_sender if grant.is_bound else None
        one = _try_decode_one(body, content_type)
        if one:
            return self._hub.intake.take_one(one, check_sender)
        kind = content_type.decode("latin-1")
        items = try_split_body(body, kind) or decode_body(body, kind)
        return self._hub.intake.take(items, check_sender)

    async def append(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """On return they are in the log.

        Raises:
            LogError: it cannot be written.
        """
        try:
            await self._commit_of(durable).append(lines)
        except LogError as error:
            raise _unwritable(error) from error


def _unwritable(error: LogError) -> LogError:
    return LogError(
        f"the log cannot be written: {error.message}", hint=error.hint, status=error.status
    )


def _try_decode_one(body: bytes, content_type: bytes) -> dict[str, object] | None:
    """The object that a plain body is, in a quarter of the time that any other body takes."""
    if body[:1] != b"{" or b"ndjson" in content_type:
        return None
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and not may_be_deep(body) else None


def _check_type(content_type: bytes, headers: HeaderMap) -> None:
    """A browser sends other types across sites without asking first; a page of ours has no need to.

    Raises:
        BodyError: a page sends what is not declared as JSON.
    """
    if b"origin" not in headers and b"sec-fetch-site" not in headers:
        return
    kind = content_type.partition(b";")[0].strip().lower()
    if kind not in JSON_TYPES:
        raise BodyError(
            f"Content-Type {quote(kind.decode('latin-1'))} is not application/json",
            status=UNSUPPORTED,
        )


def _receipt(taken: Taken, *, is_durable: bool) -> tuple[int, bytes]:
    """Status and body that tell what was taken."""
    if len(taken.lines) == 1 and not taken.rejected_count:
        return 200, ONE_LOGGED[is_durable]
    is_refused = bool(taken.rejected_count and not taken.lines)
    receipt = {
        "status": "rejected" if is_refused else "logged",
        "accepted": len(taken.lines),
        "rejected": taken.rejected_count,
        "durable": is_durable,
        "durability": "durable" if is_durable else "default",
        "errors": [
            {"index": place, "field": field, "message": message}
            for place, field, message in taken.rejections
        ],
    }
    return 422 if is_refused else 200, orjson.dumps(receipt)


def receipt_headers(body: bytes) -> Headers:
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


def _start(status: int, body: bytes) -> Message:
    return {"type": "http.response.start", "status": status, "headers": receipt_headers(body)}


ONE_LOGGED_START = {answer: _start(200, answer) for answer in ONE_LOGGED.values()}
