"""One ``POST /log`` to the hub over a kept connection, and what its answer means."""

import os
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from laneway.base.errors import LanewayError, SettingError, quote
from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.sdk.answer import BoundedResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from laneway.sdk.bus.post import BusPost

TIMEOUT_S = 10.0
"""A hub that has not answered by then is down or stuck; the batch is sent again."""


BUS_SCHEMES = ("nats://", "tls://")


class Refusal(LanewayError):
    """The hub answered, and did not take the batch."""

    code = "refused"

    def __init__(self, message: str, *, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message, status=status)
        self.retry_after_s = retry_after_s


class Post:
    """Sends batches as NDJSON. For one thread."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.logging_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SettingError(
                f"logging_url: {quote(settings.logging_url)} is not an http:// or https:// address",
                hint="such as http://127.0.0.1:8001/log, or nats://10.0.0.5:4222 for the bus",
            )
        self._settings = settings
        self._is_secure = url.scheme == "https"
        self._host, self._port = url.hostname, url.port
        self._path = url.path if url.path.strip("/") else "/log"
        self._connection: HTTPConnection | None = None

    def send(self, lines: list[bytes]) -> list[int]:
        """Indices of the lines that the hub will never take.

        Raises:
            OSError: no hub there, or the connection broke; send the batch again.
            Refusal: the hub took nothing; its status tells why.
        """
        connection = self._connection or self._connect()
        self._connection = None  # put back only after a complete exchange
        try:
            connection.request("POST", self._path, b"\n".join(lines), self._headers())
            response = connection.getresponse()
            body = response.read(MIB)
        except HTTPException as error:
            connection.close()
            raise OSError(f"{self._host}: {type(error).__name__}") from error
        except OSError:
            connection.close()
            raise
        if response.isclosed() and not response.will_close:
            self._connection = connection
        else:
            connection.close()
        retry_after = response.headers.get("Retry-After", "")
        return _read_answer(response.status, body, retry_after, len(lines))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._is_secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=TIMEOUT_S)
        connection.response_class = BoundedResponse
        return connection

    def _headers(self) -> dict[str, str]:
        token = find_token(self._settings)
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": "laneway"}
        if self._settings.durability == "durable":  # our copy goes when the hub has acknowledged
            headers["Laneway-Durability"] = "durable"
        return {**headers, "Authorization": f"Bearer {token}"} if token else headers


UNAUTHORIZED = 401
UNAUTHORIZED_DETAIL = (
    "a token is missing or wrong (LANEWAY_TOKEN or LANEWAY_TOKEN_FILE gives it; "
    "it stands in ingest.token in the hub's home)"
)

DETAIL_CHARS = 200
"""Of a refusal: a proxy may send a page."""


def open_post(settings: Settings) -> "Post | BusPost":
    """By the scheme of ``logging_url``: a hub, or the bus itself."""
    if settings.logging_url.lstrip().startswith(BUS_SCHEMES):
        from laneway.sdk.bus.post import BusPost

        return BusPost(settings)
    return Post(settings)


def find_token(settings: Settings) -> str:
    """The setting, its file, or the hub's own file on this machine; read anew, as it may change."""
    if settings.token:
        return settings.token
    for path in (settings.token_file, os.path.join(settings.home, "ingest.token")):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def _read_answer(status: int, body: bytes, retry_after: str, line_count: int) -> list[int]:
    if status == 422:
        return list(range(line_count))
    if not 200 <= status < 300:
        retry_after_s = float(retry_after) if retry_after.isdigit() else 0.0
        detail = UNAUTHORIZED_DETAIL if status == UNAUTHORIZED else _detail(body)
        raise Refusal(
            f"the hub answered {status}: {detail}",
            status=status,
            retry_after_s=min(retry_after_s, 60.0),
        )
    import orjson

    try:
        answer = orjson.loads(body)
        return sorted({int(error["index"]) for error in answer.get("errors", ())})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refusal("the answer is not a hub's", status=status) from None


def _detail(body: bytes) -> str:
    """What a refusal says: a hub's message and hint, or how anybody else's answer begins."""
    import orjson

    try:
        answer = orjson.loads(body)
        message, hint = answer["message"], answer.get("hint")
        return (f"{message} ({hint})" if hint else str(message))[:DETAIL_CHARS]
    except (ValueError, TypeError, KeyError, AttributeError):
        text = " ".join(body[:DETAIL_CHARS].decode("utf-8", "replace").split())
        return f"no hub's answer: {text}" if text.startswith("<") else text
