"""Several jobs with one client, one pace and one session: one that fails does not stop the rest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from stockpipe.base.runlog import run_of, running
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import printable
from stockpipe.errors import StockpipeError, WarehouseError, exit_code_of
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.load.result import LoadResult
from stockpipe.observe.alerts import Alerts, stale_reason
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.watch import load_watched

log = logging.getLogger(__name__)


def label_of(loads: Sequence[Load]) -> str:
    """What people call a job: `tickers: stocks; stocks, delisted`; a dataset that is one list by its name alone."""
    name, labels = loads[0].dataset.name, "; ".join(dict.fromkeys(load.part.label for load in loads))
    return name if labels == name else f"{name}: {labels}"


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a result, or with an error."""

    loads: Sequence[Load]
    result: LoadResult | None = None
    error: BaseException | None = None

    @property
    def label(self) -> str:
        """What people read, see `label_of`."""
        return label_of(self.loads)

    @property
    def exit_code(self) -> int:
        """What a command would end with that did only this."""
        return exit_code_of(self.error) if self.error else 0


def worst(codes: Sequence[int]) -> int:
    """The exit code for several: a stop first, then what nobody foresaw, then the highest; 0 when all are."""
    return max(codes, key=lambda code: (code >= 130, code == 1, code), default=0)


def load_several(desk: Desk, jobs: Sequence[Sequence[Load]], *, metrics: MetricsFile | None = None) -> list[Outcome]:
    """Load jobs one after the other, each published by itself; an error is logged and kept, and the next one goes on.

    A stop ends it: the jobs behind it have no outcome. Raises ConfigError, before anything is called, for a setting
    that none of them could do with.
    """
    _ = desk.settings.api_key
    desk.check_settings()
    found: list[Outcome] = []
    dry = jobs[0][0].dry_run
    alerts = Alerts() if dry else Alerts.from_settings(desk.settings)
    with alerts.together(lambda: _reasons(found)) as each:
        for loads in jobs:
            found.append(_outcome(desk, loads, metrics, each))
            if as_interrupt(found[-1].error or Exception()):
                break
    return found


def _outcome(desk: Desk, loads: Sequence[Load], metrics: MetricsFile | None, alerts: Alerts) -> Outcome:
    try:
        return Outcome(loads, load_watched(desk, loads, metrics=metrics, alerts=alerts))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the next job goes on; the command tells of all
        outcome = Outcome(loads, error=as_interrupt(error) or error)
        with running(run_of(error)):
            _tell(outcome, error)
        if isinstance(error, WarehouseError):
            desk.reconnect()
        return outcome


def _tell(outcome: Outcome, error: BaseException) -> None:
    if isinstance(outcome.error, StockpipeError):
        log.error("%s failed (exit code %d): %s", outcome.label, outcome.exit_code, outcome.error)
    else:
        log.error("%s failed: unexpected %s: %s", outcome.label, type(error).__name__, printable(str(error)))
        log.debug("unexpected error", exc_info=error)


def _reasons(found: Sequence[Outcome]) -> list[str]:
    """What went wrong, a sentence each."""
    said = [f"{one.label}: {one.error or (stale_reason(one.result.records) if one.result else '')}" for one in found]
    return [text for text in said if not text.endswith(": ")]
