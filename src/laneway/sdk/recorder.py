"""One event's way from the call to the disk, and the account of what could not be kept.

Start-up work (settings, encoder, redaction rules, directory) is done at the first event.
"""

import os
from time import monotonic, sleep

from laneway import loading
from laneway.base.clock import format_ns, now_ns
from laneway.base.ids import new_event_id
from laneway.base.limits import NAME_CHARS
from laneway.base.words import number_of
from laneway.sdk.context import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from laneway.base.settings import Settings
    from laneway.log.side import SideFiles
    from laneway.model.redact import Redactor
    from laneway.sdk.outbox import Outbox
    from laneway.sdk.shipper import Shipper

    FindOdd = Callable[[dict[str, object]], list[str]]
    Encode = Callable[[dict[str, object], Redactor, frozenset[str], SideFiles], tuple[bytes, int]]

EXIT_S = 2.0
"""Longest delay of the interpreter's exit."""

LATE_MODULES = (
    *("orjson", "binascii", "functools", "hashlib", "hmac", "itertools", "json", "re", "traceback"),
    *("laneway.model.cut", "laneway.model.readable"),
    *("laneway.log.mount", "laneway.log.series", "laneway.log.sweep"),
)
"""What an event may load after the start."""

MADE, NONE = frozenset({"timestamp", "id"}), frozenset[str]()
"""Fields that the redactor need not look at where we made them a moment ago."""

NAMES = 1_000
"""Names remembered; a program has some dozens, unless it makes them up."""

POLL_S = 0.02
"""Between two looks of `flush` at what still waits."""


