"""A request as the answers see it: its parameters, the day, what the key's plan allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from stockpipe.base import days
from stockpipe.base.clock import NEW_YORK
from stockpipe.errors import UsageError
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.refusals import NO_TIMEFRAME, Refused

Plan = Literal["free", "starter", "developer", "paid"]
REACH: Mapping[Plan, timedelta | None] = {
    "free": timedelta(days=2 * 365),
    "starter": timedelta(days=5 * 365),
    "developer": timedelta(days=10 * 365),
    "paid": None,
}
"""How far back the history of a plan goes; None for all of it. A free key also has five calls a minute."""


@dataclass(frozen=True)
class Asked:
    """One request for data of the synthetic market at a moment (UTC)."""

    path: str
    params: Mapping[str, str]
    market: Market
    plan: Plan
    now: datetime
    base_url: str

    @property
    def today(self) -> date:
        """The day in New York."""
        return self.now.astimezone(NEW_YORK).date()

    def flag(self, name: str, usual: bool) -> bool:
        """A parameter that is true or false; the API's 400 for another word."""
        return read_flag(self.params.get(name, str(usual)))

    def within_reach(self, day: date) -> date:
        """The day; the API's 403 for one before the plan's history."""
        if is_out_of_reach(self.plan, day, self.today):
            raise Refused(403, "NOT_AUTHORIZED", message=NO_TIMEFRAME)
        return day


@dataclass(frozen=True)
class Reply:
    """The body of a good answer as JSON text, and how many rows it has."""

    text: bytes
    items: int


def is_out_of_reach(plan: Plan, day: date, today: date) -> bool:
    """Whether a day lies before the history of a plan."""
    reach = REACH[plan]
    return reach is not None and day < today - reach


def read_flag(text: str) -> bool:
    """A word that is true or false, in any case; the API's 400 for another one."""
    if text.lower() not in ("true", "false"):
        raise Refused(400, "ERROR", error=f"Failed to parse query parameters from URL: '{text}' is not a boolean")
    return text.lower() == "true"


def read_limit(params: Mapping[str, str], usual: int, most: int) -> int:
    """How many rows a page may have; the API's 400 for what is no number from 1 to `most`."""
    text = params.get("limit", str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise Refused(400, "ERROR", error=f"'{text}' is not a valid limit: it must be from 1 to {most}")
    return int(text)


def read_day(text: str) -> date:
    """A day written as YYYY-MM-DD; the API's 400 for anything else."""
    try:
        return days.read_day(text)
    except UsageError:
        raise Refused(400, "ERROR", error=f"Failed to parse date '{text}'") from None
