"""Segments tied into securities, the nearest ones first.

A tie is decided with the evidence of both whole chains, so that a FIGI or CIK that came late counts. Smallest gap first:
A that became B and then A again would otherwise be tied past B. Where two would do, none is tied: a missed link is better
than a false one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from stockpipe.master.resolve import names
from stockpipe.master.resolve.names import DERIVED, IN_SERIES
from stockpipe.master.resolve.segment import Known, Segment
from stockpipe.master.resolve.stretch import Lists
from stockpipe.master.resolve.symbols import follows_issuer, parts, series_letter

NEAR = 15
"""A CIK or a name alone ties across at most so many lists without the security."""
_TRIED, _MOST_TRIED = 4, 60
_KEYS = ("figi", "ticker", "name", "cik")


@dataclass(frozen=True)
class Tie:
    """Two segments and what came of comparing them: a rule where they are one security, else why they are not."""

    earlier: Segment
    later: Segment
    rule: str
    evidence: str
    tied: bool
    confidence: str = ""


@dataclass(frozen=True)
class _Candidate:
    gap: int
    strength: int
    earlier: Segment
    later: Segment

    @property
    def order(self) -> tuple[object, ...]:
        one, two = self.earlier, self.later
        return (self.gap, self.strength, two.first, two.ticker, -one.last, one.ticker)


class Tying:
    """Ties segments. `apart` are pairs that a person says are different."""

    def __init__(
        self, segments: Sequence[Segment], lists: Lists, apart: Sequence[tuple[Segment, Segment]] = ()
    ) -> None:
        self._segments, self._lists, self._apart = segments, lists, apart
        self._by: dict[str, dict[object, list[Segment]]] = {key: defaultdict(list) for key in _KEYS}
        # What was there from the first list to the newest neither ended nor began.
        turned = [one for one in segments if one.first > 0 or one.last < len(lists) - 1]
        for segment in sorted(turned, key=lambda one: (one.first, one.ticker)):
            for key, values in _keys(segment).items():
                for value in values:
                    self._by[key][value].append(segment)
        self.ties: list[Tie] = []

    def run(self) -> list[Tie]:
        """Tie what can be tied, and return what was decided in the order of deciding."""
        candidates = sorted(self._candidates(), key=lambda one: one.order)
        rules: tuple[Callable[[Segment, Segment], Tie | None], ...] = (
            self._by_figi,
            self._by_ticker,
            self._by_name,
            self._by_cik,
        )
        for one in candidates:
            if one.earlier.after is None and one.later.before is None:
                tie = rules[one.strength](one.earlier, one.later)
                if tie is not None:
                    self._settle(tie)
        return self.ties

    def tie_by_hand(self, one: Segment, two: Segment, why: str) -> str:
        """Tie two as a person says; returns what is in the way, "" for nothing."""
        earlier, later = sorted((one, two), key=lambda segment: segment.first)
        left, right = earlier.chain(), later.chain()
        if left[0] is right[0]:
            return ""
        if left[-1].last >= right[0].first:
            return "both were listed at the same time"
        left[-1].after, right[0].before = right[0], left[-1]
        self.ties.append(Tie(left[-1], right[0], "override", why, tied=True, confidence="high"))
        return ""

    def _settle(self, tie: Tie) -> None:
        if tie.tied and (no := self._forbidden(tie.earlier, tie.later)):
            tie = Tie(tie.earlier, tie.later, "override", no, tied=False)
        if tie.tied:
            tie.earlier.after, tie.later.before = tie.later, tie.earlier
        self.ties.append(tie)

    def _forbidden(self, earlier: Segment, later: Segment) -> str:
        one, two = {id(part) for part in earlier.chain()}, {id(part) for part in later.chain()}
        for left, right in self._apart:
            if (id(left) in one and id(right) in two) or (id(left) in two and id(right) in one):
                return "a person says that these are two securities"
        return ""

    def _candidates(self) -> Iterator[_Candidate]:
        seen: set[tuple[int, int, int]] = set()
        for strength, key in enumerate(_KEYS):
            for held in self._by[key].values():
                for earlier, later in _neighbours(held, self._lists):
                    gap = self._lists.between(earlier.last, later.first)
                    if gap > NEAR and strength >= 2 and not (strength == 2 and _alone_of_its_kind(earlier, later)):
                        continue
                    if (pair := (id(earlier), id(later), strength)) not in seen:
                        seen.add(pair)
                        yield _Candidate(gap, strength, earlier, later)

    # ---- the rules, the strongest first ----

    def _by_figi(self, earlier: Segment, later: Segment) -> Tie | None:
        one, two = _both(earlier, later)
        shared = sorted(one.figis.keys() & two.figis.keys())
        supported = one.says(two, "ciks") or one.fits(two)
        if not supported and not (_main(one, shared) and _main(two, shared)):
            return self._no(
                earlier, later, "figi", f"FIGI {', '.join(shared)} for some days only, and neither CIK nor name agrees"
            )
        if not supported and (not self._is_near(earlier, later) or not one.same_role(two)):
            return self._no(
                earlier,
                later,
                "figi",
                "the same FIGI, but after a long absence or as another kind, and neither CIK nor name agrees",
            )
        return self._yes(earlier, later, "figi", f"the same FIGI: {', '.join(shared)}", "high")

    def _by_ticker(self, earlier: Segment, later: Segment) -> Tie | None:
        one, two = _both(earlier, later)
        figi, cik = one.says(two, "figis"), one.says(two, "ciks")
        near = self._is_near(earlier, later)
        if no := _is_reused(one, two, near=near):
            return self._no(earlier, later, "ticker_reused", no)
        if one.fits(two):
            evidence, confidence = "the same ticker, and a name that fits", "high" if cik or figi else "medium"
            return self._yes(earlier, later, "ticker_and_name", evidence, confidence)
        if cik and not one.is_fund and figi is not False and near and one.role not in IN_SERIES:
            evidence = "the same ticker and CIK after a short absence"
            return self._yes(earlier, later, "ticker_and_cik", evidence, "medium")
        return self._no(earlier, later, "ticker_reused", "the ticker is back with another name")

    def _by_name(self, earlier: Segment, later: Segment) -> Tie | None:
        one, two = _both(earlier, later)
        if earlier.ticker == later.ticker or one.says(two, "figis") is False:
            return None
        cik = one.says(two, "ciks")
        if not one.same_role(two) or _other_sister(earlier, later, one, two):
            return None
        if self._rivals(earlier, later, lambda left, right: left.same_name(right) and left.same_role(right)):
            return self._no(earlier, later, "name", "several have this name and kind")
        if cik is False and not self._moved_together(earlier, later):
            return self._no(earlier, later, "name", "the same name, but another CIK")
        return self._yes(
            earlier, later, "name", "the same name and kind, and nothing against it", "high" if cik else "medium"
        )

    def _by_cik(self, earlier: Segment, later: Segment) -> Tie | None:
        one, two = _both(earlier, later)
        if earlier.ticker == later.ticker or not _sisters_apart(earlier, later, one, two):
            return None
        if one.is_fund and not (one.fits(two) and one.says(two, "figis") is None):
            return None
        if one.role != "share" and one.says(two, "figis") is False:
            return None
        if self._rivals(earlier, later, _cik_fits):
            return self._no(earlier, later, "cik", "the issuer has several securities of this kind that would do")
        return self._yes(
            earlier, later, "cik", f"the issuer's only {two.role or 'security'} that ended and began here", "medium"
        )

    # ---- what the rules ask ----

    def _rivals(self, earlier: Segment, later: Segment, fits: Callable[[Known, Known], bool]) -> bool:
        """Whether another segment would do on one of the sides, within NEAR lists, that no FIGI claims.

        One that begins after the later one's end is no rival, but a step further: A, B and A again.
        """
        one, two = earlier.known, later.known
        near = self._near(one, two)
        ends = [left for left in near if left.after is None and left.last >= earlier.first and left is not earlier]
        starts = [right for right in near if right.before is None and right.first <= later.last and right is not later]
        ends = [left for left in ends if self._is_near(left, later) and fits(left.known, two)]
        starts = [right for right in starts if self._is_near(earlier, right) and fits(one, right.known)]
        return any(not self._claimed(left) for left in ends) or any(not self._claimed(right) for right in starts)

    def _near(self, one: Known, two: Known) -> Iterable[Segment]:
        found: dict[int, Segment] = {}
        for known in (one, two):
            for key, values in _known_keys(known).items():
                if key in ("name", "cik"):
                    for value in values:
                        found |= {id(segment): segment for segment in self._by[key].get(value, ())}
        return found.values()

    def _is_near(self, earlier: Segment, later: Segment) -> bool:
        return earlier.last < later.first and self._lists.between(earlier.last, later.first) <= NEAR

    def _claimed(self, segment: Segment) -> bool:
        """Whether a FIGI of it goes on, or began, under another ticker nearby: then it is no rival."""
        for figi in segment.known.figis:
            for other in self._by["figi"].get(figi, ()):
                if other is not segment and (self._is_near(segment, other) or self._is_near(other, segment)):
                    return True
        return False

    def _moved_together(self, earlier: Segment, later: Segment) -> bool:
        """Whether the new CIK came to the issuer as a whole: a registrant changed, or the vendor had a wrong number."""
        return earlier.known.same_name(later.known) and self._lists.between(earlier.last, later.first) == 0

    def _yes(self, earlier: Segment, later: Segment, rule: str, evidence: str, confidence: str) -> Tie:
        days = (self._lists.days[later.first] - self._lists.days[earlier.last]).days
        if days > 45 and rule in ("cik", "name"):
            evidence, confidence = f"{evidence}; no list for {days} days between", "low"
        return Tie(earlier, later, rule, evidence, tied=True, confidence=confidence)

    def _no(self, earlier: Segment, later: Segment, rule: str, evidence: str) -> Tie:
        return Tie(earlier, later, rule, evidence, tied=False)


def _both(earlier: Segment, later: Segment) -> tuple[Known, Known]:
    """What is known of both whole chains."""
    if earlier.before is None and later.after is None:
        return earlier.known, later.known
    left = [part.known for part in earlier.chain()]
    right = [part.known for part in later.chain()]
    return Known.together(left), Known.together(right)


def _is_reused(one: Known, two: Known, *, near: bool) -> str:
    """Why a ticker that is back is another security's, although its name may fit; "" where nothing says so."""
    figi, cik = one.says(two, "figis"), one.says(two, "ciks")
    alike = one.same_name(two)
    if not one.same_role(two) and not alike:
        return f"a {two.role} where a {one.role} was"
    if one.role in DERIVED and not figi and (figi is False or not near):
        return f"a {one.role} with another FIGI, or after a long absence without one: it may be a second one"
    if alike or not one.fits(two):
        return ""
    if figi is False and cik is not True:
        return "another FIGI, and no CIK that agrees"
    if cik is False and not figi:
        return "another CIK, and another name"
    if figi is None and cik is None and not near:
        return "names that are alike, a long absence, and nothing else"
    return ""


