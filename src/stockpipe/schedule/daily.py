"""Every day, until it is stopped: wait for the next moment, look up what is due, load it.

The waiting is our own, with cronsim as the calculator of moments: usual schedulers wait on a clock that stands still
while the machine sleeps, so that after a night in sleep they start late by as much. Here the wall clock is looked at
every few seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from stockpipe.base.clock import NEW_YORK, Clock
from stockpipe.base.runlog import run_of, running
from stockpipe.base.stopping import as_interrupt, stop_signals
from stockpipe.base.text import printable
from stockpipe.errors import StockpipeError
from stockpipe.schedule.due import Due, Published, Rule, Tries

log = logging.getLogger(__name__)

# A signal that comes just before a wait begins is seen at its end only, so waits are short.
LOOK_UP_SECONDS = 5.0
_LATE = timedelta(minutes=5)
_SEVERAL = 2


@dataclass
class Line:
    """One list of a schedule: when its days are due, what loads one (or raises), and its failures.

    `label` names it in the log; it is empty where it is the only one. `known` is what was published when that was last
    looked up, and what was loaded since; None after a failure. `catch_up` loads several missed days at once and gives the
    errors of those that were not published; without it they are loaded one by one.
    """

    rule: Rule
    load: Callable[[Due], None]
    label: str = ""
    catch_up: Callable[[Sequence[date], Published], Mapping[date, Exception]] | None = None
    tries: Tries = field(default_factory=Tries)
    known: Published | None = None

    def name(self, ds: date) -> str:
        """A day of it, in words."""
        return f"{self.label}, {ds}" if self.label else str(ds)


@dataclass
class Daily:
    """Loads the days of some lists when they are due, one load at a time.

    `look_up` says what the warehouse has of each line, or raises a StockpipeError. Days missed in the last `days_back`
    days are loaded later. `zone` is the one in which moments are shown. `done` is called when nothing is due any more.
    With `asks_rarely`, what is published is looked up only when it is not known: in Snowflake the question wakes a warehouse,
    minutes before the load does it once more.
    """

    lines: Sequence[Line]
    look_up: Callable[[], Sequence[Published]]
    clock: Clock
    days_back: int = 7
    zone: ZoneInfo = NEW_YORK
    done: Callable[[], None] = lambda: None
    asks_rarely: bool = False
    _looked: datetime = field(init=False)
    _loading: bool = False

    def run(self) -> None:
        """Go on until a signal asks to stop. Raises Interrupted when that cuts a load short; else it just returns."""
        try:
            self._load_what_is_due()
            while not stop_signals:
                wake, *_ = self._next()
                if not self._wait_until(wake):
                    self._looked = self.clock.now()
                    continue
                self._renew(wake)
                self._load_what_is_due()
        except (Exception, KeyboardInterrupt) as error:
            if self._loading or as_interrupt(error) is None:
                raise
        log.info("Stopped.")

    def _renew(self, wake: datetime) -> None:
        """Let the lines whose regular time has come try everything anew."""
        come = [line for line in self.lines if line.rule.after(self._looked) <= wake]
        for line in come:
            line.tries.renew()
        if come:
            self._say_if_late(wake)

    def _load_what_is_due(self) -> None:
        published = self._published()
        self._looked = self.clock.now()
        try:
            for line, known in zip(self.lines, published, strict=True):
                for due in self._catch_up(line, line.rule.due(self._looked, known, self.days_back), known):
                    if not stop_signals and self._may(line, due):
                        self._load(line, due)
        finally:
            self.done()
        self._say_next()

    def _published(self) -> Sequence[Published | None]:
        """What is in the warehouse; None where it cannot be asked: then the load will say why, and alert."""
        if self.asks_rarely and self._knows_enough():
            return [line.known for line in self.lines]
        found: Sequence[Published | None] = [None] * len(self.lines)
        try:
            found = self.look_up()
        except StockpipeError as error:
            if as_interrupt(error):
                raise
            log.warning("What is published could not be looked up: %s", error)
        for line, known in zip(self.lines, found, strict=True):
            line.known = known
        return found

    def _knows_enough(self) -> bool:
        """Whether all is as our own loads left it. A day that seems to be missing may be there from somebody else."""
        now = self.clock.now()
        return all(
            line.known and not any(due.missed for due in line.rule.due(now, line.known, self.days_back))
            for line in self.lines
        )

    def _may(self, line: Line, due: Due) -> bool:
        return line.tries.may(due.ds, self.clock.now())

    def _catch_up(self, line: Line, due: list[Due], known: Published | None) -> list[Due]:
        """Load several missed days at once; the days that are left to do."""
        missed = [one.ds for one in due if one.missed and self._may(line, one)]
        if line.catch_up is None or known is None or len(missed) < _SEVERAL or stop_signals:
            return due
        log.info(
            "%d days are missing, %s to %s. Loading their dated records.", len(missed), line.name(missed[0]), missed[-1]
        )
        self._loading = True
        try:
            errors = line.catch_up(missed, known)
        except Exception as error:
            if as_interrupt(error):
                raise
            errors = dict.fromkeys(missed, error)
        for ds in missed:
            if ds not in errors:
                self._succeeded(line, ds)
        # What kept several days from being published is told once.
        failed = [ds for ds in missed if ds in errors]
        for _, days in groupby(failed, key=lambda ds: (str(errors[ds]), line.tries.number(ds))):
            self._failed(line, (alike := list(days)), errors[alike[0]])
        self._loading = False
        return [one for one in due if not one.missed]

    def _load(self, line: Line, due: Due) -> None:
        if due.missed:
            log.info("%s is missing. Loading its dated records.", line.name(due.ds))
        self._loading = True
        try:
            line.load(due)
        except Exception as error:
            if as_interrupt(error):
                raise
            self._failed(line, [due.ds], error)
        else:
            self._succeeded(line, due.ds)
        self._loading = False

    def _succeeded(self, line: Line, ds: date) -> None:
        line.tries.succeeded(ds)
        line.known = line.known and line.known.and_also(ds, self.clock.now())

    def _failed(self, line: Line, days: Sequence[date], error: Exception) -> None:
        """Days, rising, that failed alike."""
        line.known = None
        name, number = line.name(days[0]), line.tries.number(days[0])
        if len(days) > 1:
            name += f" to {days[-1]} ({len(days)} days)"
        again = [line.tries.failed(ds, self.clock.now(), error) for ds in days]
        with running(run_of(error)):
            if isinstance(error, StockpipeError):
                log.error("%s failed (try %d, exit code %d): %s", name, number, error.exit_code, error)
            else:
                log.error(
                    "%s failed (try %d): unexpected %s: %s", name, number, type(error).__name__, printable(str(error))
                )
                log.debug("unexpected error", exc_info=error)
        if None in again:
            log.info("%s %s not retried before the next regular time.", name, "are" if len(days) > 1 else "is")

    def _next(self) -> tuple[datetime, Line, date | None]:
        """The next moment at which there is something to do, of which line, and the day that is retried then.

        A regular time that came while days were loaded has not been looked at yet: it is the next one.
        """
        found: list[tuple[datetime, Line, date | None]] = []
        for line in self.lines:
            found.append((line.rule.after(self._looked), line, None))
            found += [(*line.tries.next[:1], line, line.tries.next[1])] if line.tries.next else []
        return min(found, key=lambda one: (one[0], one[2] is not None))

    def _say_next(self) -> None:
        wake, line, again = self._next()
        if again:
            log.info("Next: %s again (try %d) at %s.", line.name(again), line.tries.number(again), self._shown(wake))
        else:
            day, shown = line.rule.day_at(wake), self._shown(wake)
            # The day is said once, unless it is another one in New York.
            log.info("Next: %s at %s.", line.name(day), shown.removeprefix(f"{day} "))

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
