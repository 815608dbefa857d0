"""A range of days: what is missing is loaded, oldest first, and whatever was published stays, so it can be resumed.

Days are fetched ahead, side by side where the key's plan allows it, and published in order: some days in one transaction.
A day that fails or is refused is recorded, left out and told of at the end; the others go on.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from stockpipe.base.calendar import RULES
from stockpipe.base.folders import WorkFolder
from stockpipe.base.stopping import as_interrupt, stopping
from stockpipe.datasets import Part, Partition
from stockpipe.errors import (
    AccessError,
    ApiError,
    ConfigError,
    DataCheckError,
    NotYet,
    OutOfReach,
    exit_code_of,
)
from stockpipe.load import checks
from stockpipe.load.days import StagedDay, check_day, discard, publish_days, stage_day
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.load.run import Run
from stockpipe.load.sources import listed, source_findings
from stockpipe.schedule.missing import DAYS_A_BATCH, stretches
from stockpipe.schedule.reach import first_reached, known_refusal, out_of_reach
from stockpipe.warehouse import History
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)

_AT_ONCE = 4
"""Days that are fetched at the same time on a paid plan: while some wait for the API or the disk, others are typed.

More of them take more memory, and no less time."""
_FAILURES_IN_A_ROW = 3
"""So many days that the API fails one after the other end the list: the rest would fail as well."""


@dataclass(frozen=True)
class Wanted:
    """What is to be loaded of one dataset: its parts, the days (rising), and the published ones.

    With `redo` days that are published are loaded again.
    """

    parts: Sequence[Part]
    days: Sequence[date]
    published: frozenset[date] = frozenset()
    redo: bool = False

    @property
    def label(self) -> str:
        """What people read: `tickers: stocks`."""
        name, labels = self.parts[0].dataset.name, "; ".join(dict.fromkeys(part.label for part in self.parts))
        return name if labels == name else f"{name}: {labels}"


@dataclass(frozen=True)
class Limits:
    """When waiting days are published: so many of them, or when the oldest has waited so many seconds."""

    days: int
    seconds: float

    @classmethod
    def of(cls, desk: Desk) -> Limits:
        """For a local file soon, since that costs nothing; elsewhere each time wakes a warehouse for a minute or two."""
        return cls(20, 15.0) if desk.warehouse.local else cls(DAYS_A_BATCH, 900.0)


@dataclass(frozen=True)
class Failed:
    """A day that was not published, and why."""

    wanted: Wanted
    ds: date
    error: Exception

    @property
    def exit_code(self) -> int:
        """What a load of this day alone would end with."""
        return exit_code_of(self.error)

    def as_dict(self) -> dict[str, Any]:
        """The day and its error as a document."""
        return {
            "list": self.wanted.label,
            "day": self.ds.isoformat(),
            "exit_code": self.exit_code,
            "error": type(self.error).__name__,
            "message": str(self.error),
        }


@dataclass
class Report:
    """How far a backfill has come, or what it did.

    missing: for each list the days (rising) that were not published when it began.
    days, rows, rejected, warnings: what was published. idle: days without a session.
    failed: the days that were not published, each with its error.
    reach: for a list the first day of the key's plan (None: none of the range), the number of days before it, which were
        left out, and the refusal. given_up: for a list the number of days that were not tried, and why.
    """

    missing: dict[str, Sequence[date]] = field(default_factory=dict)
    days: int = 0
    idle: int = 0
    rows: int = 0
    rejected: int = 0
    warnings: int = 0
    failed: list[Failed] = field(default_factory=list)
    reach: list[tuple[Wanted, date | None, int, Exception]] = field(default_factory=list)
    given_up: list[tuple[Wanted, int, Exception]] = field(default_factory=list)

    def errors(self) -> dict[date, Exception]:
        """Why each day of one list was not published, those that were not even tried included."""
        found = {one.ds: one.error for one in self.failed}
        for wanted, _, count, error in self.reach:
            found |= dict.fromkeys(wanted.days[:count], error)
        for wanted, count, error in self.given_up:
            found |= dict.fromkeys(wanted.days[len(wanted.days) - count :], error)
        return found

    def there(self, wanted: Sequence[Wanted]) -> list[Part]:
        """The parts of the lists of which days are published by now, or were before."""
        return [part for one in wanted if one.published or self.days for part in one.parts]

    @property
    def codes(self) -> list[int]:
        """The exit codes of all that went wrong."""
        errors = [error for _, _, _, error in self.reach] + [error for _, _, error in self.given_up]
        return [*(one.exit_code for one in self.failed), *map(exit_code_of, errors)]

    def as_dict(self) -> dict[str, Any]:
        """The report as a document, days in ISO 8601."""
        return {
            "days": self.days,
            "rows": self.rows,
            "rejected": self.rejected,
            "no_session": self.idle,
            "failed": [one.as_dict() for one in self.failed],
            "out_of_reach": [
                {"list": wanted.label, "first_day": first.isoformat() if first else None, "days": count}
                for wanted, first, count, _ in self.reach
            ],
            "not_tried": [
                {"list": wanted.label, "days": count, "message": str(error)} for wanted, count, error in self.given_up
            ],
        }


Tell = Callable[[Report, int], None]
"""Called with the report and the days that are fetched or given up by now."""


def backfill(desk: Desk, wanted: Sequence[Wanted], tell: Tell, report: Report, limits: Limits | None = None) -> Report:
    """Load what is wanted, list by list. Gives `report`, which is kept up to date while it goes on.

    Raises Interrupted, after the days that are complete are published; WarehouseError and ConfigError, which end all.
    """
    _ = desk.limits, desk.bounds, desk.client, desk.warehouse  # made once, before threads ask for them
    desk.days_at_once = _AT_ONCE
    try:
        with WorkFolder() as folder, folder.told():
            (folder.path / "parquet").mkdir()
            for one in wanted:
                work = _List(desk, one, folder.path / "parquet", tell, report, limits or Limits.of(desk))
                work.run()
    finally:
        desk.days_at_once = 1
    return report


class _List:
    """The days of one list, on their way."""

    def __init__(self, desk: Desk, wanted: Wanted, folder: Path, tell: Tell, report: Report, limits: Limits) -> None:
        self._desk, self._wanted, self._folder = desk, wanted, folder
        self._tell, self._report, self._limits = tell, report, limits
        self._known: dict[str, History] = {}
        self._listed: dict[date, RunRecord] = {}
        self._sessions = RULES
        self._ready: list[StagedDay] = []
        self._left_out: list[StagedDay] = []
        self._since = desk.clock.monotonic()
        self._bad_in_a_row = self._done = 0
        self._is_publishing = False
        self._reach: date | None = None

    def run(self) -> None:
        """Load the days, stretch by stretch."""
        try:
            dataset = self._wanted.parts[0].dataset
            self._desk.prepare(dataset)
            self._sessions = self._desk.sessions(dataset)
            if count := out_of_reach(self._desk, dataset, self._wanted.days):
                self._leave_out(count, known_refusal(self._wanted.days, count))
            for stretch in stretches(self._wanted.days, self._wanted.published):
                self._look_around(stretch)
                self._load(stretch)
                self._publish()
        except _EndOfList as end:
            self._publish()
            self._report.given_up.append((self._wanted, len(self._wanted.days) - self._done, end.reason))
        except BaseException as error:
            # What is complete stays, but for what broke in the publish itself.
            if as_interrupt(error) and not self._is_publishing:
                self._publish()
            raise
        finally:
            for day in (*self._ready, *self._left_out):
                discard(day)

    def _load(self, stretch: Sequence[date]) -> None:
        patience, seconds = self._desk.client.pacer.patience, self._desk.settings.number("STOCKPIPE_DEADLINE", least=1)
        with closing(self._staged(stretch)) as days:
            try:
                for day in days:
                    self._done = bisect_right(self._wanted.days, day.ds)
                    self._take(day)
                    patience.renew(seconds)
                    self._tell(self._report, self._done)
            except _EndOfList:
                raise
            except BaseException:
                # Threads that fetch ahead end at once, whatever they wait for.
                patience.end()
                raise

    def _look_around(self, stretch: Sequence[date]) -> None:
        """Ask what is published before a stretch, or behind it where there is nothing before: once for all its days.

        Days of another source end the list before the first call.
        """
        published = self._wanted.published
        later = min((day for day in published if day > stretch[-1]), default=None)
        alone = later is not None and not any(day <= stretch[0] for day in published)
        for part in self._wanted.parts:
            known = self._desk.warehouse.history(Partition(part, later if later and alone else stretch[0]))
            self._known[part.path] = known
        self._listed |= listed(self._desk, self._wanted.parts[0].dataset, stretch)
        self._desk.warehouse.release()
        for run in Run.begin(self._loads(stretch[0]), self._desk.clock).parts:
            try:
                known = replace(self._known[run.load.part.path], ds=stretch[0])
                checks.refuse(source_findings(self._desk, run, known, called=False), force=False)
            except DataCheckError as error:
                if not self._wanted.redo:
                    raise _EndOfList(error) from None

    def _loads(self, day: date) -> list[Load]:
        return [Load(part, day, dated=True, sessions=self._sessions) for part in self._wanted.parts]

    def _staged(self, days: Sequence[date]) -> Generator[StagedDay, None, None]:
        """The days as they are fetched, in order; those that the plan does not reach are left out."""
        ahead: deque[Future[StagedDay]] = deque()
        pool = ThreadPoolExecutor(_AT_ONCE, "day")
        try:
            for day in days:
                if self._reach and day < self._reach:
                    continue
                stage = partial(stage_day, self._desk, self._loads(day), dict(self._known), self._folder)
                ahead.append(pool.submit(copy_context().run, stage))
                while len(ahead) > self._ahead:
                    yield ahead[0].result()
                    ahead.popleft()
            while ahead:
                yield ahead[0].result()
                ahead.popleft()
        except GeneratorExit:
            raise
        except BaseException:
            self._desk.client.pacer.patience.end()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for future in list(ahead)[1:]:
                if not future.cancelled() and not future.exception():
                    discard(future.result())

    @property
    def _ahead(self) -> int:
        """Days that are fetched before the present one is taken: none on a key whose calls are counted by the minute."""
        return _AT_ONCE if self._desk.client.pacer.hurries else 0

    def _take(self, day: StagedDay) -> None:
        """Judge a day that was fetched, and publish when enough have come together."""
        if day.ds in self._wanted.published:
            self._look_around([day.ds])
        if day.error is None and not day.is_idle:
            check_day(self._desk, day, self._known, self._listed.get(day.ds))
        if isinstance(day.error, OutOfReach):
            self._learn_reach(day)
        elif day.error:
            self._fail(day, day.error)
        elif day.is_idle:
            self._left_out.append(day)
        else:
            self._ready.append(day)
            self._bad_in_a_row = 0
            # The next day is compared with this one; what is known behind the stretch is for its first day only.
            for part in day.run.parts:
                self._known[part.load.part.path] = History(day.ds, (part.record,))
        old = self._desk.clock.monotonic() - self._since > self._limits.seconds
        if len(self._ready) + len(self._left_out) >= self._limits.days or old:
            self._publish()

    def _fail(self, day: StagedDay, error: Exception) -> None:
        """Note a day that cannot be published. What will be the same for every day ends the list, or all of them."""
        if isinstance(error, ConfigError):
            raise error
        self._left_out.append(day)
        self._report.failed.append(Failed(self._wanted, day.ds, error))
        log.warning("%s of %s is left out: %s", self._wanted.label, day.ds, error)
        if isinstance(error, AccessError) or (isinstance(error, DataCheckError) and error.checks == {"source"}):
            raise _EndOfList(error)
        if isinstance(error, ApiError) and not isinstance(error, NotYet):
            self._bad_in_a_row += 1
        if self._bad_in_a_row >= _FAILURES_IN_A_ROW:
            raise _EndOfList(error)

    def _learn_reach(self, day: StagedDay) -> None:
        """Find the first day that the key's plan reaches, where each day before it would be refused, and remember it."""
        days = self._wanted.days
        if self._reach is not None and day.ds < self._reach:
            return
        low = first_reached(self._desk, self._wanted.parts[0], days, days.index(day.ds) + 1)
        self._desk.learn_reach(self._wanted.parts[0].dataset, days[low - 1])
        self._leave_out(low, day.error or known_refusal(days, low))

    def _leave_out(self, count: int, error: Exception) -> None:
        """Ask for none of the first days of the list, and say why once."""
        days, wanted = self._wanted.days, self._wanted
        first = days[count] if count < len(days) else None
        self._reach = first or date.max
        others = [one for one in self._report.reach if one[0] is not wanted]
        self._report.reach = [*others, (wanted, first, count, error)]
        told = f"it begins at {first}" if first else "it has none of the missing days"
        log.warning("%s: the key's plan does not reach back to %s; %s.", wanted.label, days[0], told)

    def _publish(self) -> None:
        """Publish the days that have come together, and record those that were left out."""
        self._since = self._desk.clock.monotonic()
        if not self._ready and not self._left_out:
            return
        ready, left_out = self._ready, self._left_out
        self._is_publishing = True
        records = publish_days(self._desk, ready, left_out)
        self._ready, self._left_out, self._is_publishing = [], [], False
        report = self._report
        report.days += len(ready)
        report.idle += sum(day.error is None for day in left_out)
        report.rows += sum(record.rows_published for record in records)
        report.rejected += sum(record.rows_rejected for record in records)
        report.warnings += sum(len(record.warnings) for record in records)
        if ready:
            self._desk.remember_history(ready[-1].run.parts)
            first, last, count = ready[0].ds, ready[-1].ds, len(ready)
            which = f"{self._wanted.label}, {first} to {last}" if count > 1 else self._wanted.label
            log.info("Published %s of %s.", f"{count:,} days" if count > 1 else first, which)
        # A stop during the COMMIT came too late for these days; it ends the backfill now.
        stopping.check()


class _EndOfList(Exception):
    """The other days of this list would fail as well."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason
