"""`POST /log` answered in the protocol: as the ordinary way answers it, byte by byte."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laneway.base.errors import LogError
from laneway.hub.hub import Hub
from laneway.web import plain
from laneway.web.app import App
from laneway.web.auth import Access
from laneway.web.ingest import INLINE_BYTES, Ingest
from laneway.web.keyring import Keyring
from laneway.web.plain import PlainPost

from ..hub.event import event
from .conftest import PORT, Tokens
from .protocol import Answer, Link

HOST = b"127.0.0.1:%d" % PORT
ONE = orjson.dumps(event(1))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that took the plain way."""
    bodies: list[bytes] = []
    take = Ingest.take_plain

    def note(ingest: Ingest, body: bytes, *rest: object) -> None:
        bodies.append(body)
        take(ingest, body, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Ingest, "take_plain", note)
    return bodies


@pytest.fixture
def bound(hub: Hub, access: Access) -> str:
    """A token that speaks for another agent than the planner."""
    return Keyring(hub.settings.home).add("tenant", ["ingest"], agents=["a"])


@pytest.mark.parametrize("answers_plain", [True, False])
async def test_a_bound_token_speaks_for_its_own_agent_only(
    app: App, hub: Hub, bound: str, answers_plain: bool
) -> None:
    own, foreign = (orjson.dumps(event(1, agent=name)) for name in ("a", "planner"))
    link = Link(app, answers_plain=answers_plain)
    assert Answer(await link.exchange(request(bound, own))).status == 200
    refused = Answer(await link.exchange(request(bound, foreign)))
    assert refused.status == 422
    assert b"speaks for a only" in refused.body
    assert len(lines(hub)) == 1


def bind_to_another(document: Path) -> None:
    document.write_text(document.read_text().replace('"a"', '"b"'))


def request(
    token: str, body: bytes = ONE, *, line: bytes = b"POST /log HTTP/1.1", **headers: bytes
) -> bytes:
    """A header given as nothing is left out."""
    given = {
        "host": HOST,
        "content_type": b"application/json",
        "authorization": b"Bearer " + token.encode(),
        "content_length": b"%d" % len(body),
        **headers,
    }
    pairs = [(name.replace("_", "-").encode(), value) for name, value in given.items() if value]
    return b"\r\n".join([line, *(b"%b: %b" % pair for pair in pairs), b"", body])


def lines(hub: Hub) -> list[bytes]:
    path = Path(hub.log_path.segment_path(1))
    return path.read_bytes().splitlines() if path.exists() else []


async def test_a_plain_request_makes_no_task(
    app: App, hub: Hub, tokens: Tokens, taken: list[bytes]
) -> None:
    link = Link(app)
    before = asyncio.all_tasks()
    link.connection.data_received(request(tokens.ingest))
    assert asyncio.all_tasks() == before
    assert not link.pipe.sent, "nothing is acknowledged before it is in the log"
    answer = Answer(await link.exchange())
    assert (answer.status, orjson.loads(answer.body)["accepted"]) == (200, 1)
    assert [orjson.loads(line)["id"] for line in lines(hub)] == ["id-1"]
    assert taken == [ONE]


@pytest.mark.parametrize(
    "given",
    [
        {"content_encoding": b"identity"},
        {"expect": b"100-continue"},
        {"line": b"POST /log?x=1 HTTP/1.1"},
        {"line": b"POST /%6Cog HTTP/1.1"},
        {"line": b"POST /log HTTP/1.0"},
        {"line": b"PUT /log HTTP/1.1"},
        {"line": b"POST /events HTTP/1.1"},
        {"host": b"evil.example"},
        {"origin": b"http://evil.example"},
        {"sec_fetch_site": b"cross-site"},
        {"authorization": b"Bearer wrong"},
        {"connection": b"upgrade", "upgrade": b"websocket"},
        {"body": b" " * INLINE_BYTES + ONE},
        {"content_length": b"", "transfer_encoding": b"chunked", "body": b"1\r\n{\r\n0\r\n\r\n"},
    ],
)  # fmt: skip
async def test_what_is_not_plain_goes_the_ordinary_way(
    app: App, tokens: Tokens, taken: list[bytes], given: dict[str, bytes]
) -> None:
    link = Link(app)
    answer = await link.exchange(request(tokens.ingest, **given))  # type: ignore[arg-type]
    assert answer.startswith(b"HTTP/1.1 ")
    assert taken == []


