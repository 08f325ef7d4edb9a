"""A receiver of webhooks, as a process of its own: writes each request as a line of JSON, and answers.

Arguments: the file to write to, and the answers in turn, the last one again and again: a status (``200+0.1``:
that, after a tenth of a second), ``slow`` (a byte of the head each tenth of a second, for ever) or ``away``
(hangs up).
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

path, *answers = sys.argv[1:]


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = {"path": self.path, "headers": dict(self.headers), "body": body.decode()}
        with open(path, "a") as file:
            file.write(json.dumps(told) + "\n")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "away":
            self.close_connection = True
            return
        if answer == "slow":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.1)
        status, _, pause_s = answer.partition("+")
        time.sleep(float(pause_s or 0))
        self.send_response(int(status))
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It says nothing but its port."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
