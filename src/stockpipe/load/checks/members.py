"""Do as many stocks have facts of a day as were listed on it?"""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.load.checks.finding import Finding
from stockpipe.load.checks.shape import ENOUGH_ROWS
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse.runs import RunRecord

LEAST_SHARE = 0.70
"""The smallest share of the listed stocks that a day of facts must have, included: 8,374 bars of some 9,900 in 2019."""
USUAL_SHARE = 0.80
"""The share from which on nothing is said."""


def members(load: Load, facts: StagedPart, listed: RunRecord | None) -> Iterator[Finding]:
    """Findings about the number of rows beside that of the list of the day, where that is published; `listed` is its record."""
    if listed is None or listed.rows_published < ENOUGH_ROWS or not load.expects_rows:
        return
    rows, all_listed = facts.counts.published, listed.rows_published
    share = round(rows / all_listed, 9)
    if share < USUAL_SHARE:
        text = (
            f"{rows:,} {load.dataset.noun} for {all_listed:,} listed {listed.part_id.label} of {load.ds} ({share:.0%})."
        )
        yield Finding("members", "refuse" if share < LEAST_SHARE else "warn", text)
