"""A year of a whole desk on the schedule: each day of each list once, holes only where no past can be had, failures told.

The year is lived with the schedule's own decisions and a warehouse and an API in a few words; a week with a holiday and a half
day is lived with all of it: real HTTP to the sandbox, a real DuckDB file.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from conftest import flags, table
from stockpipe.base.calendar import Sessions, closes_early, is_session
from stockpipe.base.clock import Clock
from stockpipe.datasets import DATASETS, Dataset
from stockpipe.errors import AccessError, ApiError, NotYet, StockpipeError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import make_jobs
from stockpipe.sandbox import Sandbox
from stockpipe.schedule.cron import daily_at
from stockpipe.schedule.daily import Daily, Line
from stockpipe.schedule.due import Published
from stockpipe.schedule.lists import SharedDesk, lines_of, rule_of
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import published_days
from stockpipe.warehouse.sessions import sessions_of
from support.clocks import NEW_YORK, at

pytestmark = pytest.mark.slow

DAILY = daily_at(4, 30, NEW_YORK)


class Over(BaseException):
    """The end of a test's time."""


@dataclass
class Year(Clock):
    """A clock that moves by `step` at least when somebody waits, in a machine that is off at times, until `end`."""

    moment: datetime
    end: datetime
    off: list[tuple[datetime, datetime]] = field(default_factory=list)
    step: float = 300.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        self.moment += timedelta(seconds=max(seconds, self.step))
        if self.off and self.moment >= self.off[0][0]:
            self.moment = self.off.pop(0)[1]
        if self.moment > self.end:
            raise Over
        return not stop.is_set()


def days(first: str, last: str) -> list[date]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


# A closing at short notice, which the lists of holidays told of; it is a Wednesday.
STORM = date(2026, 1, 21)
TOLD = Sessions(((date(2026, 1, 20).toordinal(), STORM.toordinal()),), frozenset({STORM.toordinal()}))
DOWN = (at("2025-10-14 04:00"), at("2025-10-14 08:00"))
NO_KEY = (at("2026-02-09 12:00"), at("2026-02-12 12:00"))
LATE = (date(2026, 4, 9), at("2026-04-10 14:10"))
OFF = (at("2026-07-01 20:00"), at("2026-07-06 15:00"))


@dataclass
class Lists:
    """All lists in a warehouse of words: what was published, how often, and what failed."""

    clock: Year
    ends: dict[str, dict[date, datetime]] = field(default_factory=dict)
    loads: Counter[tuple[str, date]] = field(default_factory=Counter)
    failed: list[tuple[str, date, type[StockpipeError]]] = field(default_factory=list)

    def line(self, dataset: Dataset) -> Line:
        self.ends[dataset.name] = {}
        return Line(
            rule_of(dataset, DAILY),
            lambda due: self.load(dataset, due.ds),
            dataset.name,
            lambda missed, _: self.catch_up(dataset, missed),
        )

    def load(self, dataset: Dataset, ds: date) -> None:
        self.clock.moment += timedelta(seconds=1)
        if error := self.fault(dataset, ds, self.clock.now()):
            self.failed.append((dataset.name, ds, type(error)))
            raise error
        self.loads[dataset.name, ds] += 1
        self.ends[dataset.name][ds] = self.clock.now()

    def fault(self, dataset: Dataset, ds: date, now: datetime) -> StockpipeError | None:
        if DOWN[0] <= now < DOWN[1]:
            return ApiError("The API is down.")
        if NO_KEY[0] <= now < NO_KEY[1]:
            return AccessError("The plan has expired.")
        if dataset.name == "daily_bars" and ds == LATE[0] and now < LATE[1]:
            return NotYet("The day is not over.")
        return None

    def catch_up(self, dataset: Dataset, missed: Sequence[date]) -> Mapping[date, Exception]:
        errors: dict[date, Exception] = {}
        for ds in missed:
            try:
                self.load(dataset, ds)
            except StockpipeError as error:
                errors[ds] = error
        return errors

    def look_up(self) -> list[Published]:
        return [Published(dict(ends), TOLD) for ends in self.ends.values()]


