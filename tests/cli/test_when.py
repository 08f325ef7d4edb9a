"""Times as people write them."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from laneway.cli.when import moment_of, to_utc
from laneway.model.moment import parse_timestamp_ns

NOON = datetime(2026, 11, 23, 12, 0)


@pytest.fixture(autouse=True)
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("14:05", "2026-11-23T14:05:00+09:00"),
        ("9:05", "2026-11-23T09:05:00+09:00"),
        ("09:05:06.5", "2026-11-23T09:05:06.500000+09:00"),
        ("2026-11-22", "2026-11-22T00:00:00+09:00"),
        (" 2026-11-22 08:00 ", "2026-11-22T08:00:00+09:00"),
    ],
)
def test_a_time_without_a_zone_is_local(text: str, moment: str) -> None:
    assert to_utc(text, now=NOON) == moment


def test_with_utc_it_is_utc() -> None:
    assert to_utc("14:05", is_utc=True, now=NOON) == "2026-11-23T14:05:00+00:00"


@pytest.mark.parametrize(
    "text", ["15m", "2026-11-23T10:00:00Z", "1795425712", "20261123", "yesterday", "25:00", ""]
)
def test_all_else_is_left_to_whoever_reads_it(text: str) -> None:
    assert to_utc(text, now=NOON).removeprefix("2026-11-23T") == text.removeprefix("2026-11-23T")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_every_time_that_an_event_may_have_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        shown = moment_of(parse_timestamp_ns(text))
        assert abs(shown.year - int(text[:4])) <= 1
    assert moment_of(2**70).year == 9999
    assert moment_of(-(2**70)).year == 1
