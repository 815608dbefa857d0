"""What keeps a master from being published: the old one stays."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from stockpipe.master.resolve.tables import Tables

Row = Sequence[Any]
_FEW = 5


@dataclass(frozen=True)
class Finding:
    """What a check found. One that is not `forcible` would make tables that say two things."""

    check: str
    message: str
    forcible: bool = True


def examine(
    tables: Tables, lost: Sequence[str], before: Sequence[Row], last: date | None, most: float
) -> list[Finding]:
    """All that speaks against publishing. `before` is the history of the last build, `last` its newest day.

    `lost` are ids that no list gives any more. `most`: the largest share of ids, in per cent, that may change.
    """
    found = [*_overlaps(tables.history), *_shared_tickers(tables.history)]
    if lost:
        shown = ", ".join(lost[:5])
        found.append(
            Finding("lost_ids", f"{len(lost)} ids that were given before belong to nobody in the lists ({shown}).")
        )
    if last is not None:
        found += _changed(tables, before, last, most)
    return found


def _overlaps(history: Iterable[Row]) -> Iterable[Finding]:
    """Two stretches of one security at the same time."""
    yield from _two_at_once(history, 0, 3, "overlap", "{0} has two stretches from {1} on ({2} and {3}).")


def _shared_tickers(history: Iterable[Row]) -> Iterable[Finding]:
    """Two securities under one ticker on a day."""
    yield from _two_at_once(history, 3, 0, "shared_ticker", "{0} belongs to two securities from {1} on ({2} and {3}).")


def _two_at_once(history: Iterable[Row], key: int, other: int, check: str, words: str) -> Iterable[Finding]:
    spans: dict[str, list[tuple[date, date, str]]] = defaultdict(list)
    for row in history:
        spans[row[key]].append((row[1], row[2] or date.max, row[other]))
    for name, own in spans.items():
        own.sort()
        for (_, end, one), (start, _, two) in pairwise(own):
            if start < end:
                yield Finding(check, words.format(name, start, one, two), forcible=False)
                return


def _changed(tables: Tables, before: Sequence[Row], last: date, most: float) -> Iterable[Finding]:
    """Tickers that have another id on the last build's newest day than that build gave them."""
    aliases = {str(alias): str(security_id) for alias, security_id in tables.aliases}
    was = {row[3]: row[0] for row in before if row[2] is None}
    now = _as_of(tables.history, last)
    changed = [
        f"{ticker}: {old} is now {now[ticker]}"
        for ticker, old in sorted(was.items())
        if ticker in now and aliases.get(old, old) != now[ticker]
    ]
    if len(changed) > max(_FEW, len(was) * most / 100):
        shown = "; ".join(changed[:3])
        yield Finding(
            "changed_ids",
            f"{len(changed):,} of {len(was):,} securities would get another id, more than {most:g} % ({shown}).",
        )


def _as_of(history: Iterable[Row], day: date) -> dict[str, str]:
    spans: dict[str, list[tuple[date, date, str]]] = defaultdict(list)
    for row in history:
        spans[row[3]].append((row[1], row[2] or date.max, row[0]))
    found = {}
    for ticker, own in spans.items():
        own.sort()
        at = bisect_right(own, day, key=lambda span: span[0]) - 1
        if at >= 0 and own[at][1] > day:
            found[ticker] = own[at][2]
    return found
