"""Load one dataset for one day: fetch, stage, check, publish. The whole story is `load_day`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from stockpipe import __version__, checks
from stockpipe.clock import Clock, new_york_date
from stockpipe.datasets import DATASETS, Dataset
from stockpipe.errors import (
    CursorRefused,
    DataCheckError,
    Interrupted,
    StockpipeError,
    UsageError,
    as_interrupt,
    printable,
)
from stockpipe.massive.client import Client, Endpoint
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.massive.pages import Guard, Query, walk
from stockpipe.runs import RunRecord, Status, new_run_id
from stockpipe.settings import Settings
from stockpipe.staging import StagedDay, Staging
from stockpipe.warehouse import Delivery, Warehouse, open_warehouse

log = logging.getLogger(__name__)

TORN_WALKS = 3

Progress = Callable[[int, int], None]
"""Called after each page with the pages and rows fetched so far."""


@dataclass(frozen=True)
class Job:
    """What to load: `ds` labels the snapshot; `dated` asks the API for that day's records, else for its current list."""

    dataset: Dataset
    market: str
    states: tuple[bool, ...]
    ds: date
    dated: bool
    dry_run: bool = False
    force: bool = False
    require_fresh: bool = False
    load_method: str = "copy"


@dataclass(frozen=True)
class RunResult:
    """What a run did: a record for each active state, where the data is, and, for a dry run, the SQL it would run."""

    run_id: str
    table: str
    target: str
    records: list[RunRecord]
    sql: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows published, over all active states."""
        return sum(record.rows_published for record in self.records)


def load_day(job: Job, settings: Settings, clock: Clock, progress: Progress | None = None) -> RunResult:
    """Load a day, whole and proved, or raise and leave every published day as it was.

    Raises ConfigError, AccessError, ApiError, DataCheckError, WarehouseError, Interrupted.
    """
    run_id = new_run_id(clock.now())
    endpoint = _endpoint(settings)
    warehouse = open_warehouse(settings, run_id, load_method=job.load_method)
    records = [_begin(run_id, job, active, endpoint.base_url, clock) for active in job.states]
    pacer = _pacer(settings, clock)
    with ExitStack() as stack:
        stack.callback(warehouse.close)
        if not job.dry_run:
            warehouse.prepare(job.dataset)
        with _recorded(records, warehouse, job, clock):
            client = stack.enter_context(Client(endpoint, pacer))
            parts = [stack.enter_context(Staging(job.dataset, job.market, active, job.ds)) for active in job.states]
            for number, staging in enumerate(parts):
                records[number], day = _fetch(job, client, staging, settings, records[number], clock, progress)
                records[number] = _check(job, settings, warehouse, records[number], day)
            log.info("Fetched %s %s.", f"{sum(r.rows_fetched for r in records):,}", job.dataset.name)
            return _publish(job, warehouse, parts, records, clock)


def _fetch(
    job: Job,
    client: Client,
    staging: Staging,
    settings: Settings,
    record: RunRecord,
    clock: Clock,
    progress: Progress | None,
) -> tuple[RunRecord, StagedDay]:
    """Walk the pages into staging. A torn list is walked again, a refused cursor restarts the walk once."""
    query = Query(job.dataset, job.market, staging.active, job.ds if job.dated else None)
    asked = _asked(job, staging.active)
    log.info("Fetching %s %s from Massive API...", "active" if staging.active else "inactive", job.dataset.name)
    restarted = False
    for attempt in range(1, TORN_WALKS + 1):
        try:
            guard = _walk_once(client, query, staging, settings, progress)
        except CursorRefused as error:
            if restarted:
                raise
            log.warning("%s Starting the walk again.", error.message)
            restarted = True
            guard = _walk_once(client, query, staging, settings, progress)
        day = staging.settle()
        reason = checks.torn(asked, day)
        if reason is None or attempt == TORN_WALKS:
            break
        pause = settings.number("STOCKPIPE_TORN_PAUSE")
        log.warning(
            "The list is torn: %s. Walking it again in %g s (%d of %d).",
            reason,
            pause,
            attempt + 1,
            TORN_WALKS,
        )
        client.pacer.patience.wait(pause)
    return _measured(record, asked, day, guard, client, clock), day


def _walk_once(client: Client, query: Query, staging: Staging, settings: Settings, progress: Progress | None) -> Guard:
    staging.clear()
    guard = Guard(int(settings.number("STOCKPIPE_MAX_PAGES", least=1)))
    rows = 0
    for page in walk(client, query, guard):
        staging.add(guard.pages, page.rows)
        rows += len(page.rows)
        if progress:
            progress(guard.pages, rows)
    if guard.wrong_counts:
        log.warning("%d pages carry a count that is not their number of rows.", guard.wrong_counts)
    return guard


def _check(job: Job, settings: Settings, warehouse: Warehouse, record: RunRecord, day: StagedDay) -> RunRecord:
    """Judge the staged day against itself and the last published one; raises DataCheckError unless it may pass."""
    limits = checks.Limits(
        settings.number("STOCKPIPE_MAX_LOSS", most=100) / 100,
        settings.number("STOCKPIPE_MAX_GROWTH") / 100,
        job.require_fresh,
    )
    asked = _asked(job, record.active)
    alone = checks.judge(asked, day, None, limits)
    checks.refuse(alone, force=job.force)
    findings = (
        checks.judge(asked, day, warehouse.last_published(record), limits) if _can_compare(job, warehouse) else alone
    )
    warnings = [finding.text for finding in findings if finding.severity == "warn"]
    for text in warnings:
        log.warning("%s", text)
    return replace(record, forced=checks.refuse(findings, force=job.force), warnings=warnings)


def _publish(job: Job, warehouse: Warehouse, parts: list[Staging], records: list[RunRecord], clock: Clock) -> RunResult:
    status: Status = "dry-run" if job.dry_run else "published"
    records[:] = [record.finished(status, clock.now()) for record in records]
    parquet = [path for staging in parts for path in staging.write_parquet()]
    rejects = [row for staging in parts for row in staging.rejects(records[0].run_id)]
    delivery = Delivery(job.dataset, records, parquet, rejects)
    result = RunResult(records[0].run_id, warehouse.table, warehouse.label, records)
    if job.dry_run:
        return replace(result, sql=warehouse.plan(delivery))
    log.info("Ingesting %s %s into %s...", f"{delivery.rows:,}", job.dataset.name, warehouse.label)
    warehouse.publish(delivery)
    log.info("Successfully ingested %s %s into %s", f"{delivery.rows:,}", job.dataset.name, warehouse.table)
    return result


@contextmanager
def _recorded(records: list[RunRecord], warehouse: Warehouse, job: Job, clock: Clock) -> Iterator[None]:
    """Leave a record of a run that ends in an error, where the warehouse can be reached."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        known = as_interrupt(error) or error
        if isinstance(known, StockpipeError):
            _leave_record(records, warehouse, job, clock, known)
        if known is not error:
            raise known from None
        raise


