"""The judge of the security master: links between consecutive stretches, right and wrong, per kind of event.

A link is two stretches of one security that follow each other. The truth comes from the synthetic market's hidden ids.
`python tests/support/judge.py` prints the measurement that docs/security-master.md shows.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from stockpipe.base.calendar import is_session
from stockpipe.master.resolve.names import conflicting, fit, read, role
from stockpipe.master.resolve.resolver import Resolved, resolve
from stockpipe.master.resolve.segment import doubted, owners
from stockpipe.master.resolve.stretch import List, Lists, Stretch, in_order
from stockpipe.sandbox.hard import is_torn
from stockpipe.sandbox.market import Market

_FIELDS = ("name", "type", "primary_exchange", "cik", "composite_figi", "share_class_figi")
Link = tuple[tuple[str, int], tuple[str, int]]
"""A stretch's ticker and last list, and the next one's ticker and first list."""


@dataclass
class Truth:
    """A market's lists as stretches, each with the hidden id of its security."""

    lists: Lists
    stretches: list[Stretch]
    of: dict[tuple[str, int], int]


@dataclass
class Score:
    """How many links of each kind are right, wrong, missed, and missed though nothing in the lists tells of them."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    undecidable: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """The share of the links made that are right."""
        return _share(self.right.total(), self.right.total() + self.wrong.total())

    @property
    def recall(self) -> float:
        """The share of the decidable links that were made."""
        return _share(self.right.total(), self.right.total() + self.missed.total())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def live(seed: int, *, hard: bool, rows: int, first: date, days: int) -> Truth:
    """The dated lists of a market on so many sessions from a day."""
    market = Market(seed, rows, hard=hard)
    on = first.toordinal()
    lists: list[List] = []
    open_runs: dict[tuple[str, tuple[str | None, ...]], list[int]] = {}
    found: list[Stretch] = []
    of: dict[tuple[str, int], int] = {}
    while len(lists) < days:
        day = date.fromordinal(on)
        on += 1
        if not is_session(day.toordinal()):
            continue
        number, seen = len(lists), set()
        truth = market.truth("stocks", day)
        lists.append(List(day, len(truth), "dated", torn=hard and is_torn(seed, day.toordinal())))
        for true_id, row in truth:
            ticker = str(row["ticker"])
            if ticker in seen and of[(ticker, number)] != true_id:
                raise AssertionError(f"{ticker} is two securities on {day}")
            seen.add(ticker)
            values = (ticker, tuple(str(row[name]) if name in row else None for name in _FIELDS))
            of[(ticker, number)] = true_id
            open_runs.setdefault(values, [number, number - 1])[1] = number
        for values in [values for values, (_, last) in open_runs.items() if last < number]:
            begun, last = open_runs.pop(values)
            found.append(Stretch.made(*values, begun, last))
    found += (Stretch.made(*values, begun, last) for values, (begun, last) in open_runs.items())
    return Truth(Lists(lists), in_order(found), of)


def judge(truth: Truth, resolved: Resolved) -> Score:
    """Compare the chains with the hidden ids."""
    stretches = [one for chain in resolved.chains for segment in chain for one in segment.stretches]
    by_id: dict[int, list[Stretch]] = defaultdict(list)
    for one in stretches:
        by_id[truth.of[(one.ticker, one.first)]].append(one)
    wanted = {_link(*pair): pair for own in by_id.values() for pair in _pairs(sorted(own, key=lambda one: one.first))}
    made = {
        _link(*pair): pair
        for chain in resolved.chains
        for pair in _pairs([one for segment in chain for one in segment.stretches])
    }
    score = Score()
    for link, (one, two) in made.items():
        if truth.of[(one.ticker, one.last)] == truth.of[(two.ticker, two.first)]:
            score.right[_kind(one, two, truth.lists)] += 1
        elif _nothing_tells_apart(one, two):
            score.undecidable["nothing tells them apart"] += 1
        else:
            score.wrong[_kind(one, two, truth.lists)] += 1
            score.examples.append(f"WRONG {link} {one[1:7]} {two[1:7]}")
    known = owners(stretches)
    for link in wanted.keys() - made.keys():
        one, two = wanted[link]
        earlier = [other for other in by_id[truth.of[link[0]]] if other.last <= one.last]
        later = [other for other in by_id[truth.of[link[0]]] if other.first >= two.first]
        bucket = score.missed if _decidable(earlier, later, doubted(known)) else score.undecidable
        bucket[_kind(one, two, truth.lists)] += 1
        score.examples.append(f"{'MISSED' if bucket is score.missed else 'undecidable'} {link} {one[1:7]} {two[1:7]}")
    return score


def _nothing_tells_apart(one: Stretch, two: Stretch) -> bool:
    """Whether two securities look like one that was restyled: a second warrant of one issuer under the first one's ticker."""
    same = one.ticker == two.ticker and one.cik == two.cik and not (one.figis and two.figis)
    return same and fit(read(one.name), read(two.name))


