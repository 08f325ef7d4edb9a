"""Whatever fails in the redactor, at whatever door: the event is kept, and no payload goes out in clear."""

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from laneway.hub.line import LineReader
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.model.redact import Redactor, custom, judge, keys, redactor, scan, walk
from laneway.model.redact.custom import Extra
from laneway.model.redact.mark import Marker
from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES, WORD_RULES, Rule
from laneway.model.wire import encode_redacted
from tests.model.redact.corpus import iter_cases

PASSWORD = "hunter2-Xy7"
ENVIRONMENT = "environment-Secret-77"
RULES = [{"name": "acme", "pattern": "acme_[a-z]{8}", "keys": ["acmePin"]}]
CASES: dict[str, list[Any]] = {}
for _case in iter_cases():
    CASES.setdefault(_case.rule, []).append(_case)

Door = Callable[[dict[str, Any], Redactor], bytes]


class Shelf:
    """Keeps what it gets, to be looked through."""

    limit_bytes = 1 << 24

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def keep(self, data: bytes) -> str:
        self.kept.append(data)
        return "0" * 64

    def lose(self, reason: str) -> None:
        pass


def sdk(event: dict[str, Any], made: Redactor) -> bytes:
    shelf = Shelf()
    return encode_redacted(event, made, shelf=shelf)[0] + b"\n" + b"\n".join(shelf.kept)


def hub(event: dict[str, Any], made: Redactor) -> bytes:
    taken = Intake(made, Metric(), None).take([event])
    return b"\n".join(taken.lines)


def foreign(event: dict[str, Any], made: Redactor) -> bytes:
    return LineReader(made).read(orjson.dumps(event), "", 0, 0).shown


DOORS = pytest.mark.parametrize("door", [sdk, hub, foreign])


def fail(*_: object, **__: object) -> Any:
    raise RuntimeError("a fault")


class BrokenPattern:
    groups = 0
    match = search = finditer = fail


def extra() -> Extra:
    made = custom.make_extra(RULES, personal=True)
    assert made is not None
    return made


def event_of(**fields: object) -> dict[str, Any]:
    return {"timestamp": "2026-11-26T10:00:00Z", "agent": "planner", "event": "log", **fields}


def secrets_event(pad: int = 0) -> tuple[dict[str, Any], list[str]]:
    """An event in which every kind of look has something to find."""
    token = "gh" + "p_" + "aB3dE6gH9" * 4
    secrets = [token, PASSWORD, ENVIRONMENT, "acme_abcdefgh", "ada@lovelace.org", "pin-7391"]
    event = event_of(
        content=f"{token} and password={PASSWORD} then {ENVIRONMENT} acme_abcdefgh ada@lovelace.org"
        + " prose" * pad,
        input={
            "password": PASSWORD,
            "acmePin": "pin-7391",
            token: 1,
            "json": f'{{"x": "{token}"}}',
        },
        note=token,
        **{token: 2},
    )
    return event, secrets


def check(line: bytes, secrets: list[str]) -> None:
    event = orjson.loads(line.partition(b"\n")[0]) if line[:1] == b"{" else {}
    assert event["agent"] == "planner"
    assert event["event"] == "log"
    assert not [secret for secret in secrets if secret.encode() in line]


FAULTS: list[tuple[object, str]] = [
    *((redactor, name) for name in (
        "find_spans", "has_token", "may_hold_token", "holds_token", "has_word", "long_runs", "may_hold",
        "secret_name",
    )),
    *((walk, name) for name in ("find_spans", "has_word", "secret_name", "hide_marks", "is_deeper")),
    *((scan, name) for name in (
        "_match", "_may_begin", "_find_base64", "_compile", "_is_secret", "_without_overlap",
        "is_placeholder",
        "is_assigned", "may_be_base64", "token_runs", "base64_runs", "holds", "load_automaton",
    )),
    (keys, "_judge"),
    (Marker, "mark"),
    *((custom.Extra, name) for name in ("may_match", "is_secret_name", "named", "find")),
    *((custom.Rule, name) for name in ("find", "is_secret")),
    (judge, "_is_version"),
]  # fmt: skip


@DOORS
@pytest.mark.parametrize("pad", [0, 5_000, 60_000])
@pytest.mark.parametrize(
    ("where", "name"), FAULTS, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_fault_anywhere_lets_nothing_pass(
    door: Door, where: object, name: str, pad: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, secrets = secrets_event(pad)
    made = Redactor((ENVIRONMENT,), extra=extra())
    monkeypatch.setattr(keys, "_cache", {})
    monkeypatch.setattr(scan, "_automatons", [])
    monkeypatch.setattr(where, name, fail)

    check(door(event, made), secrets)


@DOORS
def test_a_fault_of_the_accelerator_lets_nothing_pass(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, secrets = secrets_event(5_000)
    monkeypatch.setattr(scan, "_automatons", [(fail, fail, fail)])

    check(door(event, Redactor((ENVIRONMENT,), extra=extra())), secrets)


@DOORS
def test_a_fault_in_the_search_for_personal_data_lets_nothing_pass(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, secrets = secrets_event()
    monkeypatch.setattr("laneway.model.redact.personal.find_personal", fail)

    check(door(event, Redactor((ENVIRONMENT,), extra=extra())), secrets)


@pytest.mark.parametrize(
    "rule", [*TOKEN_RULES, *PATH_RULES, *WORD_RULES], ids=lambda rule: rule.tail[:30]
)
def test_a_fault_in_the_match_of_any_rule_lets_nothing_pass(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scan._compiled, rule.tail, BrokenPattern())
    cases = CASES[rule.name]
    for case in random.Random(7).sample(cases, min(len(cases), 12)):
        for door in (sdk, hub, foreign):
            check(door({**event_of(), **case.event}, Redactor()), [case.gone])


@DOORS
@pytest.mark.parametrize("name", judge.CHECKS)
def test_a_fault_in_any_check_of_a_value_lets_nothing_pass(
    door: Door, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(judge.CHECKS, name, fail)
    users = {rule.name for rule in (*TOKEN_RULES, *PATH_RULES, *WORD_RULES) if rule.check == name}
    for case in [case for rule in users for case in CASES[rule][:6]]:
        check(door({**event_of(), **case.event}, Redactor()), [case.gone])
    event = event_of(
        input={"password": PASSWORD, "token": ENVIRONMENT, "cookie": f"sid={PASSWORD}"}
    )
    check(door(event, Redactor()), [PASSWORD, ENVIRONMENT])


def test_what_stays_of_an_event_that_is_withheld_holds_no_token() -> None:
    token = "gh" + "p_" + "aB3dE6gH9" * 4
    event = event_of(
        id=f"e-{token}",
        session_id=token,
        trace_id="ab" * 16,
        duration_ms=5,
        parent_agent=ENVIRONMENT,
    )

    kept, count = Redactor((ENVIRONMENT,)).withhold(event)

    assert count == 1
    assert kept["duration_ms"] == 5
    assert kept["trace_id"] == "ab" * 16
    assert kept["timestamp"] == event["timestamp"]
    assert "id" not in kept
    assert token not in str(kept)
    assert ENVIRONMENT not in str(kept)
