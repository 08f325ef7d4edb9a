"""Amounts as people read them."""

import json
from pathlib import Path

import pytest

from laneway.base.clock import NS_PER_S
from laneway.cli.amount import count_of, show_age, show_bytes, show_count, show_duration, some_of


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "-"), (9_999, "9999"), (10_000, "10.0k"), (999_999, "1000k"), (7_900_000, "7.9M"), (12e9, "12.0G")],
)  # fmt: skip
def test_counts_fit_their_column(count: int, shown: str) -> None:
    assert show_count(int(count)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "now"), (59, "59 s"), (60, "1 m"), (7_200, "2 h"), (200_000, "2 d")]
)
def test_ages_are_short(seconds: int, shown: str) -> None:
    assert show_age(seconds * NS_PER_S) == shown


def test_durations_and_sizes_have_their_unit() -> None:
    shown = [show_duration(ms) for ms in (0, 0.42, 12.3, 1200, 185_000, 7.5e6, 1.2e8)]
    assert shown == ["0 ms", "0.4 ms", "12 ms", "1.2 s", "3 m 05 s", "2 h 05 m", "1 d 09 h"]
    assert [show_bytes(n) for n in (0, 512, 3500, 12 * 2**30)] == [
        "0 B",
        "512 B",
        "3.4 KiB",
        "12 GiB",
    ]


def test_durations_are_spelt_as_the_page_spells_them() -> None:
    vector = Path(__file__).parents[2] / "spec" / "vectors" / "durations.json"
    for ms, shown in json.loads(vector.read_bytes()):
        assert show_duration(ms) == shown


def test_counts_have_their_noun() -> None:
    shown = [count_of(n, "error") for n in (0, 1, 2, 12_000)]
    assert shown == ["no errors", "1 error", "2 errors", "12.0k errors"]


def test_of_many_names_some_are_told() -> None:
    assert some_of(["a", "b", "c"]) == "a, b, c"
    assert some_of(["a", "b", "c", "d"]) == "a, b, c …"
