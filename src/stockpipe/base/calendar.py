"""The days on which US exchanges trade, as far as the usual holidays tell; days are ordinals (`date.toordinal`).

Closings for mourning or storms are not in it. The rules are those of NYSE Rule 7.2: a holiday on a Sunday is kept on
Monday, one on a Saturday on Friday (but New Year's Day, which then falls into the year before and is not kept).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache


def is_session(day: int) -> bool:
    """Whether the exchanges trade on this ordinal: a weekday that is no usual holiday."""
    return (day + 6) % 7 < 5 and day not in _holidays(date.fromordinal(day).year)


def last_session(day: int) -> int:
    """The newest session on or before this ordinal."""
    while not is_session(day):
        day -= 1
    return day


def missing_session(build: date | None, ds: date) -> str:
    """What makes a list of one build too old for a day, as a sentence; "" when nothing does, or no build is known.

    The build of a day shows the session of the day before it.
    """
    if build is None or build.toordinal() > last_session(ds.toordinal() - 1):
        return ""
    return f"The vendor's list of {ds} is the build of {build}: a session is not in it."


@lru_cache(maxsize=128)
def _holidays(year: int) -> frozenset[int]:
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)]
    if year >= 2022:
        fixed.append(date(year, 6, 19))
    days = {_observed(day) for day in fixed}
    days |= {_nth_monday(year, 1, 3), _nth_monday(year, 2, 3), _nth_monday(year, 9, 1)}
    days.add(_nth_monday(year, 6, 1) - 7)  # Memorial Day
    first = date(year, 11, 1)
    days.add(first.toordinal() + (3 - first.weekday()) % 7 + 21)  # Thanksgiving
    days.add(_easter(year) - 2)
    return frozenset(days)


def _observed(day: date) -> int:
    return (day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))).toordinal()


def _nth_monday(year: int, month: int, nth: int) -> int:
    first = date(year, month, 1)
    return first.toordinal() + (-first.weekday()) % 7 + 7 * (nth - 1)


def _easter(year: int) -> int:
    golden, century = year % 19, year // 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - moon - year % 100 % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1).toordinal()