def test_a_year_of_all_lists_has_no_day_twice_and_no_hole_that_could_be_filled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Year(at("2025-09-01 12:00"), at("2026-09-01 12:00"), [OFF])
    lists = Lists(clock)
    caplog.set_level("ERROR", "stockpipe")
    lines = [lists.line(dataset) for dataset in DATASETS.values()]
    with pytest.raises(Over):
        Daily(lines, lists.look_up, clock).run()
    assert set(lists.loads.values()) == {1}
    every = days("2025-09-01", "2026-09-01")
    sessions = [day for day in days("2025-08-29", "2026-08-31") if is_session(day.toordinal()) and day != STORM]
    # Lists of the present cannot be had later: the days without a key (a refused one is tried at the next regular time), and those on which the machine was off.
    lost = [*days("2026-02-10", "2026-02-12"), *days("2026-07-02", "2026-07-05")]
    for name, ends in lists.ends.items():
        dataset = DATASETS[name]
        if dataset.kind.calendar == "sessions":
            assert sorted(ends) == sessions
        else:
            assert sorted(ends) == ([day for day in every if dataset.source.has_days or day not in lost])
    # Thanksgiving has no bars, the half day after it has.
    bars = lists.ends["daily_bars"]
    assert [date(2025, 11, day) in bars for day in (26, 27, 28, 29)] == [True, False, True, False]
    assert closes_early(date(2025, 11, 28).toordinal())
    # Late bars came with a retry, once they were there.
    assert bars[LATE[0]] >= LATE[1]
    # Each failure is told, days that fail alike in one line.
    told = [re.match(r"(\w+), (\S+)(?: to (\S+) \((\d+) days\))? failed", text) for text in caplog.messages]
    assert sum(int(one[4] or 1) for one in told if one) == len(lists.failed) > 0
    for name, ds, _ in lists.failed:
        assert any(one and one[1] == name and one[2] <= str(ds) <= (one[3] or one[2]) for one in told)


def test_a_week_with_a_holiday_and_a_half_day_of_the_whole_desk_in_a_file() -> None:
    # Thanksgiving is on Thursday the 27th; the half day after it and the weekend are made up for on Monday.
    clock = Year(at("2025-11-26 11:30"), at("2025-12-01 11:30"), [(at("2025-11-28 06:00"), at("2025-12-01 05:00"))])
    with Sandbox(rows=240, now=clock.now) as sandbox:
        env = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb", STOCKPIPE_MAX_LOSS="30", STOCKPIPE_MAX_GROWTH="30")
        settings = load_settings(env, env={})
        shared = SharedDesk(lambda stack: stack.enter_context(Desk(settings, clock)))
        jobs = make_jobs(clock, ["all"])

        def look_up() -> list[Published]:
            with closing(open_warehouse(settings)) as warehouse:
                known = sessions_of(warehouse)
                return [Published(published_days(warehouse, [load.part for load in job]), known) for job in jobs]

        with pytest.raises(Over):
            Daily(lines_of(jobs, DAILY, shared, clock, None), look_up, clock, done=shared.close).run()
    runs = "SELECT DATASET, strftime(DS, '%m-%d') FROM STOCKPIPE_RUNS WHERE STATUS {} ORDER BY ALL"
    assert table(runs.format("NOT IN ('published', 'unchanged', 'nothing')")) == []
    found = table(runs.format("= 'published'"))
    assert len(found) == len(set(found))
    by_list = {name: [day for one, day in found if one == name] for name in DATASETS}
    every = ["11-26", "11-27", "11-28", "11-29", "11-30", "12-01"]
    assert by_list["tickers"] == every
    assert by_list["daily_bars"] == by_list["short_volume"] == ["11-25", "11-26", "11-28"]
    assert by_list["exchanges"] == ["11-26", "11-27", "11-28", "12-01"]
    doubled = "SELECT DS, TICKER FROM DAILY_BARS GROUP BY ALL HAVING count(*) > 1"
    assert table(doubled) == []
