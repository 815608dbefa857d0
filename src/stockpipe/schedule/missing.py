"""Which days of a range are missing, and what it takes to load them. No clock and no warehouse here."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stockpipe.base.calendar import RULES, Sessions
from stockpipe.datasets import Dataset, Part
from stockpipe.errors import UsageError
from stockpipe.settings import KeyPlan
from stockpipe.warehouse.runs import RunRecord

DAYS_A_BATCH = 250
"""The most days of one transaction in Snowflake: some minutes of fetching, one large file."""

# Rows that two cores type, check and publish in a second; bytes of a row of tickers in a DuckDB file, as
# `make bench ARGS="--parts history"` shows them, and, estimated, in Snowflake's micro-partitions.
_ROWS_A_SECOND = 50_000
# However few rows a day has, it is a call, a staging and a record.
_DAYS_A_SECOND = 10
_BYTES_A_ROW = {"duckdb": 30, "snowflake": 40}
_FREE_CALLS_A_MINUTE = 5
# An X-Small warehouse uses one credit an hour, and stays awake for a minute after the last statement.
_AWAKE_AFTER, _SECONDS_A_BATCH, _SECONDS_AN_HOUR = 60, 60, 3600
_BEFORE_ALL = date(1969, 12, 31)
_LAST = re.compile(r"(\d{1,5})([dwmy])")
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def range_of(start: date | None, end: date | None, last: str | None, today: date) -> tuple[date, date]:
    """First and last day that are meant: `start` to `end`, or the `last` 30d, 4w, 6m or 2y before today.

    Without an end it is yesterday: today's list is the daily run's. UsageError for what makes no range.
    """
    yesterday = today - timedelta(days=1)
    if (start is None) == (last is None):
        raise UsageError("Which days?", hint="Give --from (and --to), or --last, such as --last 30d or --last 2y.")
    said, end = end is not None, end or yesterday
    if last is not None:
        found = _LAST.fullmatch(last.strip().lower())
        if found is None or not int(found[1]):
            raise UsageError(f"{last!r} is not a length of time.", hint="Write it as 30d, 4w, 6m or 2y.")
        days = min(int(found[1]) * _UNIT_DAYS[found[2]], (end - _BEFORE_ALL).days)
        start = end - timedelta(days=days - 1)
    latest = max(end, start or end)
    if latest > today:
        raise UsageError(f"{latest} is in the future.", hint=f"Choose a day up to {today} (today in New York).")
    if start is None or start > end:
        hint = "Swap --from and --to." if said else f"Without --to it ends yesterday; for today: --to {today}."
        raise UsageError(f"The range ends on {end}, before it begins on {start}.", hint=hint)
    return start, end


def expected_days(
    dataset: Dataset, start: date, end: date, *, sessions: bool = False, calendar: Sessions = RULES
) -> list[date]:
    """The days of a range on which there is something to load: of a list every day, or only `sessions` of the calendar."""
    first = max(start, dataset.first_day)
    days = (first + timedelta(days=number) for number in range((end - first).days + 1))
    only = sessions or dataset.kind.calendar == "sessions"
    return [day for day in days if not only or calendar.is_session(day.toordinal())]


def stretches(days: Sequence[date], published: Collection[date]) -> list[list[date]]:
    """Days (rising) in runs without a published day between them: each run has the same neighbours."""
    between = sorted(published)
    found: list[list[date]] = []
    for day in days:
        if found and not any(found[-1][-1] < one < day for one in _near(between, found[-1][-1], day)):
            found[-1].append(day)
        else:
            found.append([day])
    return found


def _near(rising: Sequence[date], low: date, high: date) -> Iterable[date]:
    return rising[bisect_left(rising, low) : bisect_right(rising, high)]


@dataclass(frozen=True)
class Gap:
    """Days in a row that are missing between published ones; both ends included."""

    first: date
    last: date
    days: int


def gaps(dataset: Dataset, published: Collection[date], calendar: Sessions = RULES) -> list[Gap]:
    """The gaps between the first and the last published day.

    Weekends and holidays alone are none: the vendor's list does not change there.
    """
    if not published or not dataset.source.has_days:
        return []
    expected = expected_days(dataset, min(published), max(published), calendar=calendar)
    missing = [day for day in expected if day not in published]
    found = stretches(missing, published)
    told = [days for days in found if any(calendar.is_session(day.toordinal()) for day in days)]
    return [Gap(days[0], days[-1], len(days)) for days in told]


@dataclass(frozen=True)
class Estimate:
    """What some days are likely to take. `seconds` is None where the key's plan is not known."""

    days: int
    calls: int
    rows: int
    seconds: float | None
    megabytes: float
    credits: float | None

    def __add__(self, other: Estimate) -> Estimate:
        known = self.seconds is not None and other.seconds is not None
        costs = self.credits is not None and other.credits is not None
        return Estimate(
            self.days + other.days,
            self.calls + other.calls,
            self.rows + other.rows,
            (self.seconds or 0) + (other.seconds or 0) if known else None,
            self.megabytes + other.megabytes,
            (self.credits or 0) + (other.credits or 0) if costs else None,
        )


def estimate(
    parts: Sequence[Part], days: int, known: Sequence[RunRecord], plan: KeyPlan, per_second: float, *, remote: bool
) -> Estimate:
    """What so many days of some parts take, as far as a published day of each tells; `remote` is Snowflake.

    For 250 days of 13 calls and 12,000 rows at 95 calls a second: 60 s, because typing 3 million rows takes longer.
    """
    size = [_size(part, known) for part in parts]
    calls, rows = (days * sum(numbers) for numbers in zip(*size, strict=True))
    pace = {
        "free": calls * 60 / _FREE_CALLS_A_MINUTE,
        "paid": max(calls / per_second, rows / _ROWS_A_SECOND, days / _DAYS_A_SECOND),
    }
    batches = math.ceil(days / DAYS_A_BATCH)
    awake = batches * (_AWAKE_AFTER + min(_SECONDS_A_BATCH, 5 + days * _SECONDS_A_BATCH / DAYS_A_BATCH))
    return Estimate(
        days,
        calls,
        rows,
        pace.get(plan),
        rows * _BYTES_A_ROW["snowflake" if remote else "duckdb"] / 1e6,
        awake / _SECONDS_AN_HOUR if remote else None,
    )


def _size(part: Part, known: Sequence[RunRecord]) -> tuple[int, int]:
    """Calls and rows of a day of a part."""
    for record in known:
        if record.part_id.part == part and record.rows_fetched:
            return max(1, record.pages), record.rows_fetched
    return max(1, part.dataset.calls), part.dataset.rows
