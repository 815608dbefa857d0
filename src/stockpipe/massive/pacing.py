"""When the next call may start, and whether a failed one may be tried again.

The vendor's limits (massive.com knowledge base, "What is the request limit"): free keys 5 calls a minute, enforced
hard; paid keys unlimited, with the advice to stay under 100 a second. Which of the two a key has is not told by the
API: `auto` starts at 200 ms between calls and learns. A sixth answer within a minute proves a paid key; a 429 after
five answers, or two in a row, means a free one.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from dataclasses import dataclass, field

from stockpipe.clock import Clock
from stockpipe.errors import ApiError, Interrupted
from stockpipe.settings import Plan

log = logging.getLogger(__name__)

FREE_CALLS = 5
POLITE_DELAY = 0.2
LEAST_BACKOFF = 5.0
# The window is the server's, measured where the calls arrive: leave room for one slow and one quick way there.
WINDOW_MARGIN = 0.25


@dataclass
class Tally:
    """What the calls of a run came to. `waited` is seconds spent waiting because of limits and retries."""

    calls: int = 0
    retries: int = 0
    throttled: int = 0
    waited: float = 0.0


@dataclass
class Patience:
    """The bounds on waiting: the end of the run (monotonic seconds) and how many retries are left.

    Each good answer gives half a retry back, so that a long walk through a bad hour can finish and an API that only
    fails is given up soon.
    """

    clock: Clock
    ends_at: float
    attempts: int = 6
    retries_left: float = 30.0

    def wait(self, seconds: float) -> None:
        """Sleep; ApiError when that would outlast the run's deadline, Interrupted when the run was stopped."""
        if self.clock.monotonic() + seconds > self.ends_at:
            raise ApiError(
                f"The run's deadline leaves no time for the next call (it must wait {seconds:.0f} s).",
                hint="Give it longer with --deadline, or run again when the API is quicker.",
            )
        if self.clock.interrupted or not self.clock.sleep(seconds):
            raise Interrupted("Stopped on request.")

    def check(self) -> None:
        """Raise when the run is over, or was stopped."""
        self.wait(0.0)


@dataclass
class Pacer:
    """Lets calls through no faster than the key's plan and the user's own delay allow. Safe for many threads.

    `minute` is the length of the free plan's window in seconds.
    """

    patience: Patience
    plan: Plan = "auto"
    own_delay: float | None = None
    per_second: float = 95.0
    minute: float = 60.0
    tally: Tally = field(default_factory=Tally)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _starts: deque[float] = field(default_factory=lambda: deque(maxlen=FREE_CALLS), repr=False)
    _next_start: float = 0.0
    _paused_until: float = 0.0
    _answers: deque[float] = field(default_factory=lambda: deque(maxlen=FREE_CALLS + 1), repr=False)
    _refusals: int = 0

    @property
    def delay(self) -> float:
        """Seconds between the starts of two calls at present."""
        if self.own_delay is not None:
            return self.own_delay
        return 1.0 / self.per_second if self.plan == "paid" else POLITE_DELAY

    def wait_for_turn(self) -> None:
        """Return when the next call may start."""
        start, waited = self._reserve(), 0.0
        while (wait := max(start, self._paused_until) - self.patience.clock.monotonic()) > 0:
            self.patience.wait(wait)
            waited += wait
        self.patience.check()
        with self._lock:
            self.tally.calls += 1
            self.tally.waited += waited

    def _reserve(self) -> float:
        with self._lock:
            start = max(self.patience.clock.monotonic(), self._next_start, self._paused_until)
            if self.plan == "free" and len(self._starts) == FREE_CALLS:
                start = max(start, self._starts[0] + self.minute + WINDOW_MARGIN)
            self._starts.append(start)
            self._next_start = start + self.delay
            return start

    def answered(self) -> None:
        """A call was answered: a sixth one within a minute proves that the key is not a free one."""
        with self._lock:
            self._refusals = 0
            self.patience.retries_left += 0.5
            self._answers.append(self.patience.clock.monotonic())
            quick = len(self._answers) > FREE_CALLS and self._answers[-1] - self._answers[0] < self.minute
            if self.plan == "auto" and quick:
                self.plan = "paid"
                log.debug("more than %d calls in a minute were answered: the key has a paid plan", FREE_CALLS)

    def refused(self, retry_after: float | None) -> None:
        """A call was answered with 429: every thread waits as long as the API wishes, or at least five seconds."""
        with self._lock:
            now = self.patience.clock.monotonic()
            self._refusals += 1
            self.tally.throttled += 1
            recent = sum(1 for at in self._answers if now - at < self.minute)
            if self.plan == "auto" and (recent >= FREE_CALLS or self._refusals > 1):
                self.plan = "free"
                log.info(
                    "The API allows this key %d calls a minute (the free plan): pacing down to that.",
                    FREE_CALLS,
                )
            backoff = min(LEAST_BACKOFF * 2 ** (self._refusals - 1), self.minute)
            self._paused_until = max(self._paused_until, now + (retry_after or max(LEAST_BACKOFF, backoff)))

    def before_retry(self, fault: Exception, attempt: int, *, throttled: bool) -> None:
        """Wait before another try of a call that failed; ApiError when it was the last one allowed.

        After a 429 the wait itself is in `wait_for_turn`, where every thread keeps it."""
        patience = self.patience
        with self._lock:
            patience.retries_left -= 1
            spent = attempt >= patience.attempts or patience.retries_left < 0
            self.tally.retries += 1
        if spent:
            raise ApiError(
                f"The API did not give a usable answer in {attempt} tries; the last one: {fault}.",
                hint="Nothing was published. Run the same command again later.",
            ) from fault
        if throttled:
            pause = max(0.0, self._paused_until - patience.clock.monotonic())
            log.info("%s. Waiting %.0f s before try %d of %d.", fault, pause, attempt + 1, patience.attempts)
            return
        pause = backoff(attempt)
        log.debug("%s. Waiting %.1f s before try %d of %d.", fault, pause, attempt + 1, patience.attempts)
        patience.wait(pause)
        with self._lock:
            self.tally.waited += pause


def backoff(attempt: int) -> float:
    """Seconds before try `attempt` + 1: doubling from half a second to at most 15, with jitter of a half."""
    return min(15.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