def _pairs(own: Sequence[Stretch]) -> Iterable[tuple[Stretch, Stretch]]:
    return pairwise(own)


def _link(one: Stretch, two: Stretch) -> Link:
    return (one.ticker, one.last), (two.ticker, two.first)


def _decidable(earlier: Sequence[Stretch], later: Sequence[Stretch], doubts: frozenset[tuple[str, str]]) -> bool:
    """Whether anything in the lists tells that two parts of a life are one: a FIGI, a ticker, a name, a company's CIK."""

    def has(part: Sequence[Stretch], what: str) -> set[str]:
        if what == "figis":
            return {figi for one in part for figi in one.figis if (one.ticker, figi) not in doubts}
        return {getattr(one, what) for one in part} - {None}

    if any(has(earlier, what) & has(later, what) for what in ("figis", "ticker")):
        return True
    fund = any(role(one.type, one.name) == "fund" for one in (*earlier, *later))
    sisters = any(conflicting(read(one), read(two)) for one in has(earlier, "name") for two in has(later, "name"))
    if has(earlier, "cik") & has(later, "cik") and not fund and not sisters:
        return True
    return any(fit(read(one), read(two), fund=fund) for one in has(earlier, "name") for two in has(later, "name"))


def _kind(one: Stretch, two: Stretch, lists: Lists) -> str:
    """What happened between two stretches, the most telling first."""
    if one.ticker != two.ticker:
        if one.figis & two.figis:
            return "renamed, same FIGI"
        return "renamed, no FIGI" if not one.figis or not two.figis else "renamed, other FIGI"
    if lists.between(one.last, two.first) > 5:
        return "away and back"
    if lists.between(one.last, two.first):
        return "dropout"
    for what, text in (("figis", "FIGI"), ("cik", "CIK"), ("name", "name"), ("type", "type"), ("exchange", "exchange")):
        if getattr(one, what) != getattr(two, what):
            return f"{text} changed"
    return "other"


def total(scores: Iterable[Score]) -> Score:
    """All scores as one."""
    whole = Score()
    for score in scores:
        for name in ("right", "wrong", "missed", "undecidable"):
            getattr(whole, name).update(getattr(score, name))
        whole.examples += score.examples
    return whole


def table(score: Score) -> str:
    """The score as a Markdown table, a line for each kind of event."""
    lines = [
        "| event | links | right | wrong | missed | undecidable | precision | recall |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    kinds = sorted({*score.right, *score.wrong, *score.missed, *score.undecidable})
    for kind in [*kinds, "all"]:
        right, wrong, missed, undecidable = (
            counts.total() if kind == "all" else counts[kind]
            for counts in (score.right, score.wrong, score.missed, score.undecidable)
        )
        lines.append(
            f"| {kind} | {right + missed + undecidable:,} | {right:,} | {wrong:,} | {missed:,} | {undecidable:,} | "
            f"{_share(right, right + wrong):.4f} | {_share(right, right + missed):.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure on several seeds, both difficulties."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rows", type=int, default=2500)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2024, 1, 2))
    parser.add_argument("--examples", type=int, default=0)
    options = parser.parse_args()
    for hard in (False, True):
        scores = []
        for seed in options.seeds:
            truth = live(seed, hard=hard, rows=options.rows, first=options.first, days=options.days)
            score = judge(truth, resolve(truth.stretches, truth.lists))
            scores.append(score)
            print(
                f"{'hard' if hard else 'usual'} seed {seed}: precision {score.precision:.5f}, recall {score.recall:.5f}"
            )
        whole = total(scores)
        print(f"\n{'Hard' if hard else 'Usual'} markets, {len(scores)} seeds\n\n{table(whole)}\n")
        print(*whole.examples[: options.examples], sep="\n")


if __name__ == "__main__":
    main()
