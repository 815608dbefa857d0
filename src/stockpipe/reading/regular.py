"""Which lists are loaded day by day: only they can be late. A past day that somebody loaded once is not missed today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from stockpipe.warehouse.runs import PartId, RunRecord
from stockpipe.warehouse.source import Source

DAYS_BACK = 7
"""How many published days of each list tell it: a schedule that leaves out weekends has two in a row among them."""

_BEGAN = timedelta(days=7)


def regular_lists(days: Iterable[RunRecord], failures: Iterable[RunRecord], today: date) -> set[PartId]:
    """The lists that are loaded day by day, of those that have records; all of them where none is.

    `days` are the last good records of up to `DAYS_BACK` published days of each list, `failures` the last failure of
    each; `today` is New York's. Two days in a row tell it, and within the first week one load of the vendor's current
    list, or one that failed, as a schedule begins.
    """
    published: dict[PartId, list[RunRecord]] = {}
    for record in days:
        published.setdefault(record.part_id, []).append(record)
    failed = list(failures)
    regular = {part for part, records in published.items() if _in_a_row(records) or _just_begun(records, today)}
    regular |= {record.part_id for record in failed if record.part_id not in published and _is_recent(record, today)}
    return regular or {*published, *(record.part_id for record in failed)}


def _in_a_row(records: list[RunRecord]) -> bool:
    days = sorted({record.ds for record in records})
    return any(after - before == timedelta(days=1) for before, after in pairwise(days))


def _just_begun(records: list[RunRecord], today: date) -> bool:
    return any(_is_recent(record, today) and Source.of(record).dated is False for record in records)


def _is_recent(record: RunRecord, today: date) -> bool:
    return today - record.ds <= _BEGAN
