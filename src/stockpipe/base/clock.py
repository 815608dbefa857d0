"""Time as a parameter: what waits or asks for the date takes a Clock, so that no test has to sleep."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class Clock:
    """The real clock."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        """Wait; False when the wait was cut short because `stop` was set."""
        return not stop.wait(max(0.0, seconds))


def new_york_date(clock: Clock) -> date:
    """Today's date in New York, where the listed markets keep their calendar."""
    return clock.now().astimezone(NEW_YORK).date()
