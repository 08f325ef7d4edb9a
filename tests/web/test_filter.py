from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import QueryError
from laneway.model.moment import parse_timestamp_ns
from laneway.store.api import Cursor, Query
from laneway.store.query.parse import parse as parse_query
from laneway.web.filter import (
    MANY,
    PAGE,
    format_cursor,
    parameters,
    parse,
    parse_cursor,
    parse_seq,
    parse_step_ns,
    to_query,
)
from laneway.web.question.pulse import BUCKETS, fitting_step_s

NOW_NS = 1_800_000_000 * 10**9


def query(*items: tuple[str, str]) -> Query:
    return to_query(parse(items, PAGE), NOW_NS)


def test_no_filter_is_the_newest_page() -> None:
    assert query() == Query()


def test_every_filter_says_the_same_in_the_language() -> None:
    for name in MANY:
        values = ("error", "info") if name == "level" else ("a", "b c")
        made = query(*[(name, value) for value in values])
        assert made.where == parse_query(f'{name}:({values[0]},"{values[1]}")')


def test_q_and_the_filters_must_all_hold() -> None:
    made = query(("q", "a OR b"), ("agent", "x"), ("-event", "log"), ("error", "false"))
    assert made.where == parse_query("(a OR b) agent:x -event:log -has:error")


def test_times_in_q_narrow_the_window() -> None:
    made = query(("q", "a since:15m until:2027-01-01"), ("since", "1h"))
    assert made.where == parse_query("a")
    assert made.since_ns == NOW_NS - 900 * 10**9
    assert made.until_ns == parse_timestamp_ns("2027-01-01")


def test_a_fault_in_q_is_told_with_its_column() -> None:
    with pytest.raises(QueryError, match="column 5") as caught:
        query(("q", "abc agnet:x"))
    assert caught.value.column == 5
    assert caught.value.hint.startswith("did you mean agent?")


def test_the_single_ones_too() -> None:
    made = query(
        ("q", ' "tidal power" note* '), ("error", "true"), ("limit", "7"), ("order", "oldest")
    )
    assert made.where == parse_query('"tidal power" note* has:error')
    assert made.limit == 7
    assert made.newest_first is False


@pytest.mark.parametrize(
    ("text", "wanted_ns"),
    [
        ("15m", NOW_NS - 900 * 10**9),
        ("1.5h", NOW_NS - 5400 * 10**9),
        ("30d", NOW_NS - 30 * 86_400 * 10**9),
        ("1700000000", 1_700_000_000 * 10**9),
        ("1700000000000", 1_700_000_000 * 10**9),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * 10**9),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000 * 10**9),
        ("", None),
    ],
)
def test_times_are_absolute_or_so_long_ago(text: str, wanted_ns: int | None) -> None:
    assert query(("since", text)).since_ns == wanted_ns


@pytest.mark.parametrize(
    "item",
    [
        ("since", "yesterday"), ("until", "15 parsecs"), ("limit", "0"), ("limit", "1001"), ("limit", "ten"),
        ("limit", "-1"), ("limit", "١"), ("order", "best"), ("error", "maybe"), ("level", "loud"),
        ("cursor", "x"), ("cursor", "1.2.3"), ("cursor", "f" * 40 + ".1"), ("q", "x" * 4097), ("agnet", "a"),
        ("since", "9" * 400 + "d"), ("since", "m"), ("step", "1s"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(item: tuple[str, str]) -> None:
    with pytest.raises(QueryError) as caught:
        query(item)
    assert item[0] in caught.value.message


def test_a_misspelt_filter_gets_a_hint() -> None:
    with pytest.raises(QueryError) as caught:
        query(("agnet", "a"))
    assert caught.value.hint == "did you mean agent?"


def test_a_single_filter_takes_one_value() -> None:
    with pytest.raises(QueryError, match="q: given twice"):
        query(("q", "a"), ("q", "b"))


def test_values_of_one_filter_are_bounded() -> None:
    with pytest.raises(QueryError, match="agent: 101 values"):
        query(*[("agent", str(n)) for n in range(101)])


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_went(ts_ns: int, seq: int) -> None:
    assert parse_cursor(format_cursor(Cursor(ts_ns, seq))) == Cursor(ts_ns, seq)


@given(st.text())
def test_any_text_as_any_value_is_read_or_refused(text: str) -> None:
    calls: list[Any] = [parse_cursor, parse_seq, parse_step_ns]
    for name in ("since", "limit", "error", "order", "q", "level"):
        calls.append(lambda value, name=name: query((name, value)))
    for call in calls:
        try:
            call(text)
        except QueryError:
            pass


@given(st.integers(1, 100 * 366 * 86_400 * 10**9))
def test_the_step_that_fits_gives_few_enough_buckets(span_ns: int) -> None:
    step_ns = fitting_step_s(span_ns) * 10**9
    assert span_ns // step_ns + 2 <= BUCKETS + 1


def test_the_documented_parameters_are_the_ones_that_are_read() -> None:
    names = [entry["name"] for entry in parameters(PAGE)]
    assert len(names) == len(set(names))
    parse([(name, "") for name in names], PAGE)
