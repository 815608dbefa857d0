"""The costly part of a view, kept as a table: worked out once behind a load, and not for each question.

A view that reads the table is right as long as nothing was published that the table rests on. So whoever publishes that lets
go of the table in the same transaction, and the view works all of it out again, until it is kept anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import duckdb

from stockpipe.base.engine import Limits
from stockpipe.warehouse.dialect import duckdb_create, duckdb_view
from stockpipe.warehouse.duckdb.shape import look
from stockpipe.warehouse.model import Kept, Model
from stockpipe.warehouse.names import bare
from stockpipe.warehouse.sql import column_list

LIMITS: Limits = {"memory_limit": "1200MB", "threads": 4}
"""What `keep` may take."""
# A view of that name which has another comment is somebody's own.
_OURS = (
    "SELECT contains(sql, ?) FROM duckdb_views() "
    "WHERE database_name = current_database() AND schema_name = 'main' AND view_name = ? AND comment = ?"
)


Costly = tuple[Model, Kept]


def stale(connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> list[Costly]:
    """Those of the views that read what is kept of them. For `let_go`, before its transaction begins."""
    there = [(model, kept) for model, kept in _costly(models) if look(connection, kept.table).columns]
    return [(model, kept) for model, kept in there if _reads(connection, model, kept)]


def let_go(connection: duckdb.DuckDBPyConnection, views: Iterable[Costly]) -> None:
    """Let views work out all of it again, within the transaction that publishes what they rest on."""
    for model, kept in views:
        _make(connection, model)
        connection.execute(f"DROP TABLE {kept.table.name}")


def keep(connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> list[tuple[str, int]]:
    """Keep what is worth it of the views, where it is not kept yet. The bare names of the tables, and their rows."""
    worth = [(model, kept) for model, kept in _costly(models) if _is_worth_it(connection, kept)]
    todo = [(model, kept) for model, kept in worth if _reads(connection, model, kept) is False]
    return [(bare(kept.table.name), _keep(connection, model, kept)) for model, kept in todo]


def _costly(models: Iterable[Model]) -> list[Costly]:
    return [(model, model.kept) for model in models if model.kept]


def _keep(connection: duckdb.DuckDBPyConnection, model: Model, kept: Kept) -> int:
    columns = column_list(kept.table.columns)
    connection.execute("BEGIN TRANSACTION")
    connection.execute(f"DROP TABLE IF EXISTS {kept.table.name}")
    for statement in duckdb_create(kept.table):
        connection.execute(statement)
    inserted = connection.execute(f"INSERT INTO {kept.table.name} ({columns}) {kept.select}").fetchone()
    _make(connection, replace(model, select=kept.view))
    connection.execute("COMMIT")
    return int(inserted[0]) if inserted else 0


def _make(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    for statement in duckdb_view(model, "CREATE OR REPLACE VIEW"):
        connection.execute(statement)


def _is_worth_it(connection: duckdb.DuckDBPyConnection, kept: Kept) -> bool:
    try:
        found = connection.execute(f"SELECT count(*) FROM {kept.of}").fetchone()
    except duckdb.CatalogException:  # not there yet
        return False
    return bool(found and found[0] >= kept.least)


def _reads(connection: duckdb.DuckDBPyConnection, model: Model, kept: Kept) -> bool | None:
    """Whether a view of ours reads what is kept of it; None where there is none of ours."""
    found = connection.execute(_OURS, [bare(kept.table.name), bare(model.name), model.comment]).fetchone()
    return bool(found[0]) if found else None
