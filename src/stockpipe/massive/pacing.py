"""When the next call may start, and whether a failed one may be retried.

The vendor's limits (massive.com knowledge base, "What is the request limit"): free keys 5 calls a minute, enforced
hard; paid keys unlimited, with the advice to stay under 100 a second. Which of the two a key has is not told by the
API. It is set, remembered from an earlier run, or learned: at first calls go 200 ms apart; a sixth answer within a
minute proves a paid key; a 429 after five answers, or twice in a row, means a free one.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from stockpipe.base.clock import Clock
from stockpipe.base.days import in_words
from stockpipe.base.waiting import SAY_AFTER
from stockpipe.errors import ApiError, Interrupted
from stockpipe.settings import KeyPlan

log = logging.getLogger(__name__)

FREE_CALLS = 5
POLITE_DELAY = 0.2
LEAST_BACKOFF = 5.0
CLOSE_TOGETHER = 0.05
# The server counts calls when they arrive. The margin covers the difference in transit time between the first and the
# last call of a window.
MINUTE_MARGIN = 0.25
SECOND_MARGIN = 0.02
_WORTH_TELLING = 5.0


@dataclass
class CallCounts:
    """What calls came to. `waited` is seconds spent waiting because of limits and retries."""

    calls: int = 0
    retries: int = 0
    throttled: int = 0
    waited: float = 0.0

    def copy(self) -> CallCounts:
        """The same counts, which stay as they are."""
        return replace(self)

    def since(self, before: CallCounts) -> CallCounts:
        """What came after an earlier copy."""
        return CallCounts(
            self.calls - before.calls,
            self.retries - before.retries,
            self.throttled - before.throttled,
            self.waited - before.waited,
        )


@dataclass
class Apart:
    """A piece of work beside others that call meanwhile: what its own calls came to, and the event that ends them alone."""

    counts: CallCounts = field(default_factory=CallCounts)
    stop: threading.Event = field(default_factory=threading.Event)


_apart: ContextVar[Apart | None] = ContextVar("apart", default=None)


@dataclass
class Patience:
    """The bounds on waiting: the end of the run (monotonic seconds) and how many retries are left.

    A call has `attempts` tries, and the run `retries_left` of them, so that an API that mostly fails is given up soon.
    Calls that fail together take one: sixteen that are under way when a connection breaks meet one fault. Each good
    answer gives half a one back, so that a long walk through a bad hour can finish. Setting `stop` ends every wait, and
    lets no further call start.
    """

    clock: Clock
    ends_at: float
    attempts: int = 6
    retries_left: float = 30.0
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _pieces: list[Apart] = field(default_factory=list, repr=False)

    @property
    def own_stop(self) -> threading.Event:
        """The event that ends the calls of this piece of work, and no others: see `apart`."""
        piece = _apart.get()
        return piece.stop if piece else self.stop

    def is_set(self) -> bool:
        """Whether the calls of this piece of work are to end."""
        return self.stop.is_set() or self.own_stop.is_set()

    @contextmanager
    def apart(self) -> Iterator[CallCounts]:
        """Make this thread's work, and that of threads that it starts, a piece of its own. Gives what its calls come to."""
        piece = Apart()
        token = _apart.set(piece)
        self._pieces.append(piece)
        try:
            yield piece.counts
        finally:
            _apart.reset(token)
            self._pieces.remove(piece)

    def end(self) -> None:
        """End every wait of every piece of work; no further call starts."""
        self.stop.set()
        for piece in list(self._pieces):
            piece.stop.set()

    def renew(self, seconds: float) -> None:
        """Let the run end so many seconds from now: a piece of it is done, and the next one begins."""
        self.ends_at = self.clock.monotonic() + seconds

    def wait(self, seconds: float, fault: Exception | None = None) -> None:
        """Sleep; ApiError when that would outlast the run's deadline, Interrupted when `stop` is set.

        `fault` is what the wait is for, where there is one: the error tells it.
        """
        if self.clock.monotonic() + seconds > self.ends_at:
            last = f"; the last one failed: {fault}" if fault else ""
            wait = f" (it must wait {max(1.0, seconds):.0f} s)" if seconds else ""
            raise ApiError(
                f"The run's deadline leaves no time for the next call{wait}{last}.",
                hint=getattr(fault, "remedy", "")
                or "Give it longer with --deadline, or run again when the API is quicker.",
            )
        if self.is_set() or not self.clock.sleep(seconds, self.own_stop):
            raise Interrupted("Stopped on request.")

    def check(self, fault: Exception | None = None) -> None:
        """Raise when the run is over, or was stopped; `fault` as in `wait`."""
        self.wait(0.0, fault)


