"""stockpipe: the whole Massive stock universe in your own warehouse, one proved day at a time.

`load` is the whole library: it does what `stockpipe run` does and returns what the run did.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "2.0.0"

if TYPE_CHECKING:
    from stockpipe.pipeline import RunResult


def load(
    dataset: str = "tickers",
    *,
    on: str | date | None = None,
    market: str | None = None,
    active: str = "true",
    settings: Mapping[str, str | None] | None = None,
    env_file: Path | None = None,
    load_method: str | None = None,
    **how: Any,
) -> RunResult:
    """Load one day of a dataset into the warehouse that the settings name.

    `on` is a day in New York, from 2003-09-10 to today; without it the current list is loaded as today's. `active` is
    "true", "false" or "both". `settings` go before the environment and `env_file` (default `.env`). `load_method` is
    "copy" or "insert", for Snowflake. `how` may hold `dry_run`, `force` and `require_fresh` (booleans).

    Raises the errors of `stockpipe.errors`; after any of them every published day is as it was.
    """
    from stockpipe.clock import Clock
    from stockpipe.jobs import plan_job
    from stockpipe.settings import load_settings
    from stockpipe.watched import load_watched

    clock = Clock()
    job = plan_job(clock, dataset=dataset, on=on, market=market, active=active, **how)
    given = {**(settings or {}), **({"STOCKPIPE_LOAD_METHOD": load_method} if load_method else {})}
    return load_watched(job, load_settings(given, env_file=env_file, origin="the settings of this call"), clock)


__all__ = ["__version__", "load"]
