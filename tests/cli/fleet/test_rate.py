"""Counts by second agree with a list that forgets nothing."""

from hypothesis import given
from hypothesis import strategies as st

from laneway.cli.fleet.rate import SPAN_S, Rate

STEPS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 90)), max_size=40)


@given(STEPS, st.integers(1, SPAN_S))
def test_a_window_holds_what_came_in_it_however_late_it_came(
    steps: list[tuple[int, int]], window_s: int
) -> None:
    rate, now_s, seen = Rate(), 1_000, []
    for late_s, wait_s in steps:
        now_s += wait_s
        rate.add(now_s - late_s, now_s)
        if late_s < SPAN_S:
            seen.append(now_s - late_s)

    assert rate.total(now_s, window_s) == sum(now_s - window_s < at_s <= now_s for at_s in seen)


def test_what_comes_from_the_future_counts_now() -> None:
    rate = Rate()
    rate.add(5_000, 1_000)

    assert rate.total(1_000, 1) == 1


def test_steps_begin_on_whole_steps_and_add_up_to_the_window() -> None:
    rate = Rate()
    for at_s in range(940, 1_000):
        rate.add(at_s, 999)

    assert rate.steps(999, 12, 5) == [5] * 12
    assert rate.steps(997, 2, 5) == [5, 3], "the last step is not over yet"