async def test_a_body_that_comes_after_its_head_goes_the_ordinary_way(
    app: App, hub: Hub, tokens: Tokens, taken: list[bytes]
) -> None:
    data = request(tokens.ingest)
    answer = await Link(app).exchange(data[:-30], data[-30:-9], data[-9:])
    assert Answer(answer).status == 200
    assert len(lines(hub)) == 1
    assert taken == []


async def test_requests_sent_ahead_are_answered_in_order(
    app: App, tokens: Tokens, taken: list[bytes]
) -> None:
    health = b"GET /health HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
    refused = request(tokens.ingest, b"no json")
    sent = await Link(app).exchange(request(tokens.ingest) + health + refused + health)
    parts = sent.split(b"HTTP/1.1 ")[1:]
    kinds = [part[:3] + (b" health" if b'"viewers"' in part else b"") for part in parts]
    assert kinds == [b"200", b"200 health", b"422", b"200 health"]
    assert taken == [ONE], "what comes while another request is in work waits for its turn"


async def test_a_connection_is_used_again_and_closed_when_its_sender_says(
    app: App, tokens: Tokens, taken: list[bytes]
) -> None:
    link = Link(app)
    for _ in range(3):
        assert Answer(await link.exchange(request(tokens.ingest))).status == 200
    assert not link.pipe.is_closed
    answer = Answer(await link.exchange(request(tokens.ingest, connection=b"close")))
    assert (b"connection", b"close") in answer.headers
    assert link.pipe.is_closed
    assert len(taken) == 4


async def test_a_token_that_is_revoked_is_refused_on_a_connection_that_used_it(
    app: App, hub: Hub, access: Access, bound: str, taken: list[bytes]
) -> None:
    link, sent = Link(app), request(bound, orjson.dumps(event(1, agent="a")))
    for _ in range(3):
        assert Answer(await link.exchange(sent)).status == 200
    assert len(taken) == 3
    Keyring(hub.settings.home).revoke("tenant")
    access.door._look_at_s = 0.0  # the second until it looks again is over
    assert Answer(await link.exchange(sent)).status == 401
    assert len(lines(hub)) == 3


async def test_a_token_that_is_bound_anew_speaks_for_others_on_a_connection_that_used_it(
    app: App, hub: Hub, access: Access, bound: str
) -> None:
    link, sent = Link(app), request(bound, orjson.dumps(event(1, agent="a")))
    assert Answer(await link.exchange(sent)).status == 200
    bind_to_another(Path(hub.settings.home, "tokens.json"))
    access.door._look_at_s = 0.0
    assert Answer(await link.exchange(sent)).status == 422
    assert len(lines(hub)) == 1


async def test_a_connection_remembers_no_token(
    app: App, tokens: Tokens, taken: list[bytes]
) -> None:
    link = Link(app)
    for _ in range(2):
        sent = request(tokens.ingest, cookie=b"laneway=" + tokens.access.encode())
        assert Answer(await link.exchange(sent)).status == 200
    assert len(taken) == 2
    kept = f"{link.connection._before} {link.connection._headers_before!r}"
    assert tokens.ingest not in kept
    assert tokens.access not in kept


async def test_other_headers_on_a_connection_are_looked_at_anew(
    app: App, hub: Hub, tokens: Tokens
) -> None:
    link, sent = Link(app), request(tokens.ingest, ONE)
    assert Answer(await link.exchange(sent)).status == 200
    assert Answer(await link.exchange(sent.replace(HOST, b"evil.example"))).status == 403
    assert Answer(await link.exchange(request(tokens.ingest + "x", ONE))).status == 401
    assert Answer(await link.exchange(sent)).status == 200
    assert len(lines(hub)) == 2


