"""Where the bus is and who we are there: the settings as what `nats.connect` takes.

Secrets come from files alone: an address is shown by ``laneway config`` and in lists of processes.
"""

import os
import ssl
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from laneway.base.errors import SettingError, not_installed, quote
from laneway.base.settings import Settings
from laneway.sdk.bus.subject import STREAM_NAME

SCHEMES = ("nats", "tls")
PORT = 4222


class Address(NamedTuple):
    servers: tuple[str, ...]
    options: dict[str, Any]
    """Further arguments of ``nats.connect``."""


def read_address(settings: Settings, servers: tuple[str, ...] = ()) -> Address:
    """``servers`` instead of those of the setting ``bus``.

    Raises:
        SettingError: an address or file is wrong, or the client is not installed.
    """
    if find_spec("nats") is None:
        raise not_installed("the bus", "the NATS client", "nats")
    if not STREAM_NAME.fullmatch(settings.bus_stream):
        raise SettingError(
            f"bus_stream: {quote(settings.bus_stream)} is not a stream's name",
            hint="letters, digits, - and _, 64 at most",
        )
    servers = tuple(_check_server(server) for server in servers or settings.bus)
    return Address(servers, {**_credentials(settings), **_tls(settings, servers)})


def is_exposed(settings: Settings) -> bool:
    """Whether events leave this machine unencrypted."""
    is_plain = not (settings.bus_tls_ca or settings.bus_tls_cert)
    return is_plain and any(
        url.scheme == "nats" and not _is_loopback(url.hostname or "")
        for url in map(urlsplit, settings.bus)
    )


def _check_server(server: str) -> str:
    try:
        url = urlsplit(server)
        port = url.port or PORT
    except ValueError:
        raise _no_server(server) from None
    if url.username is not None or url.password is not None:
        raise SettingError(
            "bus: an address holds a name or a password",
            hint="set bus_user and bus_password_file, bus_token_file or bus_creds_file",
        )
    if url.scheme not in SCHEMES or not url.hostname or url.path.strip("/"):
        raise _no_server(server)
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"{url.scheme}://{host}:{port}"


def _no_server(server: str) -> SettingError:
    return SettingError(
        f"bus: {quote(server)} is no address of a NATS server",
        hint="such as nats://10.0.0.5:4222, several of them separated by commas",
    )


def _credentials(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if settings.bus_user:
        options["user"] = settings.bus_user
        options["password"] = _read_secret("bus_password_file", settings.bus_password_file)
    if settings.bus_token_file:
        options["token"] = _read_secret("bus_token_file", settings.bus_token_file)
    if settings.bus_creds_file:
        _read_secret("bus_creds_file", settings.bus_creds_file)
        options["user_credentials"] = os.path.expanduser(settings.bus_creds_file)
    if settings.bus_nkey_file:
        options["nkeys_seed_str"] = _read_secret("bus_nkey_file", settings.bus_nkey_file)
    return options


def _read_secret(name: str, path: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "") or "it is not text"
        raise SettingError(f"{name}: {quote(path)}: {reason}") from None


def _tls(settings: Settings, servers: tuple[str, ...]) -> dict[str, Any]:
    is_wanted = settings.bus_tls_ca or settings.bus_tls_cert
    if not is_wanted and not any(server.startswith("tls:") for server in servers):
        return {}
    try:
        context = ssl.create_default_context(cafile=settings.bus_tls_ca or None)
        if settings.bus_tls_cert:
            context.load_cert_chain(settings.bus_tls_cert, settings.bus_tls_key or None)
    except OSError as error:  # ssl.SSLError is one
        raise SettingError(f"bus_tls_…: {error.strerror or error}") from None
    return {"tls": context}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
