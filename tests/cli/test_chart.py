"""Bars over time."""

from laneway.cli.chart import Axis, fit_axis, sparkline


def test_a_sparkline_shows_the_least_count_and_leaves_zero_blank() -> None:
    assert sparkline([0, 1, 500, 1_000]) == " ▁▄█"
    assert sparkline([0, 0]) == "  "


def test_an_axis_merges_whole_steps_until_they_fit() -> None:
    buckets = [(10_000, 1, 0), (11_000, 2, 1), (12_000, 4, 0), (19_000, 8, 8)]
    assert fit_axis(buckets, 1_000, 10) == Axis(10_000, 1_000, 10)
    axis = fit_axis(buckets, 1_000, 4)
    assert axis == Axis(10_000, 3_000, 4)
    assert axis.sums(buckets, 1) == [7, 0, 0, 8]
    assert axis.sums(buckets, 2) == [1, 0, 0, 8]
    assert axis.end_ms == 22_000
    assert fit_axis([], 1_000, 4).sums([], 1) == []
