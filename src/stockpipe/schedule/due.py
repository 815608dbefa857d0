"""What the schedule has to do at a moment: which days are due, and when one that failed may be retried.

No clock and no warehouse here: the moment, the regular times and what is published come in, a decision goes out. All
moments are aware datetimes; a day is a calendar day in New York, as everywhere in stockpipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from stockpipe.base.calendar import RULES, Sessions
from stockpipe.base.clock import NEW_YORK
from stockpipe.errors import StockpipeError

GAPS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120))


class Moments(Protocol):
    """The regular times of a schedule."""

    def after(self, moment: datetime) -> datetime:
        """The first regular time after a moment, in UTC."""


@dataclass(frozen=True)
class Due:
    """A day to load. `dated`: it is over, so only its dated records can still be had; `missed`: it should be there already."""

    ds: date
    dated: bool
    missed: bool = False


@dataclass(frozen=True)
class Published:
    """The days that are in the warehouse, each with the end of its last good run (UTC), and the trading days that it knows."""

    ends: Mapping[date, datetime] = field(default_factory=dict)
    sessions: Sessions = RULES

    def since(self, day: date, moment: datetime) -> bool:
        """Whether a good run of the day ended at or after a moment."""
        return day in self.ends and self.ends[day] >= moment

    def and_also(self, day: date, end: datetime) -> Published:
        """With one more good run, which ended at `end` (UTC)."""
        return Published({**self.ends, day: end}, self.sessions)


class Rule(Protocol):
    """When the days of a list are due."""

    def due(self, now: datetime, published: Published | None, days_back: int) -> list[Due]:
        """The days to load now, oldest first."""

    def after(self, moment: datetime) -> datetime:
        """The next moment at which a day becomes due, in UTC."""

    def day_at(self, moment: datetime) -> date:
        """The day that becomes due at such a moment."""


@dataclass(frozen=True)
class EachDay:
    """A list of every calendar day, at regular times. `dated`: a missed day can be had later."""

    moments: Moments
    dated: bool = True

    def due(self, now: datetime, published: Published | None, days_back: int) -> list[Due]:
        """See Rule."""
        return due_days(now, self.moments, published, days_back if self.dated else 0)

    def after(self, moment: datetime) -> datetime:
        """See Rule."""
        return self.moments.after(moment)

    def day_at(self, moment: datetime) -> date:
        """See Rule."""
        return moment.astimezone(NEW_YORK).date()


@dataclass(frozen=True)
class EachSession:
    """What happened on a trading day, from the time `ready` (New York) of the next calendar day on."""

    ready: time

    def due(self, now: datetime, published: Published | None, days_back: int) -> list[Due]:
        """The newest session whose day is ready, and those before it that are missing since the first published one.

        When it is not known what is published (None), the newest one alone is due.
        """
        sessions = published.sessions if published else RULES
        newest = self._newest(now, sessions)
        if published is None or not published.ends:
            return [Due(newest, dated=True)]
        first = min(published.ends)
        days = (newest - timedelta(days=back) for back in range(days_back, -1, -1))
        missing = [day for day in days if sessions.is_session(day.toordinal()) and day not in published.ends]
        return [Due(day, dated=True, missed=day < newest) for day in missing if day > first]

    def after(self, moment: datetime) -> datetime:
        """See Rule."""
        day = moment.astimezone(NEW_YORK).date() - timedelta(days=1)
        while self._ready_at(day) <= moment or not RULES.is_session(day.toordinal()):
            day += timedelta(days=1)
        return self._ready_at(day)

    def day_at(self, moment: datetime) -> date:
        """See Rule."""
        return self._newest(moment)

    def _newest(self, now: datetime, sessions: Sessions = RULES) -> date:
        today = now.astimezone(NEW_YORK).date()
        back = 1 if self._ready_at(today - timedelta(days=1)) <= now else 2
        return date.fromordinal(sessions.last_session(today.toordinal() - back))

    def _ready_at(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), self.ready, NEW_YORK).astimezone(UTC)


def due_days(now: datetime, moments: Moments, published: Published | None, days_back: int) -> list[Due]:
    """The days to load now, oldest first: missed ones of the last `days_back` days, and today once its time has come.

    A day before the first published one was not missed, and today is done when it was loaded after its latest regular
    time. When it is not known what is published (None), today alone is due.
    """
    today = now.astimezone(NEW_YORK).date()
    found = (
        [Due(day, dated=True, missed=True) for day in _missed(today, moments, published, days_back)]
        if published
        else []
    )
    latest = _latest_moment(today, now, moments)
    if latest and not (published and published.since(today, latest)):
        found.append(Due(today, dated=False))
    return found


def _missed(today: date, moments: Moments, published: Published, days_back: int) -> list[date]:
    first = min(published.ends, default=today)
    days = (today - timedelta(days=back) for back in range(days_back, 0, -1))
    return [day for day in days if day > first and day not in published.ends and _has_moment(day, moments)]


def _has_moment(day: date, moments: Moments) -> bool:
    return _first_moment(day, moments) < _start_of(day + timedelta(days=1))


def _first_moment(day: date, moments: Moments) -> datetime:
    """The first regular time on a day, or after it."""
    return moments.after(_start_of(day) - timedelta(seconds=1))


def _latest_moment(day: date, now: datetime, moments: Moments) -> datetime | None:
    """The last regular time of a day that is not after `now`."""
    latest, moment = None, _first_moment(day, moments)
    while moment <= now:
        latest, moment = moment, moments.after(moment)
    return latest


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(0), NEW_YORK).astimezone(UTC)


@dataclass
class Tries:
    """When days that failed may be retried: after growing gaps, and anew at each regular time."""

    gaps: tuple[timedelta, ...] = GAPS
    _failures: dict[date, int] = field(default_factory=dict)
    _again: dict[date, datetime | None] = field(default_factory=dict)

    def failed(self, day: date, now: datetime, error: BaseException) -> datetime | None:
        """Note a failure; returns when the day is retried, None for not before the next regular time."""
        count = self._failures.get(day, 0)
        again = now + self.gaps[count] if _is_transient(error) and count < len(self.gaps) else None
        self._failures[day], self._again[day] = count + 1, again
        return again

    def number(self, day: date) -> int:
        """Which try of the day the next one is, from 1."""
        return self._failures.get(day, 0) + 1

    def may(self, day: date, now: datetime) -> bool:
        """Whether a day may be loaded at a moment: it has not failed, or its gap is over."""
        again = self._again.get(day, now)
        return again is not None and again <= now

    def succeeded(self, day: date) -> None:
        """Forget a day that was loaded."""
        self._failures.pop(day, None)
        self._again.pop(day, None)

    def renew(self) -> None:
        """A regular time has come: everything may be tried anew."""
        self._failures.clear()
        self._again.clear()

    @property
    def next(self) -> tuple[datetime, date] | None:
        """The earliest moment at which a day is retried, and the day."""
        return min(((again, day) for day, again in self._again.items() if again), default=None)


def _is_transient(error: BaseException) -> bool:
    """What nobody foresaw may be a passing fault as well."""
    return not isinstance(error, StockpipeError) or error.transient
