"""What a client needs, from the settings: the bounds of a walk, and the pace that the key's plan allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from stockpipe.base.clock import Clock
from stockpipe.massive.client import Origin
from stockpipe.massive.memory import recall
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.settings import KeyPlan, Settings


@dataclass(frozen=True)
class Bounds:
    """What a walk may take: seconds for one answer, calls under way at once, pages, seconds before a torn list is
    fetched again."""

    answer_seconds: float
    calls: int
    pages: int
    pause: float

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """As set; ConfigError for a value that cannot be used."""
        return cls(
            settings.number("STOCKPIPE_ANSWER_TIMEOUT", least=0.1),
            int(settings.number("STOCKPIPE_PARALLEL_CALLS", least=1, most=64)),
            int(settings.number("STOCKPIPE_MAX_PAGES", least=1, most=1_000_000)),
            settings.number("STOCKPIPE_TORN_PAUSE"),
        )


def paced(settings: Settings, clock: Clock) -> Pacer:
    """The pace that the settings ask for; ConfigError for a value that cannot be used.

    Somebody who says how many calls a second may go has said that the key is a paid one.
    """
    patience = Patience(clock, clock.monotonic() + settings.number("STOCKPIPE_DEADLINE", least=1))
    per_second = settings.number("STOCKPIPE_REQUESTS_PER_SECOND", least=0.01, most=100)
    plan = "paid" if settings.plan == "auto" and settings.is_set("STOCKPIPE_REQUESTS_PER_SECOND") else settings.plan
    return Pacer(patience, plan, settings.rate_limit_delay, per_second, learning=plan == "auto")


def known_plan(settings: Settings, origin: Origin, today: date) -> KeyPlan:
    """The plan that the key of an origin was last seen to have, `auto` when that is not known or too long ago."""
    return recall(settings.state_file).plan(key_of(origin), today)


def key_of(origin: Origin) -> str:
    """A key is known for what it may do at one origin."""
    return f"{origin.key} at {origin.base_url}"
