"""The hub under attack by raw sockets: none of them keeps a place, memory, or an honest client out."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import httpx
import pytest

from laneway.web import body as body_module
from laneway.web import runner
from laneway.web.connection import Bounds
from tests.waiting import eventually

from ..hub.event import event
from .conftest import Running

PATIENCE_S = 180.0
QUICK_CONNECTIONS = 8
QUICK = {"head_s": 0.4, "keep_alive_s": 0.6, "send_s": 0.6, "connections": QUICK_CONNECTIONS}

Connect = Callable[..., socket.socket]
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own bounds, and its patience in tenths of a second."""
    monkeypatch.setattr(
        runner, "Bounds", lambda **given: Bounds(**{**given, "head_bytes": 32_768, **QUICK})
    )


@pytest.fixture
def connect(running: Running) -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect(data: bytes = b"", receive_bytes: int = 0) -> socket.socket:
            made = stack.enter_context(socket.socket())
            made.settimeout(PATIENCE_S)
            if receive_bytes:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            host, _, port = running.url.removeprefix("http://").rpartition(":")
            made.connect((host, int(port)))
            with suppress(OSError):  # cut off in mid-sentence: whoever reads will see it
                made.sendall(data)
            return made

        yield connect


def read_all(from_: socket.socket) -> bytes:
    """What comes until the hub closes."""
    data = b""
    try:
        while part := from_.recv(65_536):
            data += part
    except ConnectionResetError:
        pass
    return data


