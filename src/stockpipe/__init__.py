"""stockpipe: the whole Massive stock universe in your own warehouse, one verified day at a time.

`load` does what `stockpipe run` does and returns what the run did.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from stockpipe import errors
from stockpipe.base.version import __version__
from stockpipe.errors import (
    AccessError,
    ApiError,
    ConfigError,
    DataCheckError,
    Interrupted,
    NotThere,
    StockpipeError,
    UsageError,
    WarehouseError,
)

# The room `load/` and the function `load` share a name. A package that is imported first is set as an attribute first,
# and is never set again: so `stockpipe.load` is the function below, whatever else is imported later.
import_module("stockpipe.load")

if TYPE_CHECKING:
    from stockpipe.load.result import LoadResult
    from stockpipe.load.result import LoadResult as RunResult
    from stockpipe.reading.answer import Answer
    from stockpipe.reading.reader import Reader
    from stockpipe.warehouse.runs import RunRecord

_LATER = {
    "Answer": ("stockpipe.reading.answer", "Answer"),
    "Reader": ("stockpipe.reading.reader", "Reader"),
    "LoadResult": ("stockpipe.load.result", "LoadResult"),
    "RunRecord": ("stockpipe.warehouse.runs", "RunRecord"),
    "RunResult": ("stockpipe.load.result", "LoadResult"),
}


def load(
    dataset: str = "tickers",
    *,
    date: str | datetime.date | None = None,
    on: str | datetime.date | None = None,
    market: str | None = None,
    active: bool | str | None = None,
    otc: bool | str | None = None,
    since: str | datetime.date | None = None,
    keep: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    require_fresh: bool = False,
    warehouse: str | None = None,
    duckdb_path: str | PathLike[str] | None = None,
    connection: str | None = None,
    env_file: str | PathLike[str] | None = None,
    settings: Mapping[str, str | None] | None = None,
    load_method: str | None = None,
    sample_data: bool = False,
    requests_per_second: float | None = None,
    deadline: float | None = None,
    metrics_file: str | PathLike[str] | None = None,
) -> LoadResult:
    """Load one day of a dataset into the warehouse that the settings name, as `stockpipe run` does.

    Every option has the name that it has on the command line. One that is left out is found as there: in `settings`, the
    environment, `env_file`, a connection of Snowflake's, or it has its default.

    date: a day in New York, from the dataset's first day (2003-09-10) to today, both included: its dated records are
        loaded. Without it the current list is loaded as today's. `on` is the same.
    market: one of the dataset's, by default "stocks".
    active: True (listed, the default), False (delisted) or "both".
    otc, since, keep: for the datasets that have them, with over-the-counter bars, from which day on (or "all"), and whether
        earlier pulls of the day stay ("all") or not ("last").
    dry_run: publish nothing, and return the SQL.
    force: publish a day that a data check refuses; it is recorded.
    require_fresh: refuse a list that is older than the day.
    warehouse: "duckdb" or "snowflake". duckdb_path: the DuckDB file. connection: one of connections.toml.
    env_file: the file with settings, by default `.env`. settings: settings by name; they go before the environment.
    load_method: "copy" or "insert", for Snowflake. sample_data: let rows of a sandbox into Snowflake.
    requests_per_second: for a paid key, up to 100. deadline: end the run after so many seconds.
    metrics_file: write the run's metrics there, for Prometheus' node exporter.

    Raises the errors of `stockpipe.errors`; after any of them every published day is as it was. With STOCKPIPE_MASTER=true
    the security master is built after the listed stocks; what goes wrong there is logged, since the day is loaded.

    >>> result = stockpipe.load(date="2026-02-06", active="both")
    >>> result.rows, result.records[0].as_dict()["status"]
    (12391, 'published')
    """
    from stockpipe.base.calls import flag, in_python_words, number, one_day, path, text, word
    from stockpipe.base.clock import Clock
    from stockpipe.load.desk import Desk
    from stockpipe.load.loads import make_loads
    from stockpipe.master.after import build_after
    from stockpipe.observe.metrics import MetricsFile
    from stockpipe.observe.watch import load_watched
    from stockpipe.settings.called import settings_of_call

    with in_python_words():
        of_parts = {"market": market, "active": active, "otc": otc, "since": since, "keep": keep}
        clock, words = Clock(), {name: word(name, value) for name, value in of_parts.items()}
        how = {"dry_run": dry_run, "force": force, "require_fresh": require_fresh}
        flags = {name: flag(name, value) for name, value in how.items()}
        loads = make_loads(clock, text("dataset", dataset), words, on=one_day(date=date, on=on), **flags)
        said = {
            "STOCKPIPE_WAREHOUSE": word("warehouse", warehouse),
            "STOCKPIPE_DUCKDB_PATH": path("duckdb_path", duckdb_path),
            "SNOWFLAKE_DEFAULT_CONNECTION_NAME": word("connection", connection),
            "STOCKPIPE_LOAD_METHOD": word("load_method", load_method),
            "STOCKPIPE_SAMPLE_DATA": True if flag("sample_data", sample_data) else None,
            "STOCKPIPE_REQUESTS_PER_SECOND": number("requests_per_second", requests_per_second),
            "STOCKPIPE_DEADLINE": number("deadline", deadline),
        }
        found = settings_of_call(settings, said, path("env_file", env_file))
        with Desk(found, clock) as desk:
            metrics = path("metrics_file", metrics_file)
            result = load_watched(desk, loads, metrics=MetricsFile(metrics) if metrics else None)
        build_after(found, clock, [one.part for one in loads if not one.dry_run])
        return result


def open(
    path: str | PathLike[str] | None = None,
    *,
    warehouse: str | None = None,
    connection: str | None = None,
    env_file: str | PathLike[str] | None = None,
    settings: Mapping[str, str | None] | None = None,
) -> Reader:
    """A reader of what is loaded: `days`, `universe`, `changes`, `history`, `query`, `runs`, `status`.

    path: a DuckDB file; NotThere when it does not exist. Without it the warehouse is found as the commands find it:
        in `settings`, the environment, `env_file`, a connection of Snowflake's.
    warehouse: "duckdb" or "snowflake". connection: one of connections.toml.

    It only reads, and no answer keeps a file open. ConfigError for a setting that is missing or cannot be used.

    >>> desk = stockpipe.open("stockpipe-demo.duckdb")
    >>> desk.universe("2026-02-06").df()
    >>> desk.changes().rows()[0]["CHANGE"]
    'new'
    """
    from stockpipe.base import calls
    from stockpipe.reading.reader import Reader
    from stockpipe.settings.called import settings_of_call

    with calls.in_python_words():
        file = calls.path("path", path)
        if file is not None and not file.exists():
            raise NotThere(
                f"There is no DuckDB file {file}.", hint="Load a day first: stockpipe run, or stockpipe demo."
            )
        said = {
            "STOCKPIPE_DUCKDB_PATH": file,
            "STOCKPIPE_WAREHOUSE": calls.word("warehouse", warehouse) or ("duckdb" if file else None),
            "SNOWFLAKE_DEFAULT_CONNECTION_NAME": calls.word("connection", connection),
        }
        return Reader(settings_of_call(settings, said, calls.path("env_file", env_file)))


def __getattr__(name: str) -> Any:
    """What takes long to import is imported when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, member = _LATER[name]
    return getattr(import_module(module), member)


__all__ = [
    "AccessError",
    "Answer",
    "ApiError",
    "ConfigError",
    "DataCheckError",
    "Interrupted",
    "LoadResult",
    "Reader",
    "RunRecord",
    "RunResult",
    "StockpipeError",
    "UsageError",
    "WarehouseError",
    "__version__",
    "errors",
    "load",
    "open",
]