def _leave_record(
    records: list[RunRecord], warehouse: Warehouse, job: Job, clock: Clock, error: StockpipeError
) -> None:
    status: Status = (
        "refused"
        if isinstance(error, DataCheckError)
        else "interrupted"
        if isinstance(error, Interrupted)
        else "failed"
    )
    if job.dry_run:
        return
    ended = [
        record.finished(
            status,
            clock.now(),
            rows_published=0,
            error=type(error).__name__,
            message=printable(str(error))[:2000],
        )
        for record in records
    ]
    try:
        warehouse.record(ended)
    except StockpipeError as failed:
        log.warning("The failed run could not be recorded: %s", failed.message)


def _begin(run_id: str, job: Job, active: bool, source: str, clock: Clock) -> RunRecord:
    return RunRecord(
        run_id, job.dataset.name, job.market, active, job.ds, clock.now(), source=source, version=__version__
    )  # fmt: skip


def _measured(
    record: RunRecord, asked: checks.Asked, day: StagedDay, guard: Guard, client: Client, clock: Clock
) -> RunRecord:
    tally = client.pacer.tally
    if clock.interrupted:
        raise Interrupted("Stopped on request; nothing was published.")
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
        source=f"sandbox ({printable(client.sandbox)}) at {record.source}"[:200] if client.sandbox else record.source,
    )


def _fit(ticker: str | None) -> str | None:
    return ticker[:20] if ticker else None


def _asked(job: Job, active: bool) -> checks.Asked:
    return checks.Asked(job.dataset, job.market, active, job.ds, current=not job.dated)


def _can_compare(job: Job, warehouse: Warehouse) -> bool:
    """A dry run compares too, where that wakes nothing: against a DuckDB file."""
    return not job.dry_run or warehouse.label.startswith("DuckDB")


def _endpoint(settings: Settings) -> Endpoint:
    return Endpoint(settings.base_url, settings.api_key, settings.number("STOCKPIPE_ANSWER_TIMEOUT", least=0.1))


def _pacer(settings: Settings, clock: Clock) -> Pacer:
    patience = Patience(clock, clock.monotonic() + settings.number("STOCKPIPE_DEADLINE", least=1))
    per_second = settings.number("STOCKPIPE_REQUESTS_PER_SECOND", least=0.01, most=100)
    return Pacer(patience, settings.plan, settings.rate_limit_delay, per_second)


def plan_job(
    clock: Clock,
    *,
    dataset: str = "tickers",
    on: str | date | None = None,
    market: str | None = None,
    active: str = "true",
    **how: Any,
) -> Job:
    """A job from a user's words; UsageError names the word that makes no sense and what would.

    `on` is a day in New York (both ends included: from the vendor's first day to today); without it the current list
    is loaded as today's. `active` is true, false or both. `how` are further fields of Job.
    """
    if dataset not in DATASETS:
        raise UsageError(f"There is no dataset {dataset!r}.", hint=f"Choose from: {', '.join(DATASETS)}.")
    declared = DATASETS[dataset]
    market = market or declared.default_market
    if market not in declared.markets:
        raise UsageError(f"There is no market {market!r}.", hint=f"Choose from: {', '.join(declared.markets)}.")
    states = {"true": (True,), "false": (False,), "both": (True, False)}.get(active)
    if states is None:
        raise UsageError(f"--active is {active!r}.", hint="Choose from: true, false, both.")
    today = new_york_date(clock)
    return Job(
        declared,
        market,
        states,
        today if on is None else _day(on, declared.first_day, today),
        on is not None,
        **how,
    )


def _day(on: str | date, first: date, today: date) -> date:
    try:
        day = date.fromisoformat(on) if isinstance(on, str) else on
    except ValueError:
        raise UsageError(f"{on!r} is not a date.", hint="Write it as YYYY-MM-DD, such as 2026-02-07.") from None
    if not first <= day <= today:
        raise UsageError(
            f"{day} is outside of what can be asked for.",
            hint=f"Choose a day from {first} to {today} (today in New York).",
        )
    return day