def read_status(from_: socket.socket) -> int:
    """The status of an answer that is read to its end; 0 where the hub hung up."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            part = from_.recv(65_536)
            if not part:
                return 0
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += from_.recv(65_536)
    except OSError:
        return 0
    return int(head[9:12])


def dribble(to: socket.socket, data: bytes, every_s: float = 0.1) -> bytes:
    """Send a byte now and then until the hub has enough; what it said."""
    until_s = time.monotonic() + PATIENCE_S
    for place in range(1_000_000):
        assert time.monotonic() < until_s, "the hub did not let go"
        try:
            to.sendall(data[place % len(data) :][:1])
        except OSError:
            break
        if select.select([to], [], [], every_s)[0]:
            break
    return read_all(to)


def head(running: Running, method: str = "GET", path: str = "/api/agents", **more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {running.url.removeprefix('http://')}"]
    fields = {**running.headers, **more}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Honest:
    """A client that does nothing wrong. On a busy machine tenths of a second can pass between its connection
    and its first byte: where it came too late, it begins anew."""

    def __init__(self, running: Running, connect: Connect) -> None:
        self._running, self._connect = running, connect
        self.late = 0

    def begin(self, ask: Callable[[], T | None]) -> T:
        """What ``ask`` returned of the first connection that the hub did not find late."""

        def once() -> list[T]:
            try:
                told = ask()
            except (OSError, httpx.TransportError):
                told = None
            self.late += told is None
            return [] if told is None else [told]

        return eventually(once, "an answer to an honest client")[0]

    def status(self, data: bytes) -> int:
        return self.begin(lambda: self.read(self._connect(data)))

    def read(self, from_: socket.socket) -> int | None:
        status = read_status(from_)
        return None if status in (0, 408) else status

    def served(self, data: bytes) -> socket.socket:
        """A connection that has had its answer, 200."""

        def once() -> socket.socket | None:
            made = self._connect(data)
            return made if self.read(made) == 200 else None

        return self.begin(once)

    def open(self, data: bytes, answer: bytes, receive_bytes: int = 0) -> socket.socket:
        """A connection that ``data`` was sent over, and whose answer began so."""

        def once() -> socket.socket | None:
            made = self._connect(data, receive_bytes)
            return made if made.recv(len(answer)) == answer else None

        return self.begin(once)

    def get(self, path: str) -> Any:
        """Its JSON, or text."""

        def once() -> Any:
            url, headers = f"{self._running.url}{path}", self._running.headers
            answer = httpx.get(url, headers=headers, timeout=PATIENCE_S)
            if answer.status_code == 408:
                return None
            assert answer.status_code == 200, answer.text
            return answer.text if path == "/metrics" else answer.json()

        return self.begin(once)

    def post(self, *events: dict[str, Any]) -> None:
        def once() -> bool | None:
            url, headers = f"{self._running.url}/log", self._running.headers
            answer = httpx.post(url, json=events, headers=headers, timeout=PATIENCE_S)
            if answer.status_code == 408:
                return None
            assert answer.status_code == 200, answer.text
            return True

        self.begin(once)

    def ended(self, reason: str) -> int:
        lines = self.get("/metrics").splitlines()
        found = [line for line in lines if f'ended_total{{reason="{reason}"}}' in line]
        return int(found[0].rpartition(" ")[2]) if found else 0

    def works(self) -> bool:
        """It gets its event in and its page out."""
        self.post(event(1))
        return bool(self.get("/api/events")["events"] is not None)


@pytest.fixture
def honest(running: Running, connect: Connect) -> Honest:
    return Honest(running, connect)


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(
    running: Running, honest: Honest, connect: Connect
) -> None:
    said = dribble(connect(b"GET /health HTTP/1.1\r\nX-Slow: "), b"a")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert 1 <= honest.ended("slow_head") <= 1 + honest.late


def test_a_connection_that_says_nothing_is_closed(running: Running, connect: Connect) -> None:
    assert read_all(connect()) == b""


def test_empty_lines_are_no_sign_of_life(
    running: Running, honest: Honest, connect: Connect
) -> None:
    dribble(connect(), b"\r\n")
    silent = honest.served(head(running))
    dribble(silent, b"\r\n")
    assert honest.works()


def test_an_idle_connection_is_closed_after_its_time(
    running: Running, honest: Honest, connect: Connect
) -> None:
    assert read_all(honest.served(head(running))) == b""
    assert honest.ended("idle") >= 1


def test_a_connection_in_use_is_kept(running: Running, connect: Connect) -> None:
    """It is used for longer than an idle one is kept; who comes late, on a busy machine, begins anew."""
    until_s = time.monotonic() + PATIENCE_S
    kept, used, said_s = connect(), 0, time.monotonic()
    while used < 8:
        with suppress(OSError):
            kept.sendall(head(running))
        status = read_status(kept)
        was_late = time.monotonic() - said_s > QUICK["head_s"]
        if was_late:
            assert time.monotonic() < until_s
            kept, used = connect(), 0
        else:
            assert status == 200
            used += 1
        said_s = time.monotonic()
        time.sleep(0.1)


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(
    running: Running, honest: Honest, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "READ_S", 0.4)
    slow = connect(head(running, "POST", "/log", content_length="1000"))
    assert dribble(slow, b"x").startswith(b"HTTP/1.1 408 ")
    assert honest.works()


def test_the_rest_of_a_body_that_nobody_reads_is_not_waited_for(
    running: Running, honest: Honest, connect: Connect
) -> None:
    """The answer, 401, comes at once; what follows must not keep the place for ever."""
    post = head(running, "POST", "/log", content_length="100000", Authorization="no")
    dribble(honest.open(post, b"HTTP/1.1 401 "), b"x")
    assert 1 <= honest.ended("slow_head") <= 1 + honest.late


@pytest.mark.parametrize("kind", ["one", "many", "path", "query", "name"])
def test_a_head_without_end_is_cut_off(
    running: Running, honest: Honest, connect: Connect, kind: str
) -> None:
    host = running.url.removeprefix("http://").encode()
    start = b"GET /health HTTP/1.1\r\nHost: " + host + b"\r\n"
    endless = {
        "one": start + b"X: " + b"a" * 2_000_000,
        "many": start + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(100_000)),
        "path": b"GET /" + b"a" * 2_000_000,
        "query": b"GET /api/events?q=" + b"a" * 2_000_000,
        "name": start + b"X" * 2_000_000,
    }
    told = b"408"
    while told == b"408" or not honest.ended("large_head"):  # it was slow, too
        told = read_all(connect(endless[kind]))[9:12]
    assert told in (b"431", b"")
    assert honest.ended("large_head") == 1
    assert honest.works()


@pytest.mark.parametrize("count", [50, 150])
def test_a_whole_head_has_its_bounds_too(
    running: Running, honest: Honest, connect: Connect, count: int
) -> None:
    more = {f"X_{n}": "v" for n in range(count)}
    assert honest.status(head(running, **more)) == (200 if count == 50 else 431)
    assert honest.status(head(running, X="v" * 30_000)) == 200
    assert honest.status(head(running, X="v" * 40_000)) == 431


def test_requests_sent_far_ahead_of_their_answers_are_refused(
    running: Running, honest: Honest, connect: Connect
) -> None:
    def few() -> bool | None:
        return read_all(connect(head(running) * 4)).count(b"HTTP/1.1 200 ") == 4 or None

    assert honest.begin(few)
    many = head(running) * 2_000
    eventually(lambda: (read_all(connect(many)), honest.ended("bad_request"))[1] >= 1)
    assert honest.works()


def test_whoever_does_nothing_makes_room_for_whoever_comes(
    running: Running, honest: Honest, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [connect(b"GET /health HTTP/1.1\r\nX: ") for _ in range(60)]
    for _ in range(5):
        assert honest.works()
        crowd += [connect(b"POST /log HTTP/1.1\r\n") for _ in range(20)]
    assert honest.ended("made_room") > 0


def test_past_the_limit_whoever_comes_is_told_when_all_are_busy(
    running: Running, honest: Honest, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "READ_S", 3600.0)
    post = head(running, "POST", "/log", content_length="10", expect="100-continue")
    busy = [honest.open(post, b"HTTP/1.1 100 ") for _ in range(QUICK_CONNECTIONS)]
    late = connect(head(running))
    assert read_all(late).startswith(b"HTTP/1.1 503 ")
    for one in busy:
        one.close()
    assert honest.works()


def test_a_reader_that_does_not_read_is_let_go(
    running: Running, honest: Honest, connect: Connect
) -> None:
    honest.post(*[event(n, content="a word " * 14_000) for n in range(50)])  # 5 MB
    eventually(lambda: honest.get("/health")["index"]["lag_bytes"] == 0)
    page = head(running, path="/api/events?limit=1000")
    for _ in range(4):
        honest.open(page, b"HTTP/1.1 200 ", receive_bytes=4096)
    eventually(lambda: honest.ended("does_not_read") == 4)


def test_readers_that_only_sip_keep_nobody_out(
    running: Running, honest: Honest, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes a byte now and then is never cut for it; a full house costs them their places."""
    running.stop()
    monkeypatch.setattr(
        runner, "Bounds", lambda **given: Bounds(**{**given, **QUICK, "send_s": 3600.0})
    )
    running.start()
    honest.post(*[event(n, content="a word " * 14_000) for n in range(50)])  # 5 MB
    eventually(lambda: honest.get("/health")["index"]["lag_bytes"] == 0)
    page = head(running, path="/api/events?limit=1000")
    crowd = []
    for _ in range(3 * QUICK_CONNECTIONS):
        crowd.append(connect(page, receive_bytes=4096))
        for one in crowd:
            try:
                one.recv(1)
            except OSError:  # it made room
                pass
        assert honest.works()
    assert honest.ended("made_room") > 0


