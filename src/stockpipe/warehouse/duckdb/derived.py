"""Derived tables of a DuckDB file: read by heavy SELECTs of our own, and replaced whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from stockpipe.base.engine import Limits
from stockpipe.base.folders import WorkFolder
from stockpipe.base.stopping import interruptible
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import QueryResult
from stockpipe.warehouse.derived import Replacement, must_still_be, newest
from stockpipe.warehouse.duckdb import kept
from stockpipe.warehouse.duckdb.file import open_patiently
from stockpipe.warehouse.duckdb.reading import refused
from stockpipe.warehouse.duckdb.shape import look, shape


def scanned(texts: Sequence[str], path: Path, patience: float) -> list[QueryResult]:
    """The rows of SELECTs over a file, which is open for reading only while it is asked."""
    with WorkFolder() as folder, folder.told():
        limits: Limits = {"temp_directory": str(folder.path / "duckdb"), "memory_limit": "1200MB", "threads": 4}
        with open_patiently(path, patience, read_only=True, limits=limits) as connection:
            return [rows_of(connection, text) for text in texts]


def rows_of(connection: duckdb.DuckDBPyConnection, text: str) -> QueryResult:
    """The rows of a SELECT of our own. WarehouseError as for any question."""
    try:
        with interruptible(connection):
            cursor = connection.execute(text)
            return QueryResult([column[0] for column in cursor.description or ()], cursor.fetchall())
    except duckdb.Error as error:
        raise refused(error) from error


def replace(
    connection: duckdb.DuckDBPyConnection,
    replacement: Replacement,
    insert: Callable[[duckdb.DuckDBPyConnection, sql.Table, list[tuple[object, ...]]], None],
) -> bool:
    """Replace the tables in one transaction; whether it was the first time, or one of them was missing. `insert` puts rows into a table."""
    tables = [*replacement.tables, replacement.log]
    stands = [look(connection, table) for table in tables]
    stale = kept.stale(connection, replacement.readers)
    connection.execute("BEGIN TRANSACTION")
    for table, existing in zip(tables, stands, strict=True):
        shape(connection, table, existing)
    must_still_be(connection.execute(newest(replacement.log)).fetchall(), replacement)
    for table in replacement.tables:
        connection.execute(f"DELETE FROM {table.name}")
        if file := replacement.files.get(table.name):
            columns = sql.column_list(table.columns)
            connection.execute(
                f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM read_parquet(?)", [str(file)]
            )
    insert(connection, replacement.log, [replacement.row])
    kept.let_go(connection, stale)
    connection.execute("COMMIT")
    return replacement.after == 0 or not all(existing.columns for existing in stands)
