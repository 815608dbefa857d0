"""What there is to load. A new dataset is a new file here and one more line below."""

from __future__ import annotations

from stockpipe.datasets.column import Column, Kind, Type
from stockpipe.datasets.dataset import Choice, Dataset, Division, Part, Partition, Rules
from stockpipe.datasets.endpoint import WHOLE, Bounds, Cut, Endpoint
from stockpipe.datasets.kinds import DayFacts, Snapshot, Versions
from stockpipe.datasets.tickers import TICKERS

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (TICKERS,)}

__all__ = [
    "DATASETS",
    "TICKERS",
    "WHOLE",
    "Bounds",
    "Choice",
    "Column",
    "Cut",
    "Dataset",
    "DayFacts",
    "Division",
    "Endpoint",
    "Kind",
    "Part",
    "Partition",
    "Rules",
    "Snapshot",
    "Type",
    "Versions",
]
