"""What keeps a master from being published: the old one stays."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from stockpipe.master.resolve.tables import Tables

Row = Sequence[Any]
Spans = dict[str, list[tuple[date, date, str]]]
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
    by_id, by_ticker = _spans(tables.history, 0, 3), _spans(tables.history, 3, 0)
    found = [*_overlaps(by_id), *_shared_tickers(by_ticker)]
    if lost:
        shown = ", ".join(lost[:5])
        found.append(
            Finding("lost_ids", f"{len(lost)} ids that were given before belong to nobody in the lists ({shown}).")
        )
    if last is not None:
        aliases = {str(alias): str(security_id) for alias, security_id in tables.aliases}
        found += _changed(_as_of(by_ticker, last), aliases, before, most)
    return found


def _spans(history: Iterable[Row], key: int, other: int) -> Spans:
    """For each value of the column `key` its first day, the first day behind it, and the value of `other`, in order."""
    spans: Spans = defaultdict(list)
    for row in history:
        spans[row[key]].append((row[1], row[2] or date.max, row[other]))
    for own in spans.values():
        own.sort()
    return spans


def _overlaps(spans: Spans) -> Iterable[Finding]:
    """Two stretches of one security at the same time."""
    yield from _two_at_once(spans, "overlap", "{0} has two stretches from {1} on ({2} and {3}).")


def _shared_tickers(spans: Spans) -> Iterable[Finding]:
    """Two securities under one ticker on a day."""
    yield from _two_at_once(spans, "shared_ticker", "{0} belongs to two securities from {1} on ({2} and {3}).")


def _two_at_once(spans: Spans, check: str, words: str) -> Iterable[Finding]:
    for name, own in spans.items():
        for (_, end, one), (start, _, two) in pairwise(own):
            if start < end:
                yield Finding(check, words.format(name, start, one, two), forcible=False)
                return


def _changed(
    now: Mapping[str, str], aliases: Mapping[str, str], before: Sequence[Row], most: float
) -> Iterable[Finding]:
    """Tickers that have another id on the last build's newest day, as it is `now`, than that build gave them."""
    was = {row[3]: row[0] for row in before if row[2] is None}
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


def _as_of(spans: Spans, day: date) -> dict[str, str]:
    found = {}
    for ticker, own in spans.items():
        at = bisect_right(own, day, key=lambda span: span[0]) - 1
        if at >= 0 and own[at][1] > day:
            found[ticker] = own[at][2]
    return found
