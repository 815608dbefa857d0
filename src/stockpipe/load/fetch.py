"""A day's list into staging: walked until it is whole, and no longer than it may take."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.base.text import printable
from stockpipe.errors import CursorRefused
from stockpipe.load import checks
from stockpipe.load.job import Job
from stockpipe.load.staging import StagedDay, Staging
from stockpipe.massive.client import Client, Endpoint
from stockpipe.massive.cuts import Split, fetch
from stockpipe.massive.memory import Memory, recall
from stockpipe.massive.open import Bounds, key_of, known_plan, paced
from stockpipe.massive.pages import Guard, Query, RangesUnusable
from stockpipe.settings import Settings
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)

TORN_WALKS = 3
# A range holds a little under one page, so that it stays one page while the market grows.
_ROWS_A_RANGE = 970

Progress = Callable[[int, int], None]
"""Called after each page with the pages and rows fetched so far."""


@dataclass
class Fetcher:
    """Fetches the lists of one job through one client. Build it with `open_fetcher`; use `client` as a context manager."""

    job: Job
    bounds: Bounds
    client: Client
    memory: Memory
    progress: Progress | None = None

    def fetch(self, staging: Staging, record: RunRecord) -> tuple[RunRecord, StagedDay]:
        """Walk the list into staging; returns the record with its numbers. A torn list is walked again, thrice at most."""
        job, asked = self.job, self.job.asked(staging.active)
        log.info("Fetching %s %s from Massive API...", "active" if staging.active else "inactive", job.dataset.name)
        query = Query(job.dataset, job.market, staging.active, job.ds if job.dated else None)
        for attempt in range(1, TORN_WALKS + 1):
            guard = self._walk(query, staging)
            day = staging.settle()
            reason = checks.torn(asked, day)
            if reason is None or attempt == TORN_WALKS:
                break
            pause = self.bounds.pause
            again = "The list is torn: %s. Walking it again in %g s (%d of %d)."
            log.warning(again, reason, pause, attempt + 1, TORN_WALKS)
            self.client.pacer.patience.wait(pause)
        if guard.pages > 1:
            self.memory.learn_starts(self._name(staging.active), staging.range_starts(_ROWS_A_RANGE))
        return self._measured(record, asked, day, guard), day

    def remember(self, clock: Clock) -> None:
        """Keep what this run learned about the key's plan and the list for the next run."""
        pacer = self.client.pacer
        if pacer.learning:
            self.memory.learn_plan(key_of(self.client.endpoint), pacer.plan, new_york_date(clock))
        self.memory.keep()

    def _walk(self, query: Query, staging: Staging) -> Guard:
        """Walk the list; once more, from its start, when the API refuses its own cursor or does not keep to ranges."""
        split = self._split(staging.active)
        try:
            return self._walk_once(query, staging, split)
        except CursorRefused as error:
            log.warning("%s Starting the walk again.", error.message)
        except RangesUnusable as error:
            log.warning("%s Walking the list again, page by page.", error.message)
            split = Split()
        return self._walk_once(query, staging, split)

    def _walk_once(self, query: Query, staging: Staging, split: Split) -> Guard:
        staging.clear()
        guard = Guard(self.bounds.pages)
        pages = rows = 0
        with closing(fetch(self.client, query, guard, split)) as placed:
            for place, page in placed:
                staging.add(place, page.rows)
                pages, rows = pages + 1, rows + len(page.rows)
                if self.progress:
                    self.progress(pages, rows)
        if guard.wrong_counts:
            log.warning("%d pages carry a count that is not their number of rows.", guard.wrong_counts)
        return guard

    def _split(self, active: bool) -> Split:
        prefix = self.job.dataset.markets[self.job.market].ticker_prefix
        return Split(self.bounds.calls, self.memory.starts(self._name(active)), prefix)

    def _name(self, active: bool) -> str:
        return f"{self.job.dataset.name}/{self.job.market}/{'active' if active else 'inactive'}"

    def _measured(self, record: RunRecord, asked: checks.Asked, day: StagedDay, guard: Guard) -> RunRecord:
        tally, sandbox = self.client.pacer.tally, self.client.sandbox
        return replace(
            record,
            rows_fetched=day.counts.fetched,
            rows_published=day.counts.published,
            rows_rejected=day.counts.rejected,
            rows_repeated=day.counts.repeated,
            pages=guard.pages,
            calls=tally.calls,
            retries=tally.retries,
            waited_seconds=round(tally.waited, 3),
            build_date=checks.build_date(asked, day),
            first_ticker=_fit(day.first_ticker),
            last_ticker=_fit(day.last_ticker),
            content_hash=day.content_hash,
            field_counts=day.field_counts,
            new_fields=day.new_fields,
            source=f"sandbox ({printable(sandbox)}) at {record.source}"[:200] if sandbox else record.source,
        )


def open_fetcher(job: Job, settings: Settings, clock: Clock, progress: Progress | None = None) -> Fetcher:
    """A fetcher with the settings' key, paced as the key's plan allows: as set, as remembered, or to be learned.

    Raises ConfigError for a setting that cannot be used. Nothing is called yet.
    """
    bounds = Bounds.of(settings)
    endpoint = Endpoint(settings.base_url, settings.api_key, bounds.answer_seconds, bounds.calls)
    client = Client(endpoint, paced(settings, clock))
    if client.pacer.learning:
        client.pacer.plan = known_plan(settings, endpoint, new_york_date(clock))
    return Fetcher(job, bounds, client, recall(settings.state_file), progress)


def _fit(ticker: str | None) -> str | None:
    return ticker[:20] if ticker else None
