"""Is the list torn: are pages of two builds mixed in it?"""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.load.checks.finding import Finding, some
from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart


def torn(load: Load, facts: StagedPart) -> str | None:
    """Why a list looks torn, or None. A torn list is worth another try."""
    return _mixed(load, facts) or _shared(load, facts)


def may_be_data(load: Load, facts: StagedPart) -> bool:
    """Whether the signs of a tear are such as a whole list may hold for good.

    So are values that two rows of dated records share, and identical rows of a restated list.
    """
    return _is_restated(load) or (load.dated and not _mixed(load, facts))


def torn_findings(load: Load, facts: StagedPart) -> Iterator[Finding]:
    """A refusal for a torn list, or a warning for what may be data."""
    reason = torn(load, facts)
    if reason and may_be_data(load, facts):
        yield Finding("torn", "warn", f"In the {'list' if _is_restated(load) else 'dated records'} {reason}.")
    elif reason:
        yield Finding("torn", "refuse", f"The list is torn: {reason}.")


def _mixed(load: Load, facts: StagedPart) -> str | None:
    """What only a list of two builds has. Dated records may have two different rows of a key, wherever a page ends.

    So may a restated list; an identical row on two pages shows a cursor that came back, and may have left another row out.
    """
    if len(facts.builds) > 1:
        mixed = ", ".join(f"{build:%Y-%m-%d %H:%M} ({rows:,} rows)" for build, rows in facts.builds.items())
        return f"its rows carry the stamps of {len(facts.builds)} builds: {mixed}"
    if on_two_pages := facts.repeated_on_two_pages if load.dated or _is_restated(load) else facts.keys_on_two_pages:
        return f"{load.dataset.noun} stand on two pages: {some(on_two_pages)}"
    return None


def _is_restated(load: Load) -> bool:
    return load.dataset.kind.write == "merge"


def _shared(load: Load, facts: StagedPart) -> str | None:
    if not facts.shared:
        return None
    return f"two rows have the same {' or '.join(load.dataset.once)}: {some(facts.shared)}"
