"""Tells others over HTTP that a rule fires, where the settings name them, and never by the hub's own leave.

Addresses come from the settings alone. A name is resolved once, every address that it has must be allowed,
and the connection goes to the address that was looked at; redirects are not followed, proxies of the
environment not used. Each receiver has a thread and a short queue of its own: a slow one delays nobody.
"""

import hashlib
import http.client
import logging
import random
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from time import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from laneway.base.errors import HubError, SettingError, quote
from laneway.base.settings import Settings
from laneway.hub.alert.allow import Allowed
from laneway.hub.alert.notice import Notice, sign

CONNECT_S = 3.0
ANSWER_S = 10.0
"""From the connection to the last byte that is read, however slowly they come."""

ANSWER_BYTES = 1024
"""Read of an answer; what it says does not matter."""

TRIES = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Between tries, doubled each time, and multiplied by 0.5 to 1.5 at random."""

QUEUE = 100
"""Notices waiting for one receiver; the oldest makes room, and is counted."""

MOST_WEBHOOKS = 10
STOP_S = 2.0
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})

Resolve = Callable[[str, int], Sequence[str]]
OnEnd = Callable[[str, str], None]
"""Called with the id of a notice and the key of a receiver, once that was told or given up."""

log = logging.getLogger("laneway.hub")


class Refused(Exception):
    """The receiver does not want it; a further try would not help."""


def resolve_host(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class Webhook:
    """One receiver: a queue and, from the first notice on, a thread."""

    def __init__(
        self,
        url: str,
        allowed: Allowed,
        key: bytes,
        *,
        on_end: OnEnd = lambda notice_id, key: None,
        resolve: Resolve = resolve_host,
        pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """
        Raises:
            SettingError: it is no address, or not among the allowed ones.
        """
        self._url = _parse_url(url)
        self._allowed, self._key, self._resolve, self._pause_s = allowed, key, resolve, pause_s
        self._on_end = on_end
        self.key = hashlib.sha256(url.encode()).hexdigest()[:16]
        """Stands for the address where that, which may be a secret, is not to be written."""
        self.host = self._url.hostname or ""
        self._port = self._url.port or (443 if self._url.scheme == "https" else 80)
        allowed.check_host(self.host, self._port)
        self.sent = self.failed = self.dropped = 0
        self.fault = ""
        self._queue: deque[Notice] = deque()
        self._has_more = threading.Condition()
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, notice: Notice) -> None:
        """Put it into the queue; returns at once."""
        dropped = None
        with self._has_more:
            if len(self._queue) >= QUEUE:
                dropped = self._queue.popleft()
                self.dropped += 1
            self._queue.append(notice)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="laneway-hook", daemon=True)
                self._thread.start()
            self._has_more.notify()
        if dropped:
            self._on_end(dropped.id, self.key)

    def report(self) -> dict[str, Any]:
        """The host alone: a path may be a secret."""
        return {
            "host": self.host,
            "sent": self.sent,
            "failed": self.failed,
            "dropped": self.dropped,
            "waiting": len(self._queue),
            "fault": self.fault,
        }

    def close(self) -> None:
        self._is_closing.set()
        with self._has_more:
            self._has_more.notify()
        if self._thread:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while True:
            with self._has_more:
                while not self._queue and not self._is_closing.is_set():
                    self._has_more.wait()
                if self._is_closing.is_set():
                    return
                notice = self._queue[0]
            is_over = self._deliver(notice)
            with self._has_more:
                if self._queue and self._queue[0] is notice:
                    self._queue.popleft()
            if is_over:
                self._on_end(notice.id, self.key)

    def _deliver(self, notice: Notice) -> bool:
        """Returns whether it was told or given up; not, where the hub stops meanwhile."""
        pause_s = self._pause_s
        for attempt in range(TRIES):
            if attempt and self._is_closing.wait(pause_s * random.uniform(0.5, 1.5)):  # noqa: S311
                return False
            pause_s = min(pause_s * (2 if attempt else 1), LONGEST_PAUSE_S)
            try:
                self._post(notice, attempt)
            except Refused as error:
                self.fault = str(error)
                break
            except (OSError, http.client.HTTPException, HubError) as error:
                self.fault = _reason(error)
            else:
                self.sent += 1
                self.fault = ""
                return True
        self.failed += 1
        log.warning("alerts: %s was not told: %s", self.host, self.fault)
        return True

    def _post(self, notice: Notice, attempt: int) -> None:
        connection = self._connect()
        # A socket's time-out holds for each read: whoever sends a byte now and then would never be late.
        is_late = threading.Event()
        deadline = threading.Timer(ANSWER_S, _cut, (connection.sock, is_late))
        deadline.daemon = True
        deadline.start()
        try:
            headers = sign(notice, self._key, int(time())) | {"Laneway-Attempt": str(attempt + 1)}
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, notice.body, headers)
            response = connection.getresponse()
            status = response.status
            response.read(ANSWER_BYTES)
        finally:
            deadline.cancel()
            connection.close()
        if is_late.is_set():  # to the library, a head that was cut off is complete
            raise HubError(f"it took longer than {ANSWER_S:g} s")
        if 200 <= status < 300:
            return
        told = f"it answered {status}"
        if status in RETRIED:
            raise HubError(told)
        if 300 <= status < 400:
            told += ", and redirects are not followed"
        raise Refused(told)

    def _connect(self) -> http.client.HTTPConnection:
        """A connection to an address that was looked at, and to no other."""
        addresses = self._resolve(self.host, self._port)
        for address in addresses:
            self._allowed.check_address(address)
        raw = _dial(addresses, self._port)
        connection = http.client.HTTPConnection(self.host, self._port, timeout=ANSWER_S)
        try:
            raw.settimeout(ANSWER_S)
            if self._url.scheme == "https":
                raw = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise
        connection.sock = raw
        return connection


class Webhooks:
    """All receivers of a hub; none where the settings name none."""

    def __init__(self, settings: Settings, on_end: OnEnd = lambda notice_id, key: None) -> None:
        """
        Raises:
            SettingError: an address is wrong or not allowed, or the key cannot be read.
        """
        self._all: list[Webhook] = []
        if not settings.alert_webhooks:
            return
        if len(settings.alert_webhooks) > MOST_WEBHOOKS:
            raise SettingError(f"alert_webhooks: at most {MOST_WEBHOOKS}")
        allowed, key = Allowed(settings.alert_hosts), _read_key(settings.alert_key_file)
        self._all = [Webhook(url, allowed, key, on_end=on_end) for url in settings.alert_webhooks]

    @property
    def keys(self) -> list[str]:
        return [webhook.key for webhook in self._all]

    def send(self, notice: Notice, keys: Collection[str]) -> None:
        """To the receivers with these keys."""
        for webhook in self._all:
            if webhook.key in keys:
                webhook.send(notice)

    def report(self) -> list[dict[str, Any]]:
        return [webhook.report() for webhook in self._all]

    def close(self) -> None:
        for webhook in self._all:
            webhook.close()


def _parse_url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
        raise SettingError(
            f"alert_webhooks: {quote(url.hostname or text)} is no http:// or https:// address",
            hint="without a user or a password in it",
        )
    return url


def _read_key(path: str) -> bytes:
    if not path:
        return b""
    try:
        with open(path, "rb") as file:
            key = file.read(4096).strip()
    except OSError as error:
        raise SettingError(f"alert_key_file: {path}: {error.strerror}") from error
    if len(key) < 16:
        raise SettingError(
            f"alert_key_file: {path} holds {len(key)} bytes, at least 16 make a key",
            hint=f"openssl rand -hex 32 > {path}",
        )
    return key


def _dial(addresses: Sequence[str], port: int) -> socket.socket:
    fault: OSError = OSError("the name has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), CONNECT_S)
        except OSError as error:
            fault = error
    raise fault


def _cut(sock: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _reason(error: Exception) -> str:
    if isinstance(error, HubError):
        return error.message + (f" ({error.hint})" if error.hint else "")
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
