"""Are there rows, and are they good ones?"""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.base.text import printable
from stockpipe.load.checks.finding import Finding, some
from stockpipe.load.checks.torn import torn_findings
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart

MOST_REJECTED = 0.01
"""The largest share of rejected rows, included. A single one is never too much."""
_REASONS = 3


def contents(load: Load, facts: StagedPart) -> Iterator[Finding]:
    """Findings about the rows themselves."""
    counts = facts.counts
    if not counts.published and not load.part.rules.may_be_empty and (counts.fetched or load.expects_rows):
        yield Finding("empty", "refuse", "The list has no row that could be published.")
    if counts.rejected > max(MOST_REJECTED * counts.fetched, 1):
        reasons = "; ".join(
            f"{printable(key or '(no key)')}: {printable(reason)}" for key, reason in facts.reject_reasons[:_REASONS]
        )
        text = f"{counts.rejected:,} of {counts.fetched:,} rows were rejected, more than 1 %: {reasons}."
        yield Finding("rejects", "refuse", text)
    elif counts.rejected:
        yield Finding("rejects", "warn", f"{counts.rejected:,} rows were rejected; see: stockpipe rejects.")
    if facts.conflicts:
        text = f"Two different rows for: {some(facts.conflicts)}. The newer, then the more complete one was kept."
        yield Finding("conflicts", "warn", text)
    if facts.short:
        yield Finding("short", "warn", f"{some(facts.short, 3)} Fetched again, it is the same.")
    yield from torn_findings(load, facts)
