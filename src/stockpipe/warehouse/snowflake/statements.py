"""The statements that bring rows into a table of Snowflake, and the form in which statements are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import snowflake_type

Bound = tuple[str, list[Any]]
"""A statement, and the values to bind."""


def copy_sql(table: sql.Table, stage: str) -> str:
    """Load the Parquet files of a stage; `stage` has its @.

    COPY INTO "D"."S"."T" ("TICKER", "EXTRA") FROM (SELECT $1:"TICKER"::VARCHAR, PARSE_JSON($1:"EXTRA"::VARCHAR)
    FROM @"D"."S"."STOCKPIPE_<run>") FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) ON_ERROR = ABORT_STATEMENT
    """
    cells = ", ".join(
        f'PARSE_JSON($1:"{column.name}"::VARCHAR)'
        if column.kind == "json"
        else f'$1:"{column.name}"::{snowflake_type(column, bare=True)}'
        for column in table.columns
    )
    return (
        f"COPY INTO {table.name} ({sql.column_list(table.columns)}) FROM (SELECT {cells} FROM {stage}) "
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) ON_ERROR = ABORT_STATEMENT"
    )


def inserts(table: sql.Table, rows: Sequence[tuple[Any, ...]], size: int) -> Iterator[Bound]:
    """Rows as INSERT statements of at most `size` rows each."""
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        yield _insert(table, len(batch)), [cell for row in batch for cell in row]


def shortened(statement: str) -> str:
    """A statement without its rows, for a log and for a dry run."""
    head, values, _ = statement.partition("FROM VALUES ")
    return f"{head}{values}(...)" if values else statement


def _insert(table: sql.Table, rows: int) -> str:
    """INSERT INTO "D"."S"."T" ("TICKER", "EXTRA") SELECT column1::VARCHAR, PARSE_JSON(column2) FROM VALUES (%s, %s), ..."""
    cells = ", ".join(
        f"PARSE_JSON(column{number})"
        if column.kind == "json"
        else f"column{number}::{snowflake_type(column, bare=True)}"
        for number, column in enumerate(table.columns, start=1)
    )
    marks = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
    return f"INSERT INTO {table.name} ({sql.column_list(table.columns)}) SELECT {cells} FROM VALUES {', '.join([marks] * rows)}"
