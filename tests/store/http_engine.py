"""ClickHouse's HTTP interface in front of the embedded engine, as far as the driver uses it.

What a statement looks like on the wire, its parameters and the Native format included, is the driver's own.
"""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.store.embedded import LOCK, session

SETTINGS_OF_THE_WIRE = frozenset({
    "query", "database", "query_id", "session_id", "client_protocol_version", "compress", "decompress",
    "wait_end_of_query", "buffer_size", "enable_http_compression", "http_headers_progress_interval_ms",
    "send_progress_in_http_headers", "role",
})  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0) or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        if self.headers.get("Content-Encoding") == "lz4":
            from lz4.frame import decompress

            body = decompress(body)
        self._answer(*_take(self.path, self.headers.get("Content-Type", ""), body))

    def do_GET(self) -> None:
        self._answer(*_take(self.path, "", b""))

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Format", "Native")
        if status != 200:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _take(path: str, kind: str, body: bytes) -> tuple[int, bytes]:
    given = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True))
    if "multipart/form-data" in kind:
        given |= _form(kind, body)
        body = b""
    sql = given.get("query", "")
    head, _, data = body.partition(b"\n") if not sql or _is_insert(body) else (b"", b"", body)
    if not sql and not _is_insert(body):
        sql, data = body.decode(), b""
    elif head:
        sql = head.decode()
    try:
        return 200, _run(sql, data, given)
    except Exception as error:
        return 400, str(error).encode()


def _is_insert(body: bytes) -> bool:
    return body[:6].upper() == b"INSERT"


def _form(kind: str, body: bytes) -> dict[str, str]:
    from email.parser import BytesParser

    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    told = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        told[str(name)] = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
    return told


def _run(sql: str, data: bytes, given: dict[str, str]) -> bytes:
    params = {key[6:]: value for key, value in given.items() if key.startswith("param_")}
    settings = {
        key: value
        for key, value in given.items()
        if not key.startswith("param_") and key not in SETTINGS_OF_THE_WIRE
    }
    told = ", ".join(f"{key} = '{value}'" for key, value in settings.items())
    with LOCK:
        if data:
            with tempfile.NamedTemporaryFile(suffix=".native") as file:
                file.write(data)
                file.flush()
                into = sql.rpartition("FORMAT")[0]
                into += f" SETTINGS {told}" if told else ""
                sql = f"{into} SELECT * FROM file('{file.name}', 'Native')"
                return bytes(session().query(sql, "Native", params=params).bytes())
        for key, value in settings.items():
            session().query(f"SET {key} = '{value}'")
        sql, form = _form_of(sql)
        return bytes(session().query(sql, form, params=params).bytes())


def _form_of(sql: str) -> tuple[str, str]:
    """The statement, and the format it asks for."""
    before, word, form = sql.rstrip().rpartition("FORMAT ")
    return (before, form) if word and form.isalnum() else (sql, "TabSeparated")


@contextmanager
def serve_engine() -> Iterator[int]:
    """The port of a server that speaks ClickHouse's HTTP on the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