async def test_a_server_that_ends_answers_what_it_has_begun_and_closes(
    app: App, hub: Hub, tokens: Tokens
) -> None:
    link = Link(app)
    link.connection.data_received(request(tokens.ingest))
    link.connection.shutdown()
    answer = Answer(await link.exchange())
    assert answer.status == 200
    assert (b"connection", b"close") in answer.headers
    assert link.pipe.is_closed
    assert len(lines(hub)) == 1


async def test_a_sender_that_leaves_early_breaks_nothing(
    app: App, hub: Hub, tokens: Tokens
) -> None:
    link = Link(app)
    link.connection.data_received(request(tokens.ingest))
    link.pipe.close()
    link.end()
    while not lines(hub):  # noqa: ASYNC110 - the file system tells nobody
        await asyncio.sleep(0.001)
    assert Answer(await Link(app).exchange(request(tokens.ingest))).status == 200
    assert link.pipe.sent == b""


async def test_a_receiver_that_does_not_read_waits_for_its_answers_in_the_ordinary_way(
    app: App, tokens: Tokens, taken: list[bytes]
) -> None:
    link = Link(app)
    link.connection.pause_writing()
    link.connection.data_received(request(tokens.ingest))
    assert taken == []
    link.connection.resume_writing()
    assert Answer(await link.exchange()).status == 200


