"""A DuckDB file written anew, in order: what years of small transactions and replaced days leave behind is gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from stockpipe.base.engine import STORAGE, Limits
from stockpipe.base.files import replace_file
from stockpipe.base.text import in_quotes, literal
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.base import Compacted

# All tables of the file, also those that are not ours: the new file takes the place of the old one.
_TABLES = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database() "
    "AND NOT internal AND NOT temporary ORDER BY table_oid"
)
LIMITS_OF_COMPACT: Limits = {"memory_limit": "1GB", "threads": 1}
"""What `compact` may take."""


def compact(connection: duckdb.DuckDBPyConnection, path: Path, orders: Mapping[str, str]) -> Compacted:
    """Write the file anew and put it in the place of the old one.

    `connection` holds the file, so that nobody writes meanwhile. `orders` has the ORDER BY of a table by its name; others
    keep the order that they have. Raises duckdb.Error, OSError or WarehouseError, and then the old file stays.
    """
    connection.execute("CHECKPOINT")
    before = path.stat().st_size
    with replace_file(path) as made:
        made.unlink()  # DuckDB makes its file itself
        rows = _copy(connection, made, orders)
        after = made.stat().st_size
    return Compacted(list(rows), sum(rows.values()), before, after)


def _copy(connection: duckdb.DuckDBPyConnection, made: Path, orders: Mapping[str, str]) -> dict[str, int]:
    """Copy everything into a new file: tables, views, indexes and comments first, then the rows, which are proved.

    Returns the rows of each table.
    """
    [(source,)] = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"ATTACH {literal(str(made))} AS compacted (STORAGE_VERSION {literal(STORAGE)})")
    connection.execute(f"COPY FROM DATABASE {in_quotes(source)} TO compacted (SCHEMA)")
    rows: dict[str, int] = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        name = f"{in_quotes(schema)}.{in_quotes(table)}"
        order = f" ORDER BY {orders[table.upper()]}" if table.upper() in orders else ""
        old, new = f"{in_quotes(source)}.{name}", f"compacted.{name}"
        connection.execute(f"INSERT INTO {new} SELECT * FROM {old}{order}")
        before = _digest(connection, old)
        if before != _digest(connection, new):
            raise WarehouseError(f"The copy of {name} differs from it.", hint="Nothing was changed.")
        rows[table if schema == "main" else f"{schema}.{table}"] = before[0]
    connection.execute("DETACH compacted")
    return rows


def _digest(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[int, int | None]:
    """What two tables with the same rows have in common, whatever their order: their number, and the sum of their hashes."""
    [(count, hashes)] = connection.execute(f"SELECT count(*), sum(hash(rows)::HUGEINT) FROM {name} AS rows").fetchall()
    return count, hashes
