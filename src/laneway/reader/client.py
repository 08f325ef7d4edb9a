"""The running hub, asked over HTTP."""

import os
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from laneway.base.errors import HubError, LanewayError, QueryError, SettingError, quote
from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.hub.lock import LOCK_FILE
from laneway.log.segment import LogPath

CONNECT_S = 1.0
"""A hub on this machine accepts at once or is not there; one in the network nearly so."""

ANSWER_S = 30.0
"""A query over a long history on a slow disk; Ctrl-C is at hand."""

ANSWER_BYTES = 64 * MIB

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound

UNAUTHORIZED = 401
STRANGER_HINT = "another program is there; --port or LANEWAY_PORT says where the hub is"

Parameters = Sequence[tuple[str, str]]


class StrangerError(HubError):
    """Something answers at the hub's address, and it is no hub."""


class Client:
    """One hub. Every method raises `HubError` where it does not answer, or not as a hub does."""

    def __init__(self, settings: Settings, host: str = "", port: int = 0) -> None:
        self.host = host or ANY_ADDRESS.get(settings.host, settings.host)
        self.port = port or settings.port
        self._token = ""
        self._spare_token = settings.token
        self._token_path = os.path.join(settings.home, "access.token")
        self._hint = (
            "run this as the user who runs the hub, or set LANEWAY_TOKEN: "
            "`laneway token new NAME --scope read` makes one there"
        )
        self._is_secure = False
        self._base = ""

    @classmethod
    def at(cls, settings: Settings, logging_url: str) -> "Client":
        """The hub to which events are sent, asked with the token of the settings.

        Raises:
            SettingError: it is no address.
        """
        url = urlsplit(logging_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SettingError(
                f"logging_url: {quote(logging_url)} is not an http:// or https:// address",
                hint="such as http://127.0.0.1:8001/log",
            )
        is_secure = url.scheme == "https"
        client = cls(settings, url.hostname, url.port or (443 if is_secure else 80))
        client._is_secure = is_secure
        client._base = url.path.rstrip("/").removesuffix("/log")
        client._token = settings.token
        client._hint = "set LANEWAY_TOKEN: `laneway token new NAME --scope read` makes one"
        client._token_path = settings.token_file or client._token_path
        return client

    @classmethod
    def of_log(cls, settings: Settings) -> "Client":
        """The hub that serves this log, wherever it listens; else the one that would."""
        is_named = "argument" in (settings.origin["host"], settings.origin["port"])
        url = urlsplit("" if is_named else read_address(settings))
        return cls(settings, url.hostname or "", url.port or 0)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' * self._is_secure}://{host}:{self.port}"

    def has_token(self) -> bool:
        """Whether there is one to ask with: a hub that started from this home has made it."""
        return bool(self._token) or os.access(self._token_path, os.R_OK)

    def health(self) -> dict[str, Any]:
        """Needs no token. A hub that is not well answers, too: look at ``status``."""
        _, body = self._exchange("GET", "/health", {}, CONNECT_S * 3)
        answer = _decode(body)
        if answer is None or not {"version", "index"} <= answer.keys():
            raise StrangerError(f"{self.url} is not a Laneway hub", hint=STRANGER_HINT)
        return answer

    def try_health(self) -> dict[str, Any] | None:
        try:
            return self.health()
        except LanewayError:
            return None

    def get(self, path: str, parameters: Parameters = ()) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._ask("GET", path + query)

    def get_bytes(self, path: str) -> bytes:
        """The body of an answer that is no JSON."""
        status, body = self._exchange("GET", path, self._authorization(), ANSWER_S)
        if status >= 300:
            raise self._as_error(status, _decode(body) or {})
        return body

    def post(self, path: str) -> dict[str, Any]:
        return self._ask("POST", path)

    def _authorization(self) -> dict[str, str]:
        if self._token:
            return {"Authorization": f"Bearer {self._token}"}
        try:
            with open(self._token_path, encoding="utf-8") as file:
                return {"Authorization": f"Bearer {file.read().strip()}"}
        except (OSError, UnicodeDecodeError) as error:
            if self._spare_token:
                return {"Authorization": f"Bearer {self._spare_token}"}
            self.health()  # where no hub answers, that is what is to be said
            reason = getattr(error, "strerror", None) or error
            told = f"no token to ask the hub with: {self._token_path}: {reason}"
            raise HubError(told, hint=self._hint) from error

    def _as_error(self, status: int, answer: dict[str, Any]) -> LanewayError:
        message = str(answer.get("message", f"the hub answered {status}"))
        hint = self._hint if status == UNAUTHORIZED else str(answer.get("hint", ""))
        kind = QueryError if answer.get("code") == QueryError.code else HubError
        return kind(message, hint=hint, status=status)

    def _ask(self, method: str, target: str) -> dict[str, Any]:
        status, body = self._exchange(method, target, self._authorization(), ANSWER_S)
        answer = _decode(body)
        if answer is None:
            told = f"{self.url} answered {status}, and not as a Laneway hub does"
            raise StrangerError(told, hint=STRANGER_HINT)
        if status >= 300:
            raise self._as_error(status, answer)
        return answer

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        make = HTTPSConnection if self._is_secure else HTTPConnection
        connection = make(self.host, self.port, timeout=CONNECT_S * (5 if self._is_secure else 1))
        try:
            connection.connect()
            connection.sock.settimeout(timeout_s)
            length = {"Content-Length": "0"} if method == "POST" else {}
            connection.request(method, self._base + target, headers={**headers, **length})
            response = connection.getresponse()
            return response.status, response.read(ANSWER_BYTES)
        except (OSError, HTTPException) as error:
            raise HubError(
                f"no hub answers at {self.url} ({_reason(error)})", hint="`laneway up` starts one"
            ) from error
        finally:
            connection.close()


def read_address(settings: Settings) -> str:
    """The address that the hub of this log left in its lock file, or ``""``."""
    path = os.path.join(LogPath.parse(settings.log_path).directory, LOCK_FILE)
    try:
        with open(path, "rb") as file:
            return str((_decode(file.read()) or {}).get("url", ""))
    except OSError:
        return ""


def _decode(body: bytes) -> dict[str, Any] | None:
    import orjson

    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
