"""Which of the loaded days the master rests on: whole ones, torn ones, and broken ones that are left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stockpipe.errors import DataCheckError, NotThere
from stockpipe.master.resolve.stretch import List, Lists
from stockpipe.warehouse.source import Source

LONG_GAP = timedelta(days=45)
"""Between two lists farther apart nobody can prove a rename."""
# A broken list lacks more than a twentieth of what the lists around it have (the vendor's worst lack 12 and 32 per cent).
_WHOLE, _FEW = 0.95, 20
_AROUND, _NEAR = 5, timedelta(days=15)


@dataclass(frozen=True)
class Days:
    """The lists to build from, those that are left out, and what is to be told of them."""

    lists: Lists
    broken: list[List]
    warnings: list[str]


def chosen(rows: Iterable[Sequence[object]], start: date | None = None) -> Days:
    """From the rows of `days_sql`; `start` leaves out earlier days.

    NotThere where no day is loaded, DataCheckError for days of sample data among others.
    """
    found = [(_list(row), Source.read(str(row[3])) if row[3] else None) for row in rows]
    kept = [(one, source) for one, source in found if start is None or one.day >= start]
    if not kept:
        what = f"No day from {start} on is loaded" if found else "No day of the listed stocks is loaded"
        raise NotThere(
            f"{what}, so that there is nothing to build from.",
            hint="Load days first: stockpipe run, stockpipe backfill.",
        )
    _must_be_of_one_market([(one.day, source.kind) for one, source in kept if source and source.kind])
    lists = [one for one, _ in kept]
    broken = [one for number, one in enumerate(lists) if _is_broken(number, lists)]
    whole = Lists(one for one in lists if one not in broken)
    return Days(whole, broken, list(_warnings(whole, broken)))


def _list(row: Sequence[object]) -> List:
    day, rows, content, source, build, forced = row
    told = Source.read(str(source)) if source else None
    dated = told.dated if told else None
    if told and dated is None and build:
        dated = False  # records of older versions do not say it, and only a current list has a build
    overruled = json.loads(forced) if isinstance(forced, str) and forced else []
    return List(
        day=day if isinstance(day, date) else date.fromisoformat(str(day)),
        rows=int(str(rows)),
        store="" if dated is None else "dated" if dated else "current",
        torn="torn" in overruled,
        mark=str(content) if content else f"{rows} rows",
    )


def _must_be_of_one_market(days: Sequence[tuple[date, str]]) -> None:
    kinds: dict[str, list[date]] = {}
    for day, kind in days:
        kinds.setdefault(kind, []).append(day)
    if len(kinds) > 1 and any(kind.startswith("sandbox") for kind in kinds):
        told = "; ".join(f"{kind}: {len(own):,} from {min(own)} to {max(own)}" for kind, own in sorted(kinds.items()))
        raise DataCheckError(
            f"The loaded days are of several markets ({told}).",
            hint="Nothing was built: sample data and real securities cannot be one history. Keep them in files of their own.",
            checks=["source"],
        )


def _is_broken(number: int, lists: Sequence[List]) -> bool:
    """Whether a list lacks rows that the lists before and after it have; of the newest one, that the one before has."""
    one = lists[number]
    before = [other.rows for other in lists[max(0, number - _AROUND) : number] if one.day - other.day <= _NEAR]
    after = [other.rows for other in lists[number + 1 : number + 1 + _AROUND] if other.day - one.day <= _NEAR]
    sides = [max(side) for side in (before, after) if side]
    usual = min(sides, default=0)
    return one.rows < _WHOLE * usual and usual - one.rows >= _FEW


def _warnings(lists: Lists, broken: Sequence[List]) -> Iterable[str]:
    if len(lists) == 1:
        yield f"Only {lists.days[0]} is loaded: nothing can have happened yet, and every id begins with this day."
    if broken:
        shown = ", ".join(str(one.day) for one in broken[:5])
        yield f"{len(broken)} broken days were left out, as they lack rows that the days around them have: {shown}."
    gaps = [
        (before, after) for before, after in zip(lists.days, lists.days[1:], strict=False) if after - before > LONG_GAP
    ]
    for before, after in gaps[:5]:
        yield (
            f"Between {before} and {after} no list is loaded for {(after - before).days} days: no rename can be proved across "
            "them. What is tied there by name or CIK alone has confidence low in SECURITY_DECISIONS."
        )
