"""A segment: lists in a row in which one ticker was one security. What is known of it, and what speaks against another.

An unknown value never contradicts: old lists have no types, many rows have no FIGI, and a CIK may come late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from stockpipe.master.resolve import names
from stockpipe.master.resolve.stretch import Stretch
from stockpipe.master.resolve.symbols import is_plain

Owners = dict[str, list[tuple[str, int, int]]]
"""For each FIGI who has it: ticker, first and last list, by the first list."""


@dataclass
class Known:
    """What some stretches of one security say together: how many lists had each FIGI, CIK, name and role."""

    figis: Counter[str] = field(default_factory=Counter)
    ciks: Counter[str] = field(default_factory=Counter)
    names: dict[str, names.Name] = field(default_factory=dict)
    roles: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, stretches: Iterable[Stretch], doubted: frozenset[tuple[str, str]] = frozenset()) -> Known:
        """From stretches. `doubted` are (ticker, FIGI) that prove nothing."""
        known = cls()
        for one in stretches:
            lists = one.last - one.first + 1
            for figi in one.figis:
                if (one.ticker, figi) not in doubted:
                    known.figis[figi] += lists
            if one.cik:
                known.ciks[one.cik] += lists
            if one.name and one.name not in known.names:
                known.names[one.name] = names.read(one.name)
            if what := names.role(one.type, one.name, plain=is_plain(one.ticker)):
                known.roles[what] += lists
        return known

    @classmethod
    def together(cls, parts: Iterable[Known]) -> Known:
        """What several say."""
        whole = cls()
        for part in parts:
            whole.figis.update(part.figis)
            whole.ciks.update(part.ciks)
            whole.names.update(part.names)
            whole.roles.update(part.roles)
        return whole

    @cached_property
    def role(self) -> str:
        """The role that most lists give; "" for none."""
        return self.roles.most_common(1)[0][0] if self.roles else ""

    @property
    def is_fund(self) -> bool:
        """Whether its CIK is a trust's, which many funds share."""
        return self.role == "fund"

    def says(self, other: Known, what: str) -> bool | None:
        """Whether two agree in "figis" or "ciks": True, False, or None where one says nothing."""
        mine, theirs = getattr(self, what), getattr(other, what)
        return not mine.keys().isdisjoint(theirs) if mine and theirs else None

    def fits(self, other: Known) -> bool | None:
        """Whether a name of one fits a name of the other; None where one has none."""
        if not self.names or not other.names:
            return None
        fund = self.is_fund or other.is_fund
        return any(names.fit(one, two, fund=fund) for one in self.names.values() for two in other.names.values())

    def same_name(self, other: Known) -> bool:
        """Whether they have a name in common, however it is written."""
        return any(names.same(one, two) for one in self.names.values() for two in other.names.values())

    def same_role(self, other: Known) -> bool:
        """Whether no role contradicts."""
        return not self.role or not other.role or self.role == other.role


@dataclass(eq=False)
class Segment:
    """Stretches of one ticker that are one security; `before` and `after` are its neighbours in the chain."""

    stretches: list[Stretch]
    doubted: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    before: Segment | None = field(default=None, repr=False)
    after: Segment | None = field(default=None, repr=False)

    @cached_property
    def known(self) -> Known:
        """What its stretches say. Most segments begin with the first list and live: of them nobody asks."""
        return Known.of(self.stretches, self.doubted)

    @property
    def ticker(self) -> str:
        """The ticker."""
        return self.stretches[0].ticker

    @property
    def first(self) -> int:
        """The first list."""
        return self.stretches[0].first

    @property
    def last(self) -> int:
        """The last list."""
        return self.stretches[-1].last

    def chain(self) -> list[Segment]:
        """All segments of its security, oldest first."""
        head = self
        while head.before is not None:
            head = head.before
        found = [head]
        while (after := found[-1].after) is not None:
            found.append(after)
        return found


def owners(stretches: Sequence[Stretch]) -> Owners:
    """Who has which FIGI, and when: holdings of one ticker that touch or overlap are one."""
    found: Owners = {}
    for one in stretches:
        for figi in one.figis:
            found.setdefault(figi, []).append((one.ticker, one.first, one.last))
    return {figi: _merged(holdings) for figi, holdings in found.items()}


def _merged(holdings: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    if len(holdings) == 1:
        return holdings
    merged: dict[str, list[tuple[str, int, int]]] = {}
    for ticker, first, last in sorted(holdings):
        own = merged.setdefault(ticker, [])
        if own and own[-1][2] + 1 >= first:
            own[-1] = (ticker, own[-1][1], max(last, own[-1][2]))
        else:
            own.append((ticker, first, last))
    return sorted((one for own in merged.values() for one in own), key=lambda one: (one[1], one[0]))


def doubted(owned: Owners) -> frozenset[tuple[str, str]]:
    """(ticker, FIGI) that prove nothing: another ticker had the FIGI before and still has it in most of these lists."""
    found = set()
    for figi, holdings in owned.items():
        tickers = {ticker for ticker, _, _ in holdings}
        if len(tickers) < 2:
            continue
        for ticker in tickers:
            own = [(first, last) for holder, first, last in holdings if holder == ticker]
            earlier = [
                (first, last)
                for holder, first, last in holdings
                if holder != ticker and (first, holder) < (own[0][0], ticker)
            ]
            lists = sum(last - first + 1 for first, last in own)
            if 2 * _overlap(own, earlier) > lists:
                found.add((ticker, figi))
    return frozenset(found)


def _overlap(own: Iterable[tuple[int, int]], others: Sequence[tuple[int, int]]) -> int:
    return sum(
        max(0, min(last, other_last) - max(first, other_first) + 1)
        for first, last in own
        for other_first, other_last in others
    )
