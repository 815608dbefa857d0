"""The story: parts of a dataset for one day are fetched, staged, checked and published. It is told by `load_parts`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain

from stockpipe.base.stopping import as_interrupt, committing, stopping
from stockpipe.base.text import hiding
from stockpipe.load import checks
from stockpipe.load.compare import compare
from stockpipe.load.desk import Desk
from stockpipe.load.fetch import fetch
from stockpipe.load.loads import Load
from stockpipe.load.result import LoadResult
from stockpipe.load.run import PartRun, Run
from stockpipe.load.sources import check_sources, history, listed, source_of
from stockpipe.load.staged import StagedPart
from stockpipe.load.staging import Staging
from stockpipe.warehouse import Delivery
from stockpipe.warehouse.runs import IDLE, RunRecord, RunStatus
from stockpipe.warehouse.source import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Part:
    """A part that is staged: its run, its rows, their facts; once it is checked, the record of this day's last run too."""

    run: PartRun
    rows: Staging
    facts: StagedPart
    same_day: RunRecord | None = None

    @property
    def is_published(self) -> bool:
        """Whether this day was last published with the same rows of the same source. The build's stamps do not count."""
        last, now = self.same_day, self.run.record
        return last is not None and now.same_content(last) and Source.of(now).is_like(Source.of(last))


def load_parts(desk: Desk, loads: Sequence[Load], run: Run | None = None) -> LoadResult:
    """Load parts of a dataset for one day, whole and verified, or raise and leave every published day as it was.

    The parts are published together, in one transaction. `run` gets the records and seconds while it goes on. Raises
    ConfigError, AccessError, ApiError, DataCheckError, WarehouseError, Interrupted.
    """
    run = run or Run.begin(loads, desk.clock)
    stopping.check()
    stopping.forget_commits()
    with ExitStack() as stack:
        stack.callback(committing.clear)
        stack.callback(_release, desk)
        _prepare(desk, run)
        stack.enter_context(_recorded(desk, run))
        stack.enter_context(hiding(lambda: desk.settings.secrets))
        check_sources(desk, run.parts, called=False)
        _release(desk)
        stagings = [stack.enter_context(Staging(load.partition)) for load in loads]
        with run.phase("fetch"):
            staged = [_fetch(desk, run, *part) for part in zip(run.parts, stagings, strict=True)]
        if all(_is_idle(part) for part in staged):
            return _nothing(desk, run)
        with run.phase("check"):
            checked = [_check(desk, part) for part in staged]
        with run.phase("publish"):
            result = _publish(desk, run, checked)
        if not run.first.dry_run:
            desk.remember(run.parts)
        return result


def _prepare(desk: Desk, run: Run) -> None:
    """See to the tables, unless the run is dry. Settings that cannot be used end it before anything is opened."""
    run.counts_before = desk.client.pacer.counts.copy()
    for part in run.parts:
        part.note(source=str(source_of(desk, part)))
    desk.warehouse.begin(run.run_id)
    desk.check_settings()
    sessions = desk.sessions(run.first.dataset, dry_run=run.first.dry_run)
    for part in run.parts:
        part.load = replace(part.load, sessions=sessions)
    if not run.first.dry_run:
        with run.phase("prepare"):
            desk.prepare(run.first.dataset)


def _fetch(desk: Desk, run: Run, part: PartRun, rows: Staging) -> _Part:
    """Fetch a part; raises DataCheckError at once when the part alone shows that it may not pass."""
    facts = fetch(desk, part, rows)
    _note_calls(desk, run, [part])
    checks.refuse(checks.check(part.load, facts, None, desk.limits), force=part.load.force)
    log.info("Fetched %s %s.", f"{facts.counts.fetched:,}", part.load.dataset.noun)
    if desk.warehouse.local:
        rows.let_go()
    return _Part(part, rows, facts)


def _check(desk: Desk, part: _Part) -> _Part:
    """Compare a part with the last published one; raises DataCheckError unless it may pass."""
    known, load = history(desk, part.run), part.run.load
    compare(desk, part.run, part.facts, known, listed(desk, load.dataset, [load.ds], dry_run=load.dry_run).get(load.ds))
    return replace(part, same_day=known.same_day)