def _keys(segment: Segment) -> dict[str, set[object]]:
    return {"ticker": {segment.ticker}, **_known_keys(segment.known)}


def _known_keys(known: Known) -> dict[str, set[object]]:
    return {
        "figi": set(known.figis),
        "name": {
            (frozenset(name.core), tuple(sorted((key, tuple(sorted(values))) for key, values in name.series.items())))
            for name in known.names.values()
        },
        "cik": set(product(known.ciks, [known.role])),
    }


def _neighbours(held: Sequence[Segment], lists: Lists) -> Iterator[tuple[Segment, Segment]]:
    """Of segments: each with the few that ended last before it began, and with all that ended shortly before."""
    by_end = sorted(held, key=lambda one: (one.last, one.ticker))
    ends = [one.last for one in by_end]
    for later in held:
        at = bisect_left(ends, later.first)
        for tried, earlier in enumerate(reversed(by_end[max(0, at - _MOST_TRIED) : at])):
            if tried >= _TRIED and lists.between(earlier.last, later.first) > NEAR:
                break
            yield earlier, later


def _alone_of_its_kind(earlier: Segment, later: Segment) -> bool:
    """Whether a name that is back after long may be enough: the CIK agrees, and an issuer has one such security."""
    return bool(earlier.known.says(later.known, "ciks")) and earlier.known.role not in DERIVED | IN_SERIES


