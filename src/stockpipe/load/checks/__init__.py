"""May this part be published? Every doubt is a finding: a warning, or a refusal.

The facts come from the staged part and from the record of the last published day. Where the vendor's lists are known to
misbehave, the check says how (seen in dumps of 2025 and 2026): pages of two builds mixed in one list, a build late by
hours or days, lists cut by a 429, days with a third of the rows missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from stockpipe.errors import DataCheckError
from stockpipe.load.checks.contents import contents
from stockpipe.load.checks.finding import Finding, Limits, Severity
from stockpipe.load.checks.freshness import build_date, freshness
from stockpipe.load.checks.members import members
from stockpipe.load.checks.shape import shape
from stockpipe.load.checks.source import source
from stockpipe.load.checks.torn import may_be_data, torn
from stockpipe.load.checks.volume import list_end, volume, whole_pages
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse import History, merge
from stockpipe.warehouse.runs import RunRecord

_USUAL = "Nothing was published. If the day is right all the same, run again with --force: it is recorded."

_EMPTY = "Nothing was published: there is no row to publish. Run again later; if it stays, ask the vendor what became of the list."


def check(load: Load, facts: StagedPart, last: RunRecord | None, limits: Limits) -> list[Finding]:
    """All findings about a staged part; `last` is the record of the day to compare with, None on a first day."""
    facts.counts.require_sum()
    findings = [*contents(load, facts), *freshness(load, facts), *shape(load.part, facts, last)]
    if last is not None and last.rows_published:
        # A restated list is compared with what is open, where it is merged.
        if load.part.rules.steady and load.dataset.kind.write == "replace":
            findings += volume(load.ds, facts, last, limits)
        if load.dataset.source.page:
            findings += list_end(facts, last)
        return [*findings, *whole_pages(load.dataset, facts, last)]
    return [*findings, *whole_pages(load.dataset, facts, None)]


def must_be_newest(load: Load, known: History) -> None:
    """DataCheckError, also with `force`, for a restated list of a day before its newest load: it would rewrite history."""
    later = [record for record in known.records if record.ds > load.ds] if load.dataset.kind.write == "merge" else []
    merge.must_be_newest(len(later), load.partition)


def refuse(findings: Sequence[Finding], *, force: bool) -> list[str]:
    """Raise DataCheckError when a finding refuses the part; with `force`, return what was overruled instead."""
    refusals = [finding for finding in findings if finding.severity == "refuse"]
    if refusals and not force:
        raise DataCheckError(
            " ".join(finding.text for finding in refusals),
            hint=_way_out(refusals),
            checks=(finding.check for finding in refusals),
        )
    return [f"{finding.check}: {finding.text}" for finding in refusals]


def _way_out(refusals: Sequence[Finding]) -> str:
    """What to do next. Where there is no row to publish, --force is no way."""
    if any(finding.check == "empty" for finding in refusals):
        return _EMPTY
    return " ".join(dict.fromkeys(finding.way_out or _USUAL for finding in refusals))


__all__ = [
    "Finding",
    "Limits",
    "Severity",
    "build_date",
    "check",
    "may_be_data",
    "members",
    "must_be_newest",
    "refuse",
    "source",
    "torn",
]
