"""A hub of a few lines with faults on order: what the shipper must survive."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StubHub(ThreadingHTTPServer):
    """``faults`` is consumed one a request: a status (and Retry-After), ``reset``,
    ``lost_reply``; then all is well."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.faults: list[object] = []
        self.max_lines = 10**9
        self.rejects: set[str] = set()
        self.received: list[dict[str, object]] = []
        self.requests: list[dict[str, str]] = []
        self.times_s: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/log"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubHub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append({**self.headers, "path": self.path})
        self.server.times_s.append(time.monotonic())
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "reset":
            self.connection.close()
            self.close_connection = True
            return
        lines = [json.loads(line) for line in body.splitlines()]
        if len(lines) > self.server.max_lines:
            self._answer(413, {"code": "too_large"})
            return
        if isinstance(fault, int):
            self._answer(fault, {"code": "no"})
            return
        if isinstance(fault, tuple):
            self._answer(fault[0], {"code": "no"}, **{"Retry-After": str(fault[1])})
            return
        errors = [
            {"index": i, "field": "agent", "message": "no"}
            for i, line in enumerate(lines)
            if line["agent"] in self.server.rejects
        ]
        bad = {error["index"] for error in errors}
        self.server.received += [line for i, line in enumerate(lines) if i not in bad]
        if fault == "lost_reply":
            self.connection.close()
            self.close_connection = True
            return
        self._answer(200, {"status": "logged", "errors": errors})

    def _answer(self, status: int, answer: object, **headers: str) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def running(port: int = 0) -> Iterator[StubHub]:
    hub = StubHub(port)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()
