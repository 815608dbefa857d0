"""Rows that are there already as a table in memory, so that they can be handed on in any form."""

from __future__ import annotations

import duckdb

from stockpipe.base.engine import open_in_memory
from stockpipe.warehouse.base import QueryResult


def in_memory(found: QueryResult) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory whose table `answer` holds the rows. A name that repeats gets a number behind."""
    names = _apart(found.columns)
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, found.types, strict=True))
    local = open_in_memory()
    local.execute(f"CREATE TABLE answer ({columns})")
    if found.rows:
        cells = ", ".join(f"unnest(?::{kind}[])" for kind in found.types)
        local.execute(f"INSERT INTO answer SELECT {cells}", [list(cell) for cell in zip(*found.rows, strict=True)])
    return local


def _apart(columns: list[str]) -> list[str]:
    """The names in quotes, each once: DuckDB's know no case."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name.upper() in (taken.upper() for taken in names):
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return ['"' + name.replace('"', '""') + '"' for name in names]
