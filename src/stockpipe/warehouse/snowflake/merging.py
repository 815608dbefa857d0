"""Restated lists merged into their tables of versions in Snowflake.

The rows are copied into a temporary table before BEGIN, as making a table would commit the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stockpipe.base.text import literal
from stockpipe.datasets import Partition
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Publication, require_count
from stockpipe.warehouse.dialect import snowflake_type
from stockpipe.warehouse.merge import Merge, Step, may_close, must_be_newest

Run = Callable[[str, Sequence[Any] | None], list[tuple[Any, ...]]]
"""Sends a statement with the values to bind, and gives its rows."""


def incoming(table: sql.Table) -> sql.Table:
    """The temporary table, in the session's schema, for the rows that are merged into `table`; there is one at a time."""
    return sql.Table('"STOCKPIPE_INCOMING"', table.columns, "")


def create_incoming(table: sql.Table) -> str:
    """CREATE TEMPORARY TABLE for `incoming`."""
    columns = ", ".join(f'"{column.name}" {snowflake_type(column, bare=True)}' for column in table.columns)
    return f"CREATE OR REPLACE TEMPORARY TABLE {table.name} ({columns})"


def merge_of(table: sql.Table, partition: Partition, new_rows: sql.Table) -> Merge:
    """The merge of one partition, whose rows are in `new_rows` with those of the delivery's other parts."""
    values = partition.part.values
    if not values:
        return Merge(table, partition, new_rows.name, "%s")
    own = " AND ".join(f'"{name}" = {literal(value)}' for name, value in values.items())
    return Merge(table, partition, f"(SELECT * FROM {new_rows.name} WHERE {own})", "%s")


def merge_versions(
    run: Run, table: sql.Table, new_rows: sql.Table, publications: Sequence[Publication], *, force: bool
) -> list[str]:
    """Merge within the open transaction; returns what `force` accepted.

    DataCheckError for a list that closes too many versions, or that is older than the table.
    """
    overruled: list[str] = []
    for one in publications:
        merge = merge_of(table, one.partition, new_rows)
        must_be_newest(_count(run, merge.later), one.partition)
        for step in merge.undo:
            run(*step)
        closed, before = _count(run, merge.closed), _count(run, merge.open)
        overruled += may_close(closed, before, one.partition, force=force)
        for step in merge.steps:
            run(*step)
        require_count(one.record.rows_published, _count(run, merge.open), one.partition)
    return overruled


def _count(run: Run, step: Step) -> int:
    return int(run(*step)[0][0])
