"""How old is the vendor's build?"""

from __future__ import annotations

from datetime import date

from stockpipe.load.checks.finding import Finding
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart


def build_date(load: Load, facts: StagedPart) -> date | None:
    """The date (UTC) of the newest build that a current list is of; None where its stamps do not tell one."""
    return None if load.dated or not facts.builds else max(facts.builds).date()


def freshness(load: Load, facts: StagedPart) -> list[Finding]:
    """A warning for a build that is older than the day; a refusal where a fresh one was asked for.

    And a warning for a day that is over, where the API gives today's list only.
    """
    if load.backdated:
        text = f"The API gives no earlier state of {load.part.label}: its list of today is stored as that of {load.ds}."
        return [Finding("backdated", "warn", text)]
    build = build_date(load, facts)
    if build is None or build >= load.ds:
        return []
    text = f"The vendor's list is the build of {build}, older than the day loaded ({load.ds})."
    return [Finding("stale", "refuse" if load.require_fresh else "warn", text)]