@pytest.mark.parametrize("answers_plain", [True, False])
async def test_a_fault_of_ours_is_500_and_said_in_the_hubs_output(
    app: App, hub: Hub, tokens: Tokens, answers_plain: bool,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(hub.intake, "take_one", lambda *_: 1 / 0)
    link = Link(app, answers_plain=answers_plain)
    answer = Answer(await link.exchange(request(tokens.ingest)))
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert (b"connection", b"close") in answer.headers
    assert link.pipe.is_closed
    assert "ZeroDivisionError" in caplog.text


async def test_a_fault_while_answering_closes_this_connection_and_no_other(
    app: App, hub: Hub, tokens: Tokens, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(plain, "READY", {})
    write = PlainPost._write
    faults = iter([True])

    def fail_once(post: PlainPost, found: tuple[int, bytes] | BaseException) -> bytes:
        if next(faults, False):
            raise RuntimeError("cannot be written")
        return write(post, found)

    monkeypatch.setattr(PlainPost, "_write", fail_once)
    first, second = Link(app), Link(app)
    first.connection.data_received(request(tokens.ingest))
    second.connection.data_received(request(tokens.ingest))
    assert Answer(await first.exchange()).status == 500
    assert Answer(await second.exchange()).status == 200
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("answers_plain", [True, False])
async def test_a_log_that_cannot_be_written_is_told_and_counted(
    app: App, hub: Hub, tokens: Tokens, answers_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(lines: Sequence[bytes], *, durable: bool) -> None:
        raise LogError("no space left on device", status=507)

    monkeypatch.setattr(hub, "write", fail)
    answer = Answer(await Link(app, answers_plain=answers_plain).exchange(request(tokens.ingest)))
    assert answer.status == 507
    said = orjson.loads(answer.body)["message"]
    assert said == "the log cannot be written: no space left on device"
    assert (b"retry-after", b"1") in answer.headers
    assert hub.metric.refused.total == 1
    assert hub.metric.accepted.total == 0


def _headers(token: bytes, bound: bytes) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    """Mostly as an ordinary sender has them; None is no such header."""
    bearer = [b"Bearer " + token, None, b"Bearer x", b"bearer  " + token, token]
    bearer += [b"Basic " + token, b"Bearer " + bound, b"Bearer " + bound]
    json = b"application/json"
    names: dict[bytes, list[bytes | None]] = {
        b"Host": [HOST, None, b"evil.example", b"LOCALHOST:8001", b"127.0.0.1", b""],
        b"host": [None, b"evil.example"],
        b"Authorization": bearer,
        b"authorization": [None, b"Bearer x"],
        b"Content-Type": [json, None, b"text/plain", b"application/x-ndjson", json + b"; a=b"],
        b"Origin": [None, b"http://127.0.0.1:8001", b"http://evil.example", b"null"],
        b"Sec-Fetch-Site": [None, b"same-origin", b"cross-site"],
        b"Content-Encoding": [None, b"gzip", b"identity", b"br"],
        b"Connection": [None, b"close", b"keep-alive"],
        b"Laneway-Durability": [None, b"durable", b"x"],
        b"X-Strange": [None, b"a" * 4_000, b"\xff"],
    }
    values = [
        st.sampled_from([usual] * 2 * len(names) + others) for usual, *others in names.values()
    ]
    return st.tuples(*values).map(
        lambda given: [(k, v) for k, v in zip(names, given, strict=True) if v is not None]
    )


_BODIES = st.one_of(
    st.just(ONE),
    st.just(b'{"agent":"a","event":"x","content":"key sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123"}'),
    st.just(b"[" + ONE + b"," + ONE + b",7]"),
    st.just(ONE + b"\n" + ONE + b"\n\n{"),
    st.just(b"\xef\xbb\xbf" + ONE),
    st.just(b'{"agent":"a","event":"x","n":NaN}'),
    st.just(b'{"agent":"","event":"x"}'),
    st.just(b"[" * 200 + b"]" * 200),
    st.just(b"\n" * 300_000),
    st.binary(max_size=60),
    st.sampled_from([b"", b"{}", b"[]", b"null", b'"text"', b"{", b"\x1f\x8b\x08"]),
)  # fmt: skip

_LINES = st.sampled_from(
    [b"POST /log HTTP/1.1"] * 8
    + [b"POST %b HTTP/1.1" % target for target in (b"/log?a=b", b"/lo%67", b"//log", b"/log/")]
    + [b"POST /log HTTP/1.0", b"GET /log HTTP/1.1", b"POST http://evil.example/log HTTP/1.1"]
    + [b"POST /events HTTP/1.1"]
)


def _shape(found: list[bytes]) -> list[dict[str, object]]:
    """Lines without what is made anew for each."""
    made = ("timestamp", "id")
    events = map(orjson.loads, found)
    return [{name: event[name] for name in event if name not in made} for event in events]


async def _answer(app: App, hub: Hub, data: list[bytes], *, answers_plain: bool) -> object:
    """What there is to see of a request: the answer, the connection, the log, what was counted."""
    before, refused = len(lines(hub)), dict(hub.metric.refused.values)
    link = Link(app, answers_plain=answers_plain)
    sent = await link.exchange(*data)
    is_closed = link.pipe.is_closed
    link.end()
    counts = hub.metric.refused.values.items()
    counted = {key: count for key, count in counts if count != refused.get(key)}
    added = {key: count - refused.get(key, 0) for key, count in counted.items()}
    return sent, is_closed, _shape(lines(hub)[before:]), added


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_both_ways_answer_alike(
    app: App, hub: Hub, tokens: Tokens, bound: str, data: st.DataObject
) -> None:
    line, body = data.draw(_LINES), data.draw(_BODIES)
    headers = data.draw(_headers(tokens.ingest.encode(), bound.encode()))
    headers.append((b"Content-Length", b"%d" % len(body)))
    whole = b"\r\n".join([line, *(b"%b: %b" % pair for pair in headers), b"", body])
    cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=2)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    async def both() -> tuple[object, object]:
        return (
            await _answer(app, hub, pieces, answers_plain=True),
            await _answer(app, hub, pieces, answers_plain=False),
        )

    in_protocol, in_application = asyncio.run(both())
    assert in_protocol == in_application
