"""Restated lists merged into their tables of versions in Snowflake.

The rows are copied into a temporary table before BEGIN, as making a table would commit the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from stockpipe.base.text import literal
from stockpipe.datasets import Partition
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Publication
from stockpipe.warehouse.dialect import snowflake_type
from stockpipe.warehouse.merge import Merge, Run, merge_one


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
    """Merge within the open transaction; returns what `force` accepted. Raises what `merge_one` raises."""
    overruled: list[str] = []
    for one in publications:
        merge = merge_of(table, one.partition, new_rows)
        overruled += merge_one(merge, run, one.record.rows_published, force=force)
    return overruled
