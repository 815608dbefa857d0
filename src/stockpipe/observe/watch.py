"""A load that tells how it went: alerts and a trace to the receivers that are set, a metrics file where one is asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from stockpipe.base.runlog import running
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import hiding
from stockpipe.errors import exit_code_of
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.load.pipeline import load_parts
from stockpipe.load.result import LoadResult
from stockpipe.load.run import Run
from stockpipe.observe.alerts import Alerts
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.otel import send_trace
from stockpipe.warehouse.history import had_failed

log = logging.getLogger(__name__)


def load_watched(
    desk: Desk, loads: Sequence[Load], *, metrics: MetricsFile | None = None, alerts: Alerts | None = None
) -> LoadResult:
    """`load_parts` with alerts, metrics and a trace; none of them changes how it ends. A dry run tells nobody.

    `alerts` are those of the settings where none are given. Raises what `load_parts` raises, and ConfigError for an
    alert's URL that is not safe. All log lines carry the run's id.
    """
    run = Run.begin(loads, desk.clock)
    with running(run.run_id), hiding(lambda: desk.settings.secrets):
        parts = "; ".join(load.part.label for load in loads)
        log.debug("run %s: %s %s of %s", run.run_id, parts, run.first.dataset.name, run.first.ds)
        if run.first.dry_run:
            return load_parts(desk, loads, run)
        return _load_and_tell(desk, loads, run, metrics, alerts or Alerts.from_settings(desk.settings))


def _load_and_tell(
    desk: Desk, loads: Sequence[Load], run: Run, metrics: MetricsFile | None, alerts: Alerts
) -> LoadResult:
    try:
        with alerts.watching(run.records[0]), run.whole(), hiding(lambda: desk.settings.secrets):
            result = load_parts(desk, loads, run)
    except (Exception, KeyboardInterrupt) as error:
        known = as_interrupt(error) or error
        _end(run, known)
        if metrics:
            metrics.update(run.records, run.seconds, exit_code_of(known))
        send_trace(desk.settings, run, known)
        raise
    if metrics:
        metrics.update(run.records, run.seconds)
    # The question wakes a warehouse, so it is asked only where somebody wants to hear the answer.
    alerts.succeeded(run.records, recovered=alerts.webhook_url is not None and _recovered(desk, run))
    # A collector that is slow must not keep an alert back.
    send_trace(desk.settings, run)
    return result


def _recovered(desk: Desk, run: Run) -> bool:
    failed = had_failed(desk.warehouse, run.records[0], run.first.part)
    desk.warehouse.release()
    return bool(failed)


def _end(run: Run, error: BaseException) -> None:
    """End the records of a run that ended in an error; those that could not be left in the warehouse end here."""
    for part in run.parts:
        if not part.record.error:
            part.record = part.record.finished("failed", run.clock.now(), rows_published=0, error=type(error).__name__)
