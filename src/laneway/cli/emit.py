"""``laneway emit``: record events from a shell or a hook, in a few times the time of bare Python.

No framework and nothing of the hub is imported here; a test counts the modules.
"""

import re
import sys
from collections.abc import Iterator, Sequence

from laneway.base.errors import EventError, LanewayError, LogError, Problem, SettingError, quote
from laneway.base.limits import BODY_BYTES
from laneway.cli import FAILED, FOUND, NOTHING, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from laneway.base.settings import Settings

USAGE_TEXT = """\
Usage: laneway emit AGENT EVENT [CONTENT] [key=value …] [key:=json …]
       laneway emit AGENT EVENT --stdin [key=value …] < FILE
       laneway emit [AGENT EVENT] --json [key=value …] < EVENTS
"""

HELP_TEXT = f"""\
{USAGE_TEXT}
Record one event, or many, from a shell or a hook. What is recorded is on disk
when the command returns.

  AGENT        whose lane it belongs to
  EVENT        what happened: tool_invocation, error, decision, or your own word
  CONTENT      the main text
  key=value    a field, as text: tool=grep session_id=42
  key:=json    a field with its type: duration_ms:=12.5 input:='{{"path": "."}}'

Options
  -c, --content TEXT  the main text, whatever it looks like; so does: -- TEXT
      --stdin         read the main text from standard input
      --json          read whole events from standard input: one object, an
                      array, or NDJSON; AGENT, EVENT and fields fill in gaps
      --log PATH      write to this log (else LOG_PATH, else the home's)
      --url URL       send to this hub (else LOGGING_URL)
      --timeout TIME  wait so long for the hub; what it has not got by then is
                      kept in the spool and sent later (default 2s)
  -i, --id            print the event's id
  -q, --quiet         say nothing, not even what is wrong; the exit code tells
  -h, --help          this text

Exit code: 0 recorded, 1 refused, 2 usage, 3 the log cannot be written

Examples
  laneway emit builder decision "use the cached wheel" session_id=$USER
  laneway emit shell error "exit $?" tool=make level=error
  git diff | laneway emit reviewer user_message --stdin tool=git
  some-agent --json-log | laneway emit --json agent=some-agent
"""

FIELD = re.compile(r"([A-Za-z_][\w.-]*)(:?=)(.*)", re.DOTALL)
OPTION = re.compile(r"--?[A-Za-z][\w-]*(=.*)?", re.DOTALL)
"""What looks like an option. ``- item``, ``-5`` and ``--- a/file`` are texts."""

VALUE_OPTIONS = {
    "-c": "content",
    "--content": "content",
    "--log": "log",
    "--url": "url",
    "--timeout": "timeout",
}
FLAG_OPTIONS = {
    "--stdin": "stdin",
    "--json": "json",
    "-i": "id",
    "--id": "id",
    "-q": "quiet",
    "--quiet": "quiet",
    "-h": "help",
    "--help": "help",
    "--no-color": "no_color",
}


class UsageError(Exception):
    """What was seen and what was wanted."""


