"""The documents that are made of results."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import report
from bench.plot import Bar, bars

RESULT = {
    "machine": {"cores": 2, "processor": "x", "memory_gib": 8, "system": "Linux", "python": "3.13"},
    "versions": {"laneway": "1"},
    "runs": {
        "append": {
            "date": "today",
            "load": 0.1,
            "seconds": 1,
            "commit": "c",
            "seed": 7,
            "failure": "",
        }
    },
    "figures": {
        "append.p50_us": {
            "value": 11.0,
            "runs": 9,
            "peer": "naive",
            "peer_value": 22.0,
            "events": 0,
        },
        "start.ready_s": {
            "value": 0.5,
            "runs": 9,
            "peer": "",
            "peer_value": None,
            "events": 200_000,
        },
    },
}


def row_of(figure: str) -> dict[str, str]:
    goal = next(goal for goal in report.GOALS if goal.figure == figure)
    return report.figure_row(goal, RESULT)


def test_a_figure_stands_beside_its_goal_and_its_peer() -> None:
    row = row_of("append.p50_us")
    assert row["measured"] == "11 µs"
    assert row["goal"] == "≤ 12 µs"
    assert row["verdict"] == "met"
    assert row["beside it"] == "naive: 22 µs (0.5 ×)"


def test_a_smaller_log_than_the_goal_asks_for_is_told() -> None:
    row = row_of("start.ready_s")
    assert row["verdict"] == "not measured here"
    assert row["note"] == "with 200,000 events; the goal is for 10,000,000"


def test_a_page_that_is_not_as_the_results_say_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = report.ROOT / "stale.md"
    monkeypatch.setattr(report, "outputs", lambda: {page: "as it should be"})
    assert list(report.iter_stale()) == [
        "stale.md is not as bench/results says: run python -m bench.report --write"
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.01234, "0.012"), (9.876, "9.88"), (12.34, "12.3"),
                        (100.4, "100"), (63_385.0, "63,385"), (5, "5"), (10, "10")],
)  # fmt: skip
def test_a_number_has_the_digits_that_it_is_good_for(value: float, text: str) -> None:
    assert report.number(value) == text


def test_a_plot_is_well_formed_and_knows_the_dark() -> None:
    svg = bars(
        "A <title> & more", [Bar("`a` < b", 1, "1 µs", "good"), Bar("c", 400, "400 µs")], 1.0
    )
    root = ET.fromstring(svg)
    assert "prefers-color-scheme: dark" in svg
    widths = [float(e.get("width", "")) for e in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert 0 < widths[0] < widths[1]
    assert "(logarithmic)" in svg


def test_bars_that_are_alike_keep_their_proportion() -> None:
    root = ET.fromstring(bars("t", [Bar("a", 1, "1"), Bar("b", 2, "2")]))
    one, two = (float(e.get("width", "")) for e in root.iter("{http://www.w3.org/2000/svg}rect"))
    assert two == pytest.approx(2 * one)
