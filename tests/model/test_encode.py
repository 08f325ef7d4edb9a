"""`encode` makes a line of anything, and never raises."""

import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import threading
import uuid
from collections import OrderedDict, deque, namedtuple
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from laneway.base.limits import DEPTH, LINE_BYTES
from laneway.model.encode import encode


def value_of(value: object) -> Any:
    """``value`` as a reader finds it; both parsers must read the line, and agree."""
    line = encode({"agent": "a", "v": value})
    assert len(line) <= LINE_BYTES
    assert b"\n" not in line
    seen = orjson.loads(line)
    assert seen == json.loads(line)
    return seen["v"]


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    where: pathlib.Path
    _hidden: int = 0


class Model(BaseModel):
    when: datetime.date
    tags: set[str]


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (datetime.datetime(2026, 11, 23, 18, 22, 33, tzinfo=datetime.UTC), "2026-11-23T18:22:33+00:00"),
        (datetime.date(2026, 11, 23), "2026-11-23"),
        (datetime.time(18, 22), "18:22:00"),
        (datetime.timedelta(days=1, seconds=2), "1 day, 0:00:02"),
        (pathlib.PurePosixPath("/tmp/x"), "/tmp/x"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\xfe", "base64://4="),
        (bytearray(b"abc"), "abc"),
        (memoryview(b"abc"), "abc"),
        (Point(1, pathlib.PurePosixPath("/p")), {"x": 1, "where": "/p"}),
        (Model(when=datetime.date(2026, 1, 2), tags={"a"}), {"when": "2026-01-02", "tags": ["a"]}),
        (Pair(1, {2}), {"left": 1, "right": [2]}),
        (Colour.RED, "red"),
        ([Colour.RED, {1}], ["red", [1]]),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (np.float64(1.5), 1.5),
        (np.int32(7), 7),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (float("nan"), "NaN"),
        ([float("inf"), {"x": float("-inf")}, None], ["Infinity", {"x": "-Infinity"}, None]),
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        (2**64 - 1, 2**64 - 1),
        ("a\ud800b", "a�b"),
        ("\ud83d\ude00", "😀"),
        ({1: "a", None: "b", False: "c", (1, 2): "d", b"k": "e", 1.5: "f"},
         {"1": "a", "null": "b", "false": "c", "(1, 2)": "d", "k": "e", "1.5": "f"}),
        ({1: "a", "1": "b"}, {"1": "a", "1'": "b"}),
        ({"a\udfff": {"b"}}, {"a�": ["b"]}),
        (MappingProxyType({"a": {1}}), {"a": [1]}),
        (OrderedDict(a={1}), {"a": [1]}),
        (deque([1, {2}]), [1, [2]]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        (("x", {1}), ["x", [1]]),
    ],
)  # fmt: skip
def test_a_value_that_json_does_not_know_becomes_something_readable(
    value: object, seen: object
) -> None:
    assert value_of(value) == seen


def test_an_exception_keeps_its_type_message_and_stack() -> None:
    try:
        raise KeyError("no such tool")
    except KeyError as error:
        seen = value_of(error)

    assert seen["type"] == "KeyError"
    assert seen["message"] == "'no such tool'"
    assert "test_an_exception_keeps" in seen["stack"]


def test_callables_generators_and_locks_are_named_and_not_run() -> None:
    generator = (pytest.fail("consumed") for _ in range(1))

    assert value_of(generator).startswith("<generator object")
    assert value_of(len) == "<built-in function len>"
    assert "lock" in value_of(threading.Lock())
    assert value_of(Point) == f"<class '{__name__}.Point'>"


class Unreadable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __iter__(self) -> Any:
        raise RuntimeError("no iter")

    def __len__(self) -> int:
        raise RuntimeError("no len")


class Hostile(Unreadable):
    """Raises wherever it is touched; even by pytest and hypothesis, so it is made inside a test."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    @property
    def __dict__(self) -> Any:
        raise RuntimeError("no dict")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class HostileModel:
    def model_dump(self) -> Any:
        raise ValueError("cannot dump")


class HostileDict(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("dictionary changed size during iteration")


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no str")


def test_objects_that_raise_wherever_they_are_touched_are_named() -> None:
    assert value_of([Hostile(), 1]) == ["<Hostile: unreadable>", 1]
    assert value_of(Unreadable()) == "<Unreadable: unreadable>"
    assert value_of(HostileModel()) == "<HostileModel: unreadable>"
    assert value_of({"x": Hostile()}) == {"x": "<Hostile: unreadable>"}
    assert value_of(HostileError("x"))["message"] == "<HostileError: unreadable>"


def test_a_mapping_that_changes_while_it_is_read_is_kept() -> None:
    assert value_of(HostileDict(a={1})) == {"a": [1]}


def test_a_field_whose_property_raises_costs_that_field_alone() -> None:
    @dataclasses.dataclass
    class Half:
        good: set[int]
        bad: int = 0

        def __getattribute__(self, name: str) -> Any:
            if name == "bad":
                raise RuntimeError
            return super().__getattribute__(name)

    assert value_of(Half({1})) == {"good": [1], "bad": "<unreadable>"}


def test_a_cycle_is_cut_where_it_closes() -> None:
    ring: dict[str, Any] = {"name": "ring"}
    ring["self"] = [ring]

    assert value_of(ring) == {"name": "ring", "self": ["[cycle]"]}


def test_one_object_that_appears_twice_is_no_cycle() -> None:
    shared = {1}

    assert value_of([shared, shared]) == [[1], [1]]


def nested(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [DEPTH, DEPTH + 1, 200, 300, 5_000])
def test_what_is_nested_too_deeply_is_cut_at_the_depth_that_readers_take(levels: int) -> None:
    seen = value_of(nested(levels))

    depth = 1
    while isinstance(seen, list):
        seen, depth = seen[0], depth + 1
    assert depth == DEPTH
    assert seen == f"[deeper than {DEPTH} levels]"


def test_the_greatest_allowed_depth_is_kept() -> None:
    assert value_of(nested(DEPTH - 1)) == nested(DEPTH - 1)


@pytest.mark.parametrize("event", [None, 1, "text", [1, {2}], len])
def test_what_is_no_mapping_becomes_the_content(event: Any) -> None:
    assert "content" in json.loads(encode(event))


def test_an_integer_of_a_million_bits_is_told_and_not_written() -> None:
    assert value_of(1 << 1_000_000) == "<int of 1000001 bits>"


def test_a_large_array_keeps_its_shape_and_its_head() -> None:
    seen = value_of(np.zeros((1000, 1000), dtype=np.float32))

    assert seen["shape"] == [1000, 1000]
    assert seen["dtype"] == "float32"
    assert len(seen["head"]) == 1000


def test_the_event_itself_is_not_changed() -> None:
    event = {"agent": "a", "content": "x" * 400_000, "tags": {"b"}}
    before = dict(event)

    encode(event)

    assert event == before


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.dates()
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
    | st.builds(Unreadable)
    | st.sampled_from([Colour.RED, HostileModel(), object, len, Ellipsis, 1j, np.float32("nan")]),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.none() | st.tuples(st.integers()), inner)
        | st.builds(Pair, inner, inner)
        | st.builds(HostileDict, st.dictionaries(st.text(), inner))
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(junk)
def test_any_value_at_all_gives_a_line_that_both_parsers_read(value: object) -> None:
    value_of(value)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=())), junk, max_size=8))
def test_any_mapping_at_all_gives_a_line_that_both_parsers_read(event: dict[str, Any]) -> None:
    line = encode(event)

    assert json.loads(line) == orjson.loads(line)
