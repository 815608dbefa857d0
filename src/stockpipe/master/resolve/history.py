"""A security's life as rows: stretches of days in which nothing that matters changed, without the flickers of the lists.

What is noise: a ticker gone for some lists and back, a value gone and back, a CIK that changes to and fro, a name that is
written in another way. An unknown value is no change: the last known one stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stockpipe.master.resolve import names
from stockpipe.master.resolve.segment import Segment
from stockpipe.master.resolve.stretch import Lists, Stretch

BRIDGED = 5
"""A ticker that is missing in at most so many lists and comes back was listed all the time."""
_CIK_BACK = 60
_FIRST = "first seen"
_FIELDS = ("name", "type", "exchange", "cik", "figi", "share_class")

Value = str | None


class Row(NamedTuple):
    """Lists in a row with the same ticker and values; `first` and `last` are numbers of lists, both included.

    `dropouts` are absences within it: the last list before, and the first one after. `evidence` says what ties the row to
    the one before it.
    """

    ticker: str
    name: Value
    type: Value
    exchange: Value
    cik: Value
    figi: Value
    share_class: Value
    first: int
    last: int
    evidence: str = ""
    dropouts: tuple[tuple[int, int], ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        """Ticker and identity, without the time."""
        return self[:7]


NextStart = Callable[[str, int], int | None]
"""The first list after one in which somebody begins to have a ticker."""


def rows_of(
    chain: Sequence[Segment], lists: Lists, ties: dict[tuple[int, int, str], str], next_start: NextStart
) -> list[Row]:
    """The rows of a security. `ties` gives for (last list, first list, ticker) of two tied segments why they are one."""
    stretches = [one for segment in chain for one in segment.stretches]
    if len(stretches) == 1:
        return [Row(*stretches[0], evidence=_FIRST)]
    rows: list[Row] = []
    for one in _smooth(stretches):
        row = Row(*one)
        before = rows[-1] if rows else None
        if before and _continues(before, row, lists, next_start):
            rows[-1] = _extended(before, row, lists)
        else:
            rows.append(Row(*one, evidence=_evidence(before, row, ties)))
    return rows


def _continues(before: Row, row: Row, lists: Lists, next_start: NextStart) -> bool:
    """Whether a row goes on, over a few lists without it too, unless somebody else had the ticker in these."""
    absent = lists.between(before.last, row.first)
    return (
        before.values == row.values
        and absent <= BRIDGED
        and (not absent or next_start(row.ticker, before.last) == row.first)
    )


def _extended(before: Row, row: Row, lists: Lists) -> Row:
    absent = lists.between(before.last, row.first) > 0
    dropouts = (*before.dropouts, (before.last, row.first)) if absent else before.dropouts
    return before._replace(last=row.last, dropouts=dropouts)


def _evidence(before: Row | None, row: Row, ties: dict[tuple[int, int, str], str]) -> str:
    if before is None:
        return _FIRST
    if why := ties.get((before.last, row.first, row.ticker)):
        return why
    changed = [field for field in _FIELDS if getattr(before, field) != getattr(row, field)]
    return f"the same ticker in the next list; changed: {', '.join(changed) or 'nothing'}"


def _smooth(stretches: Sequence[Stretch]) -> Sequence[Stretch]:
    """The stretches without flickers of their values."""
    lengths = [one.last - one.first + 1 for one in stretches]
    columns: list[Sequence[Value]] = []
    for field in _FIELDS:
        values: list[Value] = [getattr(one, field) for one in stretches]
        if len(set(values)) > 1:
            values = _filled(values, backwards=field == "type")
            values = _restyled(values) if field == "name" else values
            values = _without_flickers(values, lengths, _CIK_BACK if field == "cik" else BRIDGED)
        columns.append(values)
    name, kind, exchange, cik, figi, share_class = columns
    return [
        Stretch(one.ticker, name[at], kind[at], exchange[at], cik[at], figi[at], share_class[at], one.first, one.last)
        for at, one in enumerate(stretches)
    ]


def _filled(values: Sequence[Value], *, backwards: bool) -> list[Value]:
    """Unknown values as the last known one. Old lists have no types: there the first known one holds for earlier days."""
    last = next((value for value in values if value is not None), None) if backwards else None
    filled = []
    for value in values:
        last = value if value is not None else last
        filled.append(last)
    return filled


def _restyled(values: Sequence[Value]) -> list[Value]:
    """Names that are one up to how they are written get the latest wording."""
    written: list[Value] = []
    later: Value = None
    for value in reversed(values):
        later = later if later and value and names.same(names.read(value), names.read(later)) else value
        written.append(later)
    return written[::-1]


def _without_flickers(values: Sequence[Value], lengths: Sequence[int], most: int) -> list[Value]:
    """A -> B -> A becomes A where B lasted at most so many lists."""
    smooth = list(values)
    runs = _runs(values)
    for number, run in enumerate(runs[1:], start=1):
        before = smooth[runs[number - 1][0]]
        back = next((later for later in range(number + 1, len(runs)) if values[runs[later][0]] == before), None)
        if back is None or smooth[run[0]] == before:
            continue
        between = [at for one in runs[number:back] for at in one]
        if sum(lengths[at] for at in between) <= most:
            for at in between:
                smooth[at] = before
    return smooth


def _runs(values: Sequence[Value]) -> list[list[int]]:
    """The places of equal values in a row."""
    runs: list[list[int]] = []
    for at, value in enumerate(values):
        if runs and values[runs[-1][0]] == value:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs
