"""A load that tells how it went: alerts to the receivers that are set, and a metrics file where one is asked for."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

from stockpipe import __version__
from stockpipe.alerts import About, Alerts, had_failed
from stockpipe.clock import Clock
from stockpipe.errors import StockpipeError, as_interrupt
from stockpipe.fetch import Progress
from stockpipe.jobs import Job
from stockpipe.metrics import update
from stockpipe.pipeline import RunResult, load_day
from stockpipe.runs import RunRecord
from stockpipe.settings import Settings
from stockpipe.warehouse import open_warehouse


def load_watched(
    job: Job, settings: Settings, clock: Clock, progress: Progress | None = None, *, metrics_file: Path | None = None
) -> RunResult:
    """`load_day` with alerts and metrics; neither changes how it ends. A dry run tells nobody.

    Raises what `load_day` raises, and ConfigError for an alert's URL that is not safe.
    """
    if job.dry_run:
        return load_day(job, settings, clock, progress)
    alerts = Alerts.from_settings(settings)
    started = clock.now()
    try:
        with alerts.watching(About(job.dataset.name, job.market, job.ds)):
            result = load_day(job, settings, clock, progress)
    except (Exception, KeyboardInterrupt) as error:
        if metrics_file:
            update(metrics_file, _failed(job, as_interrupt(error) or error, started, clock))
        raise
    if metrics_file:
        update(metrics_file, result.records)
    # The question wakes a warehouse, so it is asked only where somebody wants to hear the answer.
    recovered = alerts.webhook_url is not None and _recovered(settings, result)
    alerts.succeeded(result.records, recovered=recovered)
    return result


def _recovered(settings: Settings, result: RunResult) -> bool:
    with closing(open_warehouse(settings)) as warehouse:
        return had_failed(warehouse, result.records[0])


def _failed(job: Job, error: BaseException, started: datetime, clock: Clock) -> list[RunRecord]:
    """Records for the metrics of a run that ended in an error, perhaps before it had any of its own."""
    run_id = error.run_id if isinstance(error, StockpipeError) else ""
    return [
        RunRecord(run_id, job.dataset.name, job.market, active, job.ds, started, version=__version__).finished(
            "failed", clock.now(), error=type(error).__name__
        )
        for active in job.states
    ]
