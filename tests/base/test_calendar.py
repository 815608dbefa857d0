"""The trading days, held against the package `holidays`, which other people keep."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from stockpipe.base.calendar import closes_early, is_session, is_usual_session, last_session, missing_session

FIRST, LAST = date(2003, 9, 10), date(2030, 12, 31)
YEARS = range(FIRST.year, LAST.year + 1)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
CLOSINGS = ["2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09"]


def test_every_trading_day_is_that_of_the_oracle() -> None:
    closed = holidays.financial_holidays("NYSE", years=YEARS)
    differing = [day for day in DAYS if is_session(day.toordinal()) != (day.weekday() < 5 and day not in closed)]
    assert (len(DAYS), differing) == (9_975, [])


def test_every_early_close_is_that_of_the_oracle() -> None:
    early = holidays.financial_holidays("NYSE", years=YEARS, categories=("half_day",))
    assert {name.partition("(")[2] for name in early.values()} == {"markets close at 1:00pm)"}
    found = [day for day in DAYS if closes_early(day.toordinal())]
    assert found == sorted(day for day in early if day >= FIRST)
    assert all(is_session(day.toordinal()) for day in found)


def test_closings_for_mourning_and_storms_are_the_only_days_beside_the_rules() -> None:
    ordinals = [day.toordinal() for day in DAYS]
    found = [day for day in ordinals if is_usual_session(day) and not is_session(day)]
    assert [str(date.fromordinal(day)) for day in found] == CLOSINGS


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2012-10-30", "2012-10-26"),  # a storm, and a weekend before it
        ("2025-01-09", "2025-01-08"),
        ("2007-01-02", "2006-12-29"),  # New Year's Day and a weekend before it
        ("2026-11-27", "2026-11-27"),  # an early close is a session
        ("2022-01-01", "2021-12-31"),  # New Year's Day on a Saturday is not kept on Friday
        ("2021-06-18", "2021-06-18"),  # Juneteenth is kept since 2022
    ],
)
def test_the_newest_session_up_to_a_day(day: str, expected: str) -> None:
    assert str(date.fromordinal(last_session(date.fromisoformat(day).toordinal()))) == expected


@pytest.mark.parametrize(
    ("build", "ds", "stale"),
    [
        # The exchanges were closed on January 9th, 2025: the build of that date has all that there was.
        (date(2025, 1, 9), date(2025, 1, 10), False),
        (date(2025, 1, 8), date(2025, 1, 10), True),
        (date(2025, 1, 9), date(2025, 1, 11), True),
        (date(2012, 10, 27), date(2012, 10, 31), False),
        (date(2012, 10, 26), date(2012, 10, 31), True),
        (None, date(2012, 10, 31), False),
    ],
)
def test_a_list_is_not_stale_for_want_of_a_day_without_trading(build: date | None, ds: date, stale: bool) -> None:
    assert bool(missing_session(build, ds)) is stale
