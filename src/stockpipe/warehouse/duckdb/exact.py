"""Answers of DuckDB with every digit. Its Python client cuts and shifts what Python's own types cannot hold.

A TIMESTAMP_NS loses its last three digits, `infinity` becomes the year 9999, a month of an INTERVAL 30 days, and 0.1 as
FLOAT 0.10000000149011612. So such a column is asked for as text, in which DuckDB writes all of it, and read here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from stockpipe.base.moments import Moment
from stockpipe.base.text import in_quotes

Read = Callable[[Any], Any]

_MOMENTS = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "timestamp_tz_ns")
_READERS: dict[str, Read] = {
    **dict.fromkeys(_MOMENTS, Moment.read),
    "date": date.fromisoformat,
    "float": float,
    "interval": str,
    "time_ns": str,
}


@dataclass(frozen=True)
class Asked:
    """A statement as it is sent: how its columns are read where they come as text, and which of them are JSON."""

    statement: str
    readers: tuple[Read | None, ...] = ()
    documents: frozenset[int] = frozenset()

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row with Python's values in the place of the texts."""
        if not any(self.readers):
            return row
        return tuple(cell if reader is None else reader(cell) for cell, reader in zip(row, self.readers, strict=True))


def asked_exactly(connection: duckdb.DuckDBPyConnection, text: str) -> Asked:
    """The statement to send for `text`, one statement without a semicolon; nothing is run.

        SELECT LAST_UPDATED_UTC, TICKER FROM TICKERS
        SELECT #1::VARCHAR AS "LAST_UPDATED_UTC", #2 AS "TICKER" FROM (
        SELECT LAST_UPDATED_UTC, TICKER FROM TICKERS
        ) AS asked

    Raises duckdb.Error for a statement that cannot be run.
    """
    if not _is_select(connection, text):
        return Asked(text)
    answer = connection.sql(text)
    types, names = answer.types, answer.columns
    documents = frozenset(place for place, kind in enumerate(types) if str(kind) == "JSON")
    readers = tuple(map(_reader, types))
    if not any(readers):
        return Asked(text, documents=documents)
    cells = ", ".join(_cell(place, name, kind) for place, (name, kind) in enumerate(zip(names, types, strict=True), 1))
    return Asked(f"SELECT {cells} FROM (\n{text}\n) AS asked", readers, documents)


def _is_select(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Whether the text is one statement that gives rows and can stand in another's FROM."""
    with suppress(ValueError):  # DuckDB 2 has kinds of statements that its client has no name for
        return [each.type for each in connection.extract_statements(text)] == [duckdb.StatementType.SELECT]
    return False


def _cell(place: int, name: str, kind: Any) -> str:
    cast = f"::{_spelled(kind)}" if _reader(kind) else ""
    return f"#{place}{cast} AS {in_quotes(name)}"


def _spelled(kind: Any) -> str:
    """The type to ask for: the same, with VARCHAR in the place of each one that Python cannot hold."""
    if kind.id in _READERS or _is_cut_union(kind):
        return "VARCHAR"
    if kind.id not in ("list", "array", "struct", "map"):
        return str(kind)
    inner = {name: _spelled(child) for name, child in _inner(kind)}
    if kind.id == "struct":
        fields = ", ".join(f"{in_quotes(name)} {spelled}" for name, spelled in inner.items())
        return f"STRUCT({fields})"
    return f"MAP({inner['key']}, {inner['value']})" if kind.id == "map" else f"{inner['child']}[]"


def _reader(kind: Any) -> Read | None:
    """How a cell of a type is read; None for one that comes whole."""
    if kind.id in _READERS:
        return _or_text(_READERS[kind.id])
    if _is_cut_union(kind):
        return _same
    if kind.id not in ("list", "array", "struct", "map"):
        return None
    inner = {name: _reader(child) for name, child in _inner(kind)}
    if not any(inner.values()):
        return None
    same: dict[str, Read] = {name: reader or _same for name, reader in inner.items()}
    if kind.id == "struct":
        return _known(lambda cell: {name: same[name](value) for name, value in cell.items()})
    if kind.id == "map":
        return _known(lambda cell: {same["key"](key): same["value"](value) for key, value in cell.items()})
    return _known(lambda cell: [same["child"](value) for value in cell])


def _inner(kind: Any) -> list[tuple[str, Any]]:
    """The types that a type is made of, by name; an array's length is none of them."""
    return [(name, child) for name, child in kind.children if not (kind.id == "array" and name == "size")]


def _is_cut_union(kind: Any) -> bool:
    """Whether it is a UNION of which Python cannot hold a member: it stays text, as no cell says which member it is."""
    return kind.id == "union" and any(_reader(child) for _, child in kind.children)


def _or_text(read: Read) -> Read:
    """What cannot be read stays the text that it is: `infinity`, a year before Christ."""

    def tried(cell: Any) -> Any:
        with suppress(ValueError):
            return None if cell is None else read(cell)
        return cell

    return tried


def _known(read: Read) -> Read:
    return lambda cell: None if cell is None else read(cell)


def _same(cell: Any) -> Any:
    return cell