def _publish(desk: Desk, run: Run, parts: list[_Part]) -> LoadResult:
    """Publish the checked parts, unless all of it is in the table already."""
    warehouse, load = desk.warehouse, run.first
    table = warehouse.table(load.dataset)
    if not (load.dry_run or load.force) and all(part.is_published and _is_complete(desk, part) for part in parts):
        run.finish("unchanged")
        warehouse.write_records(run.records)
        rows = sum(record.rows_published for record in run.records)
        log.info("The day is unchanged: its %s rows are in %s already.", f"{rows:,}", table)
        return LoadResult(run.run_id, table, warehouse.label, run.records)
    status: RunStatus = "dry-run" if load.dry_run else "published"
    run.finish(status)
    delivery = _delivery(desk, run, parts)
    if load.dry_run:
        warehouse.rehearse(delivery)
        return LoadResult(run.run_id, table, warehouse.label, run.records, warehouse.script(delivery))
    with stopping.transaction():
        log.info("Ingesting %s %s into %s...", f"{delivery.rows:,}", load.dataset.noun, warehouse.label)
        run.take(warehouse.publish(delivery))
    log.info("Successfully ingested %s %s into %s", f"{delivery.rows:,}", load.dataset.noun, table)
    return LoadResult(run.run_id, table, warehouse.label, run.records)


def _is_idle(part: _Part) -> bool:
    """Whether there is nothing to load, and nothing was to be expected."""
    return not part.facts.counts.fetched and not part.run.load.expects_rows


def _nothing(desk: Desk, run: Run) -> LoadResult:
    """End a run that found nothing where nothing had to be: a success that is recorded, and no empty day in the table."""
    load = run.first
    why = (
        f"{load.ds} was no trading day"
        if load.pulled is None
        else "the vendor has not filled its list yet this morning"
    )
    run.finish(IDLE, message=f"Nothing to load: {why}.")
    if not load.dry_run:
        desk.warehouse.write_records(run.records)
    log.info("Nothing to load: %s.", why)
    return LoadResult(run.run_id, desk.warehouse.table(run.first.dataset), desk.warehouse.label, run.records)


def _is_complete(desk: Desk, part: _Part) -> bool:
    """Whether the table still has the rows of the last load; versions of events before the list's own are there too."""
    found, rows = desk.warehouse.count(part.run.load.partition), part.run.record.rows_published
    return found >= rows if part.run.load.dataset.kind.write == "merge" else found == rows


def _delivery(desk: Desk, run: Run, parts: list[_Part]) -> Delivery:
    parquet = [path for part in parts for path in part.rows.write_parquet(small=not desk.warehouse.local)]
    rejects = chain.from_iterable(part.rows.rejects(run.run_id) for part in parts)
    publications = [part.publication for part in run.parts]
    return Delivery(run.first.dataset, publications, parquet, rejects, desk.clock, run.first.force)


def _release(desk: Desk) -> None:
    if "warehouse" in vars(desk):
        desk.warehouse.release()


@contextmanager
def _recorded(desk: Desk, run: Run) -> Iterator[None]:
    """Leave a record of a run that ends in an error, with what its calls cost."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        known = as_interrupt(error) or error
        _note_calls(desk, run, run.parts)
        _leave_record(desk, run, known)
        if known is not error:
            raise known from None
        raise


def _note_calls(desk: Desk, run: Run, parts: Sequence[PartRun]) -> None:
    spent = desk.client.pacer.counts.since(run.counts_before)
    for part in parts:
        part.note(calls=spent.calls, retries=spent.retries, waited_seconds=round(spent.waited, 3))


def _leave_record(desk: Desk, run: Run, error: BaseException) -> None:
    """Write the records of a run that failed. That this fails too is told, and hides nothing."""
    if run.first.dry_run:
        return
    run.fail(error, desk.settings.secrets)
    try:
        desk.warehouse.write_records(run.records)
    except Exception as failed:  # noqa: BLE001 - whatever it is, the first error is the one to tell
        log.warning("The failed run could not be recorded: %s", getattr(failed, "message", failed))
