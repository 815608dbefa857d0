"""Every day, until it is stopped: wait for the next moment, look up what is due, load it.

The waiting is our own, with cronsim as the calculator of moments: usual schedulers wait on a clock that stands still
while the machine sleeps, so that after a night in sleep they start late by as much. Here the wall clock is looked at
every few seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stockpipe.base.clock import NEW_YORK, Clock
from stockpipe.base.runlog import run_of, running
from stockpipe.base.stopping import as_interrupt, stop_signals
from stockpipe.base.text import printable
from stockpipe.errors import StockpipeError
from stockpipe.schedule.due import Due, Moments, Published, Tries, due_days

log = logging.getLogger(__name__)

# A signal that comes just before a wait begins is seen at its end only, so waits are short.
LOOK_UP_SECONDS = 5.0
_LATE = timedelta(minutes=5)


@dataclass
class Daily:
    """Loads each day at its regular times, one load at a time.

    `load` loads one day or raises; `look_up` says what the warehouse has or raises a StockpipeError. Days missed in the
    last `days_back` days are made up for. `zone` is the one in which moments are shown.
    """

    moments: Moments
    load: Callable[[Due], None]
    look_up: Callable[[], Published]
    clock: Clock
    days_back: int = 7
    zone: ZoneInfo = NEW_YORK
    tries: Tries = field(default_factory=Tries)
    _looked: datetime = field(init=False)
    _loading: bool = False

    def run(self) -> None:
        """Go on until a signal asks to stop. Raises Interrupted when that cuts a load short; else it just returns."""
        try:
            self._load_what_is_due()
            while not stop_signals:
                wake, regular = self._next()
                if not self._wait_until(wake):
                    self._looked = self.clock.now()
                    continue
                if regular:
                    self.tries.renew()
                    self._say_if_late(wake)
                self._load_what_is_due()
        except (Exception, KeyboardInterrupt) as error:
            if self._loading or as_interrupt(error) is None:
                raise
        log.info("Stopped.")

    def _load_what_is_due(self) -> None:
        published = self._published()
        self._looked = self.clock.now()
        for due in due_days(self._looked, self.moments, published, self.days_back):
            if not stop_signals and self.tries.may(due.ds, self.clock.now()):
                self._load(due)
        self._say_next()

    def _published(self) -> Published | None:
        """What is in the warehouse; None where it cannot be asked: then the load will say why, and alert."""
        try:
            return self.look_up()
        except StockpipeError as error:
            if as_interrupt(error):
                raise
            log.warning("What is published could not be looked up: %s", error)
            return None

    def _load(self, due: Due) -> None:
        if due.dated:
            log.info("%s is missing. Loading its dated records.", due.ds)
        self._loading = True
        try:
            self.load(due)
        except Exception as error:
            if as_interrupt(error):
                raise
            self._failed(due, error)
        else:
            self.tries.succeeded(due.ds)
        self._loading = False

    def _failed(self, due: Due, error: Exception) -> None:
        number, again = self.tries.number(due.ds), self.tries.failed(due.ds, self.clock.now(), error)
        with running(run_of(error)):
            if isinstance(error, StockpipeError):
                log.error("%s failed (try %d, exit code %d): %s", due.ds, number, error.exit_code, error)
            else:
                log.error(
                    "%s failed (try %d): unexpected %s: %s", due.ds, number, type(error).__name__, printable(str(error))
                )
                log.debug("unexpected error", exc_info=error)
        if again is None:
            log.info("%s is not retried before the next regular time.", due.ds)

    def _next(self) -> tuple[datetime, bool]:
        """The next moment at which there is something to do, and whether it is a regular time.

        A regular time that came while days were loaded has not been looked at yet: it is the next one.
        """
        regular, again = self.moments.after(self._looked), self.tries.next
        return (again[0], False) if again and again[0] < regular else (regular, True)

    def _say_next(self) -> None:
        wake, regular = self._next()
        again = self.tries.next
        if again and not regular:
            log.info("Next: %s again (try %d) at %s.", again[1], self.tries.number(again[1]), self._shown(wake))
        else:
            day, shown = wake.astimezone(NEW_YORK).date(), self._shown(wake)
            # The day is said once, unless it is another one in New York.
            log.info("Next: %s at %s.", day, shown.removeprefix(f"{day} "))

    def _say_if_late(self, moment: datetime) -> None:
        late = self.clock.now() - moment
        if late > _LATE:
            text = "It is %s after %s: the machine slept, or the load before took so long."
            log.info(text, timedelta(minutes=late // timedelta(minutes=1)), self._shown(moment))

    def _shown(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone.key} ({moment.astimezone(UTC):%H:%M} UTC)"

    def _wait_until(self, moment: datetime) -> bool:
        """Wait for the wall clock to reach a moment; False when it was set back, so that all is to be reckoned anew."""
        before, never = self.clock.now(), threading.Event()
        while (now := self.clock.now()) < moment:
            if now < before:
                return False
            before = now
            self.clock.sleep(min((moment - now).total_seconds(), LOOK_UP_SECONDS), never)
        return True
