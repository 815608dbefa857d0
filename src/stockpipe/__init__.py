"""stockpipe: the whole Massive stock universe in your own warehouse, one proved day at a time.

`load` is the whole library: it does what `stockpipe run` does and returns what the run did.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpipe import errors
from stockpipe.base.version import __version__
from stockpipe.errors import (
    AccessError,
    ApiError,
    ConfigError,
    DataCheckError,
    Interrupted,
    StockpipeError,
    UsageError,
    WarehouseError,
)

# The room `load/` and the function `load` share a name. A package that is imported first is set as an attribute first,
# and is never set again: so `stockpipe.load` is the function below, whatever else is imported later.
import_module("stockpipe.load")

if TYPE_CHECKING:
    from stockpipe.load.pipeline import LoadResult
    from stockpipe.warehouse.runs import RunRecord

_LATER = {"LoadResult": "stockpipe.load.pipeline", "RunRecord": "stockpipe.warehouse.runs"}


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
) -> LoadResult:
    """Load one day of a dataset into the warehouse that the settings name.

    `on` is a day in New York, from 2003-09-10 to today; without it the current list is loaded as today's. `active` is
    "true", "false" or "both". `settings` go before the environment and `env_file` (default `.env`). `load_method` is
    "copy" or "insert", for Snowflake. `how` may hold `dry_run`, `force` and `require_fresh` (booleans).

    Raises the errors of `stockpipe.errors`; after any of them every published day is as it was.
    """
    from stockpipe.base.clock import Clock
    from stockpipe.load.job import plan_job
    from stockpipe.observe.watch import load_watched
    from stockpipe.settings import load_settings

    clock = Clock()
    job = plan_job(clock, dataset=dataset, on=on, market=market, active=active, **how)
    given = {**(settings or {}), **({"STOCKPIPE_LOAD_METHOD": load_method} if load_method else {})}
    return load_watched(job, load_settings(given, env_file=env_file, origin="the settings of this call"), clock)


def __getattr__(name: str) -> Any:
    """What takes long to import is imported when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "AccessError",
    "ApiError",
    "ConfigError",
    "DataCheckError",
    "Interrupted",
    "LoadResult",
    "RunRecord",
    "StockpipeError",
    "UsageError",
    "WarehouseError",
    "__version__",
    "errors",
    "load",
]
