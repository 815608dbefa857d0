"""Permanent ids: first ticker and first day of the evidence at the time the id was given, such as `FB.20120518`.

An id stays with the security that has its ticker on its day, whatever is learned later. Where one security has several,
the oldest holds, and the others are its aliases.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stockpipe.master.resolve.segment import Segment
from stockpipe.master.resolve.stretch import Lists

Chain = list[Segment]
_AROUND = 5


@dataclass(frozen=True)
class Named:
    """The ids of the chains, in their order; what other ids stand for; and ids whose stretch is in no list any more."""

    ids: list[str]
    aliases: dict[str, str]
    lost: list[str]


def make_id(ticker: str, day: date) -> str:
    """The id that a ticker's security gets when it is first seen on a day."""
    return f"{ticker}.{day:%Y%m%d}"


def birth(security_id: str) -> tuple[str, date] | None:
    """The ticker and the day of an id; None for a text that is none."""
    ticker, _, digits = security_id.rpartition(".")
    if not ticker or len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return ticker, date.fromisoformat(digits)
    except ValueError:
        return None


def name_all(chains: Sequence[Chain], lists: Lists, given: Iterable[str]) -> Named:
    """An id for each chain: one that was given before where it has one, else a new one."""
    where = Where(chains, lists)
    held: dict[int, list[str]] = {}
    lost = []
    for security_id in sorted(set(given), key=_age):
        at = where.of_id(security_id)
        if at is None:
            lost.append(security_id)
        else:
            held.setdefault(at, []).append(security_id)
    used, ids = set(given), []
    for at, chain in enumerate(chains):
        security_id = held[at][0] if at in held else make_id(chain[0].ticker, lists.days[chain[0].first])
        while at not in held and security_id in used:
            security_id = f"{security_id}-2"
        used.add(security_id)
        ids.append(security_id)
    aliases = {alias: ids[at] for at, several in held.items() for alias in several[1:]}
    return Named(ids, aliases, lost)


def _age(security_id: str) -> tuple[object, ...]:
    ticker, day = birth(security_id) or (security_id, date.max)
    return (day, ticker, security_id)


class Where:
    """Finds the chain that a ticker belongs to on a day."""

    def __init__(self, chains: Sequence[Chain], lists: Lists) -> None:
        self._lists = lists
        self._of: Mapping[str, list[tuple[int, int, int]]] = _by_ticker(chains)

    def of_id(self, security_id: str) -> int | None:
        """The number of an id's chain; None where its ticker is in no list near its day any more."""
        born = birth(security_id.removesuffix("-2"))
        return self.at(*born, around=_AROUND) if born else None

    def at(self, ticker: str, day: date, *, around: int = 0) -> int | None:
        """The number of the chain that has the ticker in the first list of this day or later, within `around` lists."""
        number = bisect_left(self._lists.days, day)
        spans = self._of.get(ticker, [])
        exact = next((at for first, last, at in spans if first <= number <= last), None)
        if exact is not None or not around:
            return exact
        near = [(max(first - number, number - last), at) for first, last, at in spans]
        distance, at = min(near, default=(around + 1, 0))
        return at if distance <= around else None


def _by_ticker(chains: Sequence[Chain]) -> dict[str, list[tuple[int, int, int]]]:
    found: dict[str, list[tuple[int, int, int]]] = {}
    for at, chain in enumerate(chains):
        for segment in chain:
            found.setdefault(segment.ticker, []).append((segment.first, segment.last, at))
    return found
