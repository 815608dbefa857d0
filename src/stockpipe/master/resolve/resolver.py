"""The whole way from stretches to securities: cut, tie, name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from stockpipe.master.resolve.cut import Cut, Cutter
from stockpipe.master.resolve.ids import Chain, Named, Where, name_all
from stockpipe.master.resolve.overrides import Override
from stockpipe.master.resolve.segment import Segment, doubted, owners
from stockpipe.master.resolve.stretch import Lists, Stretch, in_order, without_doubles
from stockpipe.master.resolve.ties import Tie, Tying


@dataclass
class Resolved:
    """What was found: the chains of segments with their ids, and why. `unfit` are overrides that changed nothing."""

    lists: Lists
    chains: list[Chain]
    named: Named
    cuts: list[Cut]
    ties: list[Tie]
    unfit: list[tuple[Override, str]] = field(default_factory=list)

    @cached_property
    def _starts(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for chain in self.chains:
            for segment in chain:
                found.setdefault(segment.ticker, []).append(segment.first)
        return {ticker: sorted(starts) for ticker, starts in found.items()}

    def next_start(self, ticker: str, number: int) -> int | None:
        """The first list after one in which somebody begins to have a ticker."""
        starts = self._starts.get(ticker, [])
        at = bisect_right(starts, number)
        return starts[at] if at < len(starts) else None


def resolve(
    stretches: Iterable[Stretch], lists: Lists, given: Iterable[str] = (), overrides: Sequence[Override] = ()
) -> Resolved:
    """Which stretches are one security. `given` are the ids that were given before, aliases included."""
    by_ticker = [without_doubles(list(group)) for _, group in groupby(in_order(stretches), key=itemgetter(0))]
    known = [one for of_ticker in by_ticker for one in of_ticker]
    owned = owners(known)
    doubts = doubted(owned)
    cutter = Cutter(lists, owned, doubts)
    segments = [segment for of_ticker in by_ticker for segment in cutter.segments(of_ticker)]
    if overrides:
        segments, cutter = _recut(by_ticker, segments, overrides, lists, cutter)
    told = Told(overrides, segments, lists)
    tying = Tying(segments, lists, told.apart)
    told.tie_same(tying)
    tying.run()
    told.look_back()
    chains = sorted(
        (one.chain() for one in segments if one.before is None), key=lambda chain: (chain[0].first, chain[0].ticker)
    )
    return Resolved(lists, chains, name_all(chains, lists, given), cutter.cuts, tying.ties, told.unfit)


def _recut(
    by_ticker: Sequence[Sequence[Stretch]],
    segments: Sequence[Segment],
    overrides: Sequence[Override],
    lists: Lists,
    cutter: Cutter,
) -> tuple[list[Segment], Cutter]:
    """The segments once more, with the borders that a person wants: between two stretches of one segment."""
    where, borders = Where([[one] for one in segments], lists), set()
    for one in overrides:
        at, other = where.at(*one.earlier), where.at(*one.later)
        if one.decision == "different" and at is not None and at == other:
            number = next(number for number, day in enumerate(lists.days) if day >= one.later[1])
            borders.add((one.later[0], number))
    cutter = cutter.with_borders(frozenset(borders))
    return [segment for of_ticker in by_ticker for segment in cutter.segments(cutter.split(of_ticker))], cutter


class Told:
    """What a person said of the segments, and whether it still means anything."""

    def __init__(self, overrides: Sequence[Override], segments: Sequence[Segment], lists: Lists) -> None:
        where = Where([[one] for one in segments], lists)
        self.unfit: list[tuple[Override, str]] = []
        self.pairs: list[tuple[Override, Segment, Segment]] = []
        for one in overrides:
            found = [where.at(*place) for place in (one.earlier, one.later)]
            missing = [
                f"{ticker} was not listed on {day}"
                for at, (ticker, day) in zip(found, (one.earlier, one.later), strict=True)
                if at is None
            ]
            if found[0] is None or found[1] is None:
                self.unfit.append((one, " and ".join(missing)))
            else:
                self.pairs.append((one, segments[found[0]], segments[found[1]]))

    @property
    def apart(self) -> list[tuple[Segment, Segment]]:
        """The pairs that are said to be different."""
        return [(one, two) for override, one, two in self.pairs if override.decision == "different"]

    def tie_same(self, tying: Tying) -> None:
        """Tie the pairs that are said to be the same."""
        for override, one, two in self.pairs:
            if override.decision != "same":
                continue
            if one is two:
                self.unfit.append((override, "the rules say so themselves"))
            elif problem := tying.tie_by_hand(one, two, override.why):
                self.unfit.append((override, problem))

    def look_back(self) -> None:
        """Find what could not be kept apart: two that other lines say are the same."""
        for override, one, two in self.pairs:
            if override.decision == "different" and one.chain()[0] is two.chain()[0]:
                self.unfit.append((override, "another line says that they are the same"))
