"""What the store asks of a ClickHouse client, and how one is opened: clickhouse-connect's own interface."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

from laneway.base.errors import StoreError, quote

SCHEMES = ("clickhouse", "clickhouses")
PLAIN_PORT, TLS_PORT = 8123, 8443
DEFAULT_DATABASE = "laneway"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_TTL = re.compile(r"([1-9]\d{0,4})d", re.ASCII)
_OPTIONS = frozenset({"cluster", "ttl", "password_file", "ca"})


class Result(Protocol):
    @property
    def result_rows(self) -> Sequence[Sequence[Any]]: ...


class Client(Protocol):
    """The part of ``clickhouse_connect.driver.Client`` that the store uses.

    Values go beside the statement, as ``{name:Type}`` parameters that the server binds.
    """

    def query(
        self,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Result: ...

    def command(
        self,
        cmd: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> Any: ...

    def insert(
        self,
        table: str,
        data: Sequence[Sequence[Any]],
        column_names: Sequence[str],
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> Any: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Address:
    """``clickhouse://USER:PASSWORD@HOST:PORT/DATABASE?cluster=NAME&ttl=90d``"""

    host: str
    port: int
    is_secure: bool
    user: str
    password: str
    database: str = DEFAULT_DATABASE
    cluster: str = ""
    ttl_days: int = 0
    """0: kept until the log forgets them."""
    ca: str = ""


def parse_address(url: str) -> Address:
    """
    Raises:
        StoreError: it is not an address of ClickHouse. The message holds no password.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise StoreError(
            f"store: {quote(parts.scheme or 'nothing')} is not a store",
            hint="clickhouse://USER@HOST:8123/DATABASE, or clickhouses:// for TLS",
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := sorted(set(options) - _OPTIONS):
        raise StoreError(
            f"store: {quote(unknown[0])} is not an option", hint=", ".join(sorted(_OPTIONS))
        )
    is_secure = parts.scheme == "clickhouses"
    try:
        port = parts.port or (TLS_PORT if is_secure else PLAIN_PORT)
    except ValueError as error:
        raise StoreError(f"store: {error}") from None
    return Address(
        parts.hostname,
        port,
        is_secure,
        unquote(parts.username or "default"),
        _password(unquote(parts.password or ""), options.get("password_file", "")),
        _name("database", parts.path.strip("/") or DEFAULT_DATABASE),
        _name("cluster", options["cluster"]) if "cluster" in options else "",
        _days(options["ttl"]) if "ttl" in options else 0,
        options.get("ca", ""),
    )


def connect(address: Address) -> Client:
    """
    Raises:
        StoreError: the driver is not installed, or the server cannot be reached.
    """
    try:
        import clickhouse_connect
    except ImportError:
        raise StoreError(
            "a store on ClickHouse needs its driver, which is not installed",
            hint='pip install "laneway[clickhouse]"',
        ) from None
    try:
        client = clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.user,
            password=address.password,
            secure=address.is_secure,
            ca_cert=address.ca or None,
            autogenerate_session_id=False,  # one client for many threads
            form_encode_query_params=True,  # a batch's ids are longer than an address may be
        )
    except Exception as error:
        raise StoreError(
            f"ClickHouse at {address.host}:{address.port} does not answer: {first_line(error)}"
        ) from error
    return cast(Client, client)


def first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _name(what: str, text: str) -> str:
    """Names stand in statements as they are, so no other characters are taken."""
    if not _NAME.fullmatch(text):
        raise StoreError(f"store: {what} {quote(text)} is not a name of letters, digits and _")
    return text


def _days(text: str) -> int:
    found = _TTL.fullmatch(text)
    if not found:
        raise StoreError(f"store: ttl {quote(text)} is not a number of days", hint="ttl=90d")
    return int(found[1])


def _password(given: str, path: str) -> str:
    if not path:
        return given
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError) as error:
        raise StoreError(f"store: password_file: {error}") from None
