"""A collector over OTLP/HTTP: what it answers, and how often it is asked."""

import gzip
import random
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson

from laneway.base.errors import HubError, LanewayError, SettingError, quote
from laneway.sdk.answer import BoundedResponse

TIMEOUT_S = 30.0
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 30.0
"""Between two tries: twice as long each time, and partly by chance, so that many do not come at once."""

AGAIN = frozenset({408, 429, 502, 503, 504})
"""What OTLP says is worth another try, and 408, which proxies send."""

MISDIRECTED = frozenset({401, 403, 404, 405, 407})
"""No batch will ever be taken there, or with this token."""

PATHS = {"traces": "/v1/traces", "logs": "/v1/logs"}
REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}
TOO_LARGE = 413


class RefusedError(LanewayError):
    """The collector will not take this batch, now or later."""

    code = "refused"


class Answer(NamedTuple):
    """What was not taken of a batch that was, and why."""

    rejected: int = 0
    message: str = ""


def ignore(_: str) -> None:
    """Says nothing."""


class Collector:
    """One address. For one thread."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        binary: bool = True,
        patience_s: float = float("inf"),
        say: Callable[[str], None] = ignore,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``patience_s``: how long in all a batch is tried again before `send` gives up.

        Raises:
            SettingError: it is no address.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(
                f"{quote(url)} is not an http:// or https:// address",
                hint="such as http://127.0.0.1:4318",
            )
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._host, self._port = parts.hostname, parts.port
        self._is_secure = parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._binary = binary
        self._headers = dict(headers)
        self._patience_s = patience_s
        self._say = say
        self._sleep = sleep
        self._connection: HTTPConnection | None = None

    def send(self, signal: str, request: dict[str, Any]) -> Answer:
        """Until the collector has it.

        Raises:
            RefusedError: it never will; 413 where a smaller batch may go.
            HubError: nobody there takes anything, or not for ``patience_s``.
        """
        body = gzip.compress(self._encode(request), 3)
        wait_s, waited_s = FIRST_WAIT_S, 0.0
        while True:
            retry_after_s = 0.0
            try:
                status, headers, answer = self._exchange(PATHS[signal], body)
            except (OSError, HTTPException) as error:
                reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                seen = f"does not answer ({reason})"
            else:
                if 200 <= status < 300:
                    return self._read(signal, headers.get("content-type", ""), answer)
                seen = f"answered {status}: {told(answer)}".rstrip(": ")
                if status in MISDIRECTED:
                    raise HubError(
                        f"{self.url}{PATHS[signal]} {seen}", hint="is that the address, the token?"
                    )
                if status not in AGAIN:
                    raise RefusedError(f"{self.url} {seen}", status=status)
                after = headers.get("retry-after", "")
                retry_after_s = min(float(after), MOST_WAIT_S) if after.isdigit() else 0.0
            pause_s = max(retry_after_s, wait_s * random.uniform(0.5, 1))  # noqa: S311 - no secret
            if waited_s + pause_s > self._patience_s:
                raise HubError(
                    f"{self.url} {seen}", hint="what was not sent goes with the next `forward`"
                )
            if not waited_s:
                self._say(f"{self.url} {seen}; trying again")
            self._sleep(pause_s)
            waited_s += pause_s
            wait_s = min(wait_s * 2, MOST_WAIT_S)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _encode(self, request: dict[str, Any]) -> bytes:
        if not self._binary:
            return orjson.dumps(request)
        from laneway.sinks.otlp_binary import to_binary

        return to_binary(request)

    def _exchange(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = self._connection or self._connect()
        self._connection = None  # put back only after a complete exchange
        kind = "application/x-protobuf" if self._binary else "application/json"
        own = {"Content-Type": kind, "Content-Encoding": "gzip", "User-Agent": "laneway"}
        try:
            connection.request("POST", self._base + path, body, {**self._headers, **own})
            response = connection.getresponse()
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._connection = connection
        return response.status, {k.lower(): v for k, v in response.getheaders()}, answer

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._is_secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=TIMEOUT_S)
        connection.response_class = BoundedResponse
        return connection

    def _read(self, signal: str, content_type: str, body: bytes) -> Answer:
        """An answer that cannot be read is one: 2xx means that the batch was taken."""
        try:
            if "json" in content_type:
                partial = orjson.loads(body).get("partialSuccess") or {}
                rejected = int(partial.get(REJECTED[signal]) or 0)
                return Answer(rejected, str(partial.get("errorMessage") or ""))
            if "protobuf" not in content_type:
                return Answer()
            from laneway.sinks.otlp_binary import read_answer

            return Answer(*read_answer(signal, body))
        except (ValueError, TypeError, AttributeError):
            return Answer()


def told(body: bytes) -> str:
    """What a refusal says, for one line."""
    text = "".join(char for char in body[:300].decode("utf-8", "replace") if char.isprintable())
    return text.strip()


def parse_headers(text: str) -> dict[str, str]:
    """``OTEL_EXPORTER_OTLP_HEADERS``: ``name=value`` pairs, separated by commas, values percent-encoded."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
