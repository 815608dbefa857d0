"""Time as a parameter: what waits or asks for the date takes a Clock, so that no test has to sleep."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stockpipe.errors import ConfigError, not_installed


def _new_york() -> ZoneInfo:
    """The zone from this machine's database, else from the package tzdata; ConfigError where neither has it."""
    name = "America/New_York"
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise not_installed(ModuleNotFoundError(name="tzdata")) from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The time zone {name} cannot be read: {error}.",
            hint="Repair this machine's time zone database, or set PYTHONTZPATH to nothing (PYTHONTZPATH=), "
            "so that the package tzdata is used.",
        ) from error


NEW_YORK = _new_york()


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
