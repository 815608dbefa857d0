"""Pieces of work side by side: each has calls and an end of its own, and shares pace and deadline with the others."""

from __future__ import annotations

import contextlib
from threading import Thread

import pytest

from stockpipe.errors import ApiError, Interrupted
from support.clocks import FakeClock, pacer


def test_a_piece_of_work_counts_its_own_calls_and_the_run_counts_all() -> None:
    paid = pacer(FakeClock(), plan="paid")
    paid.wait_for_turn()
    with paid.patience.apart() as own:
        paid.wait_for_turn()
        paid.wait_for_turn()
        paid.refused(None)
    paid.wait_for_turn()
    assert (own.calls, own.throttled) == (2, 1)
    assert (paid.counts.calls, paid.counts.throttled) == (4, 1)


def test_a_piece_that_is_stopped_ends_alone() -> None:
    paid = pacer(FakeClock(), plan="paid")
    with paid.patience.apart() as own:
        paid.patience.own_stop.set()
        assert paid.patience.is_set()
        with pytest.raises(Interrupted):
            paid.wait_for_turn()
    assert not paid.patience.is_set()
    paid.wait_for_turn()
    with paid.patience.apart():
        paid.wait_for_turn()
    assert (own.calls, paid.counts.calls) == (0, 2)


def test_the_end_of_all_ends_each_piece() -> None:
    """Each sleeps on its own event: setting only that of the run would let them sleep on."""
    paid = pacer(FakeClock(), plan="paid")
    with paid.patience.apart():
        one = paid.patience.own_stop
        with paid.patience.apart():
            other = paid.patience.own_stop
            paid.patience.end()
    assert one is not other
    assert (one.is_set(), other.is_set(), paid.patience.stop.is_set()) == (True, True, True)


def test_the_end_of_the_run_ends_a_piece_that_begins_later() -> None:
    paid = pacer(FakeClock(), plan="paid")
    paid.patience.end()
    with paid.patience.apart(), pytest.raises(Interrupted):
        paid.wait_for_turn()


def test_a_piece_that_is_done_is_let_go_of() -> None:
    """What failed in it changes nothing: the event of a piece that is over is not set any more."""
    patience = pacer(FakeClock(), plan="paid").patience
    with contextlib.suppress(ValueError), patience.apart():
        done = patience.own_stop
        raise ValueError
    assert patience.own_stop is patience.stop
    patience.end()
    assert not done.is_set()


def test_a_thread_of_its_own_is_no_part_of_the_piece() -> None:
    patience = pacer(FakeClock(), plan="paid").patience
    seen = []
    with patience.apart():
        thread = Thread(target=lambda: seen.append(patience.own_stop))
        thread.start()
        thread.join()
    assert seen == [patience.stop]


def test_a_deadline_that_is_renewed_counts_from_now_on() -> None:
    patience = pacer(clock := FakeClock(), plan="paid").patience
    clock.seconds += 7000
    patience.renew(100.0)
    patience.wait(100.0)
    with pytest.raises(ApiError, match="deadline leaves no time"):
        patience.wait(0.1)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(4.9, []), (5.0, ["Free plan, 5 calls a minute: next call in 5 s; how many pages follow is not known."])],
)
def test_a_free_key_tells_of_a_wait_of_five_seconds(
    seconds: float, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    free = pacer(FakeClock(), plan="free", own_delay=0.0)
    free.assume([60.25 - seconds] * 5)
    with caplog.at_level("INFO"):
        free.wait_for_turn()
    assert caplog.messages == told


@pytest.mark.parametrize("plan", ["paid", "auto"])
def test_other_keys_tell_nothing_of_their_waits(plan: str, caplog: pytest.LogCaptureFixture) -> None:
    other = pacer(FakeClock(), plan=plan, own_delay=30.0)
    with caplog.at_level("INFO"):
        other.wait_for_turn()
        other.wait_for_turn()
    assert caplog.messages == []
