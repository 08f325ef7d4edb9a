"""Rules, standings and mutes that nobody of ours wrote: taken or refused, and no thread ends by them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import QueryError
from laneway.hub.alert.book import RULES, STATE, Book
from laneway.hub.alert.evaluator import Evaluator
from laneway.hub.alert.outbox import Outbox
from laneway.hub.alert.rule import FIELDS, KINDS, Rule, parse_mute_ns, parse_rule
from laneway.hub.alert.standing import Standing

from .feed import START_NS, rule

TEXT = st.text(max_size=20) | st.sampled_from(
    ["5m", "1d", "-1s", "1e99d", "agent:a", "has:error", "(", ""]
)
NUMBER = st.integers(-(2**63), 2**64 - 1) | st.floats() | st.sampled_from([1e308, -1e308, 5e-324])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(TEXT, some, max_size=3),
    max_leaves=6,
)
DRAFT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys((*FIELDS, "id", "made"), JSON | TEXT | st.integers(0, 100))
    | {"kind": st.sampled_from(KINDS) | JSON, "name": st.just("errors") | TEXT | JSON},
)
STANDING = st.fixed_dictionaries(
    {
        name: st.just(value) | NUMBER | JSON
        for name, value in Standing(rule(), START_NS).to_json().items()
    }
)


@given(DRAFT | JSON)
def test_a_rule_is_taken_or_refused(raw: Any) -> None:
    try:
        taken = parse_rule(raw, id="r", now_ns=START_NS, origin="page")
    except QueryError:
        return
    assert isinstance(taken, Rule)
    kept = orjson.loads(orjson.dumps(taken.to_json()))  # what the book writes, it reads
    again = parse_rule(kept, id="r", now_ns=START_NS, origin="page")
    assert again.to_json() == taken.to_json()
    evaluator = Evaluator()
    evaluator.put(taken, START_NS, None)
    evaluator.tick(START_NS + 10**9)


@given(STANDING | JSON)
def test_a_standing_is_as_it_was_or_begins_anew(told: Any) -> None:
    standing = Standing.from_json(rule(), told, START_NS)
    standing.tick(rule(), standing_reading(), START_NS + 10**9)
    orjson.dumps(standing.to_json())


def standing_reading() -> Any:
    evaluator = Evaluator()
    watched = evaluator.put(rule(), START_NS, None)
    assert watched
    return watched.gauge.read(START_NS)


@pytest.mark.parametrize("name", ["since_ns", "over_ns", "fired", "sampled_ns"])
@pytest.mark.parametrize("value", [1e308, float("inf"), float("nan"), -1, 2**63, "x", None])
def test_a_standing_with_a_time_that_is_none_begins_anew(name: str, value: Any) -> None:
    told = {**Standing(rule(), START_NS).to_json(), "fired": 3, name: value}
    standing = Standing.from_json(rule(), told, START_NS)
    assert (standing.fired_count, standing.since_ns) == (0, START_NS)


@given(JSON)
def test_what_was_due_is_read_or_passed_over(told: Any) -> None:
    outbox = Outbox()
    outbox.load([told], ["a"], START_NS)
    orjson.dumps(outbox.to_json())


@given(TEXT)
def test_a_mute_is_read_or_refused(text: str) -> None:
    try:
        parse_mute_ns(text, START_NS)
    except QueryError:
        pass


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"version":1}', b'{"version":1,"rules":5,"muted":5,"standings":5,"due":5}',
     b'{"version":1,"rules":[{"id":{}}],"muted":{"r":1e300},"standings":{"r":{"state":"ok"}}}',
     b'{"version":1,"rules":[null],"muted":{"r":null}}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_files_of_another_form_stop_nobody(content: bytes, tmp_path: Path) -> None:
    for name in (RULES, STATE):
        (tmp_path / name).write_bytes(content)
    book = Book(str(tmp_path))
    assert book.rules(START_NS) == []
    assert isinstance(book.muted(), dict)
    standings, _ = book.state()
    for told in standings.values():
        Standing.from_json(rule(), told, START_NS)
