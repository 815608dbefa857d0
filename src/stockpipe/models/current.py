"""The view beside a table of versions: those that hold now."""

from __future__ import annotations

from stockpipe.datasets import Dataset
from stockpipe.warehouse import sql
from stockpipe.warehouse.model import Model


def current_view(dataset: Dataset, table: sql.Table) -> Model:
    """`<TABLE>_CURRENT`: the open versions."""
    columns = sql.column_list(table.columns)
    until = sql.until_column(dataset).name
    return Model(
        sql.renamed(table.name, "_CURRENT"),
        table.columns,
        f"{dataset.noun[0].upper()}{dataset.noun[1:]} as they are known now: the open versions.",
        f'SELECT {columns}\nFROM {table.name}\nWHERE "{until}" IS NULL',
    )
