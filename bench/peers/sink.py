"""A server for SDKs that only send: it answers what they want to hear and keeps what they sent.

    python -m bench.peers.sink FOLDER

Prints its address. Bodies are written unpacked to ``FOLDER/NUMBER.body`` before the answer, to be searched;
``FOLDER/wire.txt`` has the bytes of each as they came.
"""

import gzip
import itertools
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = Path()
    numbers = itertools.count()
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        number = next(self.numbers)
        (self.folder / f"{number}.body").write_bytes(_unpacked(body, self.headers))
        with self.lock, open(self.folder / "wire.txt", "a") as file:
            file.write(f"{len(body)}\n")
        is_json = "json" in self.headers.get("Content-Type", "")
        self._answer(
            b"{}" if is_json else b"", "application/json" if is_json else "application/x-protobuf"
        )

    def do_GET(self) -> None:
        self._answer(
            b'{"project_name":"local","project_url":"http://127.0.0.1/","data":[]}',
            "application/json",
        )

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def _unpacked(body: bytes, headers: object) -> bytes:
    encoding = headers.get("Content-Encoding", "")  # type: ignore[attr-defined]
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


def main() -> None:
    Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