class Recorder:
    """Turns calls into lines. Thread-safe; one object serves the process."""

    def __init__(self) -> None:
        self.faults = 0
        self.say: Callable[[str], object] = _say_on_stderr
        """Gets the first complaint of the process; a program that reports itself may take it."""
        self._given: dict[str, object] = {}
        self._held: dict[str, object] = {}
        self._has_complained = False
        self._reset()

    @property
    def given(self) -> dict[str, object]:
        """What `configure` was given."""
        return dict(self._given)

    def _reset(self) -> None:
        self._encode: Encode | None = None
        self._settings: Settings | None = None
        self._redactor: Redactor | None = None
        self._outbox: Outbox | None = None
        self._side: SideFiles | None = None
        self._shipper: Shipper | None = None
        self._where: dict[str, object] = {}
        self._find_odd: FindOdd = _find_none
        self._names: set[str] = set()
        """Of agents and of types of events, that can be; looked at once."""
        self._additions: dict[str, object] = {}
        """Those of the last context, all of whose fields hold what they can."""

    def record(
        self, agent: str | None, event_type: str, content: object, fields: dict[str, object]
    ) -> str:
        """Never raises (but see the setting ``strict``); ``""`` if the event was not kept."""
        try:
            if self._encode is None:
                self._start()
            return self._record(agent, event_type, content, fields)
        except Exception as fault:
            self.faults += 1
            if self.is_strict:
                raise
            self._complain(f"an event was not recorded: {_describe(fault)}")
            return ""

    def configure(self, given: dict[str, object]) -> None:
        """Raises SettingError before anything is changed."""
        from laneway.base.settings import resolve

        settings = resolve({**given, **self._held})
        if settings.redact_rules:
            from laneway.model.redact.build import make_extra

            make_extra(settings)
        self.close()
        self._given = dict(given)

    def hold(self, held: dict[str, object]) -> dict[str, object]:
        """Have these settings whatever `configure` is given, until it is called again; what was held
        before. For a test, which wants the events for itself."""
        self.close()
        before, self._held = self._held, held
        return before

    @property
    def is_strict(self) -> bool:
        """Whether faults of our own are to be raised (in tests)."""
        return self._settings is not None and self._settings.strict

    def flush(self, timeout_s: float) -> bool:
        """Write what waits in memory; in HTTP mode wait for the hub's acknowledgement."""
        outbox, shipper = self._outbox, self._shipper
        if outbox is None:
            return True
        until_s = monotonic() + timeout_s
        outbox.write_waiting(now=True)
        while outbox.waiting and monotonic() < until_s:
            sleep(POLL_S)
            outbox.write_waiting()
        if outbox.waiting:
            return False
        return shipper is None or shipper.drain(until_s - monotonic())

    def stats(self) -> dict[str, object]:
        outbox, redactor, shipper = self._outbox, self._redactor, self._shipper
        side = self._side
        return {
            "recorded": outbox.recorded if outbox else 0,
            "waiting": outbox.waiting if outbox else 0,
            "lost": self._lost(),
            "durable": self._settings is not None and self._settings.durability == "durable",
            "durability": self._settings.durability if self._settings else "",
            "sync_faults": outbox.sync_faults if outbox else 0,
            "faults": self.faults,
            "side_files": side.kept if side else 0,
            "payloads_cut": dict(side.lost) if side else {},
            "redacted": dict(redactor.counts) if redactor else {},
            **(shipper.stats() if shipper else {}),
        }

    def _lost(self) -> dict[str, int]:
        """Recorded, waiting and lost make up every event that was ever handed over."""
        lost = dict(self._outbox.lost) if self._outbox else {}
        return {**lost, "fault": self.faults} if self.faults else lost

    def close(self) -> None:
        """Back to the state before the first event."""
        with loading:
            outbox, shipper = self._outbox, self._shipper
            self._reset()
        if shipper is not None:
            shipper.stop()
        if outbox is not None:
            outbox.close()

    def end(self) -> None:
        """The interpreter goes down: write and send what can be, and say what could not."""
        until_s = monotonic() + EXIT_S
        has_all = self.flush(EXIT_S)
        outbox, shipper = self._outbox, self._shipper
        if shipper is not None:
            shipper.stop(max(0.0, until_s - monotonic()))
        if outbox is not None and not (
            shipper is not None and has_all
        ):  # what the hub has, it keeps
            outbox.settle(max(0.0, until_s - monotonic()))
        if outbox is not None and outbox.waiting:
            outbox.lose("log_unwritable", outbox.waiting)
            self.say(f"{number_of(outbox.waiting, 'event')} lost: the log could not be written")

    def _record(
        self, agent: str | None, event_type: str, content: object, fields: dict[str, object]
    ) -> str:
        encode, outbox, redactor, side = self._encode, self._outbox, self._redactor, self._side
        if encode is None or outbox is None or redactor is None or side is None:
            return ""  # disabled
        shipper = self._shipper
        if shipper is not None and shipper.spool.is_full():
            outbox.lose("spool_full")
            return ""
        ts_ns = now_ns()
        text, event_id = format_ns(ts_ns), new_event_id(ts_ns)
        event = self._make_event(agent, event_type, content, fields, text, event_id)
        is_ours = event["timestamp"] is text and event["id"] is event_id
        line, _ = encode(event, redactor, MADE if is_ours else NONE, side)
        is_kept = outbox.keep(line)
        if shipper is not None:
            shipper.wake()
        return str(event["id"]) if is_kept else ""

    def _make_event(
        self,
        agent: str | None,
        event_type: str,
        content: object,
        fields: dict[str, object],
        timestamp: str,
        event_id: str,
    ) -> dict[str, object]:
        context = current()
        if agent is not None and type(agent) is not str:
            agent = _text(agent)
        name = agent or context.agent or (self._settings.agent if self._settings else "")
        if type(event_type) is not str:
            event_type = _text(event_type)
        event: dict[str, object] = {"timestamp": timestamp, "agent": name, "event": event_type}
        if name not in self._names or event_type not in self._names:
            self._name_anew(event)
        if content is not None:
            event["content"] = content
        event["id"] = event_id
        if context.parent_agent and name == context.agent:
            event["parent_agent"] = context.parent_agent
        if context.additions:
            additions = context.additions
            event.update(
                additions if additions is self._additions else self._fit_additions(additions)
            )
        event.update(self._where)
        if fields:
            if "id" in fields:
                fields = _set_id_aside(fields)
            if "timestamp" in fields or self._find_odd(fields):
                fields = self._fit(fields)
            event.update(fields)
        return event

    def _fit(self, fields: dict[str, object]) -> dict[str, object]:
        """What a known field cannot hold goes under a name of its own: the event counts more."""
        from laneway.model.field import GIVEN, set_aside  # loaded at the start

        fitting, odd = set_aside(fields)
        for field in odd:
            self._complain(
                f"`{field}` cannot hold what an event gave it, which is kept as `{GIVEN}{field}`"
            )
        return fitting

    def _fit_additions(self, additions: dict[str, object]) -> dict[str, object]:
        fitting = self._fit(additions)
        if fitting is additions:
            self._additions = additions
        return fitting

    def _name_anew(self, event: dict[str, object]) -> None:
        """Names that are empty become ``unknown``; of one that is too long the beginning stays."""
        for field in ("agent", "event"):
            name = str(event[field])
            if not name.strip():
                event[field] = "unknown"
            elif len(name) > NAME_CHARS:
                event.update(self._fit({field: name}))
            elif len(self._names) < NAMES:
                self._names.add(name)

    def _start(self) -> None:
        with loading:
            if self._encode is not None:
                return
            from laneway.base.settings import resolve
            from laneway.model.field import find_odd_fields
            from laneway.model.redact import try_make_redactor
            from laneway.model.wire import encode_redacted

            settings = resolve({**self._given, **self._held})
            if settings.disabled:
                self._settings, self._encode = settings, encode_redacted
                return
            redactor, fault = try_make_redactor(settings, os.environ)
            if fault:
                self._complain(f"payloads are withheld: {fault}")
            outbox, shipper, side = self._open_outbox(settings)
            if self._outbox is not None:  # a signal handler of this thread was faster
                outbox.close()
                return
            pod = {"pod": settings.pod} if settings.pod else {}
            self._find_odd = find_odd_fields
            self._where = {**pod, "host": _host_name(), "pid": os.getpid()}
            self._settings, self._redactor = settings, redactor
            self._outbox, self._shipper, self._side = outbox, shipper, side
            self._encode = encode_redacted
            if shipper is not None:
                shipper.start()
            _flush_at_exit()

    def _open_outbox(self, settings: "Settings") -> "tuple[Outbox, Shipper | None, SideFiles]":
        from laneway.log.append import Appender
        from laneway.log.segment import LogPath
        from laneway.log.side import SideFiles
        from laneway.sdk.outbox import Outbox

        is_durable = settings.durability == "durable"
        if not settings.logging_url:
            appender = Appender(
                LogPath.parse(settings.log_path),
                segment_bytes=settings.segment_bytes,
                shared=settings.shared_log,
                durable=is_durable,
            )
            side = SideFiles(
                appender.log_path.directory, limit_bytes=settings.side_bytes, durable=is_durable
            )
            return Outbox(appender, self._complain, is_durable=is_durable), None, side
        from laneway.sdk.shipper import Shipper
        from laneway.sdk.spool import Spool

        spool = Spool.of(settings)
        outbox = Outbox(spool.appender, self._complain, is_durable=is_durable)
        return outbox, Shipper(spool, settings, self._complain), spool.side

    def _complain(self, message: str) -> None:
        """Once a process: a host's own output is not ours to fill."""
        if not self._has_complained:
            self._has_complained = True
            try:
                self.say(message)
            except Exception:  # noqa: BLE001 - whoever took over the saying fails, and not the host
                self.faults += 1

    def load_late(self) -> None:
        """Before a fork: have loaded what other threads may be importing; see `laneway.loading`."""
        if self._encode is None:
            return
        try:
            for name in LATE_MODULES:
                __import__(name)
            from laneway.model.redact.scan import load_automatons

            load_automatons()
        except Exception:  # noqa: BLE001 - the fork goes on without
            self.faults += 1

    def _after_fork(self) -> None:
        """In the child: what waits in memory, and the shipper's thread, are the parent's."""
        self.faults = 0
        self._reset()


