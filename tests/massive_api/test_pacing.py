"""How fast the calls go: the clock of these tests is ours, so no test waits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from stockpipe.base.clock import new_york_date
from stockpipe.errors import ApiError, Interrupted
from stockpipe.massive.answers import Transient
from stockpipe.massive.pacing import CallCounts, Pacer, Patience, backoff
from stockpipe.settings import KeyPlan
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


@pytest.mark.parametrize(
    ("plan", "per_second", "own_delay", "hurries"),
    [
        ("paid", 95.0, None, True),
        ("free", 95.0, None, False),
        ("auto", 95.0, None, False),
        ("paid", 20.0, None, True),  # 0.05 s between two calls: the bound is included
        ("paid", 19.9, None, False),
        ("paid", 95.0, 0.05, True),
        ("paid", 95.0, 0.051, False),
        ("paid", 95.0, 0.0, True),
    ],
)
def test_several_calls_at_once_pay_only_where_calls_go_close_together(
    plan: KeyPlan, per_second: float, own_delay: float | None, hurries: bool
) -> None:
    assert pacer(FakeClock(), plan=plan, per_second=per_second, own_delay=own_delay).hurries is hurries


@pytest.mark.parametrize(
    ("plan", "own_delay", "delay"),
    [("paid", None, 0.0), ("free", None, 0.2), ("auto", None, 0.2), ("paid", 0.7, 0.7), ("free", 0.0, 0.0)],
)
def test_the_delay_is_the_users_own_or_what_the_plan_asks_for(
    plan: KeyPlan, own_delay: float | None, delay: float
) -> None:
    assert pacer(FakeClock(), plan=plan, own_delay=own_delay).delay == delay


def test_the_windows_have_room_for_one_slow_and_one_quick_way() -> None:
    times = starts(pacer(clock := FakeClock(), plan="free", own_delay=0.0), clock, 6)
    assert times == [0, 0, 0, 0, 0, 60.25]
    times = starts(pacer(clock := FakeClock(), plan="paid", per_second=1.0), clock, 2)
    assert times == [0, 1.02]
    # Less than one call a second is one call in a longer window; a part of a call is none.
    times = starts(pacer(clock := FakeClock(), plan="paid", per_second=0.1), clock, 2)
    assert times == [0, 10.02]
    times = starts(pacer(clock := FakeClock(), plan="paid", per_second=2.9), clock, 3)
    assert times == [0, 0, round(2 / 2.9 + 0.02, 3)]


def test_a_window_that_was_full_is_not_emptied_in_a_burst() -> None:
    times = starts(pacer(clock := FakeClock(), plan="paid", per_second=4.0), clock, 12)
    steps = [round(later - earlier, 4) for earlier, later in pairwise(times[3:])]
    # Nine tenths of the even spacing of 0.255 s, or more where the window asks for it.
    assert min(steps) >= 0.9 * 0.255 - 0.001
    assert steps[:4] == [1.02, 0.23, 0.229, 0.23]


def test_what_was_waited_is_counted_with_the_calls() -> None:
    free = pacer(clock := FakeClock(), plan="free", own_delay=1.0)
    starts(free, clock, 3)
    assert (free.counts.calls, free.counts.waited) == (3, 2.0)
    free.before_retry(OSError("reset"), 1, throttled=False)
    assert 2.25 <= free.counts.waited <= 2.5
    assert sum(clock.slept) == pytest.approx(free.counts.waited)
    assert (free.counts.retries, free.counts.throttled) == (1, 0)
    free.refused(None)
    assert (free.counts.retries, free.counts.throttled) == (1, 1)


@pytest.mark.parametrize(
    ("answers", "seconds", "plan"),
    [(5, 1.0, "auto"), (6, 1.0, "paid"), (6, 11.9, "paid"), (6, 12.0, "auto"), (7, 12.0, "auto"), (7, 11.9, "paid")],
)
def test_six_answers_in_less_than_a_minute_prove_a_paid_key(answers: int, seconds: float, plan: str) -> None:
    auto = pacer(clock := FakeClock())
    for number in range(answers):
        clock.seconds += seconds if number else 0.0
        auto.answered()
    assert auto.plan == plan


def test_answers_prove_nothing_to_who_was_told_the_plan() -> None:
    told = pacer(FakeClock(), learning=False)
    for _ in range(20):
        told.answered()
    assert told.plan == "auto"
    free = pacer(FakeClock(), plan="free")
    for _ in range(20):
        free.answered()
    assert free.plan == "free"


@pytest.mark.parametrize(
    ("answers", "ago", "plan"), [(4, 0.0, "auto"), (5, 0.0, "free"), (5, 59.9, "free"), (5, 60.0, "auto")]
)
def test_one_refusal_means_a_free_key_only_after_five_answers_within_the_minute(
    answers: int, ago: float, plan: str
) -> None:
    auto = pacer(clock := FakeClock())
    for _ in range(answers):
        auto.answered()
    clock.seconds += ago
    auto.refused(None)
    assert auto.plan == plan


def belief(paced: Pacer) -> str:
    """The plan that it takes the key for at present."""
    return paced.plan


def waits(paced: Pacer, clock: FakeClock, wish: float | None, rounds: int) -> list[float]:
    """The seconds for which each of so many refusals in a row holds the calls up."""
    found = []
    for _ in range(rounds):
        before = clock.seconds
        paced.refused(wish)
        paced.wait_for_turn()
        found.append(round(clock.seconds - before, 3))
    return found


def test_the_wait_doubles_with_each_refusal_in_a_row_up_to_a_minute() -> None:
    paid = pacer(clock := FakeClock(), plan="paid", learning=False)
    assert waits(paid, clock, None, 6) == [5, 10, 20, 40, 60, 60]


def test_the_apis_own_wish_goes_before_the_doubling() -> None:
    paid = pacer(clock := FakeClock(), plan="paid", learning=False)
    assert waits(paid, clock, 7.0, 3) == [7, 7, 7]
    # A wish that is shorter than a wait that has begun does not cut it short.
    paid.refused(30.0)
    paid.refused(1.0)
    before = clock.seconds
    paid.wait_for_turn()
    assert clock.seconds - before == 30


def test_a_good_answer_ends_a_series_of_refusals() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    assert waits(paid, clock, None, 1) == [5]
    paid.answered()
    clock.seconds += 1800
    assert waits(paid, clock, None, 1) == [5]
    assert belief(paid) == "paid"  # two refusals in an hour, with answers between them, are no free key
    paid.answered()
    assert waits(paid, clock, None, 2)[0] == 5
    assert belief(paid) == "free"


def test_a_refusal_in_the_moment_when_the_wait_ends_is_a_new_one() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.refused(None)
    clock.seconds += 4.999
    paid.refused(None)
    assert belief(paid) == "paid"
    clock.seconds += 0.001 + 4.999
    paid.refused(None)
    assert belief(paid) == "free"


@pytest.mark.parametrize("attempts", [1, 3])
def test_the_last_try_of_a_call_is_the_one_that_was_allowed(attempts: int) -> None:
    paid = pacer(FakeClock(), plan="paid")
    paid.patience.attempts = attempts
    for attempt in range(1, attempts):
        paid.before_retry(OSError("reset"), attempt, throttled=False)
    with pytest.raises(ApiError, match=f"a usable answer in {attempts} tries; the last one: reset") as caught:
        paid.before_retry(OSError("reset"), attempts, throttled=False)
    assert caught.value.hint == "Nothing was published. Run the same command again later."


def test_a_fault_that_knows_what_to_look_at_says_so_in_the_end() -> None:
    with pytest.raises(ApiError) as caught:
        pacer(FakeClock()).before_retry(Transient("gone", "Check HTTPS_PROXY."), 6, throttled=False)
    assert caught.value.hint == "Nothing was published. Check HTTPS_PROXY."


def test_the_last_retry_of_the_run_is_taken() -> None:
    paid = pacer(FakeClock(), plan="paid")
    paid.patience.retries_left = 1.0
    paid.before_retry(OSError("reset"), 1, throttled=False)
    paid.patience.retries_left = 0.5
    with pytest.raises(ApiError, match="in 1 tries, and all retries of the run are spent; the last one: reset"):
        paid.before_retry(OSError("reset"), 1, throttled=False)


def fail_together(api: Pacer, calls: int, attempt: int, *, refused: bool = False) -> None:
    """So many calls fail at one moment; the clock ends where the last of them has waited."""
    clock, ends = api.patience.clock, []
    assert isinstance(clock, FakeClock)
    now = clock.seconds
    for _ in range(calls):
        clock.seconds = now
        if refused:
            api.refused(None)
        api.before_retry(OSError("reset"), attempt, throttled=refused)
        ends.append(clock.seconds)
    clock.seconds = max(ends)


def test_calls_that_fail_together_take_one_retry_of_the_run() -> None:
    """Sixteen pages are under way on a paid plan: an outage of some seconds is five faults of the run, and not eighty."""
    paid = pacer(FakeClock(), plan="paid")
    for attempt in range(1, 6):
        fail_together(paid, 16, attempt)
        assert paid.patience.retries_left == 30.0 - attempt
    assert paid.counts.retries == 80
    with pytest.raises(ApiError, match="in 6 tries; the last one: reset"):
        fail_together(paid, 1, 6)


def test_calls_that_are_refused_together_take_one_retry_of_the_run() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    fail_together(paid, 16, 1, refused=True)
    assert paid.patience.retries_left == 29.0
    clock.seconds += 4.9
    paid.before_retry(OSError("reset"), 1, throttled=False)
    assert paid.patience.retries_left == 29.0
    clock.seconds += 0.1
    paid.before_retry(OSError("reset"), 1, throttled=False)
    assert paid.patience.retries_left == 28.0


@pytest.mark.parametrize(("waits_still", "left"), [(0.01, 29.0), (0.0, 28.0)])
def test_a_call_that_fails_when_the_one_before_has_waited_takes_its_own(waits_still: float, left: float) -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.before_retry(OSError("reset"), 5, throttled=False)
    clock.seconds -= waits_still
    paid.before_retry(OSError("reset"), 1, throttled=False)
    assert paid.patience.retries_left == left


@pytest.mark.parametrize(("failed_for", "told"), [(0.0, False), (1.0, False), (2.0, True), (30.0, True)])
def test_a_call_that_keeps_failing_is_told_and_a_hiccup_is_not(
    failed_for: float, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    fault, began = Transient("gone", "Check HTTPS_PROXY."), clock.seconds
    clock.seconds += failed_for
    with caplog.at_level("INFO"):
        paid.before_retry(fault, 1, throttled=False, since=began)
    pause = f"{clock.slept[-1]:.1f}"
    assert caplog.messages == ([f"gone. Check HTTPS_PROXY. Waiting {pause} s before try 2 of 6."] if told else [])


def test_after_a_429_the_wait_is_in_the_turn_and_not_before_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="stockpipe")
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.refused(None)
    paid.before_retry(OSError("429"), 1, throttled=True)
    assert clock.slept == []
    assert caplog.messages == ["429. Waiting 5 s before try 2 of 6."]
    paid.wait_for_turn()
    assert sum(clock.slept) == 5


@pytest.mark.parametrize(("attempt", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 15.0), (50, 15.0)])
def test_the_back_off_doubles_and_is_jittered_by_half(attempt: int, most: float) -> None:
    found = [backoff(attempt) for _ in range(300)]
    assert most / 2 <= min(found) < 0.6 * most
    assert 0.9 * most < max(found) <= most


def test_a_deadline_that_ends_a_retry_tells_what_failed() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    clock.seconds += 7200
    for fault, hint in ((Transient("gone", "Check HTTPS_PROXY."), "Check HTTPS_PROXY."), (Transient("gone"), "Give it longer with --deadline")):  # fmt: skip
        with pytest.raises(
            ApiError, match=r"no time for the next call \(it must wait \d s\); the last one failed: gone"
        ) as told:
            paid.before_retry(fault, 1, throttled=False)
        assert told.value.hint.startswith(hint)


def test_a_deadline_that_is_over_tells_what_failed_before() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    clock.seconds += 7200.1
    with pytest.raises(ApiError) as told:
        paid.wait_for_turn(Transient("gone", "Check HTTPS_PROXY."))
    assert (told.value.message, told.value.hint) == (
        "The run's deadline leaves no time for the next call; the last one failed: gone.", "Check HTTPS_PROXY.",
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "ends"), [(7200.0, False), (7200.1, True)])
def test_a_wait_may_end_with_the_run_and_not_after_it(seconds: float, ends: bool) -> None:
    patience = pacer(clock := FakeClock()).patience
    if ends:
        with pytest.raises(ApiError, match="deadline leaves no time"):
            patience.wait(seconds)
    else:
        patience.wait(seconds)
    assert clock.slept == ([] if ends else [seconds])


def test_a_stop_ends_every_wait_and_lets_no_call_start() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.patience.stop.set()
    waits: list[Callable[[], None]] = [paid.wait_for_turn, paid.patience.check, lambda: paid.patience.wait(1.0)]
    for wait in waits:
        with pytest.raises(Interrupted):
            wait()
    assert (paid.counts.calls, clock.slept) == (0, [])


def test_counts_since_an_earlier_moment() -> None:
    counts = CallCounts(5, 2, 1, 3.5)
    before = counts.copy()
    counts.calls, counts.retries, counts.throttled, counts.waited = 12, 5, 3, 8.0
    assert before == CallCounts(5, 2, 1, 3.5)
    assert counts.since(before) == CallCounts(7, 3, 2, 4.5)
    assert CallCounts() == CallCounts(0, 0, 0, 0.0)


def test_a_call_has_six_tries_and_a_run_thirty_retries() -> None:
    patience = Patience(FakeClock(), 0.0)
    assert (patience.attempts, patience.retries_left) == (6, 30.0)


def test_a_failed_call_is_waited_for_before_it_is_tried_again() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.before_retry(OSError("reset"), 3, throttled=False)
    assert len(clock.slept) == 1
    assert 1.0 <= clock.slept[0] <= 2.0
    assert paid.counts.waited == clock.slept[0]


def test_a_good_answer_gives_half_a_retry_back() -> None:
    paid = pacer(FakeClock(), plan="paid")
    for _ in range(3):
        paid.answered()
    assert paid.patience.retries_left == 31.5
    paid.before_retry(OSError("reset"), 1, throttled=False)
    assert paid.patience.retries_left == 30.5


def test_a_key_without_a_wait_starts_at_once_and_waits_nothing() -> None:
    paid = pacer(clock := FakeClock(), plan="paid")
    paid.wait_for_turn()
    assert (paid.counts.calls, paid.counts.waited) == (1, 0.0)
    assert clock.slept == [0.0]  # the look at the deadline


@pytest.mark.parametrize(
    ("left", "as_usual", "said"),
    [
        (0, False, ["Free plan, 5 calls a minute: next call in 1 min; how many pages follow is not known."]),
        (5, False, []),
        (6, False, ["Free plan, 5 calls a minute: next call in 1 min; about 1 min left for this list."]),
        (6, True, ["Free plan, 5 calls a minute: next call in 1 min; about 1 min left for this list if it is as long as usual."]),
        (13, False, [
            "Free plan, 5 calls a minute: next call in 1 min; about 2 min left for this list.",
            "Free plan, 5 calls a minute: next call in 1 min; about 1 min left for this list.",
        ]),
    ],
)  # fmt: skip
def test_a_free_key_says_why_it_waits_and_how_long(
    left: int, as_usual: bool, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    free = pacer(clock, plan="free", own_delay=0.0, calls_left=left, as_usual=as_usual)
    with caplog.at_level("INFO"):
        for _ in range(left or 6):
            free.wait_for_turn()
    assert caplog.messages == said


def test_the_calls_of_the_run_before_count(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    before = pacer(clock, plan="free", own_delay=0.0)
    for _ in range(4):
        before.wait_for_turn()
    clock.seconds += 12
    assert before.recent() == [12.0] * 4
    after = pacer(clock, plan="free", own_delay=0.0)
    after.assume(before.recent())
    with caplog.at_level("INFO"):
        after.wait_for_turn()
        after.wait_for_turn()
    assert clock.slept[-1] == pytest.approx(48.25)
    assert caplog.messages == ["Free plan, 5 calls a minute: next call in 48 s; how many pages follow is not known."]
    clock.seconds += 61
    assert after.recent() == []
