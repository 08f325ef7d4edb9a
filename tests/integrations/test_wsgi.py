"""The WSGI middleware, by the standard library's own server and its checker."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import httpx
import pytest

from laneway import current, log_event
from laneway.integrations.wsgi import LanewayMiddleware
from tests.waiting import eventually

from ..sdk.conftest import Events


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    if b"break" in body:
        raise LookupError("no such model")
    start("200 OK", [("Content-Type", "application/json")])

    def parts() -> Iterator[bytes]:
        log_event(None, "decision", "think")
        yield b'{"reply": '
        yield b'"Hello"}'

    return parts()


@pytest.fixture
def url() -> Iterator[str]:
    app = validator(LanewayMiddleware(validator(application), agent="Clerk"))
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(180)
    server.server_close()


def test_message_and_reply_are_events(url: str, events: Events) -> None:
    for _ in range(2):
        answer = httpx.post(f"{url}/chat", json={"message": "hi", "session_id": "s1"})
        assert answer.json() == {"reply": "Hello"}
    eventually(lambda: len(events()) == 6, "the events")
    found = events()
    by_type = {str(event["event"]): event for event in found}
    assert by_type["user_message"]["content"] == "hi"
    assert (by_type["agent_response"]["content"], by_type["agent_response"]["status"]) == (
        "Hello",
        200,
    )
    assert by_type["decision"]["agent"] == "Clerk"
    assert by_type["decision"]["trace_id"] == by_type["agent_response"]["trace_id"]
    assert len({event["trace_id"] for event in found}) == 2
    assert current().agent == ""


def test_an_error_is_recorded(url: str, events: Events, capfd: pytest.CaptureFixture[str]) -> None:
    assert httpx.post(f"{url}/chat", json={"message": "break"}).status_code == 500
    eventually(lambda: "error" in events()[-1], "the error")
    assert events()[-1]["error"]["type"] == "LookupError"  # type: ignore[index]
