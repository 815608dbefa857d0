"""Can the day be trusted? One line for each doubt that there may be, and a sentence over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from stockpipe.base.calendar import missing_session
from stockpipe.base.clock import NEW_YORK
from stockpipe.load.checks.volume import band
from stockpipe.report.facts import Facts

State = Literal["good", "look"]
DAYS_BACK = 30
# A share of one column's values that is lost from one day to the next and is worth a look.
_POINT = 0.01


@dataclass(frozen=True)
class Trust:
    """One thing that was looked at."""

    name: str
    state: State
    text: str


def looked_at(facts: Facts) -> list[Trust]:
    """All that was looked at, in the order of the page."""
    return [
        _age(facts),
        _rows(facts),
        _rejects(facts),
        *_said(facts),
        *_coverage(facts),
        _gaps(facts),
    ]


def verdict(facts: Facts) -> str:
    """The day in a sentence or two."""
    doubts = [one for one in looked_at(facts) if one.state == "look"]
    told = f"{facts.day.ds}: {facts.day.rows:,} listed {facts.part.label}{_moved(facts)}."
    if not doubts:
        return f"{told} Nothing is unusual."
    return f"{told} Look at {_list([one.name.lower() for one in doubts])}."


def _moved(facts: Facts) -> str:
    if facts.before is None:
        return ", the first day that is published"
    counts = ((len(facts.changed(kind)), kind) for kind in ("new", "gone", "renamed"))
    changed = len({row["TICKER"] for row in facts.changed("changed")})
    told = [f"{count:,} {kind}" for count, kind in (*counts, (changed, "changed")) if count]
    return f"; {', '.join(told) or 'no change'} since {facts.before.ds}"


def _age(facts: Facts) -> Trust:
    day, today = facts.day, facts.made.astimezone(NEW_YORK).date()
    days = (today - day.ds).days
    if day.ds < facts.newest:
        return Trust("Age", "good", f"A past day: the newest published one is {facts.newest}.")
    told = {0: "Of today", 1: "Of yesterday"}.get(days, f"{days} days old")
    stale = missing_session(day.build, day.ds)
    build = f", from the vendor's build of {day.build}" if day.build else ""
    return Trust("Age", "look" if stale or days > 1 else "good", f"{told}{build}.{f' {stale}' if stale else ''}")


def _rows(facts: Facts) -> Trust:
    now, before = facts.day, facts.before
    if before is None:
        return Trust("Rows", "good", f"{now.rows:,}; there is no earlier day to compare with.")
    low, high = band(before.rows, (now.ds - before.ds).days, facts.limits)
    share = f" ({now.rows / before.rows - 1:+.2%})" if before.rows else ""
    told = f"{now.rows:,} against {before.rows:,} on {before.ds}{share}; {low:,.0f} to {high:,.0f} pass."
    return Trust("Rows", "good" if low < now.rows < high or now.rows == before.rows else "look", told)


def _rejects(facts: Facts) -> Trust:
    count = facts.day.rejected
    told = f"{count:,} rows could not be published: stockpipe rejects --run {facts.day.run_id}." if count else "None."
    return Trust("Rejected rows", "look" if count else "good", told)


def _said(facts: Facts) -> Iterator[Trust]:
    """What the run itself found unusual."""
    if facts.day.forced:
        yield Trust("Force", "look", f"These checks refused the day and were overruled: {_list(facts.day.forced)}.")
    for warning in facts.day.warnings:
        yield Trust("Warning", "look", warning)


def _coverage(facts: Facts) -> Iterator[Trust]:
    for column, name in (("CIK", "CIK"), ("COMPOSITE_FIGI", "FIGI")):
        share = facts.day.coverage(column)
        if share is None:
            continue
        before = facts.before.coverage(column) if facts.before else None
        against = f", {before:.1%} on {facts.before.ds}" if facts.before and before is not None else ""
        lost = before is not None and before - share >= _POINT
        yield Trust(f"{name} known", "look" if lost else "good", f"{share:.1%} of the rows{against}.")


def _gaps(facts: Facts) -> Trust:
    """Every calendar day is expected: the vendor renews its list each night."""
    day, known = facts.day.ds, {one.ds for one in facts.days}
    first = max(facts.days[0].ds, day - timedelta(days=DAYS_BACK - 1))
    expected = [first + timedelta(days=number) for number in range((day - first).days + 1)]
    missing = [one for one in expected if one not in known]
    if not missing:
        return Trust(
            "Gaps", "good", "None in the last day." if len(expected) == 1 else f"None in the last {len(expected)} days."
        )
    more = [f"{len(missing) - 5} more"] if len(missing) > 5 else []
    shown = _list([*(str(one) for one in missing[:5]), *more])
    verb = "is" if len(missing) == 1 else "are"
    return Trust("Gaps", "look", f"{len(missing)} of the last {len(expected)} days {verb} not published: {shown}.")


def _list(words: list[str]) -> str:
    """Words with commas and an "and"."""
    unique = list(dict.fromkeys(words))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
