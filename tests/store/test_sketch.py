"""Quantiles of a sketch against those of the sorted values."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.store import sketch as module
from laneway.store.sketch import ACCURACY, LEAST_MS, QUANTILES, Sketch, Spread, describe

VALUES = st.lists(
    st.one_of(
        st.floats(0, 1e15, exclude_max=True),
        st.floats(0, 1e-2),
        st.floats(1, 1_000),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=200,
)
SLACK = 1.000_001
"""Bucket bounds are floating point numbers."""


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


def state(sketch: Sketch) -> tuple[object, ...]:
    filled = {sketch.low + i: count for i, count in enumerate(sketch.counts) if count}
    return sketch.count, sketch.sum_us, sketch.max_ms, sketch.tiny_count, filled


@given(values=VALUES, share=st.one_of(st.sampled_from(QUANTILES), st.floats(0, 1)))
def test_a_quantile_is_within_one_percent_of_the_value_of_its_rank(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    got = sketch_of(values).quantile(share)
    assert abs(got - exact) <= max(exact * ACCURACY * SLACK, LEAST_MS)


@given(parts=st.lists(VALUES, min_size=1, max_size=5), order=st.randoms())
def test_merged_in_any_order_it_is_the_sketch_of_all(
    parts: list[list[float]], order: random.Random
) -> None:
    whole = sketch_of([value for part in parts for value in part])
    sketches = [sketch_of(part) for part in parts]
    order.shuffle(sketches)
    merged = Sketch()
    for one in sketches:
        merged.merge(one)
    assert state(merged) == state(whole)


@given(values=VALUES, repeat=st.sampled_from([1, 300, 70_000]))
def test_packed_and_unpacked_it_is_the_same(values: list[float], repeat: int) -> None:
    sketch = sketch_of(values)
    sketch.counts = [count * repeat for count in sketch.counts]
    again = Sketch.unpack(sketch.count, sketch.sum_us, sketch.max_ms, sketch.pack())
    assert state(again) == state(sketch)


@given(values=VALUES, rest=VALUES)
def test_many_values_at_once_are_the_same_as_one_by_one(
    values: list[float], rest: list[float]
) -> None:
    sketch = sketch_of(values)
    sketch.add_all(rest)
    sketch.add_all([])
    assert state(sketch) == state(sketch_of(values + rest))


def test_few_values_take_two_bytes_each() -> None:
    assert len(sketch_of([1.0, 1_000.0, 1e6]).pack()) < 20


def test_an_empty_one_has_no_durations() -> None:
    assert Sketch().quantile(0.5) == 0.0
    assert Sketch.unpack(0, 0, 0.0, Sketch().pack()).counts == []
    assert describe([]).event_count == 0
    assert Spread().durations().event_count == 0


def test_the_widest_range_takes_two_kilobytes() -> None:
    assert len(sketch_of([2e-3, 9.9e14]).pack()) < 2_100


def test_a_spread_is_exact_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_VALUES", 100)
    values = [float(n) for n in range(1, 101)]
    spread = Spread()
    spread.add(values)
    assert spread.is_exact
    assert spread.durations() == (100, 50.5, 100.0, 50.0, 90.0, 95.0, 99.0)
    spread.add([1000.0])
    assert not spread.is_exact
    durations = spread.durations()
    assert durations.event_count == 101
    assert durations.max_ms == 1000.0
    assert durations.p50_ms == pytest.approx(51, rel=ACCURACY)