@dataclass
class Pacer:
    """Lets calls through no faster than the key's plan and the user's own delay allow. Safe for many threads.

    `learning` says that `plan` is a belief to be corrected by what the API answers, not the user's word. `minute` is
    the length of the free plan's window in seconds. `calls_left` is how many calls the list that is fetched is expected to
    take still, 0 where that is not known; `as_usual` says that no earlier day of it is known, only what is usual.
    """

    patience: Patience
    plan: KeyPlan = "auto"
    own_delay: float | None = None
    per_second: float = 95.0
    minute: float = 60.0
    learning: bool = True
    counts: CallCounts = field(default_factory=CallCounts)
    calls_left: int = 0
    as_usual: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _starts: deque[float] = field(default_factory=lambda: deque(maxlen=128), repr=False)
    _paused_until: float = 0.0
    _answers: deque[float] = field(default_factory=lambda: deque(maxlen=FREE_CALLS + 1), repr=False)
    _refusals: int = 0
    _failing_until: float = 0.0

    @property
    def hurries(self) -> bool:
        """Whether calls may go so close together that asking for several pages at once pays."""
        return self.plan == "paid" and max(self.own_delay or 0.0, 1.0 / self.per_second) <= CLOSE_TOGETHER

    @property
    def delay(self) -> float:
        """Minimum seconds between the starts of two calls at present."""
        if self.own_delay is not None:
            return self.own_delay
        return 0.0 if self.plan == "paid" else POLITE_DELAY

    def wait_for_turn(self, fault: Exception | None = None) -> None:
        """Return when the next call may start. `fault` is how the try before ended: where there is no time left, the error tells it."""
        waited = 0.0
        self.patience.check(fault)
        while (wait := self._claim()) > 0:
            self._tell(wait)
            self.patience.wait(wait, fault)
            waited += wait
        with self._lock:
            self._count(calls=1, waited=waited)
            self.calls_left = max(0, self.calls_left - 1)

    def _count(self, **more: float) -> None:
        piece = _apart.get()
        for counts in (self.counts, piece.counts) if piece else (self.counts,):
            for name, number in more.items():
                setattr(counts, name, getattr(counts, name) + number)

    def recent(self) -> list[float]:
        """How many seconds ago the calls of the free plan's last minute began, the oldest first."""
        with self._lock:
            now = self.patience.clock.monotonic()
            return [now - start for start in self._starts if now - start < self.minute + MINUTE_MARGIN][-FREE_CALLS:]

    def assume(self, ages: Iterable[float]) -> None:
        """Count calls of an earlier run, so many seconds ago, the oldest first: for the API they are calls of this key too."""
        with self._lock:
            now = self.patience.clock.monotonic()
            self._starts.extend(now - age for age in ages)

    def _tell(self, wait: float) -> None:
        """Say why and how long nothing happens, where the free plan is the reason; of a short wait, nothing."""
        if self.plan != "free" or wait < _WORTH_TELLING:
            return
        rest = "how many pages follow is not known"
        if self.calls_left:
            rest = f"about {in_words(self._until_last(self.calls_left))} left for this list"
            rest += " if it is as long as usual" if self.as_usual else ""
        log.info("Free plan, %d calls a minute: next call in %s; %s.", FREE_CALLS, in_words(wait), rest)

    def _until_last(self, calls: int) -> float:
        """Seconds until the last of so many calls may start on the free plan."""
        with self._lock:
            starts = deque(self._starts, maxlen=FREE_CALLS)
        now = self.patience.clock.monotonic()
        for _ in range(calls):
            oldest = starts[0] + self.minute + MINUTE_MARGIN if len(starts) == FREE_CALLS else now
            starts.append(max(now, oldest))
        return starts[-1] - now

    def _claim(self) -> float:
        """Take the turn and return zero, or return the seconds after which to ask again."""
        with self._lock:
            now = self.patience.clock.monotonic()
            earliest = self._paused_until
            if self._starts:
                earliest = max(earliest, self._starts[-1] + self.delay)
            calls, seconds = self._window()
            if len(self._starts) >= calls:
                # A full window is not emptied in a burst: what is delayed on the way would crowd the next one.
                spacing = seconds / calls if self.plan == "paid" else 0.0
                earliest = max(earliest, self._starts[-calls] + seconds, self._starts[-1] + 0.9 * spacing)
            if earliest > now:
                return earliest - now
            self._starts.append(now)
            return 0.0

    def _window(self) -> tuple[int, float]:
        """So many calls may start within so many seconds."""
        if self.plan == "free":
            return FREE_CALLS, self.minute + MINUTE_MARGIN
        calls = max(1, int(self.per_second))
        return calls, calls / self.per_second + SECOND_MARGIN

    def answered(self) -> None:
        """A call was answered: a sixth one within a minute proves that the key is not a free one."""
        with self._lock:
            self._refusals = 0
            self.patience.retries_left += 0.5
            self._answers.append(self.patience.clock.monotonic())
            quick = len(self._answers) > FREE_CALLS and self._answers[-1] - self._answers[0] < self.minute
            if self.learning and self.plan == "auto" and quick:
                self.plan = "paid"
                log.debug("more than %d calls in a minute were answered: the key has a paid plan", FREE_CALLS)

    def refused(self, retry_after: float | None) -> None:
        """A call was answered with 429: every thread waits as long as the API wishes, or at least five seconds."""
        with self._lock:
            now = self.patience.clock.monotonic()
            self._count(throttled=1)
            # Calls that were under way together are refused together: that is one refusal.
            if now >= self._paused_until or not self._refusals:
                self._refusals += 1
            recent = sum(1 for at in self._answers if now - at < self.minute)
            if self.learning and ((self.plan == "auto" and recent >= FREE_CALLS) or self._refusals > 1):
                self._slow_down()
            backoff = min(LEAST_BACKOFF * 2 ** (self._refusals - 1), self.minute)
            self._paused_until = max(self._paused_until, now + (retry_after or max(LEAST_BACKOFF, backoff)))

    def _slow_down(self) -> None:
        if self.plan != "free":
            self.plan = "free"
            log.info("The API allows this key %d calls a minute (the free plan): pacing down to that.", FREE_CALLS)

    def before_retry(self, fault: Exception, attempt: int, *, throttled: bool, since: float | None = None) -> None:
        """Wait before another try of a call that failed; ApiError when it was the last one allowed.

        After a 429 the wait itself is in `wait_for_turn`, where every thread keeps it. `since` is when the first try began
        (monotonic seconds): a call that fails for longer than two seconds is told, a hiccup is not.
        """
        patience = self.patience
        with self._lock:
            now = patience.clock.monotonic()
            pause = max(0.0, self._paused_until - now) if throttled else backoff(attempt)
            self._charge(now, pause)
            self._count(retries=1)
        self._give_up(fault, attempt)
        if throttled:
            log.info("%s. Waiting %.0f s before try %d of %d.", fault, pause, attempt + 1, patience.attempts)
            return
        fails_for = now - since if since is not None else 0.0
        level = logging.INFO if fails_for + pause >= SAY_AFTER else logging.DEBUG
        told = f"{fault}. {getattr(fault, 'remedy', '')}".rstrip()
        log.log(level, "%s Waiting %.1f s before try %d of %d.", told, pause, attempt + 1, patience.attempts)
        patience.wait(pause, fault)
        with self._lock:
            self._count(waited=pause)

    def _charge(self, now: float, pause: float) -> None:
        """Take one of the run's retries; not for a call that fails while one that failed before still waits: it is one fault."""
        if now >= self._failing_until:
            self._failing_until = now + pause
            self.patience.retries_left -= 1

    def _give_up(self, fault: Exception, attempt: int) -> None:
        """ApiError where the call had its last try, or the run its last retry."""
        patience = self.patience
        if attempt < patience.attempts and patience.retries_left >= 0:
            return
        spent = "" if attempt >= patience.attempts else ", and all retries of the run are spent"
        raise ApiError(
            f"The API did not give a usable answer in {attempt} tries{spent}; the last one: {fault}.",
            hint=f"Nothing was published. {getattr(fault, 'remedy', '') or 'Run the same command again later.'}",
        ) from fault


def backoff(attempt: int) -> float:
    """Seconds before try `attempt` + 1: doubling from half a second to at most 15, with jitter of a half."""
    return min(15.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