def _main(known: Known, shared: Sequence[str]) -> bool:
    """Whether one of these FIGIs is what most lists show."""
    most = max(known.figis.values(), default=0)
    return any(2 * known.figis[figi] >= most for figi in shared)


def _cik_fits(left: Known, right: Known) -> bool:
    """Whether CIK and kind are the same, and no series key speaks against it."""
    return left.says(right, "ciks") is True and left.role == right.role and _no_conflict(left, right)


def _no_conflict(left: Known, right: Known) -> bool:
    return any(not names.conflicting(one, two) for one in left.names.values() for two in right.names.values())


def _other_sister(earlier: Segment, later: Segment, one: Known, two: Known) -> bool:
    """Whether an issuer's second preferred, note or warrant: names alike are no proof, as its sisters have them too.

    Preferreds and notes need the same words or a series key in common; `FHNpC` is not `FHNpH`, `BCTXW` not `BCTXL`.
    """
    if one.role in DERIVED:
        (stem, suffix), (new_stem, new_suffix) = parts(earlier.ticker), parts(later.ticker)
        return stem == new_stem and suffix != new_suffix
    if one.role not in IN_SERIES:
        return False
    if any(names.in_common(left, right) for left in one.names.values() for right in two.names.values()):
        return False
    letters = series_letter(earlier.ticker), series_letter(later.ticker)
    same_words = {name.plain for name in one.names.values()} & {name.plain for name in two.names.values()}
    return not same_words or (all(letters) and letters[0] != letters[1])


def _sisters_apart(earlier: Segment, later: Segment, one: Known, two: Known) -> bool:
    """Whether the second cannot be a sister of the first: the keys by which an issuer's securities differ agree."""
    if not _cik_fits(one, two) or _other_sister(earlier, later, one, two):
        return False
    if one.role in IN_SERIES:
        return any(names.in_common(left, right) for left in one.names.values() for right in two.names.values())
    return one.role == "share" or one.is_fund or follows_issuer(earlier.ticker, later.ticker)
