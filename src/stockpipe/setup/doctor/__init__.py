"""Is everything ready for a run? One finding for each thing that a run needs; nothing is loaded or changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.base.stopping import stopping
from stockpipe.base.text import printable
from stockpipe.errors import Interrupted, StockpipeError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.api import examine_api
from stockpipe.setup.doctor.diagnosis import Diagnosis, Level, failed
from stockpipe.setup.doctor.machine import examine_disk, examine_settings
from stockpipe.setup.doctor.warehouse import examine_warehouse

log = logging.getLogger(__name__)


def examine(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """All findings, in the order in which a run would meet what they are about. Errors become findings."""
    parts = {
        "settings": examine_settings(settings, clock),
        "API": examine_api(settings, clock),
        "warehouse": examine_warehouse(settings, new_york_date(clock)),
        "disk": examine_disk(settings),
    }
    for name, findings in parts.items():
        try:
            for finding in findings:
                # A part, or the connector in it, may have taken the interruption for a fault of its own.
                stopping.check()
                yield finding
            stopping.check()
        except Interrupted:
            raise
        except StockpipeError as error:
            stopping.check()
            yield failed(name, error)
        except Exception as error:  # a part that breaks must not hide what the others find
            stopping.check()
            log.debug("unexpected error", exc_info=True)
            text = f"could not be looked at: unexpected {type(error).__name__}: {printable(str(error))}"
            yield Diagnosis("FAIL", name, text, "Please report this with what you did; -v shows more.", 1)


__all__ = ["Diagnosis", "Level", "examine", "failed"]
