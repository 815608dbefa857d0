"""Clocks for tests: none of them waits for real."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stockpipe.base.clock import Clock
from stockpipe.massive.pacing import Pacer, Patience

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    """A moment in New York, written as 2026-03-08 04:30."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@dataclass
class FakeClock(Clock):
    """A clock that moves only when somebody sleeps."""

    seconds: float = 1000.0
    moment: datetime = datetime(2026, 2, 7, 4, 59, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=self.seconds - 1000)

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        self.seconds += seconds
        self.slept.append(seconds)
        return not stop.is_set()


def pacer(clock: FakeClock, **how: object) -> Pacer:
    return Pacer(Patience(clock, clock.seconds + 7200), **how)  # type: ignore[arg-type]


class Morning(Clock):
    """A clock that stands at 04:30 in New York on the day of the listing, and goes on with the runs."""

    def __init__(self) -> None:
        self.runs = 0

    def now(self) -> datetime:
        return datetime(2026, 2, 7, 9, 30, tzinfo=UTC) + timedelta(minutes=self.runs)


class QuickClock(Clock):
    """The real clock, on which a wait takes a thousandth of its time and is over as if all of it had passed."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        done = super().sleep(seconds / 1000, stop)
        with self._lock:
            self._skipped += max(0.0, seconds)
        return done
