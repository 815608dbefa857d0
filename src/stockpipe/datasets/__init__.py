"""What there is to load. A new dataset is a new file here and one more line below."""

from __future__ import annotations

from stockpipe.datasets.dataset import Column, Dataset, Kind, MarketRules
from stockpipe.datasets.tickers import TICKERS

DATASETS: dict[str, Dataset] = {TICKERS.name: TICKERS}

__all__ = ["DATASETS", "TICKERS", "Column", "Dataset", "Kind", "MarketRules"]
