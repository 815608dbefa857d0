"""A part's list into staging: fetched until it is whole, and no longer than it may take."""

from __future__ import annotations

import logging
from contextlib import closing

from stockpipe.errors import CursorRefused
from stockpipe.load import checks
from stockpipe.load.desk import Desk
from stockpipe.load.run import PartRun
from stockpipe.load.sources import check_sources
from stockpipe.load.staged import StagedPart
from stockpipe.load.staging import Staging
from stockpipe.massive.cuts import CutPlan, pages
from stockpipe.massive.pages import Guard, Query, RangesUnusable

log = logging.getLogger(__name__)

MOST_TRIES = 3
"""How often a torn list is fetched."""
# A range holds a little under one page, so that it stays one page while the market grows.
_SHARE_OF_A_PAGE = 0.97
_LONGEST_KEY = 20


def fetch(desk: Desk, part: PartRun, staging: Staging) -> StagedPart:
    """Fetch a part's list into staging, and note its numbers in the record. A torn list is fetched again, thrice at most.

    Where a second fetch shows the same, what dated records may hold for good is taken for data.
    """
    load = part.load
    log.info("Fetching %s from Massive API...", load.part.noun)
    query = Query(load.part, load.ds if load.dated else None)
    before = None
    for attempt in range(1, MOST_TRIES + 1):
        guard = _fetch_whole(desk, part, query, staging)
        facts = staging.finish()
        reason = checks.torn(load, facts)
        if reason is None or attempt == MOST_TRIES or (reason == before and checks.may_be_data(load, facts)):
            break
        before = reason
        pause = desk.bounds.pause
        log.warning(
            "The list is torn: %s. Fetching it again in %g s (%d of %d).", reason, pause, attempt + 1, MOST_TRIES
        )
        desk.client.pacer.patience.wait(pause)
    page = load.dataset.source.page
    if guard.pages > 1 and page:
        desk.memory.learn_starts(load.part.path, staging.range_starts(int(_SHARE_OF_A_PAGE * page)))
    _note(part, facts, guard)
    return facts


def _fetch_whole(desk: Desk, part: PartRun, query: Query, staging: Staging) -> Guard:
    """Fetch the list; once more, from its start, when the API refuses its own cursor or does not keep to ranges."""
    plan = _cut_plan(desk, query)
    try:
        return _fetch_once(desk, part, query, staging, plan)
    except CursorRefused as error:
        log.warning("%s Starting again from the first page.", error.message)
    except RangesUnusable as error:
        log.warning("%s Fetching the list again, page by page.", error.message)
        plan = CutPlan()
    return _fetch_once(desk, part, query, staging, plan)


def _fetch_once(desk: Desk, part: PartRun, query: Query, staging: Staging, plan: CutPlan) -> Guard:
    staging.restart()
    guard = Guard(desk.bounds.pages)
    rows = 0
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
        log.warning("%d pages carry a count that is not their number of rows.", guard.wrong_counts)
    return guard


def _cut_plan(desk: Desk, query: Query) -> CutPlan:
    cut = query.source.cut
    if cut is None:
        return CutPlan()
    starts = desk.memory.starts(query.part.path, cut.pattern)
    return CutPlan(desk.bounds.calls, starts, cut.letters, query.part.rules.prefix)


def _note(part: PartRun, facts: StagedPart, guard: Guard) -> None:
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
        new_fields=facts.new_fields,
    )


def _fit(key: str | None) -> str | None:
    return key[:_LONGEST_KEY] if key else None
