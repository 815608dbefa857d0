"""Which days are missing, and what they take: decisions with the values written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from stockpipe.datasets import TICKERS, DayFacts, Endpoint
from stockpipe.datasets.short_volume import SHORT_VOLUME
from stockpipe.errors import UsageError
from stockpipe.schedule.missing import Estimate, Gap, estimate, expected_days, gaps, range_of, stretches
from support.days import record
from support.loads import DELISTED, STOCKS

TODAY = date(2026, 2, 9)  # a Monday


def days(*numbers: int) -> list[date]:
    """Days of February 2026."""
    return [date(2026, 2, number) for number in numbers]


def gap(first: int, last: int, count: int) -> Gap:
    """A gap in February 2026."""
    return Gap(date(2026, 2, first), date(2026, 2, last), count)


@pytest.mark.parametrize(
    ("start", "end", "last", "expected"),
    [
        ("2026-01-02", "2026-01-05", None, ("2026-01-02", "2026-01-05")),
        ("2026-02-01", None, None, ("2026-02-01", "2026-02-08")),  # to yesterday
        ("2026-02-09", "2026-02-09", None, ("2026-02-09", "2026-02-09")),  # today itself may be named
        (None, None, "1d", ("2026-02-08", "2026-02-08")),
        (None, None, "30d", ("2026-01-10", "2026-02-08")),
        (None, None, "2W", ("2026-01-26", "2026-02-08")),
        (None, None, " 6m ", ("2025-08-13", "2026-02-08")),
        (None, None, "2y", ("2024-02-10", "2026-02-08")),
        (None, "2026-01-31", "3d", ("2026-01-29", "2026-01-31")),
    ],
)
def test_a_range_as_people_say_it(
    start: str | None, end: str | None, last: str | None, expected: tuple[str, str]
) -> None:
    first, until = (date.fromisoformat(text) if text else None for text in (start, end))
    assert tuple(map(str, range_of(first, until, last, TODAY))) == expected


@pytest.mark.parametrize(
    ("start", "end", "last", "says"),
    [
        (None, None, None, "Which days?"),
        ("2026-01-01", None, "30d", "Which days?"),
        ("2026-01-02", "2026-01-01", None, "The range ends on 2026-01-01, before it begins on 2026-01-02."),
        ("2026-02-09", None, None, "The range ends on 2026-02-08, before it begins on 2026-02-09."),
        ("2026-01-02", "2026-02-10", None, "2026-02-10 is in the future."),
        ("2026-02-10", None, None, "2026-02-10 is in the future."),
        ("2026-02-12", "2026-02-10", None, "2026-02-12 is in the future."),
        (None, None, "0d", "'0d' is not a length of time."),
        (None, None, "30", "'30' is not a length of time."),
        (None, None, "-3d", "'-3d' is not a length of time."),
    ],
)
def test_what_makes_no_range_is_told(start: str | None, end: str | None, last: str | None, says: str) -> None:
    first, until = (date.fromisoformat(text) if text else None for text in (start, end))
    with pytest.raises(UsageError) as refused:
        range_of(first, until, last, TODAY)
    assert refused.value.message == says


@pytest.mark.parametrize(
    ("end", "hint"),
    [("2026-02-08", "Swap --from and --to."), (None, "Without --to it ends yesterday; for today: --to 2026-02-09.")],
)
def test_a_range_that_ends_before_it_begins_is_told_by_what_was_said(end: str | None, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        range_of(date(2026, 2, 9), date.fromisoformat(end) if end else None, None, TODAY)
    assert refused.value.hint == hint


def test_a_list_is_expected_every_day_or_only_on_trading_days() -> None:
    # 2026-02-16 is Presidents' Day.
    found = expected_days(TICKERS, date(2026, 2, 12), date(2026, 2, 17))
    assert found == days(12, 13, 14, 15, 16, 17)
    assert expected_days(TICKERS, date(2026, 2, 12), date(2026, 2, 17), sessions=True) == days(12, 13, 17)
    assert expected_days(TICKERS, date(2003, 9, 1), date(2003, 9, 11)) == [date(2003, 9, 10), date(2003, 9, 11)]
    assert expected_days(TICKERS, date(2003, 9, 1), date(2003, 9, 9)) == []


def test_days_with_a_published_one_between_them_are_two_stretches() -> None:
    assert stretches([], days(1)) == []
    assert stretches(days(2, 3, 6), []) == [days(2, 3, 6)]
    assert stretches(days(2, 3, 6, 9), days(1, 5, 10)) == [days(2, 3), days(6, 9)]
    # Loaded again, published days are no border.
    assert stretches(days(2, 3, 4), days(2, 3, 4)) == [days(2, 3, 4)]


def test_gaps_are_between_published_days_and_weekends_alone_are_none() -> None:
    # 2026-02-06 is a Friday.
    assert gaps(TICKERS, set()) == gaps(TICKERS, set(days(5))) == []
    assert gaps(TICKERS, set(days(5, 6, 9))) == []
    assert gaps(TICKERS, set(days(5, 9))) == [gap(6, 8, 3)]
    assert gaps(TICKERS, set(days(2, 4, 6, 10))) == [gap(3, 3, 1), gap(5, 5, 1), gap(7, 9, 3)]
    bars = replace(TICKERS, kind=DayFacts())
    assert gaps(bars, set(days(5, 6, 11))) == [gap(9, 10, 2)]
    assert gaps(replace(TICKERS, source=Endpoint("/v9/now")), set(days(2, 6))) == []


def test_the_time_is_that_of_the_calls_or_of_the_rows() -> None:
    known = [record(500)]
    free = estimate([STOCKS], 10, known, "free", 95, remote=False)
    assert (free.days, free.calls, free.rows, free.seconds, free.credits) == (10, 10, 5000, 120.0, None)
    assert estimate([STOCKS], 10, known, "auto", 95, remote=False).seconds is None
    # Without a known day a list of stocks is taken for 13 pages and 12,400 rows, as its declaration says.
    paid = estimate([STOCKS], 250, [], "paid", 95, remote=False)
    assert (paid.calls, paid.rows, paid.seconds, paid.megabytes) == (3250, 3_100_000, 62.0, 93.0)
    volume = estimate(SHORT_VOLUME.parts(), 500, [], "free", 95, remote=False)
    assert (volume.calls, volume.rows, volume.seconds) == (500, 4_000_000, 6000.0)
    # Ten days a second are the most, however small they are.
    assert estimate([STOCKS], 60, known, "paid", 95, remote=False).seconds == 6.0
    slow = estimate([STOCKS], 250, [], "paid", 10, remote=False)
    assert slow.seconds == 325.0
    assert estimate([STOCKS, DELISTED], 1, known, "free", 95, remote=False).calls == 1 + 13


def test_a_batch_of_250_days_costs_two_minutes_of_a_warehouse() -> None:
    one = estimate([STOCKS], 250, [], "paid", 95, remote=True)
    assert one.credits == pytest.approx(120 / 3600)
    # 5,800 days in 24 batches, as facts have it: 0.8 credits.
    assert estimate([STOCKS], 5800, [], "paid", 95, remote=True).credits == pytest.approx(0.8)
    assert estimate([STOCKS], 1, [], "paid", 95, remote=True).credits == pytest.approx(65.24 / 3600)


def test_estimates_add_up_and_what_is_unknown_stays_so() -> None:
    one, other = Estimate(1, 2, 3, 4.0, 5.0, 6.0), Estimate(10, 20, 30, None, 50.0, 60.0)
    assert one + other == Estimate(11, 22, 33, None, 55.0, 66.0)
    assert (one + one).seconds == 8.0


def test_a_range_never_begins_before_time_itself() -> None:
    for last in ("99999d", "99999w", "99999m", "9999y", "99999y"):
        assert range_of(None, None, last, TODAY) == (date(1970, 1, 1), TODAY - timedelta(days=1))
