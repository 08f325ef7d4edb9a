"""Counts in sentences."""

import pytest

from laneway.base.words import number_of


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 events"), (1, "1 event"), (2, "2 events"), (12_345, "12,345 events")]
)
def test_a_count_stands_before_its_noun_in_the_right_number(count: int, told: str) -> None:
    assert number_of(count, "event") == told
