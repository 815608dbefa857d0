"""A ticker's stretches cut into segments: at every absence, and at every sign that another security has the ticker.

The same ticker in the next list is the same security, unless another name comes with another FIGI, another CIK or another
kind; or the FIGI moved to or from another ticker. A changed FIGI, CIK, type or name alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stockpipe.master.resolve import names
from stockpipe.master.resolve.segment import Known, Owners, Segment
from stockpipe.master.resolve.stretch import Lists, Stretch


@dataclass(frozen=True)
class Cut:
    """Why the ticker's stretches before and after a border are two securities."""

    before: Stretch
    after: Stretch
    rule: str
    evidence: str


class Cutter:
    """Cuts tickers' stretches into segments. `forced` are borders that a person wants cut: (ticker, number of a list)."""

    def __init__(
        self,
        lists: Lists,
        owned: Owners,
        doubted: frozenset[tuple[str, str]],
        forced: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._lists, self._owned, self._doubted, self._forced = lists, owned, doubted, forced
        self.cuts: list[Cut] = []

    def with_borders(self, forced: frozenset[tuple[str, int]]) -> Cutter:
        """A new one that also cuts at these borders."""
        return Cutter(self._lists, self._owned, self._doubted, forced)

    def split(self, stretches: Sequence[Stretch]) -> list[Stretch]:
        """The stretches of a ticker with a border at each list where a person wants one."""
        found: list[Stretch] = []
        for one in stretches:
            borders = sorted(
                number for ticker, number in self._forced if ticker == one.ticker and one.first < number <= one.last
            )
            starts = [one.first, *borders]
            ends = [*(number - 1 for number in borders), one.last]
            found += (one._replace(first=first, last=last) for first, last in zip(starts, ends, strict=True))
        return found

    def segments(self, stretches: Sequence[Stretch]) -> list[Segment]:
        """The segments of one ticker, whose stretches are in order and have no doubles."""
        found: list[Segment] = []
        for run in self._without_absence(stretches):
            found += (Segment(part, self._doubted) for part in self._parts(run))
        return found

    def _without_absence(self, stretches: Sequence[Stretch]) -> Iterable[list[Stretch]]:
        run = [stretches[0]]
        for before, after in pairwise(stretches):
            if self._lists.between(before.last, after.first):
                yield run
                run = []
            run.append(after)
        yield run

    def _parts(self, run: list[Stretch]) -> Iterable[list[Stretch]]:
        start = 0
        for border in range(1, len(run)):
            before, after = run[border - 1], run[border]
            reason: tuple[str, str] | None = None
            if (after.ticker, after.first) in self._forced:
                reason = ("override", "a person says that these are two securities")
            elif before.name == after.name:
                continue  # whatever else changed: nobody takes over a ticker and the name with it
            else:
                reason = self._reason(run[start:border], run[border:])
            if reason:
                self.cuts.append(Cut(before, after, *reason))
                yield run[start:border]
                start = border
        yield run[start:]

    def _reason(self, earlier: list[Stretch], later: list[Stretch]) -> tuple[str, str] | None:
        """Why the ticker is another security's from here on; None when it is not."""
        mine, theirs = Known.of(earlier, self._doubted), Known.of(later, self._doubted)
        named = f'the name was "{earlier[-1].name}" and is "{later[0].name}"'
        if moved := self._moved(earlier[-1], later[0]):
            return "figi_moved", f"{moved}; {named}"
        last, first = names.read(earlier[-1].name), names.read(later[0].name)
        fund = mine.is_fund or theirs.is_fund
        if mine.role in names.DERIVED and mine.says(theirs, "figis") is False and last.plain != first.plain:
            return "figi_and_name", f"another {mine.role} of the issuer: another FIGI, and {named}"
        if mine.role in names.IN_SERIES and not mine.says(theirs, "figis") and (key := names.conflicting(last, first)):
            return "series", f"another {key} of the issuer's {mine.role}; {named}"
        if names.fit(last, first, fund=fund) or mine.same_name(theirs):
            return None
        figi, cik = mine.says(theirs, "figis"), mine.says(theirs, "ciks")
        if figi:
            return None
        if figi is False and not (cik and not fund and mine.same_role(theirs)):
            return "figi_and_name", f"another FIGI, and {named}"
        if cik is False:
            return "cik_and_name", f"another CIK, and {named}"
        if not mine.same_role(theirs):
            return "type_and_name", f"a {theirs.role} where a {mine.role} was, and {named}"
        return None

    def _moved(self, before: Stretch, after: Stretch) -> str:
        """How a FIGI changed its ticker at this border, in words; "" where it did not, or where the names are the same."""
        if before.figis & after.figis or names.same(names.read(before.name), names.read(after.name)):
            return ""
        for figi in sorted(after.figis):
            for ticker, _, last in self._owned.get(figi, ()):
                if ticker != after.ticker and last < after.first and not self._lists.between(last, after.first):
                    return f"FIGI {figi} came from {ticker}"
        for figi in sorted(before.figis):
            for ticker, first, _ in self._owned.get(figi, ()):
                if ticker != before.ticker and first > before.last and not self._lists.between(before.last, first):
                    return f"FIGI {figi} went to {ticker}"
        return ""
