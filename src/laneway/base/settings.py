"""The settings as one table: it feeds code, environment, file, docs and ``laneway config``.

Precedence: explicit argument or flag, environment, ``config.toml`` in the
Laneway home, default. No other module reads ``os.environ``.
"""

import os
import sys
from collections.abc import Callable, Mapping

from laneway.base import limits
from laneway.base.errors import SettingError, quote

CONFIG_FILE = "config.toml"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})
SIZE_UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "kib": 2**10, "m": 2**20, "mb": 2**20,
              "mib": 2**20, "g": 2**30, "gb": 2**30, "gib": 2**30}  # fmt: skip
TIME_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def _split_unit(text: str) -> tuple[float, str]:
    number = text.strip().lower().rstrip("abcdefghijklmnopqrstuvwxyz ")
    if (amount := float(number)) < 0:
        raise ValueError("below 0")
    return amount, text.strip().lower()[len(number) :].strip()


def parse_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise ValueError("yes or no")


def parse_size_bytes(text: str) -> int:
    """``"256 MiB"`` or ``"10g"`` in bytes; units are powers of 1024."""
    try:
        number, unit = _split_unit(text)
        return int(number * SIZE_UNITS[unit])
    except (KeyError, ValueError):
        raise ValueError("a size such as 256MiB") from None


def parse_duration_s(text: str) -> float:
    """``"15m"`` or ``"30d"`` in seconds."""
    try:
        number, unit = _split_unit(text)
        return number * TIME_UNITS_S[unit]
    except (KeyError, ValueError):
        raise ValueError("a duration such as 30s, 15m, 12h or 30d") from None


def parse_positive_duration_s(text: str) -> float:
    if (duration_s := parse_duration_s(text)) > 0:
        return duration_s
    raise ValueError("a duration above 0, such as 30s")


def parse_port(text: str) -> int:
    if text.strip().isdigit() and 0 <= int(text) <= 65_535:
        return int(text)
    raise ValueError("a port from 0 to 65535")


def parse_optional_port(text: str) -> int | None:
    return parse_port(text) if text.strip() else None


