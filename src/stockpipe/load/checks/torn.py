"""Is the list torn: are pages of two builds mixed in it?"""

from __future__ import annotations

from stockpipe.load.checks.finding import some
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart


def torn(load: Load, facts: StagedPart) -> str | None:
    """Why a current list looks torn, or None. A torn list is worth another try."""
    if load.dated:
        return None
    if len(facts.builds) > 1:
        mixed = ", ".join(f"{build:%Y-%m-%d %H:%M} ({rows:,} rows)" for build, rows in facts.builds.items())
        return f"its rows carry the stamps of {len(facts.builds)} builds: {mixed}"
    if facts.keys_on_two_pages:
        return f"{load.dataset.noun} stand on two pages: {some(facts.keys_on_two_pages)}"
    return None
