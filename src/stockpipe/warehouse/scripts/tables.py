"""The tables and views as SQL scripts, from the very functions whose statements `run` executes."""

from __future__ import annotations

from collections.abc import Iterable

from stockpipe.datasets import DATASETS
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
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.scripts.names import Names
from stockpipe.warehouse.securities import MASTER_TABLES, placed

_FENCE = "One row, which every publish updates first: simultaneous publishes wait for each other."


def tables_script(settings: Settings) -> str:
    """CREATE statements of all tables, with their comments; ConfigError for a setting that cannot be used."""
    if settings.warehouse == "duckdb":
        tables = [*_dataset_tables(settings), sql.runs_table(), sql.rejects_table(), *MASTER_TABLES]
        return script("\n".join(f"{statement};" for statement in duckdb_create(table)) for table in tables)
    names = Names.of(settings)
    return script(f"{statement};" for statement in snowflake_tables(settings, names, TableOptions.of(settings)))


def views_script(settings: Settings, views: Views) -> str:
    """CREATE OR REPLACE VIEW of the views, behind the tables that no load makes; ConfigError for a setting that cannot be used."""
    create = "CREATE OR REPLACE VIEW"
    if settings.warehouse == "duckdb":
        found = _models(settings, views)
        groups = [*map(duckdb_create, _needed(found)), *(duckdb_view(view, create) for view in found)]
        return script("\n".join(f"{statement};" for statement in group) for group in groups)
    names, options = Names.of(settings), TableOptions.of(settings)
    needed = _needed(snowflake_models(settings, names, views))
    statements = [snowflake_create(table, options) for table in needed]
    return script(f"{statement};" for statement in [*statements, *snowflake_views(settings, names, create, views)])


def snowflake_tables(settings: Settings, names: Names, options: TableOptions) -> list[str]:
    """The statements that create the tables, without semicolons."""
    prefix = names.prefix
    fence, row = snowflake_fence(prefix, options)
    return [
        *(snowflake_create(table, options) for table in _dataset_tables(settings, prefix)),
        snowflake_create(sql.runs_table(prefix), options),
        snowflake_create(sql.rejects_table(prefix), options),
        *(snowflake_create(placed(table, prefix), options) for table in MASTER_TABLES),
        f"-- {_FENCE}\n{fence}",
        row,
    ]


def snowflake_views(settings: Settings, names: Names, create: str, views: Views) -> list[str]:
    """The statements that create the views, without semicolons."""
    return [snowflake_view(view, create) for view in snowflake_models(settings, names, views)]


def snowflake_models(settings: Settings, names: Names, views: Views) -> list[Model]:
    """The views, with their full names."""
    return _models(settings, views, names.prefix)


def script(statements: Iterable[str]) -> str:
    """Statements with an empty line between them."""
    return "\n\n".join(statements) + "\n"


def _dataset_tables(settings: Settings, prefix: str = "") -> list[sql.Table]:
    return [sql.dataset_table(dataset, settings, prefix) for dataset in DATASETS.values()]


def _models(settings: Settings, views: Views, prefix: str = "") -> list[Model]:
    """Each view once, behind all tables and views that it reads; the tables of the master are printed too."""
    found: dict[str, Model] = {}
    for dataset in DATASETS.values():
        for view in views(dataset, sql.dataset_table(dataset, settings, prefix)):
            found.pop(view.name, None)
            found[view.name] = view
    return list(found.values())


def _needed(models: list[Model]) -> list[sql.Table]:
    """The tables that the views need, each once."""
    return list(dict.fromkeys(table for model in models for table in model.needs))
