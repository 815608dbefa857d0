"""What was resolved, as the rows of the master's tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import itemgetter
from typing import NamedTuple

from stockpipe.master.resolve import names
from stockpipe.master.resolve.events import events_of
from stockpipe.master.resolve.history import BRIDGED, Row, rows_of
from stockpipe.master.resolve.ids import Chain
from stockpipe.master.resolve.resolver import Resolved
from stockpipe.master.resolve.segment import Segment
from stockpipe.master.resolve.symbols import parts

Record = tuple[object, ...]


class Delisted(NamedTuple):
    """What the vendor's list of the delisted says of a ticker: the last day of trading."""

    ticker: str
    name: str | None
    cik: str | None
    figi: str | None
    share_class: str | None
    ended: date


@dataclass
class Tables:
    """The rows of the tables, each in order."""

    securities: list[Record] = field(default_factory=list)
    history: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    decisions: list[Record] = field(default_factory=list)
    aliases: list[Record] = field(default_factory=list)


def tables_of(resolved: Resolved, delisted: Iterable[Delisted] = ()) -> Tables:
    """All rows. `delisted` dates ends, where its rows fit."""
    lives = _lives(resolved)
    ended: dict[str, list[Delisted]] = defaultdict(list)
    for one in delisted:
        ended[one.ticker].append(one)
    issuers = _issuers(resolved, lives)
    found = Tables(aliases=sorted(resolved.named.aliases.items()))
    had = _holders(resolved, lives)
    for security_id, rows in zip(resolved.named.ids, lives, strict=True):
        life = _Life(security_id, rows, resolved)
        found.securities.append(life.security(issuers[security_id], ended.get(rows[-1].ticker, ())))
        found.history += life.history()
        found.events += life.events(had)
    # What is equal in these stays in the order in which it was found, which is the same in each build.
    # Two that a person keeps apart are kept apart by each rule that would tie them.
    found.decisions = sorted(dict.fromkeys(_decisions(resolved)), key=itemgetter(0, 1, 5, 8, 9, 11))
    found.securities.sort(key=itemgetter(0))
    found.history.sort(key=itemgetter(0, 1))
    found.events.sort(key=itemgetter(0, 1))
    return found


def _lives(resolved: Resolved) -> list[list[Row]]:
    ties = {
        (tie.earlier.last, tie.later.first, tie.later.ticker): f"{tie.rule}: {tie.evidence}"
        for tie in resolved.ties
        if tie.tied
    }
    return [rows_of(chain, resolved.lists, ties, resolved.next_start) for chain in resolved.chains]


def _holders(resolved: Resolved, lives: Sequence[Sequence[Row]]) -> dict[str, list[tuple[int, str]]]:
    """For each ticker the securities that had it, each with its first list, in order."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for security_id, rows in zip(resolved.named.ids, lives, strict=True):
        first = {row.ticker: row.first for row in reversed(rows)}
        for ticker, number in first.items():
            found[ticker].append((number, security_id))
    return {ticker: sorted(holders) for ticker, holders in found.items() if len(holders) > 1}


class _Life:
    """One security's rows."""

    def __init__(self, security_id: str, rows: Sequence[Row], resolved: Resolved) -> None:
        self._id, self._rows, self._lists, self._next_start = security_id, rows, resolved.lists, resolved.next_start

    def _until(self, at: int) -> date | None:
        """The first day behind a row; None where it lasts."""
        row, lists = self._rows[at], self._lists
        if row.last == len(lists) - 1:
            return None
        after = self._rows[at + 1] if at + 1 < len(self._rows) else None
        if after is not None and not lists.between(row.last, after.first):
            return lists.days[after.first]
        # A torn list proves no absence; but that another security has the ticker does.
        seen = [
            number
            for number in (lists.next_whole(row.last), self._next_start(row.ticker, row.last))
            if number is not None
        ]
        return lists.days[min(seen)] if seen else None

    def history(self) -> Iterable[Record]:
        for at, row in enumerate(self._rows):
            yield (
                self._id, self._lists.days[row.first], self._until(at), *row.values, row.evidence[:2000],
            )  # fmt: skip

    def security(self, issuer: str, delisted: Sequence[Delisted]) -> Record:
        last, days = self._rows[-1], self._lists.days
        status, ended = self._end(last, delisted)
        return (
            self._id, issuer, status, days[self._rows[0].first], days[last.last], ended, *last.values,
            len({row.ticker for row in self._rows}),
        )  # fmt: skip

    def _end(self, last: Row, delisted: Sequence[Delisted]) -> tuple[str, date | None]:
        """Whether it is listed, delisted or unknown, and when it was delisted."""
        end = self._until(len(self._rows) - 1)
        if end is None:
            return "listed", None
        vendor = _end_of(last, self._lists.days[last.last], delisted)
        absent = self._lists.missing_after(last.last)
        if vendor or absent > BRIDGED or self._next_start(last.ticker, last.last) is not None:
            return "delisted", vendor or end
        return "unknown", None

    def events(self, had: Mapping[str, Sequence[tuple[int, str]]]) -> Iterable[Record]:
        days = self._lists.days
        for event in events_of(self._rows, self._lists):
            ticker = next((row.ticker for row in reversed(self._rows) if row.first <= event.list), self._rows[0].ticker)
            yield (days[event.list], self._id, event.event, ticker, event.old, event.new)
        for ticker in dict.fromkeys(row.ticker for row in self._rows if row.ticker in had):
            holders = had[ticker]
            own = next((number for number, (_, holder) in enumerate(holders) if holder == self._id), 0)
            if own:
                first, before = holders[own][0], holders[own - 1][1]
                yield (days[first], self._id, "ticker_reused", ticker, before, self._id)