def _find_none(fields: dict[str, object]) -> list[str]:
    return []


def _set_id_aside(fields: dict[str, object]) -> dict[str, object]:
    """``id`` makes an event unique in the log. One that a caller uses for something else must not
    make later events look like repeats: anything but a UUID is kept as ``given_id``."""
    given = fields["id"]
    if isinstance(given, str) and len(given) == 36 and given.count("-") == 4:
        return fields
    rest = {name: value for name, value in fields.items() if name != "id"}
    return {**rest, "given_id": given}


def _text(value: object) -> str:
    """A name that is no text; its own code may fail."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the event counts more than its name
        return f"<{type(value).__name__}>"


def _describe(fault: Exception) -> str:
    if isinstance(fault, ImportError) and fault.name == "orjson":
        from laneway.base.errors import ORJSON_HINT

        return ORJSON_HINT
    message = getattr(fault, "message", "")  # an error of ours says all by itself
    return (
        message
        if isinstance(message, str) and message
        else f"{type(fault).__name__}: {_text(fault)}"
    )


def _host_name() -> str:
    try:
        return os.uname().nodename
    except AttributeError:  # Windows
        return os.environ.get("COMPUTERNAME", "")


def _say_on_stderr(message: str) -> None:
    try:
        os.write(2, f"laneway: {message} (said once; `laneway doctor` tells more)\n".encode())
    except OSError:
        pass


def _flush_at_exit() -> None:
    import atexit

    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def _at_exit() -> None:
    try:
        shared.end()
    except Exception:  # noqa: BLE001 - the interpreter is going down
        shared.faults += 1


shared = Recorder()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared._after_fork)
