"""Who may do what: Host and Origin, tokens, the one-time code and the cookie.

Everything is checked on every request, before any routing, and on the
WebSocket's upgrade too: a page on another site, another port or a rebound
name gets nothing (docs/protocol.md, Access).
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_urlsafe
from time import monotonic, time

from laneway.base.errors import AccessError, QueryError, quote
from laneway.base.settings import Settings
from laneway.web import token as token_file

CODE_LIFE_S = 600
"""Time to get from the terminal to the browser."""

CODES = 64
"""One-time codes at a time; the oldest makes room."""

COOKIE_LIFE_S = 30 * 86_400

WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, to say so loudly
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

READ_HEADERS = frozenset(
    {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"authorization", b"cookie"}
    | {b"content-type", b"content-encoding", b"content-length"}
)
HeaderMap = dict[bytes, bytes]

PUBLIC = frozenset({"/", "/logs", "/logs/", "/health", "/auth/exchange"})
PUBLIC_FILE = re.compile(r"/logs/(assets/)?[\w-][\w.-]*\.\w+")
"""The page's own files hold no data; ``/logs/ws`` and ``/logs/sse`` have no dot."""

INGEST = frozenset({"/log"})
TOKEN_ONLY = frozenset({"/auth/code"})


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> HeaderMap:
    """The headers that access and ingest look at.

    Raises:
        AccessError: one of them occurs twice, so that two readers could see two values.
    """
    found: HeaderMap = {}
    for name, value in headers:
        if name in READ_HEADERS:
            if name in found and name != b"cookie":
                raise AccessError(f"two {name.decode()} headers", status=HTTPStatus.BAD_REQUEST)
            found[name] = value
    return found


