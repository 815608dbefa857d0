"""A load that tells how it went: alerts and a trace to the receivers that are set, a metrics file where one is asked for."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

from stockpipe.base.clock import Clock
from stockpipe.base.runlog import running
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import hiding
from stockpipe.base.version import __version__
from stockpipe.errors import StockpipeError
from stockpipe.load.fetch import Progress
from stockpipe.load.job import Job
from stockpipe.load.pipeline import LoadResult, load_day
from stockpipe.load.trace import Trace
from stockpipe.observe.alerts import About, Alerts, had_failed
from stockpipe.observe.metrics import update
from stockpipe.observe.otel import send_trace
from stockpipe.settings import Settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)


def load_watched(
    job: Job, settings: Settings, clock: Clock, progress: Progress | None = None, *, metrics_file: Path | None = None
) -> LoadResult:
    """`load_day` with alerts, metrics and a trace; none of them changes how it ends. A dry run tells nobody.

    Raises what `load_day` raises, and ConfigError for an alert's URL that is not safe. All log lines carry the run's id.
    """
    trace = Trace.begin(clock)
    with running(trace.run_id), hiding(lambda: settings.secrets):
        log.debug("run %s: %s %s of %s", trace.run_id, job.market, job.dataset.name, job.ds)
        if job.dry_run:
            return load_day(job, settings, clock, progress, trace)
        return _load_and_tell(job, settings, trace, progress, metrics_file)


def _load_and_tell(
    job: Job, settings: Settings, trace: Trace, progress: Progress | None, metrics_file: Path | None
) -> LoadResult:
    alerts = Alerts.from_settings(settings)
    try:
        about = About(job.dataset.name, job.market, job.ds, trace.run_id)
        with alerts.watching(about), trace.whole(), hiding(lambda: settings.secrets):
            result = load_day(job, settings, trace.clock, progress, trace)
    except (Exception, KeyboardInterrupt) as error:
        known = as_interrupt(error) or error
        trace.records = trace.records or _unbegun(job, trace)
        trace.records = _ended(trace, known)
        if metrics_file:
            update(metrics_file, trace.records, trace.seconds, _exit_code(known))
        send_trace(settings, trace, known)
        raise
    if metrics_file:
        update(metrics_file, result.records, trace.seconds)
    # The question wakes a warehouse, so it is asked only where somebody wants to hear the answer.
    recovered = alerts.webhook_url is not None and _recovered(settings, result)
    alerts.succeeded(result.records, recovered=recovered)
    # A collector that is slow must not keep an alert back.
    send_trace(settings, trace)
    return result


def _recovered(settings: Settings, result: LoadResult) -> bool:
    with closing(open_warehouse(settings)) as warehouse:
        return had_failed(warehouse, result.records[0])


def _exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, StockpipeError) else 1


def _ended(trace: Trace, error: BaseException) -> list[RunRecord]:
    """The records of a run that ended in an error; one that could not leave them in the warehouse ends here."""
    name, now = type(error).__name__, trace.clock.now()
    return [
        record if record.error else record.finished("failed", now, rows_published=0, error=name)
        for record in trace.records
    ]


def _unbegun(job: Job, trace: Trace) -> list[RunRecord]:
    """Records for the metrics of a run that ended before it had any of its own."""
    return [
        RunRecord("", job.dataset.name, job.market, active, job.ds, trace.clock.now(), version=__version__)
        for active in job.states
    ]
