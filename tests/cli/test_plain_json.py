"""What stands in for orjson in a hook's process reads and writes as orjson does."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.cli import plain_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_orjson_has_written_is_read_and_written_the_same(value: Any) -> None:
    data = orjson.dumps(value)
    assert plain_json.loads(data) == orjson.loads(data)
    assert plain_json.dumps(plain_json.loads(data)) == data


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"{} x", b"[1,]"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    for module in (plain_json, orjson):
        with pytest.raises(module.JSONDecodeError):
            module.loads(data)


def test_numbers_of_more_than_64_bits_are_read_alike() -> None:
    data = b"[18446744073709551616, -9223372036854775809, 1.5]"
    assert plain_json.loads(data) == orjson.loads(data)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object(), "\ud800"])
def test_what_no_json_holds_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        plain_json.dumps(value)