def parse_rate(text: str) -> float:
    """Events a second."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if 0 <= rate < 1e9:
        return rate
    raise ValueError("a number of events a second, such as 2000, or 0")


def parse_count(text: str) -> int:
    if text.strip().isdigit() and 1 <= int(text) <= 1_000_000:
        return int(text)
    raise ValueError("a whole number from 1 to 1000000")


def parse_replicas(text: str) -> int:
    if text.strip().isdigit() and int(text) <= 5:
        return int(text)
    raise ValueError("a whole number from 0 to 5")


def parse_origin(text: str) -> str:
    """``"https://logs.example.com"``: scheme, name and perhaps a port, and no path."""
    import re

    if not text or re.fullmatch(r"https?://[^/\s@?#]+", origin := text.rstrip("/")):
        return text and origin
    raise ValueError("an address without a path, such as https://logs.example.com")


def parse_list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.replace(",", " ").split() if part)


def parse_tables(text: str) -> tuple[object, ...]:
    """A JSON array of objects: what ``config.toml`` holds as an array of tables."""
    import json

    try:
        rows = json.loads(text)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a JSON array of objects")
    return tuple(rows)


def parse_choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return parse


class Setting:
    """One row: ``envs`` in order of precedence, ``parse`` raises ValueError with what was wanted."""

    __slots__ = ("default", "envs", "help", "name", "parse", "secret")

    def __init__(
        self,
        name: str,
        default: object,
        help: str,
        parse: Callable[[str], object] = str,
        envs: tuple[str, ...] = (),
        secret: bool = False,
    ) -> None:
        self.name = name
        self.default = default
        self.help = help
        self.parse = parse
        self.envs = (*envs, f"LANEWAY_{name.upper()}")
        self.secret = secret


SETTINGS = (
    Setting("home", "", "Laneway's own directory: tokens, spool, config.toml. Empty: the platform's user data directory."),
    Setting("log_path", "", "The log: a directory, or a file ending in .jsonl. Empty: `logs` in the home.", envs=("LOG_PATH",)),
    Setting("logging_url", "", "Send events to this hub (…/log), or to the bus (nats://HOST:PORT, several separated by commas), instead of writing the log directly.", envs=("LOGGING_URL",)),
    Setting("token", "", "The token sent to, or expected by, the hub. Empty: the file in the home.", secret=True),
    Setting("token_file", "", "A file that holds the token (a Docker or Kubernetes secret). A hub makes it where it is missing."),
    Setting("agent", "", "The agent's name where none is given."),
    Setting("pod", "", "Names the stack, so that several can share one hub."),
    Setting("disabled", False, "Record nothing.", parse_flag),
    Setting("strict", False, "Raise the SDK's own faults instead of counting them (for tests).", parse_flag),
    Setting("segment_bytes", limits.SEGMENT_BYTES, "A segment of the log is sealed at this size.", parse_size_bytes),
    Setting("durability", "default", "When an event is acknowledged. `default`: it survives the end of any process, and a power cut costs a second at most. `durable`: it is on the disk (fdatasync) and survives a power cut.", parse_choice("default", "durable")),
    Setting("shared_log", "auto", "Whether processes share the log's segments: `yes`, `no` (a file for each process), or `auto`: by the kind of file system, as locks do not hold on FUSE, NFS, 9p or SMB.", parse_choice("auto", "yes", "no")),
    Setting("side_bytes", limits.SIDE_BYTES, "Of one event, payloads of at most this much are kept whole beside the log; of larger ones the beginning and the hash. 0 keeps none.", parse_size_bytes),
    Setting("reserve_bytes", limits.RESERVE_BYTES, "The hub sets this much of the log's disk aside, and gives it up when the disk is full, so that the index and the next start have space. Made where 16 times as much is free; 0: none.", parse_size_bytes),
    Setting("spool_bytes", 256 * limits.MIB, "HTTP mode: the spool holds at most this much.", parse_size_bytes),
    Setting("spool_policy", "refuse_newest", "What a full spool costs: `refuse_newest` keeps the oldest events (`lost` in `laneway.stats()`), `drop_oldest` the newest (`dropped`).", parse_choice("refuse_newest", "drop_oldest")),
    Setting("host", "127.0.0.1", "The address that the hub binds."),
    Setting("bind_all", False, "Allow `host` to be a wildcard such as 0.0.0.0, which lets other machines in (containers).", parse_flag),
    Setting("port", 8001, "The port that the hub binds; 0 picks a free one.", parse_port),
    Setting("allowed_hosts", (), "Further Host names by which the hub may be called, such as logger:8000.", parse_list),
    Setting("public_url", "", "Where people open the dashboard if that is another address than the hub's own (a proxy, a container's published port): https://logs.example.com. Links are printed with it, and the hub answers to its name.", parse_origin),
    Setting("open_ingest", False, "Accept events without a token. For a trusted network only.", parse_flag),
    Setting("index_path", "", "Where the index lives. Empty: `.index` in the log's directory."),
    Setting("store", "", "Keep the index in ClickHouse: clickhouse://USER@HOST:8123/DATABASE (clickhouses:// with TLS), with ?password_file=, cluster=, ttl=90d. Empty: SQLite at `index_path`."),
    Setting("compress", True, "Sealed segments are compressed by the hub.", parse_flag),
    Setting("compress_after", 600.0, "How long after its last line a sealed segment is compressed.", parse_duration_s),
    Setting("retention_age", 0.0, "Sealed segments older than this are removed (30d); 0 keeps all.", parse_duration_s),
    Setting("retention_bytes", 0, "Oldest sealed segments are removed past this total size; 0 keeps all.", parse_size_bytes),
    Setting("body_bytes", limits.BODY_BYTES, "Larger request bodies are answered 413.", parse_size_bytes),
    Setting("otlp_wait", 30.0, "How long a span from OpenTelemetry waits for the spans around it, which tell its agent and conversation, and are sent after it. 0: not at all.", parse_duration_s),
    Setting("otlp_metrics", "agents", "Which of OpenTelemetry's metrics are kept, as `metric` events: those of `agents`, tools and models (`gen_ai.*`, `claude_code.*`, …), `all`, or `none`. What is not kept is counted and told to the sender.", parse_choice("agents", "all", "none")),
    Setting("grpc_port", None, "Takes OTLP over gRPC on this port too (usually 4317; 0 picks a free one); needs `laneway[grpc]`. Empty: not at all.", parse_optional_port),
    Setting("token_rate", 0.0, "Events a second that one token may send, with ten seconds' worth at once; past it the hub answers 429. 0: no limit.", parse_rate),
    Setting("agent_rate", 0.0, "The same for one agent, whatever tokens it uses.", parse_rate),
    Setting("connections", limits.CONNECTIONS, "HTTP connections at a time besides the viewers; who is idle makes room for who comes.", parse_count),
    Setting("send_timeout", 30.0, "A viewer or reader that takes not one byte of what it is sent for this long is let go; one that reads slowly is kept, and told which events it missed.", parse_positive_duration_s),
    Setting("redact_personal", False, "Redact personal data as well: email, telephone, IBAN, card numbers, IP addresses.", parse_flag),
    Setting("redact_rules", (), "Your own rules of redaction: `[[redact_rules]]` tables in `config.toml`, or a JSON array; see [redaction](redaction.md).", parse_tables),
    Setting("alerts", (), "Rules of alerts: `[[alerts]]` tables in `config.toml`, or a JSON array; see [alerts](alerts.md).", parse_tables),
    Setting("alert_webhooks", (), "Where the hub tells over HTTP that a rule fires (http:// or https:// addresses). Empty: nowhere.", parse_list),
    Setting("alert_hosts", (), "Whom `alert_webhooks` may lead to: names (their public addresses), addresses and networks (whatever is private must be listed as such).", parse_list),
    Setting("alert_key_file", "", "A file that holds the key by which the hub signs what it sends to `alert_webhooks`."),
    Setting("live_events", 20_000, "Events kept in memory for the live view.", parse_count),
    Setting("bus", (), "Share events with other hubs over these NATS servers (nats://HOST:PORT or tls://…, separated by commas).", parse_list),
    Setting("bus_flow", "both", "What goes over the bus: `out` publishes this log, `in` takes what other hubs publish, `both` does both.", parse_choice("both", "out", "in")),
    Setting("bus_stream", "laneway", "The JetStream stream, and the first word of its subjects."),
    Setting("bus_replicas", 0, "Copies of the stream where the hub makes it, 1 to 5; 0: 3 on a cluster, else 1.", parse_replicas),
    Setting("bus_age", 604_800.0, "How long the stream keeps events, where the hub makes it; also how long a hub may be away and go on where it was.", parse_positive_duration_s),
    Setting("bus_user", "", "A user of the NATS servers; its password is in `bus_password_file`."),
    Setting("bus_password_file", "", "A file that holds the password of `bus_user`."),
    Setting("bus_token_file", "", "A file that holds a token for the NATS servers."),
    Setting("bus_creds_file", "", "A NATS credentials file (a JWT and its seed)."),
    Setting("bus_nkey_file", "", "A file that holds the seed of an nkey."),
    Setting("bus_tls_ca", "", "Certificates that sign those of the NATS servers. Empty: the system's."),
    Setting("bus_tls_cert", "", "This hub's certificate, where the NATS servers want one."),
    Setting("bus_tls_key", "", "The key of `bus_tls_cert`, where that does not hold it."),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """Resolved values as attributes, and where each came from in ``origin``."""

    home: str
    log_path: str
    logging_url: str
    token: str
    token_file: str
    agent: str
    pod: str
    disabled: bool
    strict: bool
    segment_bytes: int
    durability: str
    shared_log: str
    side_bytes: int
    reserve_bytes: int
    spool_bytes: int
    spool_policy: str
    host: str
    bind_all: bool
    port: int
    allowed_hosts: tuple[str, ...]
    public_url: str
    open_ingest: bool
    index_path: str
    store: str
    compress: bool
    compress_after: float
    retention_age: float
    retention_bytes: int
    body_bytes: int
    otlp_wait: float
    otlp_metrics: str
    grpc_port: int | None
    token_rate: float
    agent_rate: float
    connections: int
    send_timeout: float
    redact_personal: bool
    redact_rules: tuple[dict[str, object], ...]
    alerts: tuple[object, ...]
    alert_webhooks: tuple[str, ...]
    alert_hosts: tuple[str, ...]
    alert_key_file: str
    live_events: int
    bus: tuple[str, ...]
    bus_flow: str
    bus_stream: str
    bus_replicas: int
    bus_age: float
    bus_user: str
    bus_password_file: str
    bus_token_file: str
    bus_creds_file: str
    bus_nkey_file: str
    bus_tls_ca: str
    bus_tls_cert: str
    bus_tls_key: str

    def __init__(self, values: Mapping[str, object], origin: Mapping[str, str]) -> None:
        self.__dict__.update(values)
        self.origin = dict(origin)


def default_home(platform: str = sys.platform, env: Mapping[str, str] = os.environ) -> str:
    """The platform's user data directory for Laneway."""
    user = os.path.expanduser("~")
    if platform == "darwin":
        return os.path.join(user, "Library", "Application Support", "laneway")
    if platform == "win32":
        return os.path.join(
            env.get("LOCALAPPDATA") or os.path.join(user, "AppData", "Local"), "laneway"
        )
    return os.path.join(
        env.get("XDG_DATA_HOME") or os.path.join(user, ".local", "share"), "laneway"
    )


