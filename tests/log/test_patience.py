"""A clock that jumps ahead is believed when it has stood for an hour; one that goes back, at once."""

from laneway.base.clock import NS_PER_DAY, NS_PER_S
from laneway.log.patience import TRUST_NS, PatientClock

T0_NS = 1_790_000_000 * NS_PER_S
HOUR_NS = 3_600 * NS_PER_S


class Clocks:
    def __init__(self) -> None:
        self.wall_ns = T0_NS
        self.steady_ns = 5 * NS_PER_S

    def pass_(self, ns: int) -> None:
        self.wall_ns += ns
        self.steady_ns += ns

    def make(self, last_ns: int) -> PatientClock:
        return PatientClock(last_ns, lambda: self.wall_ns, lambda: self.steady_ns)


def test_it_goes_with_a_clock_that_runs() -> None:
    clocks = Clocks()
    clock = clocks.make(T0_NS)
    for _ in range(100):
        clocks.pass_(HOUR_NS)
        assert clock.now_ns() == clocks.wall_ns
    assert not clock.is_waiting


def test_a_jump_ahead_is_believed_after_an_hour() -> None:
    clocks = Clocks()
    clock = clocks.make(T0_NS)
    clocks.wall_ns += 73 * 365 * NS_PER_DAY
    assert clock.now_ns() == T0_NS
    clocks.pass_(TRUST_NS - 1)
    assert clock.now_ns() == T0_NS + TRUST_NS - 1
    assert clock.is_waiting
    clocks.pass_(1)
    assert clock.now_ns() == clocks.wall_ns
    assert not clock.is_waiting


def test_a_jump_that_is_taken_back_leaves_nothing() -> None:
    clocks = Clocks()
    clock = clocks.make(T0_NS)
    clocks.wall_ns += NS_PER_DAY
    clock.now_ns()
    clocks.wall_ns -= NS_PER_DAY
    assert clock.now_ns() == T0_NS
    clocks.wall_ns += NS_PER_DAY
    clocks.pass_(TRUST_NS - 1)
    assert clock.now_ns() == T0_NS + TRUST_NS - 1  # another jump, another hour


def test_a_clock_that_goes_back_is_followed_at_once() -> None:
    clocks = Clocks()
    clock = clocks.make(T0_NS)
    clocks.wall_ns -= 35 * 365 * NS_PER_DAY
    assert clock.now_ns() == clocks.wall_ns


def test_a_start_long_after_the_last_write_waits_as_well() -> None:
    clocks = Clocks()
    clock = clocks.make(T0_NS - 40 * NS_PER_DAY)
    assert clock.now_ns() == T0_NS - 39 * NS_PER_DAY
    clocks.pass_(TRUST_NS - 1)
    assert clock.now_ns() < clocks.wall_ns
    clocks.pass_(1)
    assert clock.now_ns() == clocks.wall_ns


def test_a_last_write_in_the_future_is_no_reason_to_run_ahead() -> None:
    clocks = Clocks()
    assert clocks.make(T0_NS + 400 * NS_PER_DAY).now_ns() == T0_NS
