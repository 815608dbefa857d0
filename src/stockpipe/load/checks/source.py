"""Do these rows come from where the published days come from? Sample and real days never stand in one table."""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.load.checks.finding import Finding
from stockpipe.load.loads import Load
from stockpipe.warehouse import History
from stockpipe.warehouse.source import Source

LOST = "That list as it stood cannot be had again. Nothing was published. To replace it all the same, add --force: it is recorded."


def source(load: Load, came: Source, known: History, way_out: str, *, called: bool = True) -> Iterator[Finding]:
    """Findings about where a part comes from. `way_out` is what to do when it is another kind of source.

    Before the first call (not `called`) it is not known whether a sandbox will answer.
    """
    yield from _kind(came, known, way_out, called=called)
    last = known.same_day
    replaced = Source.of(last).dated if last else None
    if last is None or replaced is None or replaced == came.dated:
        return
    if came.dated:
        build = f", the vendor's build of {last.build_date}" if last.build_date else ""
        text = (
            f"{load.ds} is published from the current list ({last.rows_published:,} rows{build}), "
            "and its dated records would replace it."
        )
        yield Finding("source", "refuse", text, LOST)
    elif called:
        text = f"The dated records that are published for {load.ds} are replaced by the current list."
        yield Finding("source", "warn", text)


def _kind(came: Source, known: History, way_out: str, *, called: bool) -> Iterator[Finding]:
    others = [one for one in known.sources if not (_same(one, came) if called else one.may_come_from(came.base_url))]
    if not others:
        return
    mixed = len(others) < len(known.sources)
    there = " and ".join(str(one) for one in others)
    if not mixed or (came.is_sample and not all(one.is_sample for one in others)):
        text = f"These rows come from {came}, and the published days come from another source: {there}."
        yield Finding("source", "refuse", text, f"Nothing was published. {way_out}")
    elif called:
        yield Finding("source", "warn", f"Published days of this list come from another source too: {there}.")


def _same(one: Source, other: Source) -> bool:
    return one.kind == other.kind
