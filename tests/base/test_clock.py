"""Time as text and the end of a day, against the standard library."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from laneway.base.clock import NS_PER_DAY, NS_PER_S, day_end_ns, format_ns

TIMES_NS = st.integers(0, 253_402_300_799 * NS_PER_S)


@given(TIMES_NS)
def test_text_is_what_datetime_writes(ts_ns: int) -> None:
    wanted = datetime.fromtimestamp(ts_ns // NS_PER_S, UTC).replace(
        microsecond=ts_ns % NS_PER_S // 1000
    )

    assert format_ns(ts_ns) == wanted.strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


@given(TIMES_NS)
def test_a_day_ends_at_midnight_utc(ts_ns: int) -> None:
    end_ns = day_end_ns(ts_ns)

    assert end_ns % NS_PER_DAY == 0
    assert 0 < end_ns - ts_ns <= NS_PER_DAY