@dataclass(slots=True)
class Access:
    """The rules for one bound address. ``hosts`` are the exact values of Host that are answered."""

    ingest_token: str
    access_token: str
    hosts: frozenset[bytes]
    secure_hosts: frozenset[bytes] = frozenset()
    """Names given by the user, behind which a proxy may speak https."""
    open_ingest: bool = False
    _codes: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, port: int) -> "Access":
        """Tokens from the settings and the home, made where they are missing.

        Raises:
            SettingError: a token cannot be read or made.
        """
        named = frozenset(name for host in settings.allowed_hosts for name in _spell(host, port))
        own = [*LOOPBACK] if settings.host in (*WILDCARDS, *LOOPBACK, "::1") else []
        if settings.host not in WILDCARDS:
            own.append(f"[{settings.host}]" if ":" in settings.host else settings.host)
        return cls(
            ingest_token=_ingest_token(settings),
            access_token=token_file.load_or_make(f"{settings.home}/access.token"),
            hosts=named.union(_with_port(host, port) for host in own),
            secure_hosts=named,
            open_ingest=settings.open_ingest,
        )

    def check(self, path: str, headers: HeaderMap) -> None:
        """Let one request pass.

        Raises:
            AccessError: it may not; 401 where a token would help, else 403.
        """
        self.check_site(path, headers)
        if path in INGEST:
            self._check_sender(headers)
        elif not (path in PUBLIC or PUBLIC_FILE.fullmatch(path)):
            self._check_reader(path, headers)

    def _check_sender(self, headers: HeaderMap) -> None:
        if self.open_ingest or self._bears(headers, self.ingest_token):
            return
        if not self._bears(headers, self.access_token):
            raise _no_token("ingest.token")

    def _check_reader(self, path: str, headers: HeaderMap) -> None:
        if self._bears(headers, self.access_token):
            return
        if path not in TOKEN_ONLY and self._has_cookie(headers):
            return
        if self._bears(headers, self.ingest_token):
            raise AccessError("this token may only send events", hint="reading takes access.token")
        raise _no_token("access.token")

    def check_site(self, path: str, headers: HeaderMap) -> None:
        """Refuse foreign names and foreign pages.

        Raises:
            AccessError: a Host, Origin or Sec-Fetch-Site that is not the hub's own.
        """
        host = headers.get(b"host", b"")
        if host not in self.hosts and host.lower() not in self.hosts:
            raise AccessError(
                f"Host {quote(host.decode('latin-1'))} is not a name of this hub",
                hint="set LANEWAY_ALLOWED_HOSTS to the names and ports by which it is called",
            )
        if b"origin" in headers:
            self._check_origin(headers[b"origin"], host)
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            # Somebody may follow a link to the page itself; it holds no data.
            is_visit = headers.get(b"sec-fetch-mode") == b"navigate"
            if not (is_visit and path in ("/", "/logs", "/logs/")):
                raise AccessError("the request comes from a page of another site")

    def _check_origin(self, origin: bytes, host: bytes) -> None:
        scheme, _, name = origin.partition(b"://")
        is_secure = scheme == b"https" and host.lower() in self.secure_hosts
        if name.lower() != host.lower() or not (scheme == b"http" or is_secure):
            raise AccessError(f"Origin {quote(origin.decode('latin-1'))} is not the hub's own page")

    def _bears(self, headers: HeaderMap, token: str) -> bool:
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme != b"Bearer" and scheme.lower() != b"bearer":
            return False
        return hmac.compare_digest(given.strip(), token.encode())

    def new_code(self) -> str:
        """A code that `exchange` takes once, within `CODE_LIFE_S`."""
        while len(self._codes) >= CODES:
            del self._codes[next(iter(self._codes))]
        code = token_urlsafe(24)
        self._codes[code] = monotonic() + CODE_LIFE_S
        return code

    def exchange(self, code: str) -> str:
        """The cookie's value for a one-time code.

        Raises:
            AccessError: there is no such code, or it was used, or is too old.
        """
        if self._codes.pop(code, 0.0) < monotonic():
            raise AccessError(
                "this link was used already, or is older than ten minutes",
                hint="`laneway open` makes another one",
                status=HTTPStatus.UNAUTHORIZED,
            )
        return self.cookie_value(int(time()) + COOKIE_LIFE_S)

    def cookie_value(self, until_s: int) -> str:
        """Derived from the access token: it outlives a restart, and ends with the token."""
        text = f"laneway-cookie-1:{until_s}".encode()
        mac = hmac.new(self.access_token.encode(), text, hashlib.sha256).hexdigest()
        return f"{until_s}.{mac}"

    def _has_cookie(self, headers: HeaderMap) -> bool:
        name = cookie_name(headers.get(b"host", b"")).encode()
        for part in headers.get(b"cookie", b"").split(b";"):
            key, _, value = part.strip().partition(b"=")
            if key == name and self._is_valid(value):
                return True
        return False

    def _is_valid(self, value: bytes) -> bool:
        until, _, _ = value.partition(b".")
        if not (until.isdigit() and len(until) < 16 and int(until) > time()):
            return False
        return hmac.compare_digest(value, self.cookie_value(int(until)).encode())


def cookie_name(host: bytes) -> str:
    """Browsers share cookies between the ports of a machine, so the name tells the port."""
    port = host.rpartition(b":")[2]
    return f"laneway-{port.decode() if port.isdigit() else 'web'}"


def set_cookie(host: bytes, value: str) -> str:
    """The header's value."""
    return (
        f"{cookie_name(host)}={value}; Path=/; Max-Age={COOKIE_LIFE_S}; HttpOnly; SameSite=Strict"
    )


def parse_code(body: object) -> str:
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str):
        raise QueryError("the body has no code", hint='send {"code": "…"} as JSON')
    return code


def _ingest_token(settings: Settings) -> str:
    if settings.token:
        return token_file.check(settings.token, "token")
    if settings.token_file:
        return token_file.load(settings.token_file)
    return token_file.load_or_make(f"{settings.home}/ingest.token")


def _spell(host: str, port: int) -> list[bytes]:
    """A name given by the user, as Host may give it: a name without a port is taken with any usual one."""
    name = host.lower().encode()
    return [name] if re.search(rb":\d+$", name) else [name, _with_port(host, port)]


def _with_port(host: str, port: int) -> bytes:
    name = host.lower().encode()
    return name if port == 80 else name + b":%d" % port


def _no_token(name: str) -> AccessError:
    return AccessError(
        "a token is missing or wrong",
        hint=f"send Authorization: Bearer TOKEN; the token stands in {name} in the Laneway home",
        status=HTTPStatus.UNAUTHORIZED,
    )
