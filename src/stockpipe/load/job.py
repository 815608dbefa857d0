"""What to load: a user's words made into a job, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.datasets import DATASETS, Dataset
from stockpipe.errors import UsageError
from stockpipe.load.checks import Asked


@dataclass(frozen=True)
class Job:
    """What to load: `ds` labels the snapshot; `dated` asks the API for that day's records, else for its current list."""

    dataset: Dataset
    market: str
    states: tuple[bool, ...]
    ds: date
    dated: bool
    dry_run: bool = False
    force: bool = False
    require_fresh: bool = False

    def asked(self, active: bool) -> Asked:
        """What is asked for in one active state, as the checks want it."""
        return Asked(self.dataset, self.market, active, self.ds, current=not self.dated)


def plan_job(
    clock: Clock,
    *,
    dataset: str = "tickers",
    on: str | date | None = None,
    market: str | None = None,
    active: str = "true",
    **how: Any,
) -> Job:
    """A job from a user's words; UsageError names the word that makes no sense and what would.

    `on` is a day in New York (both ends included: from the vendor's first day to today); without it the current list
    is loaded as today's. `active` is true, false or both. `how` are further fields of Job.
    """
    if dataset not in DATASETS:
        raise UsageError(f"There is no dataset {dataset!r}.", hint=f"Choose from: {', '.join(DATASETS)}.")
    declared = DATASETS[dataset]
    market = market or declared.default_market
    if market not in declared.markets:
        raise UsageError(f"There is no market {market!r}.", hint=f"Choose from: {', '.join(declared.markets)}.")
    states = {"true": (True,), "false": (False,), "both": (True, False)}.get(active)
    if states is None:
        raise UsageError(f"--active is {active!r}.", hint="Choose from: true, false, both.")
    today = new_york_date(clock)
    return Job(
        declared,
        market,
        states,
        today if on is None else _day(on, declared.first_day, today),
        on is not None,
        **how,
    )


def _day(on: str | date, first: date, today: date) -> date:
    try:
        day = date.fromisoformat(on) if isinstance(on, str) else on
    except ValueError:
        raise UsageError(f"{on!r} is not a date.", hint="Write it as YYYY-MM-DD, such as 2026-02-07.") from None
    if not first <= day <= today:
        raise UsageError(
            f"{day} is outside of what can be asked for.",
            hint=f"Choose a day from {first} to {today} (today in New York).",
        )
    return day
