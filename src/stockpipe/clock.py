"""Time as a parameter: what waits or asks for the date takes a Clock, so that no test has to sleep."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class Clock:
    """The real clock. A sleep ends early, and says so, when somebody calls `interrupt`."""

    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> bool:
        """Wait; False when the wait was cut short by `interrupt`."""
        return not self._stop.wait(max(0.0, seconds))

    def interrupt(self) -> None:
        """End every sleep, now and from now on."""
        self._stop.set()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._stop.is_set()


def new_york_date(clock: Clock) -> date:
    """Today's date in New York, where the listed markets keep their calendar."""
    return clock.now().astimezone(NEW_YORK).date()
