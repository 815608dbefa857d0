"""What the resolver reads: the lists that were loaded, and each ticker's stretches of unchanged identity in them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, pairwise
from operator import eq, itemgetter
from typing import NamedTuple


@dataclass(frozen=True)
class List:
    """A loaded list of the listed stocks. `torn` ones lack rows, so that an absence in them proves nothing.

    `store` tells the vendor's two stores apart: "current", "dated", or "" where it is not known. `mark` is a
    fingerprint of the content.
    """

    day: date
    rows: int
    store: str = ""
    torn: bool = False
    mark: str = ""


class Stretch(NamedTuple):
    """Consecutive lists in which a ticker had the same values; `first` and `last` are numbers of lists, both included."""

    ticker: str
    name: str | None
    type: str | None
    exchange: str | None
    cik: str | None
    figi: str | None
    share_class: str | None
    first: int
    last: int

    @classmethod
    def made(cls, ticker: str, values: Sequence[str | None], first: int, last: int) -> Stretch:
        """A stretch from its six values: name, type, exchange, CIK, composite and share class FIGI."""
        name, kind, exchange, cik, figi, share_class = values
        return cls(ticker, name, kind, exchange, cik, figi, share_class, first, last)

    @property
    def values(self) -> tuple[str | None, ...]:
        """Ticker and identity, without the time."""
        return self[:7]

    @property
    def figis(self) -> set[str]:
        """The FIGIs that the rows have; a composite one and a share class one are never equal."""
        return {figi for figi in (self.figi, self.share_class) if figi}


class Lists:
    """The loaded lists in the order of their days, and how many whole ones lie between two of them."""

    def __init__(self, lists: Iterable[List]) -> None:
        self.all: Sequence[List] = sorted(lists, key=lambda one: one.day)
        self.days = [one.day for one in self.all]
        self.number = {day: number for number, day in enumerate(self.days)}
        self._whole = [number for number, one in enumerate(self.all) if not one.torn]

    def __len__(self) -> int:
        return len(self.all)

    def between(self, earlier: int, later: int) -> int:
        """How many whole lists lie between two: so often was a ticker absent that is in these two only."""
        return max(0, bisect_left(self._whole, later) - bisect_right(self._whole, earlier))

    def missing_after(self, number: int) -> int:
        """How many whole lists come after one."""
        return self.between(number, len(self.all))

    def next_whole(self, number: int) -> int | None:
        """The next whole list after one: there an absence is seen."""
        at = bisect_right(self._whole, number)
        return self._whole[at] if at < len(self._whole) else None

    def seam(self, number: int) -> bool:
        """Whether a list comes from another store of the vendor than the list before it."""
        if number == 0:
            return False
        before, here = self.all[number - 1].store, self.all[number].store
        return bool(before and here and before != here)


def joined(earlier: Iterable[Stretch], later: Iterable[Stretch]) -> list[Stretch]:
    """Stretches of two ranges of lists, the second directly behind the first, as if they had been read together; in no order."""
    found, later = list(earlier), list(later)
    before = {one.first - 1 for one in later}
    open_ends = {(one.values, one.last): at for at, one in enumerate(found) if one.last in before}
    for one in later:
        at = open_ends.get((one.values, one.first - 1))
        if at is None:
            found.append(one)
        else:
            found[at] = found[at]._replace(last=one.last)
    return found


_when = itemgetter(0, 7, 8)


def in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches by ticker and time; those that have both in common, of which there are few or none, by their values."""
    found = sorted(stretches, key=_when)
    times = list(map(_when, found))
    return sorted(found, key=_order) if any(map(eq, times, islice(times, 1, None))) else found


def _order(one: Stretch) -> tuple[object, ...]:
    """By ticker and time; missing values first."""
    # No value begins with the sign of its being there: an empty one comes behind one that is missing.
    return (one.ticker, one.first, one.last, *["" if value is None else f"\0{value}" for value in one.values[1:]])


def without_doubles(stretches: Sequence[Stretch]) -> list[Stretch]:
    """One row for each list: where a ticker has two, the one with more of FIGI, CIK and type stays, then the longer one.

    `stretches` are those of one ticker. The vendor's dated records have such doubles (UST, CASY, THC).
    """
    if all(after.first > before.last for before, after in pairwise(stretches)):
        return list(stretches)
    kept: list[Stretch] = []
    for one in sorted(stretches, key=_worth, reverse=True):
        kept += _outside(one, kept)
    return in_order(kept)


def _worth(one: Stretch) -> tuple[object, ...]:
    known = sum(value is not None for value in (one.figi, one.cik, one.type))
    return (known, one.last - one.first, -one.first, *(value or "" for value in one.values))


def _outside(one: Stretch, others: Iterable[Stretch]) -> list[Stretch]:
    """What is left of a stretch in the lists that the others leave free."""
    pieces = [one]
    for other in others:
        left = []
        for piece in pieces:
            if piece.last < other.first or piece.first > other.last:
                left.append(piece)
                continue
            if piece.first < other.first:
                left.append(piece._replace(last=other.first - 1))
            if piece.last > other.last:
                left.append(piece._replace(first=other.last + 1))
        pieces = left
    return pieces
