"""Load one dataset for one day: fetch, stage, check, publish. The whole story is `load_day`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from stockpipe.base.clock import Clock
from stockpipe.base.stopping import as_interrupt, publishing
from stockpipe.base.text import hiding, printable
from stockpipe.base.version import __version__
from stockpipe.errors import DataCheckError, Interrupted, StockpipeError
from stockpipe.load import checks
from stockpipe.load.fetch import Fetcher, Progress, open_fetcher
from stockpipe.load.job import Job
from stockpipe.load.staging import StagedDay, Staging
from stockpipe.load.trace import Trace
from stockpipe.massive.pacing import Tally
from stockpipe.models import views
from stockpipe.settings import Settings
from stockpipe.warehouse import Delivery, History, Warehouse, open_warehouse
from stockpipe.warehouse.runs import RunRecord, Status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadResult:
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


def load_day(
    job: Job, settings: Settings, clock: Clock, progress: Progress | None = None, trace: Trace | None = None
) -> LoadResult:
    """Load a day, whole and proved, or raise and leave every published day as it was.

    `trace` gets the run's records and seconds while it goes on. Raises ConfigError, AccessError, ApiError,
    DataCheckError, WarehouseError, Interrupted.
    """
    trace = trace or Trace.begin(clock)
    fetcher = open_fetcher(job, settings, clock, progress)
    warehouse = open_warehouse(settings, trace.run_id)
    source = fetcher.client.endpoint.base_url
    records = trace.records
    records[:] = [_begin(trace.run_id, job, active, source, clock) for active in job.states]
    limits = checks.Limits.of(settings, require_fresh=job.require_fresh)
    with ExitStack() as stack:
        stack.callback(warehouse.close)
        if not job.dry_run:
            with trace.phase("prepare"):
                warehouse.prepare(job.dataset, views)
        tally = fetcher.client.pacer.tally
        with _recorded(records, warehouse, job, clock, tally), hiding(lambda: settings.secrets):
            stack.enter_context(fetcher.client)
            parts = [stack.enter_context(Staging(job.dataset, job.market, active, job.ds)) for active in job.states]
            with trace.phase("fetch"):
                days = [_fetch(fetcher, staging, records, limits) for staging in parts]
            log.info("Fetched %s %s.", f"{sum(r.rows_fetched for r in records):,}", job.dataset.name)
            with trace.phase("check"):
                known = [_compare(job, warehouse, records, number, day, limits) for number, day in enumerate(days)]
            with trace.phase("publish"):
                result = _publish(job, warehouse, parts, records, known, clock)
            if not job.dry_run:
                fetcher.remember(clock)
            return result


def _fetch(fetcher: Fetcher, staging: Staging, records: list[RunRecord], limits: checks.Limits) -> StagedDay:
    """Fetch one active state; raises DataCheckError at once when the day alone shows that it may not pass."""
    job, number = fetcher.job, fetcher.job.states.index(staging.active)
    records[number], day = fetcher.fetch(staging, records[number])
    checks.refuse(checks.judge(job.asked(staging.active), day, None, limits), force=job.force)
    return day


def _compare(
    job: Job, warehouse: Warehouse, records: list[RunRecord], number: int, day: StagedDay, limits: checks.Limits
) -> RunRecord | None:
    """Judge a day against the last published one; raises DataCheckError unless it may pass.

    Returns the record of this very day's last publication.
    """
    record = records[number]
    # A dry run compares too, where that wakes nothing.
    known = warehouse.history(record) if warehouse.local or not job.dry_run else History()
    findings = checks.judge(job.asked(record.active), day, known.earlier or known.same_day, limits)
    warnings = [finding.text for finding in findings if finding.severity == "warn"]
    for text in warnings:
        log.warning("%s", text)
    forced = checks.refuse(findings, force=job.force)
    records[number] = replace(record, forced=forced, warnings=warnings)
    return known.same_day


def _publish(
    job: Job,
    warehouse: Warehouse,
    parts: list[Staging],
    records: list[RunRecord],
    known: list[RunRecord | None],
    clock: Clock,
) -> LoadResult:
    """Publish the checked parts, unless all of it is in the table already; `known` is what was published of each."""
    result = LoadResult(records[0].run_id, warehouse.table, warehouse.label, records)
    if _is_published(job, warehouse, records, known):
        records[:] = [record.finished("unchanged", clock.now()) for record in records]
        warehouse.record(records)
        log.info("The day is unchanged: its %s rows are in %s already.", f"{result.rows:,}", warehouse.table)
        return result
    status: Status = "dry-run" if job.dry_run else "published"
    parquet = [path for staging in parts for path in staging.write_parquet(small=not warehouse.local)]
    rejects = [row for staging in parts for row in staging.rejects(result.run_id)]
    records[:] = [record.finished(status, clock.now()) for record in records]
    delivery = Delivery(job.dataset, records, parquet, rejects, clock)
    if job.dry_run:
        return replace(result, sql=warehouse.plan(delivery))
    log.info("Ingesting %s %s into %s...", f"{delivery.rows:,}", job.dataset.name, warehouse.label)
    publishing.set()
    try:
        warehouse.publish(delivery)
    finally:
        publishing.clear()
    records[:] = delivery.ended()
    log.info("Successfully ingested %s %s into %s", f"{delivery.rows:,}", job.dataset.name, warehouse.table)
    return result


def _is_published(job: Job, warehouse: Warehouse, records: list[RunRecord], known: list[RunRecord | None]) -> bool:
    """Whether the table holds just these rows already, so that a record of the run is all there is to write.

    The build's stamps (LAST_UPDATED_UTC) do not count. With --force the day is always written anew.
    """
    return not (job.dry_run or job.force) and all(
        last is not None and record.same_content(last) and warehouse.holds(record) == record.rows_published
        for record, last in zip(records, known, strict=True)
    )


@contextmanager
def _recorded(records: list[RunRecord], warehouse: Warehouse, job: Job, clock: Clock, tally: Tally) -> Iterator[None]:
    """Leave a record of a run that ends in an error, where the warehouse can be reached."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        known = as_interrupt(error) or error
        if isinstance(known, StockpipeError):
            # A walk that failed has no numbers of its own; what it cost is known all the same.
            waited = round(tally.waited, 3)
            records[:] = [
                replace(record, calls=tally.calls, retries=tally.retries, waited_seconds=waited) for record in records
            ]
            _leave_record(records, warehouse, job, clock, known)
        if known is not error:
            raise known from None
        raise


def _leave_record(
    records: list[RunRecord], warehouse: Warehouse, job: Job, clock: Clock, error: StockpipeError
) -> None:
    error.run_id = records[0].run_id
    status: Status = (
        "refused"
        if isinstance(error, DataCheckError)
        else "interrupted"
        if isinstance(error, Interrupted)
        else "failed"
    )
    if job.dry_run:
        return
    records[:] = [
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
        warehouse.record(records)
    except StockpipeError as failed:
        log.warning("The failed run could not be recorded: %s", failed.message)


def _begin(run_id: str, job: Job, active: bool, source: str, clock: Clock) -> RunRecord:
    return RunRecord(
        run_id, job.dataset.name, job.market, active, job.ds, clock.now(), source=source, version=__version__
    )  # fmt: skip
