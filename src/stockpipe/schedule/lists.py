"""The lists of a schedule: each is due by its kind, and all that are due at once share one client and one session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.datasets import Dataset, DayFacts
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.several import label_of
from stockpipe.observe.watch import load_watched
from stockpipe.schedule.daily import Line
from stockpipe.schedule.due import Due, EachDay, EachSession, Moments, Rule


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

    def loading(job: Sequence[Load]) -> Callable[[Due], None]:
        def load(due: Due) -> None:
            # A list of the present is that of the day on which it is fetched.
            ds = due.ds if due.dated else new_york_date(clock)
            loads = [replace(one, ds=ds, dated=due.dated) for one in job]
            try:
                load_watched(desk.get(), loads, metrics=metrics)
            except BaseException:
                desk.close()
                raise
            loaded(loads)

        return load

    several = len(jobs) > 1
    return [Line(rule_of(job[0].dataset, moments), loading(job), label_of(job) if several else "") for job in jobs]
