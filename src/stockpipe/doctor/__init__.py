"""Is everything ready for a run? One finding for each thing that a run needs; nothing is loaded or changed."""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.clock import Clock
from stockpipe.doctor.api import examine_api
from stockpipe.doctor.finding import Finding, Level, failed
from stockpipe.doctor.local import examine_disk, examine_settings
from stockpipe.doctor.place import examine_warehouse
from stockpipe.settings import Settings


def examine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """All findings, in the order in which a run would meet what they are about. Errors become findings."""
    yield from examine_settings(settings)
    yield from examine_api(settings, clock)
    yield from examine_warehouse(settings, clock)
    yield from examine_disk(settings)


__all__ = ["Finding", "Level", "examine", "failed"]
