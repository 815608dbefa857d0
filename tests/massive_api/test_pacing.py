"""How fast the calls go: the clock of these tests is ours, so no test waits."""

from __future__ import annotations

import pytest

from stockpipe.base.clock import new_york_date
from stockpipe.errors import ApiError
from stockpipe.massive.pacing import Pacer
from support.clocks import FakeClock, pacer


def starts(pacer: Pacer, clock: FakeClock, calls: int) -> list[float]:
    """The seconds at which that many answered calls start."""
    times = []
    for _ in range(calls):
        pacer.wait_for_turn()
        times.append(round(clock.seconds - 1000, 3))
        pacer.answered()
    return times


def test_a_free_key_makes_five_calls_a_minute() -> None:
    clock = FakeClock()
    times = starts(pacer(clock, plan="free"), clock, 12)
    assert times[:5] == [0, 0.2, 0.4, 0.6, 0.8]
    assert times[5:7] == [60.25, 60.45]
    assert times[10] == 120.5


def test_auto_starts_politely_and_learns_that_a_key_is_paid() -> None:
    clock = FakeClock()
    auto = pacer(clock)
    times = starts(auto, clock, 8)
    assert times == [0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0]
    assert auto.plan == "paid"
    assert auto.hurries


def test_a_paid_key_makes_95_calls_a_second_and_never_more_than_that() -> None:
    clock = FakeClock()
    times = starts(pacer(clock, plan="paid"), clock, 950)
    assert times[94] == 0
    assert times[95:97] == [1.02, 1.03]
    assert max(sum(1 for time in times if start <= time < start + 1) for start in times) <= 95
    assert times[-1] == pytest.approx(9 * 1.02 + 0.9, abs=0.1)


def test_fewer_calls_a_second_are_kept_too() -> None:
    clock = FakeClock()
    assert starts(pacer(clock, plan="paid", per_second=2.0), clock, 5) == [0, 0, 1.02, 1.479, 2.04]
    clock = FakeClock()
    assert starts(pacer(clock, plan="paid", per_second=0.5), clock, 3) == [0, 2.02, 4.04]


def test_refusals_that_come_together_are_one_and_the_next_round_corrects_a_remembered_plan() -> None:
    clock = FakeClock()
    remembered = pacer(clock, plan="paid")
    for _ in range(8):
        remembered.refused(None)
    plans = [remembered.plan]
    remembered.wait_for_turn()
    remembered.refused(None)
    assert [*plans, remembered.plan] == ["paid", "free"]


def test_what_the_user_said_of_the_plan_is_not_corrected() -> None:
    clock = FakeClock()
    told = pacer(clock, plan="paid", learning=False)
    for _ in range(3):
        told.wait_for_turn()
        told.refused(None)
    assert told.plan == "paid"


def test_auto_learns_from_one_429_that_a_key_is_free() -> None:
    clock = FakeClock()
    auto = pacer(clock)
    starts(auto, clock, 5)
    auto.wait_for_turn()
    auto.refused(None)
    assert auto.plan == "free"
    assert starts(auto, clock, 1)[0] >= 60


def test_a_429_is_waited_for_as_long_as_the_api_says_or_five_seconds() -> None:
    for wish, least in ((None, 5.0), (12.0, 12.0)):
        clock = FakeClock()
        paid = pacer(clock, plan="paid")
        paid.wait_for_turn()
        paid.refused(wish)
        assert starts(paid, clock, 1)[0] == least


def test_a_delay_that_the_user_set_always_holds() -> None:
    clock = FakeClock()
    assert starts(pacer(clock, plan="paid", own_delay=2.0), clock, 3) == [0, 2, 4]


def test_a_wait_beyond_the_deadline_ends_the_run_at_once() -> None:
    clock = FakeClock()
    paid = pacer(clock, plan="paid")
    paid.refused(86_400.0)
    with pytest.raises(ApiError, match="deadline"):
        paid.wait_for_turn()
    assert sum(clock.slept) == 0


def test_the_day_is_new_yorks() -> None:
    clock = FakeClock()
    assert str(new_york_date(clock)) == "2026-02-06"
    clock.seconds += 60
    assert str(new_york_date(clock)) == "2026-02-07"
