"""Restated lists merged into their tables of versions in a DuckDB file."""

from __future__ import annotations

import duckdb

from stockpipe.datasets import Partition
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Delivery, require_count
from stockpipe.warehouse.merge import Merge, Step, may_close, must_be_newest

_INCOMING = "temp.stockpipe_incoming"


def merge_versions(connection: duckdb.DuckDBPyConnection, table: sql.Table, delivery: Delivery) -> list[str]:
    """Merge a delivery's rows, within the open transaction; returns what `force` accepted.

    DataCheckError for a list that closes too many versions, or that is older than the table.
    """
    columns = sql.column_list(table.columns)
    overruled: list[str] = []
    for one in delivery.publications:
        statement = f"CREATE OR REPLACE TEMP TABLE {_INCOMING} AS SELECT {columns} FROM read_parquet(?){_of_part(one.partition)}"
        connection.execute(statement, [[str(path) for path in delivery.parquet], *one.partition.part.values.values()])
        merge = Merge(table, one.partition, _INCOMING, "?")
        must_be_newest(_count(connection, merge.later), one.partition)
        for step in merge.undo:
            connection.execute(*step)
        closed, before = _count(connection, merge.closed), _count(connection, merge.open)
        overruled += may_close(closed, before, one.partition, force=delivery.force)
        for step in merge.steps:
            connection.execute(*step)
        require_count(one.record.rows_published, _count(connection, merge.open), one.partition)
    connection.execute(f"DROP TABLE {_INCOMING}")
    return overruled


def merge_script(table: sql.Table, delivery: Delivery, records: str) -> list[str]:
    """The statements of `merge_versions`, as text; `records` is the one that writes the run's record."""
    merges = [Merge(table, one.partition, _INCOMING, "?") for one in delivery.publications]
    made = f"CREATE OR REPLACE TEMP TABLE {_INCOMING} AS SELECT {sql.column_list(table.columns)} FROM read_parquet(?)"
    steps = [statement for merge in merges for statement, _ in (*merge.undo, *merge.steps)]
    return ["BEGIN TRANSACTION", made, *steps, records, "COMMIT"]


def _of_part(partition: Partition) -> str:
    conditions = " AND ".join(f'"{name}" = ?' for name in partition.part.values)
    return f" WHERE {conditions}" if conditions else ""


def _count(connection: duckdb.DuckDBPyConnection, step: Step) -> int:
    found = connection.execute(*step).fetchone()
    return int(found[0]) if found else 0
