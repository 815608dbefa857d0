"""Restated lists merged into their tables of versions in a DuckDB file."""

from __future__ import annotations

from typing import Any

import duckdb

from stockpipe.datasets import Partition
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Delivery
from stockpipe.warehouse.merge import Merge, merge_one

_INCOMING = "temp.stockpipe_incoming"


def merge_versions(connection: duckdb.DuckDBPyConnection, table: sql.Table, delivery: Delivery) -> list[str]:
    """Merge a delivery's rows, within the open transaction; returns what `force` accepted. Raises what `merge_one` raises."""

    def run(statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
        return connection.execute(statement, values).fetchall()

    columns = sql.column_list(table.columns)
    overruled: list[str] = []
    for one in delivery.publications:
        statement = f"CREATE OR REPLACE TEMP TABLE {_INCOMING} AS SELECT {columns} FROM read_parquet(?){_of_part(one.partition)}"
        connection.execute(statement, [[str(path) for path in delivery.parquet], *one.partition.part.values.values()])
        merge = Merge(table, one.partition, _INCOMING, "?")
        overruled += merge_one(merge, run, one.record.rows_published, force=delivery.force)
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
