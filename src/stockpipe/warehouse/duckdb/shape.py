"""The tables of a DuckDB file: created, completed, or refused before anything is fetched for them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from stockpipe.errors import WarehouseError
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import duckdb_create, duckdb_type
from stockpipe.warehouse.names import bare

log = logging.getLogger(__name__)

_HERE = "database_name = current_database() AND schema_name = 'main'"
# Not duckdb_columns(): reading that for the first time makes DuckDB build all its own views, which takes 30 ms.
_COLUMNS = 'SELECT name, type, "notnull", dflt_value FROM pragma_table_info(?)'
_VIEWS = f"SELECT 1 FROM duckdb_views() WHERE {_HERE} AND view_name ILIKE ? ESCAPE '\\'"
_CONSTRAINTS = (
    "SELECT constraint_type, constraint_column_names, constraint_text, table_name FROM duckdb_constraints() "
    f"WHERE {_HERE} AND constraint_type IN ('CHECK', 'FOREIGN KEY', 'PRIMARY KEY', 'UNIQUE')"
)
_INDEXES = f"SELECT index_name, expressions FROM duckdb_indexes() WHERE {_HERE} AND is_unique AND table_name ILIKE ? ESCAPE '\\'"


@dataclass(frozen=True)
class Existing:
    """A table as it stands in the file; no columns where there is none. Names are upper-cased: DuckDB's know no case."""

    columns: dict[str, str]
    needed: frozenset[str] = frozenset()
    """Columns that must have a value and have no default."""


def look(connection: duckdb.DuckDBPyConnection, table: sql.Table) -> Existing:
    """How a table stands in the file. WarehouseError for a view that cannot be looked at."""
    try:
        found = connection.execute(_COLUMNS, [f"main.{table.name}"]).fetchall()
    except duckdb.CatalogException as error:
        if f"name {_bare(table)} does not exist".upper() not in str(error).upper():
            # A view whose own table is gone: that one is named.
            raise _refused(_is_a_view(table)) from error
        found = []
    return Existing(
        {name.upper(): kind for name, kind, _, _ in found},
        frozenset(name.upper() for name, _, needed, default in found if needed and default is None),
    )


def shape(connection: duckdb.DuckDBPyConnection, table: sql.Table, existing: Existing, key: Iterable[str] = ()) -> None:
    """Create the table, or add what it lacks. WarehouseError where it could not take our rows.

    `key`: columns that tell any two rows of the table apart, none where there are no such.
    """
    if existing.columns:
        for obstacle in obstacles(connection, table, existing, frozenset(key)):
            raise _refused(obstacle)
    statements = (
        [
            f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {duckdb_type(column)}'
            for column in sql.missing_columns(table, existing.columns, duckdb_type)
        ]
        if existing.columns
        else duckdb_create(table)
    )
    for statement in statements:
        connection.execute(statement)


def first_obstacle(
    connection: duckdb.DuckDBPyConnection, table: sql.Table, key: Iterable[str]
) -> tuple[str, str] | None:
    """The first thing that would keep our rows out of a table that is there, with the way out; None for nothing."""
    try:
        existing = look(connection, table)
    except WarehouseError as error:
        return error.message, error.hint
    return next(obstacles(connection, table, existing, frozenset(key)), None) if existing.columns else None


def obstacles(
    connection: duckdb.DuckDBPyConnection, table: sql.Table, existing: Existing, key: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """What would keep our rows out of a table, each with the way out."""
    if connection.execute(_VIEWS, [_pattern(table)]).fetchone():
        yield _is_a_view(table)
        return
    yield from sql.unfilled_columns(table, existing.needed)
    for column in table.columns:
        if column.kind in ("int", "float") and existing.columns.get(column.name) == "FLOAT":
            yield (
                f'{table.name} has a column "{column.name}" of type FLOAT, which keeps seven digits of a number.',
                f'Widen it: ALTER TABLE {table.name} ALTER COLUMN "{column.name}" TYPE {duckdb_type(column)}.',
            )
    for kind, columns, text, of_table in connection.execute(_CONSTRAINTS).fetchall():
        name = bare(table.name).upper()
        ours = of_table.upper() == name
        unique = kind in ("UNIQUE", "PRIMARY KEY")
        if ours and not (unique and _tells_apart(columns, key)):
            yield (
                f"{table.name} has the constraint {text}, which rows of a later day may break.",
                _without_constraints(table),
            )
        elif kind == "FOREIGN KEY" and not ours and _refers_to(text, name):
            yield (
                f'The table "{of_table}" refers to {table.name} ({text}), so that no day of it can be replaced.',
                f'Drop that constraint: CREATE TABLE "{of_table}_NEW" AS FROM "{of_table}", then let it take the place of the old one.',
            )
    for name, columns in connection.execute(_INDEXES, [_pattern(table)]).fetchall():
        if not _tells_apart(columns.strip("[]").replace("'", "").replace('"', "").split(", "), key):
            yield (
                f"{table.name} has the unique index {name} on {columns}, which rows of a later day may break.",
                f'Drop it: DROP INDEX "{name}".',
            )


def _refused(obstacle: tuple[str, str]) -> WarehouseError:
    what, remedy = obstacle
    return WarehouseError(what, hint=f"Nothing was changed. {remedy}")


def _is_a_view(table: sql.Table) -> tuple[str, str]:
    return (
        f"{table.name} is a view, and a run writes into a table of this name.",
        f"Rename the view (ALTER VIEW {table.name} RENAME TO ...), or name another table or another file.",
    )


def _tells_apart(columns: Iterable[str], key: frozenset[str]) -> bool:
    """Whether no two rows of ours can have the same values in some columns."""
    return bool(key) and key <= {column.upper() for column in columns}


def _refers_to(constraint: str, name: str) -> bool:
    referred = constraint.upper().partition(" REFERENCES ")[2].partition("(")[0]
    return referred.strip().strip('"').rpartition(".")[2] == name


def _without_constraints(table: sql.Table) -> str:
    new = sql.renamed(table.name, "_NEW")
    return (
        f"DuckDB drops no such constraint; copy the table: CREATE TABLE {new} AS FROM {table.name}; DROP TABLE {table.name}; "
        f"ALTER TABLE {new} RENAME TO {table.name}."
    )


def _pattern(table: sql.Table) -> str:
    """The table's name for ILIKE, its own signs escaped."""
    return _bare(table).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _bare(table: sql.Table) -> str:
    return table.name[1:-1].replace('""', '"')


def tell_of_coarse_columns(table: sql.Table, columns: dict[str, str]) -> None:
    """Say once which columns keep less of a time than is sent."""
    for name, kind in sql.coarse_columns(table, columns).items():
        log.warning("%s.%s is %s, which does not keep nanoseconds: times are rounded there.", table.name, name, kind)
