"""Tables of a Snowflake schema that were there before us: can they take our rows, and what do they lack?"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from stockpipe.base.text import in_quotes
from stockpipe.errors import WarehouseError
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import snowflake_text, snowflake_type

log = logging.getLogger(__name__)

Described = Sequence[tuple[Any, ...]]
"""The rows of DESCRIBE TABLE, which describes views too."""

_NAME, _TYPE, _KIND, _NULL, _DEFAULT = range(5)


def columns_of(described: Described) -> dict[str, str]:
    """Names and types of the columns."""
    return {row[_NAME]: row[_TYPE] for row in described}


def views_sql(schema: str) -> str:
    """SHOW VIEWS of a quoted schema, with its database; it wakes no warehouse."""
    return f"SHOW VIEWS IN SCHEMA {schema}"


def named_views(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> frozenset[str]:
    """The quoted names of the views, from the answer to `views_sql`."""
    place = [column.lower() for column in columns].index("name")
    return frozenset(in_quotes(str(row[place])) for row in rows)


def must_take_rows(table: sql.Table, described: Described, views: Collection[str]) -> None:
    """Raise WarehouseError for the first obstacle to our rows. Coarse times are told of.

    `views` are the quoted names of the schema's views. Snowflake itself holds to no other constraint of a table.
    """
    for obstacle, remedy in obstacles(table, described, views):
        raise WarehouseError(obstacle, hint=f"Nothing was changed. {remedy}")
    for name, kind in sql.coarse_columns(table, columns_of(described)).items():
        log.warning("%s.%s is %s, which does not keep nanoseconds: times are cut there.", table.name, name, kind)


def obstacles(table: sql.Table, described: Described, views: Collection[str]) -> Iterator[tuple[str, str]]:
    """What keeps our rows out of a table that is there, each with the way out. WarehouseError for a column of another kind."""
    if is_view(table.name, views):
        yield a_view(table.name)
        return
    existing = columns_of(described)
    sql.missing_columns(table, existing, snowflake_type)
    declared = sql.misspelled_columns(table, existing)
    if declared:
        yield _in_lower_case(table, declared)
    needed = [
        declared.get(row[_NAME], str(row[_NAME])) for row in described if row[_NULL] == "N" and row[_DEFAULT] is None
    ]
    yield from sql.unfilled_columns(table, needed)


def is_view(name: str, views: Collection[str]) -> bool:
    """Whether a quoted full name is that of a view."""
    return any(name.endswith(f".{view}") for view in views)


def a_view(name: str) -> tuple[str, str]:
    """A view in the place of one of our tables, and the way out."""
    return (
        f"{name} is a view, and a run writes into a table of this name.",
        f"Rename the view (ALTER VIEW {name} RENAME TO ...;), or name another table or another schema "
        "(SNOWFLAKE_TABLE, SNOWFLAKE_SCHEMA).",
    )


def alterations(table: sql.Table, described: Described) -> list[str]:
    """What completes a table without an obstacle: columns that it lacks, with their comments, and those that are too narrow.

    ALTER TABLE "D"."S"."TICKERS" ADD COLUMN IF NOT EXISTS "EXTRA" VARIANT COMMENT 'Fields that ...'
    ALTER TABLE "D"."S"."TICKERS" ALTER COLUMN "PRIMARY_EXCHANGE" SET DATA TYPE VARCHAR(50)
    """
    existing = columns_of(described)
    added = (
        f'ADD COLUMN IF NOT EXISTS "{column.name}" {snowflake_type(column)} COMMENT {snowflake_text(column.meaning)}'
        for column in sql.missing_columns(table, existing, snowflake_type)
    )
    widened = (
        f'ALTER COLUMN "{column.name}" SET DATA TYPE {snowflake_type(column)}'
        for column in table.columns
        if column.kind == "text"
        and column.width
        and (present := sql.width(existing.get(column.name, "")))
        and present < column.width
    )
    return [f"ALTER TABLE {table.name} {change}" for change in (*added, *widened)]


def for_its_owner(statements: Sequence[str]) -> str:
    """What to do about a table that only its owner may alter: it runs them itself, which gives nothing away."""
    return f"Only a table's owner may alter it. Have its owner run, once: {'; '.join(statements)};"


def _in_lower_case(table: sql.Table, declared: dict[str, str]) -> tuple[str, str]:
    """Columns as quoted names keep them. Renamed unasked, they would be gone for whoever reads them in quotes."""
    renames = (f'ALTER TABLE {table.name} RENAME COLUMN "{old}" TO "{new}"' for old, new in declared.items())
    return (
        f"{table.name} has columns whose names are not in upper case, where unquoted names do not find them: "
        f"{', '.join(declared)}.",
        f"If nobody reads them in quotes any more, have the table's owner rename them: {'; '.join(renames)}; or name "
        "another table in SNOWFLAKE_TABLE.",
    )
