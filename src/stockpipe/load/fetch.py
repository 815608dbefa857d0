"""A part's list into staging: fetched until it is whole, and no longer than it may take."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from datetime import date

from stockpipe.errors import ApiError, CursorRefused
from stockpipe.load import checks
from stockpipe.load.desk import Desk
from stockpipe.load.run import PartRun
from stockpipe.load.sources import check_sources
from stockpipe.load.staged import StagedPart
from stockpipe.load.staging import Staging
from stockpipe.massive.cuts import CutPlan, RangesGap, pages
from stockpipe.massive.pacing import Pacer
from stockpipe.massive.pages import Guard, Query, RangesUnusable

log = logging.getLogger(__name__)

MOST_TRIES = 3
"""How often a torn list is fetched."""
# A range holds a little under one page, so that it stays one page while the market grows.
_SHARE_OF_A_PAGE = 0.97
_LONGEST_KEY = 20


def fetch(desk: Desk, part: PartRun, staging: Staging) -> StagedPart:
    """Fetch a part's list into staging, and note its numbers in the record.

    A torn list, and one that lacks rows of the last published day in one of its ranges, is fetched again, thrice at most.
    What two fetches say alike is the API's word, but for a tear that no whole list can show. ApiError when the list
    lacks other rows each time.
    """
    load = part.load
    log.info("Fetching %s from Massive API...", load.part.noun)
    query = Query(load.part, load.ds if load.dated else None, sessions=load.sessions)
    plan = known = _cut_plan(desk, query, load.ds)
    said: set[str | None] = set()
    for attempt in range(1, MOST_TRIES + 1):
        guard = _fetch_whole(desk, part, query, staging, plan, said)
        facts = staging.finish()
        short = known.shortfalls(staging.range_counts(known.starts)) if known.counts else []
        missing = [text for text in short if text not in said]
        torn = checks.torn(load, facts)
        is_settled = torn is None or (torn in said and checks.may_be_data(load, facts))
        if attempt == MOST_TRIES or (is_settled and not missing):
            break
        said |= {torn, *short}
        if not is_settled:
            _pause(desk, f"{load.part.label}: the list is torn: {torn}.", attempt)
        else:
            log.warning("%s: %s Fetching the list again, page by page.", load.part.label, missing[0])
            plan = replace(known, calls=1)
    _must_not_lack(missing)
    _note_ranges(part, staging, guard)
    _note(part, facts, guard)
    return replace(facts, short=tuple(short))


def _must_not_lack(missing: list[str]) -> None:
    """ApiError for rows that the last fetch lacked, and no fetch before it."""
    if missing:
        raise ApiError(
            f"The API's list lacks other rows each time that it is fetched. {missing[0]}",
            hint="Nothing was published. Run again later.",
        )


def _note_ranges(part: PartRun, staging: Staging, guard: Guard) -> None:
    """Keep where the list can be cut next time, and how many rows lie between."""
    page = part.load.dataset.source.page
    if guard.pages > 1 and page:
        part.ranges = staging.ranges(int(_SHARE_OF_A_PAGE * page))


def _pause(desk: Desk, reason: str, attempt: int) -> None:
    pause = desk.bounds.pause
    log.warning("%s Fetching it again in %g s (%d of %d).", reason, pause, attempt + 1, MOST_TRIES)
    desk.client.pacer.patience.wait(pause)


def _fetch_whole(
    desk: Desk, part: PartRun, query: Query, staging: Staging, plan: CutPlan, said: set[str | None]
) -> Guard:
    """Fetch the list; once more, page by page, when the API does not keep to ranges.

    What a range lacked, asked twice, is added to `said`. ApiError when the list has fewer rows than its ranges had.
    """
    try:
        return _fetch_afresh(desk, part, query, staging, plan)
    except RangesUnusable as error:
        log.warning("%s: %s Fetching the list again, page by page.", part.load.part.label, error.message)
        said.add(error.message)
        rows = staging.rows if isinstance(error, RangesGap) else 0
    guard = _fetch_afresh(desk, part, query, staging, replace(plan, calls=1))
    if staging.rows < rows:
        raise ApiError(
            f"The API's list, fetched page by page, has {staging.rows:,} rows; its ranges have {rows:,}.",
            hint="Nothing was published. Run again later.",
        )
    return guard


def _fetch_afresh(desk: Desk, part: PartRun, query: Query, staging: Staging, plan: CutPlan) -> Guard:
    """Fetch the list; once more, from its start, when the API refuses its own cursor."""
    try:
        return _fetch_once(desk, part, query, staging, plan)
    except CursorRefused as error:
        log.warning("%s: %s Starting again from the first page.", part.load.part.label, error.message)
    return _fetch_once(desk, part, query, staging, plan)


def _fetch_once(desk: Desk, part: PartRun, query: Query, staging: Staging, plan: CutPlan) -> Guard:
    staging.restart()
    guard = Guard(desk.bounds.pages)
    rows = 0
    _expect_calls(desk.client.pacer, query, plan)
    with closing(pages(desk.client, query, guard, plan)) as found:
        for number, (place, page) in enumerate(found, start=1):
            if number == 1:
                # Whether a sandbox answers is known only now.
                check_sources(desk, [part], called=True)
            staging.add(place, page.rows)
            rows += len(page.rows)
            if desk.progress:
                desk.progress(number, rows)
    if guard.wrong_counts:
        label = part.load.part.label
        log.warning("%s: %d pages carry a count that is not their number of rows.", label, guard.wrong_counts)
    return guard


def _expect_calls(pacer: Pacer, query: Query, plan: CutPlan) -> None:
    """Tell the pacer how many calls the list will take: as the last day's, else as usual, where one of the two is known."""
    known = -(-sum(plan.counts) // (query.source.page or 1))  # rounded up
    is_usual = query.part == query.part.dataset.parts()[0] and not query.part.options
    pacer.as_usual = not known
    pacer.calls_left = known or (query.part.dataset.calls if is_usual else 0)


def _cut_plan(desk: Desk, query: Query, day: date) -> CutPlan:
    cut = query.source.cut
    if cut is None:
        return CutPlan()
    starts = desk.memory.starts(query.part.path, cut.pattern)
    counts = desk.memory.counts(query.part.path, starts, day)
    return CutPlan(desk.calls, starts, counts, cut.letters, query.part.rules.prefix)


def _note(part: PartRun, facts: StagedPart, guard: Guard) -> None:
    more = facts.more_new_fields
    part.note(
        rows_fetched=facts.counts.fetched,
        rows_published=facts.counts.published,
        rows_rejected=facts.counts.rejected,
        rows_repeated=facts.counts.repeated,
        pages=guard.pages,
        build_date=checks.build_date(part.load, facts),
        first_ticker=_fit(facts.first_key),
        last_ticker=_fit(facts.last_key),
        content_hash=facts.content_hash,
        field_counts=facts.field_counts,
        new_fields=[*facts.new_fields, f"and {more:,} more"] if more else facts.new_fields,
    )


def _fit(key: str | None) -> str | None:
    return key[:_LONGEST_KEY] if key else None