def resolve(
    explicit: Mapping[str, object] | None = None, env: Mapping[str, str] | None = None
) -> Settings:
    """All settings with their origins.

    Raises:
        SettingError: a name is unknown, or a value cannot be read.
    """
    env = os.environ if env is None else env
    given = {name: value for name, value in (explicit or {}).items() if value is not None}
    for name in given:
        if name not in BY_NAME:
            raise unknown_setting(name)
    home, home_origin = _pick(BY_NAME["home"], given, env, {})
    home = os.path.expanduser(str(home)) if home else default_home(env=env)
    file = read_config_file(os.path.join(home, CONFIG_FILE))
    values: dict[str, object] = {}
    origin: dict[str, str] = {}
    for setting in SETTINGS:
        values[setting.name], origin[setting.name] = _pick(setting, given, env, file)
    values["home"], origin["home"] = home, home_origin
    values["log_path"] = os.path.expanduser(str(values["log_path"])) or os.path.join(home, "logs")
    return Settings(values, origin)


def _pick(
    setting: Setting,
    given: Mapping[str, object],
    env: Mapping[str, str],
    file: Mapping[str, object],
) -> tuple[object, str]:
    if setting.name in given:
        return _read(setting, given[setting.name], "argument"), "argument"
    for name in setting.envs:
        if env.get(name):
            return _read(setting, env[name], name), name
    if setting.name in file:
        return _read(setting, file[setting.name], CONFIG_FILE), CONFIG_FILE
    return setting.default, "default"