def test_a_flood_of_upgrades_without_a_token_opens_nothing(
    running: Running, honest: Honest, connect: Connect
) -> None:
    ask: dict[str, str] = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for authorization in ("", "Bearer wrong-token-0123456789"):
        for _ in range(40):
            upgrade = head(running, path="/logs/ws", Authorization=authorization, **ask)
            assert honest.status(upgrade) == 401
    assert honest.get("/health")["viewers"] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"Sec_WebSocket_Version": "13"},
        {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Version": "8", "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "X": "y" * 9_000},
        {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "é" * 24},
    ],
)
def test_a_malformed_upgrade_harms_nobody(
    running: Running,
    honest: Honest,
    connect: Connect,
    fields: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    more = {"Upgrade": "websocket", "Connection": "Upgrade", **fields}
    said = read_all(connect(head(running, path="/logs/ws", **more)))
    assert b" 101 " not in said
    assert honest.works()
    assert [record for record in caplog.records if record.exc_info] == []


NONSENSE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    b"GET / HTTP/1.1\r\n Folded: x\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"POST /log HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /log HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /log HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /log HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST /log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /log HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("data", NONSENSE)
def test_nonsense_is_refused_without_a_word_in_the_log(
    running: Running,
    honest: Honest,
    connect: Connect,
    data: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = read_all(connect(data))
    assert said[9:12] in (b"400", b"403", b"408", b"")
    assert caplog.records == []
    assert honest.works()


def test_a_body_larger_than_it_may_be_is_cut_off(
    running: Running, honest: Honest, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    hose = connect(head(running, "POST", "/log", Authorization="no", Transfer_Encoding="chunked"))
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    try:
        for _ in range(2_000):
            hose.sendall(chunk)
            sent += len(chunk)
    except OSError:
        pass
    assert sent < 40 * 2**20
    assert honest.works()


def test_trailers_are_not_kept(running: Running, honest: Honest, connect: Connect) -> None:
    post = head(running, "POST", "/log", Transfer_Encoding="chunked")
    body = b'{"agent":"a","event":"x"}'
    framed = b"%x\r\n%b\r\n0\r\nX-Trailer: 1\r\nAuthorization: Bearer x\r\n\r\n" % (len(body), body)
    assert honest.status(post + framed) == 200


def test_the_first_of_two_requests_smuggled_in_one_body_is_all_that_is_answered(
    running: Running, honest: Honest, connect: Connect
) -> None:
    inner = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    post = head(running, "POST", "/log", content_length=str(len(inner)), connection="close")
    told = honest.begin(lambda: read_all(connect(post + inner)) or None)
    assert told.count(b"HTTP/1.1 ") == 1
