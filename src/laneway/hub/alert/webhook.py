"""Tells others over HTTP that a rule fires, where the settings name them, and never by the hub's own leave.

Addresses come from the settings alone. A name is resolved once, every address that it has must be allowed,
and the connection goes to the address that was looked at; redirects are not followed, proxies of the
environment not used. Each receiver has a thread and a short queue of its own: a slow one delays nobody.
"""

import hashlib
import hmac
import http.client
import logging
import random
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from time import time
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson

from laneway import __version__
from laneway.base.clock import format_ns
from laneway.base.errors import HubError, SettingError, quote
from laneway.base.ids import new_event_id
from laneway.base.settings import Settings
from laneway.hub.alert.evaluator import Transition

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
TEXT_CHARS = 500
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})

Network = IPv4Network | IPv6Network
TUNNELS = (ip_network("64:ff9b::/32"), ip_network("2002::/16"), ip_network("2001::/32"))
"""NAT64, 6to4 and Teredo."""

Resolve = Callable[[str, int], Sequence[str]]

log = logging.getLogger("laneway.hub")


class Notice(NamedTuple):
    """What is sent: small, redacted, and the same bytes at every try."""

    id: str
    body: bytes

    @classmethod
    def of(cls, turn: Transition, text: str, settings: Settings) -> "Notice":
        """``text`` is redacted already; names of agents and spans are in it, and nowhere else."""
        notice_id = new_event_id()
        told = {
            "id": notice_id,
            "type": "alert",
            "state": turn.state,
            "rule": {"id": turn.rule.id, "kind": turn.rule.kind},
            "text": text[:TEXT_CHARS],
            "value": turn.value,
            "threshold": turn.rule.threshold,
            "at": format_ns(turn.at_ns),
            "since": format_ns(turn.began_ns or turn.at_ns),
        }
        if settings.pod:
            told["pod"] = settings.pod
        if settings.public_url:
            told["link"] = f"{settings.public_url}/logs?alert={turn.rule.id}"
        return cls(notice_id, orjson.dumps(told))


class Allowed:
    """The hosts and networks of the allow-list.

    A name lets in the public addresses that it has. An address or network lets in itself, whether a URL
    or a name leads there: what is private, loopback or link-local must be listed as such.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._names: set[tuple[str, int]] = set()
        self._networks: list[Network] = []
        for entry in entries:
            self._take(entry)

    def _take(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry.strip("[]"), strict=False))
            return
        except ValueError:
            pass
        name, _, port = entry.lower().rpartition(":")
        if not name:
            name, port = entry.lower(), "0"
        if not port.isdigit() or "/" in name or not name.strip("."):
            raise SettingError(
                f"alert_hosts: {quote(entry)} is no host",
                hint="such as hooks.example.com, hooks.example.com:8443, 10.1.2.3 or 10.1.0.0/16",
            )
        try:  # an address with a port
            self._networks.append(ip_network(name.strip("[]")))
        except ValueError:
            self._names.add((name.rstrip("."), int(port)))

    def check_host(self, host: str, port: int) -> None:
        """
        Raises:
            SettingError: neither the name nor the address is in the list.
        """
        name = host.lower().rstrip(".")
        if (name, port) in self._names or (name, 0) in self._names:
            return
        try:
            if self._is_listed(name):
                return
        except ValueError:
            pass
        raise SettingError(
            f"alert_webhooks: {quote(host)} is not among alert_hosts",
            hint="name there whom the hub may call",
        )

    def check_address(self, address: str) -> None:
        """
        Raises:
            HubError: it is not public, and not listed.
        """
        ip = ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        is_public = ip.is_global and not ip.is_multicast
        if any(ip in network for network in TUNNELS if network.version == ip.version):
            is_public = False  # it stands for an IPv4 address, whichever that is
        if not is_public and not self._is_listed(str(ip)):
            raise HubError(
                f"it leads to {ip}, which is not public", hint="list that address in alert_hosts"
            )

    def _is_listed(self, address: str) -> bool:
        ip = ip_address(address.strip("[]").partition("%")[0])
        return any(ip in network for network in self._networks if network.version == ip.version)


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
        resolve: Resolve = resolve_host,
        pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """
        Raises:
            SettingError: it is no address, or not among the allowed ones.
        """
        self._url = _parse_url(url)
        self._allowed, self._key, self._resolve, self._pause_s = allowed, key, resolve, pause_s
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
        with self._has_more:
            if len(self._queue) >= QUEUE:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(notice)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="laneway-hook", daemon=True)
                self._thread.start()
            self._has_more.notify()

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
            self._deliver(notice)
            with self._has_more:
                if self._queue and self._queue[0] is notice:
                    self._queue.popleft()

    def _deliver(self, notice: Notice) -> None:
        pause_s = self._pause_s
        for attempt in range(TRIES):
            if attempt and self._is_closing.wait(pause_s * random.uniform(0.5, 1.5)):  # noqa: S311
                return
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
                return
        self.failed += 1
        log.warning("alerts: %s was not told: %s", self.host, self.fault)

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

    def __init__(self, settings: Settings) -> None:
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
        self._all = [Webhook(url, allowed, key) for url in settings.alert_webhooks]

    def send(self, notice: Notice) -> None:
        for webhook in self._all:
            webhook.send(notice)

    def report(self) -> list[dict[str, Any]]:
        return [webhook.report() for webhook in self._all]

    def close(self) -> None:
        for webhook in self._all:
            webhook.close()


def sign(notice: Notice, key: bytes, at_s: int) -> dict[str, str]:
    """The headers of a notice. The signature is over ``TIME.BODY``: an old one cannot be sent again."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"laneway/{__version__}",
        "Laneway-Delivery": notice.id,
    }
    if key:
        mac = hmac.new(key, b"%d.%b" % (at_s, notice.body), hashlib.sha256).hexdigest()
        headers["Laneway-Signature"] = f"t={at_s},v1={mac}"
    return headers


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
