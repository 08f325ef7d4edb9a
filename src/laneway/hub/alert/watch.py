"""The alerts of one hub: a thread that feeds the evaluator, remembers how rules stand, and tells of turns."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from secrets import token_hex
from time import monotonic, sleep
from typing import Any

from laneway.base.clock import format_ns, now_ns
from laneway.base.errors import LogError, StoreError
from laneway.base.settings import Settings
from laneway.hub import frame as wire
from laneway.hub.alert.book import Book
from laneway.hub.alert.evaluator import Evaluator, Transition
from laneway.hub.alert.notice import Notice
from laneway.hub.alert.outbox import Due, Outbox
from laneway.hub.alert.phrase import phrase, shown_query
from laneway.hub.alert.refill import Finder, Pages, refill
from laneway.hub.alert.roster import Roster
from laneway.hub.alert.rule import (
    ALERT_AGENT,
    FIRING_EVENT,
    RESOLVED_EVENT,
    WINDOWED,
    Rule,
    parse_mute_ns,
    parse_rule,
    show_mute,
)
from laneway.hub.alert.standing import COURSE
from laneway.hub.alert.trial import Trial
from laneway.hub.alert.webhook import Webhooks
from laneway.hub.live import Live
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.hub.ring import Row
from laneway.log.segment import LogPath
from laneway.model.redact import make_redactor

TICK_S = 1.0
"""How often values are looked at; events are taken in as they come."""

GATHER_S = 0.1
"""Events are taken in together: each waking of the thread costs the interpreter as much as ten of them."""

KEEP_S = 30.0
"""How often the courses are written: a hub that is killed forgets so much of them, and no firing."""

INBOX_ROWS = 100_000
"""Waiting for the evaluator while it asks the index; what comes beyond is counted as missed."""

FILL_S = 60.0
STOP_S = 10.0

Write = Callable[[Sequence[bytes]], None]

log = logging.getLogger("laneway.hub")


class Alerts:
    """Runs from `start` until `close`; all methods from any thread. Those that ask the index block."""

    def __init__(
        self,
        settings: Settings,
        live: Live,
        store: Finder,
        archive: Pages,
        write: Write,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """``write`` appends lines to the log."""
        self._settings = settings
        self._live, self._store, self._archive = live, store, archive
        self._write = write
        self._clock = clock
        self._redactor = make_redactor(settings, os.environ)
        self._intake = Intake(make_redactor(settings, os.environ), Metric(), None)
        self._book = Book(LogPath.parse(settings.log_path).directory)
        self._roster = Roster(self._book)
        self._outbox = Outbox()
        self.webhooks = Webhooks(settings, self._note_told)
        self._lock = threading.RLock()
        self._evaluator = Evaluator()
        self._inbox: deque[Sequence[Row]] = deque()
        self._inbox_rows = 0
        self._missed = 0
        self._revision = 0
        self._epoch = ""
        self._kept_s = 0.0
        self._has_state = False
        self._write_fault = ""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="laneway-alerts", daemon=True)

    # the thread

    def start(self) -> None:
        with self._lock:
            self._roster.read(self._settings, self._clock())
        if self._book.fault:
            log.error("alerts: %s", self._book.fault)
        self._listen()
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._live.tap = None
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        self._keep_state()
        self.webhooks.close()

    def _listen(self) -> None:
        """A hub without rules hears nothing, and its thread sleeps."""
        self._live.tap = self._take if self._roster.has_work else None

    def _take(self, rows: Sequence[Row]) -> None:
        """Called under the lock of the live stream: nothing but the queue is touched."""
        if self._inbox_rows > INBOX_ROWS:
            self._missed += len(rows)
            return
        self._inbox.append(rows)
        self._inbox_rows += len(rows)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        if not self._live.wait_filled(FILL_S) or self._closing.is_set():
            return
        with self._lock:
            told, due = self._book.state()
            self._outbox.load(due, self.webhooks.keys, self._clock())
            self._epoch = self._live.epoch
            for rule in self._roster.rules.values():
                self._watch(rule, told.get(rule.id))
            self._tell()
        self._send()
        due_s = monotonic() + TICK_S
        while not self._closing.is_set():
            self._wake.wait(max(0.0, due_s - monotonic()) if self._live.tap else None)
            self._wake.clear()
            if self._closing.is_set():
                return
            try:
                self._take_in()
                if monotonic() >= due_s:
                    due_s = monotonic() + TICK_S
                    self._tick()
            except Exception:
                log.exception("alerts: a round failed")
            sleep(min(GATHER_S, max(0.0, due_s - monotonic())))

    def _take_in(self) -> None:
        with self._lock:
            if self._live.epoch != self._epoch:  # another index: its numbers begin anew
                self._epoch = self._live.epoch
                for watched in self._evaluator.watched.values():
                    watched.seen_seq = 0
            now = self._clock()
            while self._inbox:
                rows = self._inbox.popleft()
                self._inbox_rows -= len(rows)
                self._evaluator.take(rows, now)

    def _tick(self) -> None:
        with self._lock:
            before = self._states()
            turns = self._evaluator.tick(self._clock())
            for turn in turns:
                self._outbox.add(self._due(turn))
            if self._states() != before:
                self._tell()
            if turns or monotonic() - self._kept_s >= KEEP_S:
                self._keep_state()
        self._send()

    def _watch(self, rule: Rule, told: Any = None) -> None:
        now = self._clock()
        watched = self._evaluator.put(rule, now, told)
        if watched is None:
            return
        watched.seen_seq = last_seq = self._live.seq
        try:
            if rule.kind in WINDOWED and not watched.standing.course()["values"]:
                span_ns = COURSE * watched.standing.step_ns
                past = Trial(rule, self._store, self._archive, now - span_ns, now, COURSE).run()
                watched.standing.recall(past["course"]["values"], now)
            refill(rule, watched.gauge, self._store, self._archive, last_seq=last_seq, now_ns=now)
        except StoreError as error:
            log.warning("alerts: %s begins without its past: %s", rule.name, error.message)

    def _keep_state(self) -> None:
        """How rules stand, and what is due of it: in one file, so that neither is kept without the other."""
        self._kept_s = monotonic()
        with self._lock:
            told = {id: one.standing.to_json() for id, one in self._evaluator.watched.items()}
            due = self._outbox.to_json()
            if not told and not due and not self._has_state:
                return
            self._has_state = True
            try:
                self._book.keep_state(told, due)
            except LogError as error:
                log.warning("alerts: %s", error.message)

    # what others hear

    def _states(self) -> list[tuple[str, str]]:
        return [(id, one.standing.state) for id, one in self._evaluator.watched.items()]

    def _tell(self) -> None:
        """Send viewers how the rules stand that are not well; nothing while there never was a rule."""
        if not self._roster.rules and not self._revision:
            return
        self._revision += 1
        told = [
            {
                "id": rule.id,
                "name": rule.name,
                "state": standing.state,
                "since": standing.since_ns / 1e6,
                "value": standing.value,
                "top": standing.top,
                "muted": self._is_muted(rule.id),
            }
            for rule, standing in self._standings()
            if standing.state != "ok"
        ]
        self._live.stand(wire.alerts(self._live.seq, self._revision, len(self._roster.rules), told))

    def _standings(self) -> list[tuple[Rule, Any]]:
        return [(one.rule, one.standing) for one in self._evaluator.watched.values()]

    def _is_muted(self, rule_id: str) -> bool:
        return self._roster.is_muted(rule_id, self._clock())

    def _due(self, turn: Transition) -> Due:
        """A line for the log, and a notice for whoever is told over HTTP."""
        text, is_muted = phrase(turn), self._is_muted(turn.rule.id)
        event = {
            "timestamp": format_ns(turn.at_ns),
            "agent": ALERT_AGENT,
            "event": FIRING_EVENT if turn.state == "firing" else RESOLVED_EVENT,
            "level": "warning" if turn.state == "firing" else "info",
            "content": text,
            "alert": turn.rule.name,
            "alert_id": turn.rule.id,
            "value": turn.value,
            "threshold": turn.rule.threshold,
        }
        if turn.top:
            event["of"] = turn.top
        if is_muted:
            event["muted"] = True
        if self._settings.pod:
            event["pod"] = self._settings.pod
        notice = Notice.of(turn, self._redactor.redact_text(text), self._settings)
        receivers = set() if is_muted else set(self.webhooks.keys)
        lines = self._intake.take([event]).lines
        return Due(notice.id, turn.at_ns, list(lines), notice.body, receivers)

    def _send(self) -> None:
        """Write what is due into the log, and hand it to webhooks. Not under the lock: disks may wait."""
        for due in self._outbox:
            if due.lines:
                self._write_lines(due)
            if due.receivers and not due.is_queued:
                due.is_queued = True
                self.webhooks.send(Notice(due.id, due.body), frozenset(due.receivers))

    def _write_lines(self, due: Due) -> None:
        try:
            self._write(due.lines)
        except LogError as error:  # it is due until it is written
            self._write_fault = error.message
            return
        self._write_fault = ""
        with self._lock:
            self._outbox.note_written(due)
            self._keep_state()

    def _note_told(self, notice_id: str, receiver: str) -> None:
        """Of a webhook's thread."""
        with self._lock:
            self._outbox.note_told(notice_id, receiver)
            self._keep_state()

    # what others ask

    def report(self) -> dict[str, Any]:
        """All rules and how they stand."""
        with self._lock:
            rules = [self._describe(rule) for rule in self._roster.rules.values()]
            firing = sum(one["state"] == "firing" and not one["muted"] for one in rules)
            return {
                "revision": self._revision,
                "firing": firing,
                "missed": self._missed + self._outbox.lost,
                "fault": self._book.fault or self._write_fault,
                "rules": rules,
                "webhooks": self.webhooks.report(),
            }

    def one(self, rule_id: str) -> dict[str, Any]:
        with self._lock:
            return self._describe(self._roster.find(rule_id))

    def _describe(self, rule: Rule) -> dict[str, Any]:
        told = rule.to_json() | {
            "origin": rule.origin,
            "muted": show_mute(self._roster.muted.get(rule.id, 0), self._clock()),
            "threshold": rule.threshold,
            "show": shown_query(rule),
        }
        watched = self._evaluator.watched.get(rule.id)
        if watched is None:
            state = "broken" if rule.fault else "ok"
            return told | {
                "state": state, "since": None, "value": None, "top": "", "peak": 0.0, "fired": 0,
                "late": 0, "fault": rule.fault, "column": rule.column, "course": NO_COURSE,
            }  # fmt: skip
        standing = watched.standing
        return told | {
            "state": standing.state,
            "since": format_ns(standing.since_ns),
            "value": standing.value,
            "top": standing.top,
            "peak": standing.peak,
            "fired": standing.fired_count,
            "late": watched.gauge.late,
            "fault": "",
            "column": 0,
            "course": standing.course(),
        }

    def add(self, raw: object) -> dict[str, Any]:
        """A new rule.

        Raises:
            QueryError: it is none.
            LogError: it cannot be kept.
        """
        with self._lock:
            return self._put(raw, token_hex(4))

    def replace(self, rule_id: str, raw: object) -> dict[str, Any]:
        """
        Raises:
            QueryError: it is none, or there is no such rule here.
            LogError: it cannot be kept.
        """
        with self._lock:
            self._roster.check_own(rule_id)
            return self._put(raw, rule_id)

    def remove(self, rule_id: str) -> None:
        with self._lock:
            self._roster.check_own(rule_id)
            self._roster.remove(rule_id)
            self._listen()
            self._evaluator.drop(rule_id)
            self._tell()

    def mute(self, rule_id: str, text: str) -> dict[str, Any]:
        """``text``: for how long, as `parse_mute_ns` reads it. Rules of the settings can be muted, too."""
        with self._lock:
            rule = self._roster.find(rule_id)
            self._roster.mute(rule_id, parse_mute_ns(text, self._clock()))
            self._tell()
            return self._describe(rule)

    def trial(self, raw: object, since_ns: int, until_ns: int) -> dict[str, Any]:
        """What a rule, which need not be one of these, would have done."""
        return try_rule(raw, self._store, self._archive, since_ns, until_ns)

    def _put(self, raw: object, rule_id: str) -> dict[str, Any]:
        rule = self._roster.put(raw, rule_id, self._clock())
        self._listen()
        self._watch(rule)
        self._evaluator.tick_one(rule_id, self._clock())
        self._tell()
        self._wake.set()
        return self._describe(rule)


NO_COURSE: dict[str, Any] = {"step_ms": 0, "until_ms": 0, "values": []}


def try_rule(
    raw: object, store: Finder, archive: Pages, since_ns: int, until_ns: int
) -> dict[str, Any]:
    """
    Raises:
        QueryError: it is no rule.
        StoreError: the index cannot be asked.
    """
    rule = parse_rule(raw, id="trial", now_ns=until_ns, origin="page")
    return Trial(rule, store, archive, since_ns, until_ns).run()