def _read(setting: Setting, value: object, origin: str) -> object:
    """A text is parsed, and so is a number or a flag of ``config.toml``; what a program gives is taken."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if origin == CONFIG_FILE:
        if isinstance(value, list) and isinstance(setting.default, tuple):
            return tuple(value)
        is_plain = isinstance(value, str | int | float) and not isinstance(setting.default, tuple)
        if not is_plain and not isinstance(value, str):
            wanted = "a list" if isinstance(setting.default, tuple) else "one text, number or flag"
            raise _not_read(setting, value, origin, wanted)
        value = str(value)
    if isinstance(value, str):
        try:
            return setting.parse(value)
        except ValueError as error:
            raise _not_read(setting, value, origin, str(error)) from None
    return tuple(value) if isinstance(value, list) else value


def _not_read(setting: Setting, value: object, origin: str, wanted: str) -> SettingError:
    seen = "a secret" if setting.secret else quote(value)
    return SettingError(f"{setting.name}: {seen} (from {origin}) is not {wanted}")


def unknown_setting(name: str) -> SettingError:
    from difflib import get_close_matches

    near = get_close_matches(name, BY_NAME, n=1)
    hint = f"did you mean {near[0]}?" if near else "`laneway config` lists them all"
    return SettingError(f"there is no setting {quote(name)}", hint=hint)


def read_config_file(path: str) -> dict[str, object]:
    """The top-level keys of ``config.toml``, or nothing where there is no such file.

    Raises:
        SettingError: the file cannot be read, is no TOML, or has an unknown key.
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(os.path.dirname(path), os.X_OK):  # somebody else's home, as in containers
            return {}
        raise SettingError(f"{path}: {error.strerror}") from error
    import tomllib

    try:
        table = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = 'it is TOML, a setting a line: port = 8001, retention_age = "30d", …'
        raise SettingError(f"{path}: {error}", hint=hint) from None
    for name in table:
        if name not in BY_NAME:
            raise unknown_setting(name)
    return table