class Order:
    """The arguments, taken apart."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.fields: dict[str, object] = {}
        self.values: dict[str, str] = {}
        self.flags: set[str] = set()
        self.complaints: list[str] = []

    @property
    def defaults(self) -> dict[str, object]:
        """What the arguments say of the event."""
        named = dict(zip(("agent", "event", "content"), self.names, strict=False))
        content = self.values.get("content")
        return {**named, **({} if content is None else {"content": content}), **self.fields}

    @property
    def timeout_s(self) -> float:
        from laneway.base.settings import parse_duration_s

        try:
            return parse_duration_s(self.values.get("timeout", "2"))
        except ValueError as error:
            raise UsageError(f"--timeout wants {error}") from None


def run(args: Sequence[str]) -> int:
    """Exit code; everything that is wrong is said in one line on stderr."""
    is_quiet = not {"-q", "--quiet"}.isdisjoint(args)
    try:
        order = parse(args)
        if "help" in order.flags:
            sys.stdout.write(HELP_TEXT)
            return FOUND
        return _record_all(order, is_quiet)
    except UsageError as error:
        _say(f"{error}\n\n{USAGE_TEXT}\n`laneway emit --help` tells more.", is_quiet)
        return USAGE
    except LanewayError as error:
        hint = f" (hint: {error.hint})" if error.hint else ""
        _say(f"{error.message}{hint}", is_quiet)
        return USAGE if isinstance(error, (EventError, SettingError)) else FAILED
    except KeyboardInterrupt:
        return 130
    except Exception as fault:  # noqa: BLE001 - a hook must get a line and a code, whatever it is
        _say(f"this is a bug in Laneway: {type(fault).__name__}: {fault}", is_quiet)
        return FAILED


def parse(args: Sequence[str]) -> Order:
    """Raises `UsageError`."""
    order = Order()
    rest = iter([_clean(arg) for arg in args])
    for arg in rest:
        if arg == "--":
            order.names += rest
        elif arg in FLAG_OPTIONS:
            order.flags.add(FLAG_OPTIONS[arg])
        elif arg.partition("=")[0] in VALUE_OPTIONS and arg.startswith("-"):
            _take_option(order, arg, rest)
        elif OPTION.fullmatch(arg):
            raise UsageError(
                f"there is no option {quote(arg)}; a text that begins so goes after --"
            )
        elif _expects_field(order) and (field := FIELD.fullmatch(arg)):
            _take_field(order, *field.groups())
        else:
            order.names.append(arg)
    if "help" not in order.flags:
        _check(order)
    return order


def _expects_field(order: Order) -> bool:
    return len(order.names) >= 2 or ("json" in order.flags and not order.names)


def _take_option(order: Order, arg: str, rest: Iterator[str]) -> None:
    name, equals, value = arg.partition("=")
    if not equals:
        try:
            value = next(rest)
        except StopIteration:
            raise UsageError(f"{name} wants a value") from None
    order.values[VALUE_OPTIONS[name]] = value


def _take_field(order: Order, key: str, sign: str, value: str) -> None:
    order.fields[key] = _decode(key, value) if sign == ":=" else value


def _decode(key: str, text: str) -> object:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(
            f"{key}:= wants JSON, and {quote(text)} is none ({error}); for a text write {key}=…"
        ) from None


def _check(order: Order) -> None:
    names = order.names
    has_stdin = bool(order.flags & {"stdin", "json"})
    if {"stdin", "json"} <= order.flags:
        raise UsageError("--stdin and --json both read standard input; choose one")
    if len(names) < 2 and not ("json" in order.flags and not names):
        raise UsageError(f"AGENT and EVENT are wanted, and {_list(names)} was given")
    if len(names) > 3:
        raise UsageError(f"one CONTENT is wanted, and {_list(names[2:])} were given; quote it")
    contents = [len(names) == 3, "content" in order.values, "content" in order.fields, has_stdin]
    if sum(contents) > 1:
        raise UsageError("CONTENT was given twice")


def _list(names: list[str]) -> str:
    return " ".join(map(quote, names)) or "nothing"


def _clean(arg: str) -> str:
    """Bytes of an argument that are no UTF-8 become U+FFFD."""
    return arg.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _record_all(order: Order, is_quiet: bool) -> int:
    settings = _configure(order)
    if settings.disabled:
        return FOUND
    refused = 0
    for number, event in enumerate(_iter_events(order, is_quiet), 1):
        try:
            event_id = _record(event)
            if not event_id:
                raise _loss(order)
        except EventError as error:
            refused += 1
            prefix = f"event {number}: " if "json" in order.flags else ""
            _say(prefix + error.message, is_quiet)
        else:
            if "id" in order.flags:
                _print_id(event_id, order)
    _settle(order, settings, is_quiet)
    return NOTHING if refused else FOUND


def _configure(order: Order) -> "Settings":
    from laneway.base.settings import resolve
    from laneway.sdk import recorder
    from laneway.sdk.api import configure

    url, log = order.values.get("url"), order.values.get("log")
    # A log that is named here wins over a hub that the environment names.
    given = {"log_path": log, "logging_url": "" if log is not None and url is None else url}
    configure(**given)
    # One line in the end says what went wrong; the SDK's own is for programs that go on.
    recorder.shared.say = order.complaints.append
    return resolve(given)


def _iter_events(order: Order, is_quiet: bool) -> Iterator[object]:
    from laneway.cli import stdin

    defaults = order.defaults
    if "json" in order.flags:
        for value in stdin.iter_events():
            yield {**defaults, **value} if isinstance(value, dict) else value
        return
    if "stdin" in order.flags:
        defaults["content"], is_cut = stdin.read_text()
        if is_cut:
            _say(f"the text is longer than {BODY_BYTES} bytes; its end is left out", is_quiet)
    yield defaults


def _record(raw: object) -> str:
    """The event's id, or ``""`` if it could not be kept.

    Raises:
        EventError: it is no event.
    """
    from laneway.model.event import normalise
    from laneway.sdk.api import log_event

    if isinstance(raw, ValueError):
        raise EventError([Problem("", str(raw))])
    event: dict[str, object] = dict(normalise(raw)[0])
    agent, kind = str(event.pop("agent")), str(event.pop("event"))
    return log_event(agent, kind, event.pop("content", None), **event)


def _settle(order: Order, settings: "Settings", is_quiet: bool) -> None:
    """In HTTP mode give the hub its chance; say where the events are if it has not got them."""
    from laneway.sdk.api import flush, stats

    if flush(order.timeout_s):
        return
    told = stats()
    if told["waiting"]:
        raise _loss(order)
    reason = told.get("last_error") or "no answer in time"
    _say(
        f"kept in the spool, and sent later: {settings.logging_url} did not take it: {reason}",
        is_quiet,
    )


def _print_id(event_id: str, order: Order) -> None:
    """At once, for whoever waits for it; if nobody reads any more, the events go on."""
    try:
        print(event_id, flush=True)
    except BrokenPipeError:
        order.flags.discard("id")


def _loss(order: Order) -> LogError:
    """Why the last event was not kept, as far as anybody knows."""
    from laneway.sdk.api import stats

    lost = stats()["lost"]
    reasons = order.complaints[-1:] or (list(lost) if isinstance(lost, dict) else [])
    reason = reasons[0] if reasons else "for no known reason"
    for known in ("events wait in memory: ", "an event was not recorded: "):
        reason = reason.removeprefix(known)
    return LogError(f"not recorded: {reason}", hint="`laneway doctor` tells what is wrong")


def _say(message: str, is_quiet: bool) -> None:
    if not is_quiet:
        from laneway.cli.escape import escape
        from laneway.model.redact import Redactor

        told = Redactor().redact_text(message)  # it quotes what was given
        text = "\n".join(map(escape, told.split("\n")))
        sys.stderr.write(f"laneway emit: {text}\n")
