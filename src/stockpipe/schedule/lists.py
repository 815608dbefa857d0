"""The lists of a schedule: each is due by its kind, and all that are due at once share one client and one session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.datasets import Dataset, DayFacts, Part, Partition
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.observe.alerts import Alerts
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.several import label_of
from stockpipe.observe.watch import load_watched
from stockpipe.schedule.backfill import Report, Wanted, backfill
from stockpipe.schedule.daily import Line
from stockpipe.schedule.due import Due, EachDay, EachSession, Moments, Published, Rule
from stockpipe.warehouse.runs import RunRecord


class SharedDesk:
    """A desk that is opened by the first load that needs it, and closed when nothing is due any more, or one failed."""

    def __init__(self, open_desk: Callable[[ExitStack], Desk]) -> None:
        self._open = open_desk
        self._stack = ExitStack()
        self._desk: Desk | None = None

    def get(self) -> Desk:
        """The desk. Raises ConfigError when the settings cannot be read."""
        if self._desk is None:
            self._desk = self._open(self._stack)
        self._desk.client.pacer.patience.renew(self._desk.settings.number("STOCKPIPE_DEADLINE", least=1))
        return self._desk

    def close(self) -> None:
        """Let go of it; nothing happens when there is none."""
        self._desk = None
        self._stack.close()


def rule_of(dataset: Dataset, moments: Moments) -> Rule:
    """When the days of a dataset are due."""
    if isinstance(dataset.kind, DayFacts):
        return EachSession(dataset.kind.ready)
    return EachDay(moments, dated=dataset.source.has_days)


def lines_of(
    jobs: Sequence[Sequence[Load]],
    moments: Moments,
    desk: SharedDesk,
    clock: Clock,
    metrics: MetricsFile | None,
    loaded: Callable[[Sequence[Load]], None] = lambda _: None,
) -> list[Line]:
    """The lines of a schedule; `loaded` is called with each load that was published."""
    several = len(jobs) > 1
    lists = [_List(job, desk, clock, metrics, loaded) for job in jobs]
    return [
        Line(rule_of(one.job[0].dataset, moments), one.load, label_of(one.job) if several else "", one.catch_up)
        for one in lists
    ]


@dataclass(frozen=True)
class _List:
    """One list, and how its days are loaded. The desk is closed when one fails: the next load has a new one."""

    job: Sequence[Load]
    desk: SharedDesk
    clock: Clock
    metrics: MetricsFile | None
    loaded: Callable[[Sequence[Load]], None]

    def load(self, due: Due) -> None:
        """Load a day that is due."""
        # A list of the present is that of the day on which it is fetched.
        ds = due.ds if due.dated else new_york_date(self.clock)
        loads = [replace(one, ds=ds, dated=due.dated) for one in self.job]
        with self._closed_if_it_fails():
            load_watched(self.desk.get(), loads, metrics=self.metrics)
        self.loaded(loads)

    def catch_up(self, days: Sequence[date], published: Published) -> Mapping[date, Exception]:
        """Load missed days; the errors of those that were not published."""
        with self._closed_if_it_fails():
            return missed_days(self.desk.get(), [one.part for one in self.job], days, published)

    @contextmanager
    def _closed_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.desk.close()
            raise


def missed_days(
    desk: Desk, parts: Sequence[Part], days: Sequence[date], published: Published
) -> Mapping[date, Exception]:
    """Load missed days as a backfill does; the errors of those that were not published. One ping for all of them."""
    report = Report()
    wanted = Wanted(parts, days, frozenset(published.ends))
    with Alerts.from_settings(desk.settings).together(lambda: list(map(str, report.errors().values()))) as alerts:
        backfill(desk, [wanted], lambda *_: None, report)
        for ds, error in report.errors().items():
            alerts.failed(error, RunRecord.begin("", Partition(parts[0], ds), desk.clock.now()))
    return report.errors()
