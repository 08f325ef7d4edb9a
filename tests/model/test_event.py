"""`normalise`: one form for every event, and a message for every field that cannot be taken."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.clock import format_ns, now_ns
from laneway.base.errors import EventError
from laneway.model.event import normalise
from laneway.model.moment import parse_timestamp_ns

T_NS = 1_795_458_153_000_123_000
T_TEXT = "2026-11-23T18:22:33.000123Z"
RAW = {"timestamp": T_TEXT, "agent": "planner", "event": "decision", "id": "e1"}


def problems_of(raw: object) -> dict[str, str]:
    with pytest.raises(EventError) as caught:
        normalise(raw)
    return {problem.field: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    "value",
    [
        T_TEXT,
        "2026-11-23T18:22:33.000123+00:00",
        "2026-11-23T20:22:33.000123+02:00",
        "2026-11-23t18:22:33.000123z",
        "2026-11-23 18:22:33.000123",
        "2026-11-23T18:22:33.000123999Z",
        1_795_458_153_000_123,
        1_795_458_153_000_123_000,
        "1795458153000123",
        1_795_458_153.000123,
    ],
)
def test_any_usual_time_becomes_utc_with_microseconds(value: Any) -> None:
    event, ts_ns = normalise({**RAW, "timestamp": value})

    assert event["timestamp"] == T_TEXT
    assert ts_ns // 1000 == T_NS // 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_458_153, "2026-11-23T18:22:33.000000Z"),
        (1_795_458_153_000, "2026-11-23T18:22:33.000000Z"),
        ("1712031510123", "2024-04-02T04:18:30.123000Z"),  # not the year 1712
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
        ("20261123", "2026-11-23T00:00:00.000000Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_read_by_its_size_or_form(value: Any, text: str) -> None:
    assert normalise({**RAW, "timestamp": value})[0]["timestamp"] == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yesterday", '"yesterday" is not ISO 8601 or a Unix time'),
        ("", '"" is not ISO 8601 or a Unix time'),
        (True, "True is not ISO 8601 or a Unix time"),
        ([1], "[1] is not ISO 8601 or a Unix time"),
        (math.nan, "nan is not ISO 8601 or a Unix time"),
        (
            "2026-02-30T00:00:00.000000Z",
            '"2026-02-30T00:00:00.000000Z" is not ISO 8601 or a Unix time',
        ),
        (
            "2026-11-23T18:22:33.00012²Z",
            '"2026-11-23T18:22:33.00012²Z" is not ISO 8601 or a Unix time',
        ),
        (1e300, "1e+300 is not a time between the years 1 and 9999"),
        (math.inf, "inf is not a time between the years 1 and 9999"),
        (
            "0001-01-01T00:00:00+14:00",
            '"0001-01-01T00:00:00+14:00" is not a time between the years 1 and 9999',
        ),
        (
            "9999-12-31T23:59:59-14:00",
            '"9999-12-31T23:59:59-14:00" is not a time between the years 1 and 9999',
        ),
        (10**400, "1" + "0" * 119 + "… is not a time between the years 1 and 9999"),
    ],
)
def test_what_is_no_time_is_told_as_it_was_seen(value: Any, message: str) -> None:
    assert problems_of({**RAW, "timestamp": value}) == {"timestamp": message}


def test_a_missing_time_becomes_the_time_of_arrival() -> None:
    raw = {"agent": "a", "event": "log"}

    assert normalise(raw, received_ns=T_NS)[0]["timestamp"] == T_TEXT
    before = now_ns()
    assert before <= normalise(raw)[1] <= now_ns()


def test_a_missing_id_is_made_and_a_given_one_kept() -> None:
    made = normalise({"agent": "a", "event": "log"})[0]["id"]

    assert len(made) == 36
    assert made[14] == "7"
    assert normalise(RAW)[0]["id"] == "e1"
    assert normalise({**RAW, "id": 7})[0]["id"] == "7"
    assert len(normalise({**RAW, "id": None})[0]["id"]) == 36


def test_the_head_comes_first_and_the_rest_in_its_order() -> None:
    event, _ = normalise({"z": 1, "id": "e1", "event": "log", "a": 2, "agent": "x", "timestamp": 0})

    assert list(event) == ["timestamp", "agent", "event", "id", "z", "a"]


def test_fields_that_nobody_knows_are_kept_as_given() -> None:
    extra = {"prompt_version": 3, "nested": {"agent": None}, "__proto__": [1], "": "empty name"}

    event, _ = normalise({**RAW, **extra})

    assert {name: event[name] for name in extra} == extra  # type: ignore[literal-required]


def test_the_older_name_event_type_is_taken() -> None:
    event, _ = normalise({"timestamp": 0, "agent": "a", "event_type": "log", "id": "e"})

    assert event["event"] == "log"
    assert "event_type" not in event


def test_an_event_type_beside_an_event_is_a_field_like_any_other() -> None:
    event, _ = normalise({**RAW, "event_type": "x"})

    assert (event["event"], event["event_type"]) == ("decision", "x")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("session_id", 12, "12"),
        ("tool", "search", "search"),
        ("model", "模型", "模型"),
        ("agent", " planner", " planner"),
        ("trace_id", "4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("trace_id", "Not-Hex", "Not-Hex"),
        ("span_id", "ABCDEF0123456789", "abcdef0123456789"),
        ("level", "WARN", "warning"),
        ("level", "Fatal", "critical"),
        ("input_tokens", "12", 12),
        ("input_tokens", 12.0, 12),
        ("duration_ms", "12.5", 12.5),
        ("cost_usd", 0, 0),
        ("error", "boom", {"message": "boom"}),
        ("error", 17, {"message": "17"}),
        ("error", {"type": "X"}, {"type": "X"}),
        ("content", None, None),
    ],
)
def test_a_field_is_brought_into_its_form(field: str, value: Any, taken: Any) -> None:
    event: Any = normalise({**RAW, field: value})[0]

    assert event[field] == taken
    assert type(event[field]) is type(taken)


@pytest.mark.parametrize(
    "field", ["session_id", "tool", "trace_id", "pid", "cost_usd", "level", "error"]
)
def test_a_known_field_that_is_null_is_left_out(field: str) -> None:
    assert field not in normalise({**RAW, field: None})[0]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("agent", "", '"" is not a non-empty text'),
        ("agent", "   ", '"   " is not a non-empty text'),
        ("agent", "\u00a0", '"\u00a0" is not a non-empty text'),
        ("agent", None, "is missing; a non-empty text is wanted"),
        ("event", ["x"], "['x'] is not a non-empty text"),
        ("agent", "x" * 257, "257 characters, at most 256 are kept"),
        ("id", "x" * 257, "257 characters, at most 256 are kept"),
        ("session_id", True, "True is not a non-empty text"),
        ("input_tokens", -1, "-1 is not a whole number from 0 up"),
        ("input_tokens", 1.5, "1.5 is not a whole number from 0 up"),
        ("input_tokens", "1.5", '"1.5" is not a whole number from 0 up'),
        ("pid", True, "True is not a whole number from 0 up"),
        ("duration_ms", math.nan, "nan is not a number from 0 up"),
        ("duration_ms", "fast", '"fast" is not a number from 0 up'),
        ("duration_ms", 1e15, "1000000000000000.0 is not a number from 0 up"),
        ("level", "loud", '"loud" is not one of debug, info, warning, error, critical'),
        ("level", [], "[] is not one of debug, info, warning, error, critical"),
    ],
)
def test_what_cannot_be_taken_is_told_by_field(field: str, value: Any, message: str) -> None:
    assert problems_of({**RAW, field: value}) == {field: message}


def test_all_problems_are_told_at_once() -> None:
    assert set(problems_of({"timestamp": "x", "pid": -1, "level": "y"})) == {
        "timestamp", "pid", "level", "agent", "event",
    }  # fmt: skip


@pytest.mark.parametrize("raw", [None, [], "text", 7])
def test_only_an_object_is_an_event(raw: object) -> None:
    assert "is not a JSON object" in problems_of(raw)[""]


def test_the_given_object_is_never_changed() -> None:
    raw = {**RAW, "session_id": 1, "level": "WARN", "error": "x", "pid": None}
    before = dict(raw)

    normalise(raw)

    assert raw == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "session_id", "parent_agent", "tool", "model", "trace_id", "span_id", "parent_span_id", "level",
    "input_tokens", "pid", "duration_ms", "cost_usd", "error", "content", "input", "output", "extra",
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {"agent": st.text() | st.integers(), "event": st.text()},
        optional={
            "timestamp": st.integers(-(10**18), 10**18) | st.datetimes().map(str) | st.floats(),
            "id": st.text(),
        },
    ),
    st.dictionaries(st.sampled_from(FIELDS), json_values),
)
def test_what_was_normalised_once_stays_as_it_is(
    head: dict[str, Any], rest: dict[str, Any]
) -> None:
    try:
        once, ts_ns = normalise({**rest, **head}, received_ns=T_NS)
    except EventError:
        return

    twice, again_ns = normalise(once)

    assert repr(twice) == repr(once)  # repr: NaN differs from itself
    assert again_ns == ts_ns // 1000 * 1000


@given(st.integers(-(10**18), 10**18))
def test_our_own_form_of_a_time_reads_back(ts_ns: int) -> None:
    text = format_ns(ts_ns)

    event, read_ns = normalise({**RAW, "timestamp": text})

    assert event["timestamp"] == text
    assert read_ns == ts_ns // 1000 * 1000 == parse_timestamp_ns(text)
