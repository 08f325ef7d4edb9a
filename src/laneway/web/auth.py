"""Who may do what: Host and Origin, and the scope that each address takes.

Everything is checked on every request, before any routing, and on the
WebSocket's upgrade too: a page on another site, another port or a rebound
name gets nothing (docs/protocol.md, Access).
"""

import re
import socket
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address

from laneway.base.errors import AccessError, QueryError, quote
from laneway.base.settings import Settings
from laneway.web.door import Door, HeaderMap
from laneway.web.keyring import Grant, Scope
from laneway.web.session import SESSION_LIFE_S

SHOWN_CHARS = 32
"""Of one label of a foreign name; a scheme and a port may be with it."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

READ_HEADERS = frozenset(
    {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"authorization", b"cookie"}
    | {b"content-type", b"content-encoding", b"content-length", b"laneway-durability"}
)

PUBLIC = frozenset({"/", "/logs", "/logs/", "/health", "/auth/exchange"})
PUBLIC_FILE = re.compile(r"/logs/(assets/)?[\w-][\w.-]*\.\w+")
"""The page's own files hold no data; ``/logs/ws`` and ``/logs/sse`` have no dot."""

INGEST = frozenset({"/log", "/events", "/v1/traces", "/v1/logs", "/v1/metrics"})
TOKEN_ONLY = frozenset({"/auth/code"})
ADMIN = "/admin/"
EDITED = "/api/alerts"
"""Read with scope `read`, changed with scope `admin`."""

NOBODY = Grant("", frozenset())
"""Whoever asks for what is open to all."""

MOST_SECRET_BYTES = 256
"""Longer values are no secret of ours and are not hashed."""


def is_wildcard(host: str) -> bool:
    """Whether binding it takes every address of the machine, however it is spelt: ``0`` does, too."""
    try:
        found = socket.getaddrinfo(host or "::", None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    address = ip_address(str(found[0][4][0]).partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_unspecified)


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


def needed_scope(path: str, method: str = "GET") -> Scope | None:
    """What a token must be good for at this address; None where none is needed."""
    if path in INGEST:
        return "ingest"
    if path in PUBLIC or PUBLIC_FILE.fullmatch(path):
        return None
    return "admin" if path.startswith(ADMIN) or is_edit(path, method) else "read"


def is_edit(path: str, method: str) -> bool:
    """Whether it changes the rules of alerts, which a page may do for whoever may administer."""
    return path.startswith(EDITED) and method not in ("GET", "HEAD")


class Access:
    """The rules for one bound address. ``hosts`` are the exact values of Host that are answered."""

    def __init__(
        self,
        door: Door,
        hosts: frozenset[bytes],
        *,
        secure_hosts: frozenset[bytes] = frozenset(),
        open_ingest: bool = False,
        public_url: str = "",
    ) -> None:
        self.door = door
        self.public_url = public_url
        self.open_ingest = open_ingest
        self._hosts = hosts
        self._secure_hosts = secure_hosts  # given by the user: a proxy in front may speak https

    @classmethod
    def of(cls, settings: Settings, port: int) -> "Access":
        """Tokens from the settings and the home, made where they are missing.

        Raises:
            SettingError: a token cannot be read or made.
        """
        public = settings.public_url.partition("://")[2]
        given = (*settings.allowed_hosts, public) if public else settings.allowed_hosts
        named = frozenset(name for host in given for name in _spell(host, port))
        is_open = is_wildcard(settings.host)
        own = [*LOOPBACK] if is_open or settings.host in (*LOOPBACK, "::1") else []
        if not is_open:
            own.append(f"[{settings.host}]" if ":" in settings.host else settings.host)
        return cls(
            Door(settings),
            named.union(_with_port(host, port) for host in own),
            secure_hosts=named,
            open_ingest=settings.open_ingest,
            public_url=settings.public_url,
        )

    def check(self, path: str, headers: HeaderMap, method: str = "GET") -> Grant:
        """Let one request pass; what its sender may do.

        Raises:
            AccessError: it may not; 401 where a token would help, else 403.
        """
        self.check_site(path, headers)
        return self.admit(path, headers, method)

    def admit(self, path: str, headers: HeaderMap, method: str = "GET") -> Grant:
        """`check` without a look at where the request comes from, for what no page can send."""
        scope = needed_scope(path, method)
        if scope is None:
            return NOBODY
        grant = self.door.bearer(headers)
        if grant is None and self._takes_session(path, scope, method, headers):
            grant = self._try_session(headers)
        if grant is None:
            if scope == "ingest" and self.open_ingest:
                return NOBODY
            raise _no_token("ingest.token" if scope == "ingest" else "access.token")
        if scope not in grant.scopes:
            raise _too_little(scope, grant)
        return grant

    def _takes_session(self, path: str, scope: Scope, method: str, headers: HeaderMap) -> bool:
        """A browser reads by its cookie. What changes something must also come from the hub's own page:
        browsers name the page's origin then, which was checked."""
        if is_edit(path, method):
            return b"origin" in headers
        return scope == "read" and path not in TOKEN_ONLY

    def _try_session(self, headers: HeaderMap) -> Grant | None:
        secret = cookie(headers)
        grant = self.door.session(secret) if secret else None
        return grant if grant and "read" in grant.scopes else None

    def check_site(self, path: str, headers: HeaderMap) -> None:
        """Refuse foreign names and foreign pages.

        Raises:
            AccessError: a Host, Origin or Sec-Fetch-Site that is not the hub's own.
        """
        host = headers.get(b"host", b"")
        if host not in self._hosts and host.lower() not in self._hosts:
            raise AccessError(
                f"Host {quote(shown_name(host))} is not a name of this hub",
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
        is_secure = scheme == b"https" and host.lower() in self._secure_hosts
        if name.lower() != host.lower() or not (scheme == b"http" or is_secure):
            raise AccessError(f"Origin {quote(shown_name(origin))} is not the hub's own page")


def cookie(headers: HeaderMap) -> bytes:
    """The session's secret that a browser sends, or nothing."""
    name = cookie_name(headers.get(b"host", b"")).encode()
    for part in headers.get(b"cookie", b"").split(b";"):
        key, _, value = part.strip().partition(b"=")
        if key == name and len(value) < MOST_SECRET_BYTES:
            return value
    return b""


def cookie_name(host: bytes) -> str:
    """Browsers share cookies between the ports of a machine, so the name tells the port."""
    port = host.rpartition(b":")[2]
    return f"laneway-{port.decode() if port.isdigit() else 'web'}"


def set_cookie(host: bytes, secret: str) -> str:
    """The header's value; without a secret it takes the cookie away."""
    life_s = SESSION_LIFE_S if secret else 0
    return f"{cookie_name(host)}={secret}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict"


def parse_code(body: object) -> str:
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str):
        raise QueryError("the body has no code", hint='send {"code": "…"} as JSON')
    return code


def shown_name(given: bytes) -> str:
    """A Host or Origin as it may be said: of a long part nothing, for it may be a token sent by mistake."""
    parts = given.decode("latin-1").split(".")
    return ".".join(part if len(part) <= SHOWN_CHARS else "…" for part in parts)


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


def _too_little(scope: Scope, grant: Grant) -> AccessError:
    if grant.scopes == {"ingest"}:
        return AccessError(
            "this token may only send events", hint=f"this takes a token of scope {scope}"
        )
    has = ", ".join(sorted(grant.scopes))
    return AccessError(f"this token may {has}, and not {scope}", hint="see `laneway token list`")
