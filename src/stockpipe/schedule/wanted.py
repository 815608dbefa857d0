"""What a range of days comes to: the lists that have past days, and of each the days that are not published yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import Any

from stockpipe.base.clock import Clock
from stockpipe.datasets import Part
from stockpipe.errors import UsageError
from stockpipe.load.loads import ALL, known_datasets, make_jobs
from stockpipe.schedule.backfill import Wanted
from stockpipe.schedule.missing import expected_days
from stockpipe.settings import Settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import Chosen, last_days, published_days
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.sessions import sessions_of


def lists_with_days(datasets: Sequence[str], words: Mapping[str, Any]) -> list[list[Part]]:
    """The parts of each list that is published together; `words` choose them, by the names of the options.

    UsageError for a dataset that has no past days; under `all` those are left out.
    """
    every = ALL in ",".join(datasets).split(",")
    for dataset in known_datasets(datasets):
        if not dataset.source.has_days and not every:
            raise UsageError(
                f"{dataset.name} has no past days: the API gives its present state only.",
                hint=f"Load it each day: stockpipe run --dataset {dataset.name}.",
            )
    lists = [[load.part for load in job] for job in make_jobs(Clock(), datasets, words)]
    return [parts for parts in lists if parts[0].dataset.source.has_days]


def wanted_days(
    settings: Settings, lists: Sequence[Sequence[Part]], days: tuple[date, date], *, sessions: bool, redo: bool
) -> tuple[list[Wanted], list[RunRecord]]:
    """What is to be loaded of each list, and the last known day of each.

    `days` are the first and the last day, both included. `sessions`: only days on which the exchanges trade. `redo`: days
    that are published too.
    """
    wanted, known = [], []
    with closing(open_warehouse(settings)) as warehouse:
        calendar = sessions_of(warehouse)
        for parts in lists:
            published = frozenset(published_days(warehouse, parts, settings.base_url))
            known += last_days(warehouse, Chosen(parts), 1)
            expected = expected_days(parts[0].dataset, *days, sessions=sessions, calendar=calendar)
            missing = [day for day in expected if redo or day not in published]
            wanted.append(Wanted(parts, missing, published, redo=redo))
    return wanted, known
