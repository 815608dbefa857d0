"""The days on which US exchanges trade, from 2003-09-10 on; days are ordinals (`date.toordinal`).

The rules are those of NYSE Rule 7.2: a holiday on a Sunday is kept on Monday, one on a Saturday on Friday (but New
Year's Day, which then falls into the year before and is not kept). Closings that no rule tells are in `closings.csv`; one
that is announced after this version is known where the exchanges' own lists of holidays are loaded: see `Sessions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path

# Closings that no rule tells are data: a day and its reason a line, with their source.
_CLOSINGS = Path(__file__).with_name("closings.csv")
# The one early close since 2003 that no rule tells.
_FRIDAY_AFTER_CHRISTMAS = date(2003, 12, 26)


def is_session(day: int) -> bool:
    """Whether the exchanges trade on this ordinal: a weekday that is neither a holiday nor another closing."""
    return is_usual_session(day) and day not in _closed()


def is_usual_session(day: int) -> bool:
    """Whether the rules alone make this ordinal a trading day: a weekday that is no holiday."""
    return (day + 6) % 7 < 5 and day not in _holidays(date.fromordinal(day).year)


def closes_early(day: int) -> bool:
    """Whether trading on this ordinal ends at 13:00 in New York and not at 16:00.

    So it does on July 3rd and December 24th, where they are trading days, and on the day after Thanksgiving.
    """
    if not is_session(day):
        return False
    on = date.fromordinal(day)
    if (on.month, on.day) in ((7, 3), (12, 24)) or on == _FRIDAY_AFTER_CHRISTMAS:
        return True
    return on.month == 11 and on.weekday() == 4 and 23 <= on.day <= 29


def last_session(day: int) -> int:
    """The newest session on or before this ordinal."""
    while not is_session(day):
        day -= 1
    return day


@dataclass(frozen=True)
class Sessions:
    """The trading days, as lists of holidays say where there are some, else by the rules.

    `told` are the stretches of days (ordinals, both ends included) that such lists cover, `closed` the days in them on which
    they say that no exchange trades. A closing of the past that this version knows of is one, whatever a list said before.
    """

    told: tuple[tuple[int, int], ...] = ()
    closed: frozenset[int] = frozenset()

    def is_session(self, day: int) -> bool:
        """Whether the exchanges trade on this ordinal."""
        if not any(first <= day <= last for first, last in self.told):
            return is_session(day)
        return (day + 6) % 7 < 5 and day not in self.closed and day not in _closed()

    def last_session(self, day: int) -> int:
        """The newest session on or before this ordinal."""
        while not self.is_session(day):
            day -= 1
        return day


RULES = Sessions()
"""The trading days where no list of holidays is loaded."""


def missing_session(build: date | None, ds: date, sessions: Sessions = RULES) -> str:
    """What makes a list of one build too old for a day, as a sentence; "" when nothing does, or no build is known.

    The build of a day shows the session of the day before it.
    """
    if build is None or build.toordinal() > sessions.last_session(ds.toordinal() - 1):
        return ""
    return f"The vendor's list for {ds} was built on {build} and misses at least one trading session."


@cache
def _closed() -> frozenset[int]:
    lines = _CLOSINGS.read_text(encoding="utf-8").splitlines()
    return frozenset(date.fromisoformat(line[:10]).toordinal() for line in lines if line[:1].isdigit())


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
