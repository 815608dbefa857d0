"""Views derived in SQL, with the same SELECT in both warehouses."""

from __future__ import annotations

from stockpipe.datasets import TICKERS, Dataset
from stockpipe.models.current import current_view
from stockpipe.models.kept import keep_factors
from stockpipe.models.price_views import PRICED, price_views
from stockpipe.models.securities import security_views
from stockpipe.models.tickers import ticker_views
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.names import place
from stockpipe.warehouse.sql import Table


def views(dataset: Dataset, table: Table) -> tuple[Model, ...]:
    """The views beside a dataset's table; none for a dataset that has none."""
    if dataset is TICKERS:
        return ticker_views(table)
    own = (current_view(dataset, table),) if dataset.kind.write == "merge" else ()
    return (*own, *price_views(place(table.name))) if dataset in PRICED else own


def all_views(dataset: Dataset, table: Table) -> tuple[Model, ...]:
    """The same, and behind the tickers the views of the security master: what `stockpipe schema` prints."""
    if dataset is not TICKERS:
        return views(dataset, table)
    return (*ticker_views(table), *security_views(place(table.name)))


__all__ = ["PRICED", "Model", "all_views", "keep_factors", "price_views", "security_views", "views"]
