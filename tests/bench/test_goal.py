"""What counts as met."""

from typing import Any

import pytest

from bench.goal import GOALS, Goal, judge
from bench.run import BENCHES

AT_MOST = Goal("a.b", "time", "≤", 5, "ms", "", 10_000)
AT_LEAST = Goal("a.b", "rate", "≥", 100, "events/s")


def told(value: float, events: int = 0) -> dict[str, Any]:
    return {"value": value, "events": events}


@pytest.mark.parametrize(
    ("goal", "figure", "verdict"),
    [
        (AT_MOST, told(5, 10_000), "met"),
        (AT_MOST, told(5.1, 10_000), "missed"),
        (AT_MOST, told(1, 9_999), "not measured here"),
        (AT_MOST, told(6, 10), "missed"),
        (AT_LEAST, told(100), "met"),
        (AT_LEAST, told(99), "missed"),
        (AT_LEAST, None, "not measured here"),
    ],
    ids=["at the limit", "above it", "a smaller log", "missed with a smaller log already", "enough",
         "too little", "no figure"],
)  # fmt: skip
def test_a_verdict_needs_the_size_that_the_goal_is_for(
    goal: Goal, figure: dict[str, Any] | None, verdict: str
) -> None:
    assert judge(goal, figure) == verdict


def test_every_goal_is_of_a_bench_that_is_run() -> None:
    assert {goal.bench for goal in GOALS} <= {*BENCHES, "peers"}
    assert len({goal.figure for goal in GOALS}) == len(GOALS)
