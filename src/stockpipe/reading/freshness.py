"""Is what is published as new as it should be by now? Each part of a dataset has a standing.

The vendor renews its list every night at about 02:05 New York, weekends and holidays too, and the schedule publishes
every calendar day; so each day is expected, from a time in the morning on. The list's content changes only after a
session, so a build from before the weekend lacks nothing on Sunday and Monday, but does on Tuesday.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from stockpipe.base.calendar import RULES, Sessions, missing_session
from stockpipe.base.clock import NEW_YORK
from stockpipe.datasets import DATASETS, DayFacts
from stockpipe.warehouse.runs import PartId, RunRecord
from stockpipe.warehouse.source import Source

_TO_LOAD = timedelta(hours=1)
Freshness = Literal["fresh", "stale", "never"]
STANDING_COLUMNS = (
    ("DATASET", "VARCHAR"), ("MARKET", "VARCHAR"), ("ACTIVE", "BOOLEAN"), ("STATE", "VARCHAR"), ("REASON", "VARCHAR"),
    ("LAST_DAY", "DATE"), ("EXPECTED_DAY", "DATE"), ("AGE_DAYS", "BIGINT"), ("BUILD_DATE", "DATE"), ("ROWS", "BIGINT"),
    ("CHANGE", "BIGINT"), ("DAY_BEFORE", "DATE"), ("SOURCE", "VARCHAR"), ("SAMPLE", "BOOLEAN"), ("LAST_FAILURE_DAY", "DATE"),
    ("LAST_FAILURE_STATUS", "VARCHAR"), ("LAST_FAILURE_MESSAGE", "VARCHAR"),
)  # fmt: skip
"""The columns of a standing as a row, with DuckDB's types."""


@dataclass(frozen=True)
class Standing:
    """How one part stands: its last two published days, its last failure, and the day that should be there by now."""

    part: PartId
    today: date
    expected: date
    last: RunRecord | None = None
    before: RunRecord | None = None
    failure: RunRecord | None = None
    sessions: Sessions = RULES

    @property
    def state(self) -> Freshness:
        """never: no day is published. stale: the last one, or the vendor's build behind it, is older than expected."""
        if self.last is None:
            return "never"
        return "stale" if self.reason else "fresh"

    @property
    def reason(self) -> str:
        """What is wrong, as a sentence; "" when nothing is."""
        if self.last is None:
            return "No day is published yet."
        if self.last.ds < self.expected:
            return f"The last published day is {self.last.ds}, and {self.expected} should be there by now."
        return missing_session(self.last.build_date, self.last.ds, self.sessions)

    @property
    def sample(self) -> bool:
        """Whether one of the two days is sample data."""
        return any(Source.of(day).is_sample for day in (self.last, self.before) if day)

    @property
    def age(self) -> int | None:
        """How many days old the last published day is."""
        return (self.today - self.last.ds).days if self.last else None

    @property
    def change(self) -> int | None:
        """How many rows more the last day has than the published day before it."""
        return self.last.rows_published - self.before.rows_published if self.last and self.before else None

    def row(self) -> tuple[Any, ...]:
        """In the order of STANDING_COLUMNS."""
        part, last, failure = self.part, self.last, self.failure
        of_last = (last.build_date, last.rows_published) if last else (None, None)
        of_failure = (failure.ds, failure.status, failure.message) if failure else (None, None, None)
        return (
            *(part.dataset, part.market, part.active, self.state, self.reason or None),
            *(last.ds if last else None, self.expected, self.age, *of_last),
            *(self.change, self.before.ds if self.before else None, last.source if last else None, self.sample),
            *of_failure,
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: days and times in ISO 8601, times in UTC."""
        last, before, failure = self.last, self.before, self.failure
        return {
            "dataset": self.part.dataset,
            "market": self.part.market,
            "active": self.part.active,
            "state": self.state,
            "reason": self.reason,
            "last_day": _iso(last.ds if last else None),
            "expected_day": self.expected.isoformat(),
            "age_days": self.age,
            "build_date": _iso(last.build_date if last else None),
            "source": last.source if last else None,
            "sample": self.sample,
            "rows": last.rows_published if last else None,
            "change": self.change,
            "day_before": _iso(before.ds if before else None),
            "last_success_utc": _iso(last.finished_utc if last else None),
            "last_run_id": last.run_id if last else None,
            "last_failure": _failure(failure) if failure else None,
        }


def expected_day(now: datetime, by: time) -> date:
    """The last day that should be published at a moment: today from the time `by` (New York) on, before it yesterday."""
    local = now.astimezone(NEW_YORK)
    return local.date() if local.time() >= by else local.date() - timedelta(days=1)


def expected_of(part: PartId, now: datetime, by: time, sessions: Sessions = RULES) -> date:
    """The last day of a part that should be published at a moment, by the kind of its dataset.

    What happens on a trading day is expected an hour after it is ready, on the next calendar day.
    """
    dataset = DATASETS.get(part.dataset)
    if dataset is None or not isinstance(dataset.kind, DayFacts):
        return expected_day(now, by)
    local = now.astimezone(NEW_YORK)
    is_ready = local - _TO_LOAD >= local.replace(
        hour=dataset.kind.ready.hour, minute=dataset.kind.ready.minute, second=0
    )
    return date.fromordinal(sessions.last_session(local.date().toordinal() - (1 if is_ready else 2)))


def standings(
    wanted: Iterable[PartId],
    now: datetime,
    by: time,
    days: Iterable[RunRecord],
    failures: Iterable[RunRecord],
    sessions: Sessions = RULES,
) -> list[Standing]:
    """A standing for each part that has records, and for each that is `wanted`.

    `now` is an aware datetime; from `by` on (New York) the day is expected. `days` are the last published days, newest
    first; `failures` the last failure of each part; `sessions` the trading days.
    """
    published: dict[PartId, list[RunRecord]] = {}
    for record in days:
        published.setdefault(record.part_id, []).append(record)
    failed = {record.part_id: record for record in failures}
    today = now.astimezone(NEW_YORK).date()
    found = []
    for part in sorted({*wanted, *published, *failed}, key=PartId.order):
        last, before = (*published.get(part, []), None, None)[:2]
        expected = expected_of(part, now, by, sessions)
        found.append(Standing(part, today, expected, last, before, failed.get(part), sessions))
    return found


def _failure(record: RunRecord) -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "day": record.ds.isoformat(),
        "status": record.status,
        "finished_utc": _iso(record.finished_utc),
        "error": record.error,
        "message": record.message,
    }


def _iso(moment: date | None) -> str | None:
    return moment.isoformat() if moment else None
