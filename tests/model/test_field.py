from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import EventError
from laneway.model.event import normalise, normalise_leniently
from laneway.model.field import set_aside

FIELDS = (
    "timestamp",
    "agent",
    "event",
    "id",
    "session_id",
    "span_id",
    "level",
    "duration_ms",
    "pid",
    "error",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_a_line_holds_beside_its_names_is_an_event_of_normal_form(
    fields: dict[str, Any],
) -> None:
    event, ts_ns = normalise_leniently({**fields, "agent": "a", "event": "x"}, received_ns=10**18)
    assert normalise(event) == (event, ts_ns)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_no_value_is_lost(fields: dict[str, Any]) -> None:
    fitting, odd = set_aside(fields)
    for field, value in fields.items():
        blank = isinstance(value, str) and not value.strip()
        assert blank or value is fitting.get(f"given_{field}" if field in odd else field)


def test_what_fits_comes_back_as_it_is() -> None:
    fields: dict[str, object] = {"duration_ms": 5, "level": "WARN", "own": object()}
    assert set_aside(fields) == (fields, [])
    assert set_aside(fields)[0] is fields


def test_a_name_that_is_taken_is_not_written_over() -> None:
    event, _ = normalise_leniently({"agent": "a", "event": "x", "pid": -1, "given_pid": 7})
    assert {name: event.get(name) for name in ("given_pid", "given_given_pid")} == {
        "given_pid": 7,
        "given_given_pid": -1,
    }


@pytest.mark.parametrize(
    "raw", [[], None, {"agent": "a"}, {"agent": [], "event": "x"}, {"agent": " ", "event": "x"}]
)
def test_what_names_no_agent_or_no_event_is_none(raw: object) -> None:
    with pytest.raises(EventError):
        normalise_leniently(raw)


def test_the_old_name_of_a_field_is_known_too() -> None:
    event, _ = normalise_leniently({"agent": "a", "event_type": "x" * 300})
    assert event["event"] == "x" * 256
