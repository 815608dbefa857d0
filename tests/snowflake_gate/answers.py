"""What the service answers: one JSON document, with HTTP 200 also for an error."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import duckdb

Answer = dict[str, Any]

DONE = "SELECT 'Statement executed successfully.' AS \"status\""
CONFLICT = 990001  # ours, never sent: DuckDB saw two writers of one row; the gate runs the statement again


class Refusal(Exception):
    """An error answer in the service's form."""

    def __init__(self, code: int | str, message: str, sqlstate: str = "42000", **data: object) -> None:
        super().__init__(message)
        self.code = f"{code:06d}" if isinstance(code, int) else code
        self.message = message
        self.sqlstate = sqlstate
        self.data = data

    def answer(self, query_id: str = "") -> Answer:
        data = {"internalError": False, "errorCode": self.code, "sqlState": self.sqlstate, **self.data}
        if query_id:
            data["queryId"] = query_id
        return {"data": data, "code": self.code, "message": self.message, "success": False, "headers": None}


def done(data: object = None) -> Answer:
    return {"data": data, "code": None, "message": None, "success": True}


def text(value: object) -> str:
    """A SQL literal."""
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def table_sql(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A SELECT that gives exactly these rows: for statements that the gate answers itself."""
    if not rows:
        return "SELECT " + ", ".join(f'NULL::VARCHAR AS "{name}"' for name in columns) + " WHERE 1 = 0"
    selects = [
        "SELECT " + ", ".join(f'{_literal(value)} AS "{name}"' for name, value in zip(columns, row, strict=True))
        for row in rows
    ]
    return " UNION ALL ".join(selects)


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else text(value)


def translated(error: Exception) -> Refusal | None:
    """An exception of DuckDB in the service's words; None where fakesnow's own words will do."""
    message = str(error).split("\n", maxsplit=1)[0]
    if isinstance(error, duckdb.InterruptException):
        return Refusal(604, "SQL execution canceled", "57014")
    if isinstance(error, duckdb.TransactionException) and "onflict" in message:
        return Refusal(CONFLICT, message)
    if isinstance(error, duckdb.ConstraintException):
        return Refusal(100072, f"NULL result in a non-nullable column ({message})", "22000")
    if isinstance(error, duckdb.CatalogException):
        return _catalog(message) or Refusal(2003, f"SQL compilation error:\n{message}", "02000")
    if isinstance(error, duckdb.BinderException) and (name := re.search(r'column "?([^"]+)"? not found', message)):
        return Refusal(904, f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name[1]}'")
    if isinstance(error, duckdb.ConversionException):
        return Refusal(100038, message, "22018")
    return unknown(error)


def unknown(error: Exception) -> Refusal:
    return Refusal(603, f"SQL execution internal error: {type(error).__name__}: {error}", "XX000")


def _catalog(message: str) -> Refusal | None:
    if found := re.search(r"Function with name \"?([^\"!]+?)\"? does not exist", message):
        return Refusal(2140, f"SQL compilation error:\nUnknown function {found[1].upper()}", "42601")
    if found := re.search(r'with name "?([^"!]+?)"? already exists', message):
        return Refusal(2002, f"SQL compilation error:\nObject '{found[1]}' already exists.", "42710")
    if found := re.search(r"with name \"?([^\"!]+?)\"? does not exist", message):
        return Refusal(2003, f"SQL compilation error:\nObject '{found[1]}' does not exist or not authorized.", "42S02")
    return None


def encoded(answer: Answer) -> bytes:
    return json.dumps(answer).encode()
