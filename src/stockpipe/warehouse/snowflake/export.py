"""A published day, asked for so that every digit arrives, whatever the account's formats are."""

from __future__ import annotations

from datetime import date

from stockpipe.datasets import Column, Part
from stockpipe.warehouse import sql

# The answer of CONVERT_TIMEZONE is in UTC for a column of each kind: NTZ (the session's zone is UTC), LTZ and TZ.
_AS_TEXT = {
    "timestamp": "TO_VARCHAR(CONVERT_TIMEZONE('UTC', {0}), 'YYYY-MM-DD HH24:MI:SS.FF9')",
    "json": "{0}::VARCHAR",
}


def day_sql(table: sql.Table, ds: date, parts: list[Part]) -> str:
    """SELECT of a day's rows of some parts of a dataset; times and JSON as text."""
    cells = ", ".join(_cell(column) for column in table.columns)
    return f"SELECT {cells} FROM {table.name} WHERE {sql.where_exported(ds, parts)} ORDER BY {sql.export_order(parts[0].dataset)}"


def _cell(column: Column) -> str:
    return _AS_TEXT.get(column.kind, "{0}").format(f'"{column.name}"')
