"""An answer of Snowflake as typed rows: what the connector's description of a column means in DuckDB."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from stockpipe.warehouse.base import QueryResult

# The connector's numbers of the service's types (snowflake.connector.constants.FIELD_TYPES). VARIANT, OBJECT and ARRAY come
# as text; a time comes as Python's, to the microsecond.
_FIXED = 0
_DOCUMENTS = (5, 9, 10)
_TIMES = (4, 6, 7, 8, 12)
_FINE = (4, 8)
# The whole years that fit nanoseconds in 64 bits.
_FINE_YEARS = range(1678, 2262)
_MICROSECONDS = 6
_TYPES = {
    1: "DOUBLE",
    3: "DATE",
    **dict.fromkeys(_FINE, "TIMESTAMP_NS"),
    6: "TIMESTAMP WITH TIME ZONE",
    7: "TIMESTAMP WITH TIME ZONE",
    11: "BLOB",
    12: "TIME",
    13: "BOOLEAN",
}


def result_of(cursor: Any) -> QueryResult:
    """The rows of a cursor, with the names and types of their columns."""
    described = cursor.description or ()
    rows = [tuple(row) for row in cursor.fetchall()]
    types = [_type(column, (row[number] for row in rows)) for number, column in enumerate(described)]
    documents = frozenset(number for number, column in enumerate(described) if column[1] in _DOCUMENTS)
    coarse = tuple(column[0] for column in described if column[1] in _TIMES and (column[5] or 0) > _MICROSECONDS)
    return QueryResult([column[0] for column in described], rows, types, documents, coarse if rows else ())


def _type(column: Any, values: Iterable[Any]) -> str:
    """The type of a column as the connector describes it: name, type, ..., precision, scale, nullable.

    Every whole number of the service is a NUMBER(38,0): it is a HUGEINT only where a value needs that.
    """
    kind, precision, scale = column[1], column[4] or 38, column[5] or 0
    if kind == _FIXED and scale:
        # A description that says less than the values have would round them.
        digits = (-int(value.as_tuple().exponent) for value in values if isinstance(value, Decimal))
        return f"DECIMAL({precision},{max(scale, max(digits, default=0))})"
    if kind == _FIXED:
        return "BIGINT" if all(value is None or abs(value) < 2**63 for value in values) else "HUGEINT"
    if kind in _FINE and not all(value is None or value.year in _FINE_YEARS for value in values):
        return "TIMESTAMP"
    return _TYPES.get(kind, "VARCHAR")
