"""Which fields came, and which are gone?"""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.datasets import Part
from stockpipe.load.checks.finding import Finding, some
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse.runs import RunRecord

ENOUGH_ROWS = 200
"""With fewer rows, a field that is empty in all of them says nothing."""


def shape(part: Part, facts: StagedPart, last: RunRecord | None) -> Iterator[Finding]:
    """Findings about fields; `last` is the record of the day to compare with, None on a first day."""
    if facts.new_fields:
        names = some(facts.new_fields, more=facts.more_new_fields)
        text = f"The API sent fields that stockpipe does not know, kept in EXTRA: {names}."
        yield Finding("new fields", "warn", text)
    if facts.counts.published < ENOUGH_ROWS:
        return
    empty = [name for name, filled in facts.field_counts.items() if not filled]
    had = last.field_counts if last else {}
    vanished = [name for name in empty if had.get(name, 0) >= ENOUGH_ROWS and name not in part.rules.fleeting]
    if vanished and last:
        are = "is" if len(vanished) == 1 else "are"
        was = "it was" if len(vanished) == 1 else "they were"
        yield Finding("vanished", "refuse", f"{some(vanished)} {are} empty in every row; on {last.ds} {was} filled.")
    absent = [name for name in empty if name in part.rules.expected and name not in vanished]
    if absent and last is None:
        yield Finding("absent", "warn", f"No row has {some(absent)}, which {part.label} usually have.")
