"""stockpipe: the whole Massive stock universe in your own warehouse, one verified day at a time.

`load` does what `stockpipe run` does and returns what the run did.
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
    from stockpipe.load.result import LoadResult
    from stockpipe.warehouse.runs import RunRecord

_LATER = {"LoadResult": "stockpipe.load.result", "RunRecord": "stockpipe.warehouse.runs"}


def load(
    dataset: str = "tickers",
    *,
    on: str | date | None = None,
    market: str | None = None,
    active: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    require_fresh: bool = False,
    settings: Mapping[str, str | None] | None = None,
    env_file: Path | None = None,
    load_method: str | None = None,
    sample_data: bool = False,
) -> LoadResult:
    """Load one day of a dataset into the warehouse that the settings name.

    `on` is a day in New York, from 2003-09-10 to today (both included); without it the current list is loaded as
    today's. `market` is one of the dataset's, by default "stocks"; `active` is "true" (the default), "false" or "both".
    `dry_run` publishes nothing and returns the SQL; `force` publishes a day that a data check refuses, and records it;
    `require_fresh` refuses a list that is older than the day. `settings` go before the environment and `env_file`
    (default `.env`). `load_method` is "copy" or "insert", for Snowflake; `sample_data` lets rows of a sandbox into
    Snowflake.

    Raises the errors of `stockpipe.errors`; after any of them every published day is as it was.
    """
    from stockpipe.base.clock import Clock
    from stockpipe.load.desk import Desk
    from stockpipe.load.loads import make_loads
    from stockpipe.observe.watch import load_watched
    from stockpipe.settings import load_settings

    clock, words = Clock(), {"market": market, "active": active}
    loads = make_loads(clock, dataset, words, on=on, dry_run=dry_run, force=force, require_fresh=require_fresh)
    said = {"STOCKPIPE_LOAD_METHOD": load_method, "STOCKPIPE_SAMPLE_DATA": "true" if sample_data else None}
    given = {**(settings or {}), **{name: word for name, word in said.items() if word}}
    with Desk(load_settings(given, env_file=env_file, origin="the settings of this call"), clock) as desk:
        return load_watched(desk, loads)


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