def _end_of(last: Row, last_day: date, delisted: Sequence[Delisted]) -> date | None:
    """The vendor's last day of trading for a security that left the lists after `last_day`, where a row is its own."""
    fitting = [
        one.ended
        for one in delisted
        if last_day - timedelta(days=10) <= one.ended <= last_day + timedelta(days=400) and _is_of(one, last)
    ]
    return min(fitting, key=lambda day: abs(day - last_day), default=None)


def _is_of(one: Delisted, last: Row) -> bool:
    if (one.figi and one.figi == last.figi) or (one.share_class and one.share_class == last.share_class):
        return True
    if one.figi and last.figi:
        return False
    if one.cik and one.cik == last.cik:
        return True
    return names.fit(names.read(one.name), names.read(last.name))


# ---- issuers ----


def _issuers(resolved: Resolved, lives: Sequence[Sequence[Row]]) -> dict[str, str]:
    """The issuer of each security: its CIK; without one, that of the company whose ticker its own begins with and whose
    name it has; else itself."""
    by_stem: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    found = {}
    for security_id, chain, rows in zip(resolved.named.ids, resolved.chains, lives, strict=True):
        if cik := _main_cik(chain):
            found[security_id] = f"CIK{cik}"
            by_stem[rows[-1].ticker].append((found[security_id], rows[-1].name))
    for security_id, rows in zip(resolved.named.ids, lives, strict=True):
        if security_id not in found:
            parents = _parents(rows[-1].name, by_stem.get(parts(rows[-1].ticker)[0], ()))
            found[security_id] = parents.pop() if len(parents) == 1 else security_id
    return found


def _parents(name: str | None, companies: Iterable[tuple[str, str | None]]) -> set[str]:
    """The companies, each with its name, that have the words of a name. Reading names takes long: few are compared."""
    return {
        issuer
        for issuer, other in companies
        if names.read(name).core and names.read(name).core == names.read(other).core
    }


def _main_cik(chain: Chain) -> str | None:
    """The CIK of most lists in the newest segment that has any."""
    for segment in reversed(chain):
        if len(ciks := {one.cik for one in segment.stretches if one.cik}) == 1:
            return ciks.pop()
        counted: Counter[str] = Counter()
        for one in segment.stretches:
            if one.cik:
                counted[one.cik] += one.last - one.first + 1
        if counted:
            return max(counted, key=lambda cik: (counted[cik], cik))
    return None


# ---- decisions ----


def _decisions(resolved: Resolved) -> Iterable[Record]:
    of = {
        id(segment): security_id
        for security_id, chain in zip(resolved.named.ids, resolved.chains, strict=True)
        for segment in chain
    }
    spans = {
        (one.ticker, one.first): segment for chain in resolved.chains for segment in chain for one in segment.stretches
    }
    for cut in resolved.cuts:
        earlier, later = spans[cut.before.ticker, cut.before.first], spans[cut.after.ticker, cut.after.first]
        yield _decision("different", cut.rule, cut.evidence, None, earlier, later, of, resolved)
    for tie in resolved.ties:
        same = of[id(tie.earlier)] == of[id(tie.later)]
        if tie.tied or not same:
            yield _decision(
                "same" if tie.tied else "different",
                tie.rule,
                tie.evidence,
                tie.confidence or None,
                tie.earlier,
                tie.later,
                of,
                resolved,
            )


def _decision(
    decision: str, rule: str, evidence: str, confidence: str | None, earlier: Segment, later: Segment,
    of: Mapping[int, str], resolved: Resolved,
) -> Record:  # fmt: skip
    days, open_end = resolved.lists.days, later.last == len(resolved.lists) - 1
    return (
        decision, rule, evidence[:2000], confidence, rule == "override",
        of[id(earlier)], earlier.ticker, days[earlier.first], days[earlier.last],
        of[id(later)], later.ticker, days[later.first], None if open_end else days[later.last],
    )  # fmt: skip
