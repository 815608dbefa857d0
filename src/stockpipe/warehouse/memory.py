"""Rows that are there already as a table in memory, so that they can be handed on in any form."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from stockpipe.base.engine import open_in_memory
from stockpipe.base.text import in_quotes, printable
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.base import QueryResult


def in_memory(found: QueryResult, sent: Sequence[str] = ()) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory whose table `answer` holds the rows. A name that repeats gets a number behind.

    `sent` has the types in which the rows come, where they are not those of the columns: a time as text, with every digit.
    WarehouseError for a value that its column cannot hold.
    """
    names = _apart(found.columns)
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, found.types, strict=True))
    local = open_in_memory()
    try:
        local.execute(f"CREATE TABLE answer ({columns})")
        if found.rows:
            kinds = zip(sent or found.types, found.types, strict=True)
            cells = ", ".join(f"unnest(?::{came}[])::{kind}" for came, kind in kinds)
            local.execute(f"INSERT INTO answer SELECT {cells}", [list(cell) for cell in zip(*found.rows, strict=True)])
    except duckdb.Error as error:
        local.close()
        raise WarehouseError(
            f"A value of the answer does not fit its column: {printable(str(error))}",
            hint="Ask for that column as text: CAST(... AS VARCHAR).",
        ) from error
    return local


def _apart(columns: list[str]) -> list[str]:
    """The names in quotes, each once: DuckDB's know no case."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name.upper() in (taken.upper() for taken in names):
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return [in_quotes(name) for name in names]
