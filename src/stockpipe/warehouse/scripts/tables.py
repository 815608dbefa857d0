"""The tables and views as SQL scripts, from the very functions whose statements `run` executes."""

from __future__ import annotations

from collections.abc import Iterable

from stockpipe.datasets import TICKERS
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import (
    TableOptions,
    duckdb_create,
    duckdb_view,
    snowflake_create,
    snowflake_fence,
    snowflake_view,
)
from stockpipe.warehouse.model import Views
from stockpipe.warehouse.scripts.names import Names

_FENCE = "One row, which every publish updates first: simultaneous publishes wait for each other."


def tables_script(settings: Settings) -> str:
    """CREATE statements of all tables, with their comments; ConfigError for a setting that cannot be used."""
    if settings.warehouse == "duckdb":
        tables = _tables(_duckdb_table(settings))
        return script("\n".join(f"{statement};" for statement in duckdb_create(table)) for table in tables)
    names = Names.of(settings)
    return script(f"{statement};" for statement in snowflake_tables(names, TableOptions.of(settings)))


def views_script(settings: Settings, views: Views) -> str:
    """CREATE OR REPLACE VIEW of the two views; ConfigError for a setting that cannot be used."""
    create = "CREATE OR REPLACE VIEW"
    if settings.warehouse == "duckdb":
        found = views(TICKERS, _tables(_duckdb_table(settings))[0])
        return script("\n".join(f"{statement};" for statement in duckdb_view(view, create)) for view in found)
    return script(f"{statement};" for statement in snowflake_views(Names.of(settings), create, views))


def snowflake_tables(names: Names, options: TableOptions) -> list[str]:
    """The statements that make the four tables, without semicolons."""
    main, runs, rejects = _tables(names.table, names.prefix)
    fence, row = snowflake_fence(names.prefix, options)
    return [
        snowflake_create(main, options, cluster=True),
        snowflake_create(runs, options),
        snowflake_create(rejects, options),
        f"-- {_FENCE}\n{fence}",
        row,
    ]


def snowflake_views(names: Names, create: str, views: Views) -> list[str]:
    """The statements that make the two views, without semicolons."""
    return [snowflake_view(view, create) for view in views(TICKERS, _tables(names.table, names.prefix)[0])]


def script(statements: Iterable[str]) -> str:
    """Statements with an empty line between them."""
    return "\n\n".join(statements) + "\n"


def _tables(table_name: str, prefix: str = "") -> tuple[sql.Table, sql.Table, sql.Table]:
    return sql.main_table(TICKERS, table_name, prefix), sql.runs_table(prefix), sql.rejects_table(prefix)


def _duckdb_table(settings: Settings) -> str:
    return sql.identifier(settings.require("SNOWFLAKE_TABLE"), "SNOWFLAKE_TABLE")
