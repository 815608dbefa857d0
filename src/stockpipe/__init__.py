"""stockpipe: the whole Massive stock universe in your own warehouse, one verified day at a time.

`load` does what `stockpipe run` does and returns what the run did, `backfill` does it for a range of past days, and `open`
gives a reader of what is loaded.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from functools import partial
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
    from stockpipe.schedule.backfill import Report as BackfillResult
    from stockpipe.warehouse.runs import RunRecord

_LATER = {
    "Answer": ("stockpipe.reading.answer", "Answer"),
    "BackfillResult": ("stockpipe.schedule.backfill", "Report"),
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
    from stockpipe.base.calls import flag, in_python_words, one_day, path, text, word
    from stockpipe.base.clock import Clock
    from stockpipe.load.desk import Desk
    from stockpipe.load.loads import make_loads
    from stockpipe.master.after import build_after
    from stockpipe.observe.metrics import MetricsFile
    from stockpipe.observe.watch import load_watched
    from stockpipe.settings.called import argument_names, said_by, settings_of_call

    said = said_by(
        warehouse=warehouse,
        duckdb_path=duckdb_path,
        connection=connection,
        load_method=load_method,
        sample_data=sample_data,
        requests_per_second=requests_per_second,
        deadline=deadline,
    )
    with in_python_words(argument_names(said)):
        of_parts = {"market": market, "active": active, "otc": otc, "since": since, "keep": keep}
        clock, words = Clock(), {name: word(name, value) for name, value in of_parts.items()}
        how = {"dry_run": dry_run, "force": force, "require_fresh": require_fresh}
        flags = {name: flag(name, value) for name, value in how.items()}
        loads = make_loads(clock, text("dataset", dataset), words, on=one_day(date=date, on=on), **flags)
        found = settings_of_call(settings, said, path("env_file", env_file))
        with Desk(found, clock) as desk:
            metrics = path("metrics_file", metrics_file)
            result = load_watched(desk, loads, metrics=MetricsFile(metrics) if metrics else None)
        build_after(found, clock, [one.part for one in loads if not one.dry_run])
        return result


def backfill(
    dataset: str | Sequence[str] = "tickers",
    *,
    start: str | datetime.date | None = None,
    end: str | datetime.date | None = None,
    last: str | None = None,
    market: str | None = None,
    active: bool | str | None = None,
    otc: bool | str | None = None,
    since: str | datetime.date | None = None,
    keep: str | None = None,
    sessions: bool = False,
    redo: bool = False,
    dry_run: bool = False,
    warehouse: str | None = None,
    duckdb_path: str | PathLike[str] | None = None,
    connection: str | None = None,
    env_file: str | PathLike[str] | None = None,
    settings: Mapping[str, str | None] | None = None,
    sample_data: bool = False,
    requests_per_second: float | None = None,
) -> BackfillResult:
    """Load the past days of a range that are not published yet, oldest first, as `stockpipe backfill` does.

    dataset: one name, several, or "all".
    start, end: the first and the last day, both included; `end` is by default yesterday in New York. last: instead of
        `start` a length of time before the end: "30d", "4w", "6m", "2y".
    market, active, otc, since, keep: as for `load`; several markets with commas between.
    sessions: only days on which the exchanges trade. redo: load days again that are published already.
    dry_run: load nothing; `missing` of the result has the days.
    The rest as for `load`.

    A day that fails is left out and stands in `failed` of the result, with its error; the others go on. Nobody is asked,
    however long the range is. Raises UsageError for a range that makes no sense, ConfigError and WarehouseError, which end
    all, and Interrupted; days that were published before stay, and the same call goes on there.

    >>> result = stockpipe.backfill("daily_bars", last="2w")
    >>> result.days, result.rows, result.failed
    (9, 103214, [])
    """
    from stockpipe.base.calls import day, flag, in_python_words, path, word, words
    from stockpipe.base.clock import Clock, new_york_date
    from stockpipe.load.desk import Desk
    from stockpipe.master.after import build_after
    from stockpipe.master.asked import check_settings as check_master
    from stockpipe.schedule.backfill import Report
    from stockpipe.schedule.backfill import backfill as load_days
    from stockpipe.schedule.missing import range_of
    from stockpipe.schedule.wanted import lists_with_days, wanted_days
    from stockpipe.settings.called import argument_names, said_by, settings_of_call

    said = said_by(
        warehouse=warehouse,
        duckdb_path=duckdb_path,
        connection=connection,
        sample_data=sample_data,
        requests_per_second=requests_per_second,
    )
    with in_python_words(argument_names(said)):
        clock = Clock()
        of_parts = {"market": market, "active": active, "otc": otc, "since": since, "keep": keep}
        lists = lists_with_days(
            words("dataset", dataset), {name: word(name, value) for name, value in of_parts.items()}
        )
        first, until = (None if value is None else day(name, value) for name, value in (("start", start), ("end", end)))
        days = range_of(first, until, word("last", last), new_york_date(clock))
        found = settings_of_call(settings, said, path("env_file", env_file))
        check_master(found)  # before thousands of calls, and before a plan of them
        how = {"sessions": flag("sessions", sessions), "redo": flag("redo", redo)}
        wanted, _ = wanted_days(found, lists, days, **how)
        report = Report(missing={one.label: one.days for one in wanted})
        if flag("dry_run", dry_run):
            return report
        if missing := [one for one in wanted if one.days]:
            with Desk(found, clock) as desk:
                load_days(desk, missing, lambda *_: None, report)
        build_after(found, clock, report.there(wanted), loaded="The days are loaded")
        return report


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
    from stockpipe.reading.words import words
    from stockpipe.settings.called import argument_names, said_by, settings_of_call
    from stockpipe.settings.paths import or_the_demos

    with calls.in_python_words():
        file = calls.path("path", path)
        if file is not None and not file.exists():
            hint = or_the_demos("Load a day first: stockpipe run, or stockpipe demo.", file)
            raise NotThere(f"There is no DuckDB file {file}.", hint=words(hint))
        said = said_by(warehouse=warehouse or ("duckdb" if file else None), duckdb_path=file, connection=connection)
        named = argument_names(said) | ({"STOCKPIPE_DUCKDB_PATH": "path"} if file else {})
        with calls.in_python_words(named):
            found = settings_of_call(settings, said, calls.path("env_file", env_file))
            return Reader(found, say=partial(words, named=named))


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
    "BackfillResult",
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
    "backfill",
    "errors",
    "load",
    "open",
]
