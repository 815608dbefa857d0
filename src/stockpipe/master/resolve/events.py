"""What happened to a security, from the rows of its life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from stockpipe.master.resolve.history import BRIDGED, Row
from stockpipe.master.resolve.stretch import Lists

KINDS = (
    "listed", "renamed", "name_changed", "moved", "type_changed", "figi_assigned", "figi_changed", "delisted", "relisted",
    "ticker_reused", "gap",
)  # fmt: skip


class Event(NamedTuple):
    """What happened, and in which list it was seen first (its number)."""

    list: int
    event: str
    old: str | None
    new: str | None


def events_of(rows: Sequence[Row], lists: Lists) -> Iterator[Event]:
    """The events of one security in order. The first list of all tells of nothing that happened."""
    if rows[0].first > 0:
        yield Event(rows[0].first, "listed", None, rows[0].ticker)
    yield from _dropouts(rows[0], lists)
    for before, row in pairwise(rows):
        if lists.between(before.last, row.first) > BRIDGED:
            yield Event(_absent(before, lists), "delisted", before.ticker, None)
            yield Event(row.first, "relisted", before.ticker, row.ticker)
        elif lists.between(before.last, row.first):
            yield from _gap(before.last, row.first, lists)
        yield from _changes(before, row, lists)
        yield from _dropouts(row, lists)
    if lists.missing_after(rows[-1].last):
        yield Event(_absent(rows[-1], lists), "delisted", rows[-1].ticker, None)


def _absent(row: Row, lists: Lists) -> int:
    """The first whole list without the security."""
    found = lists.next_whole(row.last)
    return len(lists) - 1 if found is None else found


def _dropouts(row: Row, lists: Lists) -> Iterator[Event]:
    for last, first in row.dropouts:
        yield from _gap(last, first, lists)


def _gap(last: int, first: int, lists: Lists) -> Iterator[Event]:
    absent = lists.next_whole(last)
    if absent is not None:
        yield Event(absent, "gap", lists.days[last].isoformat(), lists.days[first].isoformat())


def _changes(before: Row, row: Row, lists: Lists) -> Iterator[Event]:
    """What differs. Where the vendor's other store begins, a value that only comes is no event: the old one lacked it."""
    filled = not lists.seam(row.first)
    for field, event in (
        ("ticker", "renamed"),
        ("name", "name_changed"),
        ("exchange", "moved"),
        ("type", "type_changed"),
    ):
        old, new = getattr(before, field), getattr(row, field)
        if old is not None and new is not None and old != new:
            yield Event(row.first, event, old, new)
    assigned = before.figi is None and before.share_class is None
    for field in ("figi", "share_class"):
        old, new = getattr(before, field), getattr(row, field)
        if new is None or old == new:
            continue
        if old is not None:
            yield Event(row.first, "figi_changed", old, new)
            return
        if filled and assigned:
            yield Event(row.first, "figi_assigned", None, new)
            return
