"""Views derived in SQL, with the same SELECT in both warehouses."""

from __future__ import annotations

from stockpipe.datasets import TICKERS, Dataset
from stockpipe.models.current import current_view
from stockpipe.models.tickers import ticker_views
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.sql import Table


def views(dataset: Dataset, table: Table) -> tuple[Model, ...]:
    """The views beside a dataset's table; none for a dataset that has none."""
    if dataset is TICKERS:
        return ticker_views(table)
    return (current_view(dataset, table),) if dataset.kind.write == "merge" else ()


__all__ = ["Model", "views"]
