"""What there is to load. A new dataset is a new file here: every declaration in this folder is found."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from stockpipe.datasets.column import Column, Kind, Type
from stockpipe.datasets.dataset import Choice, Dataset, Division, Part, Partition, Rules
from stockpipe.datasets.endpoint import WHOLE, Bounds, Cut, Endpoint, Option
from stockpipe.datasets.kinds import DayFacts, Snapshot, Versions
from stockpipe.datasets.tickers import TICKERS

USUAL = TICKERS
"""What is loaded where nothing is said."""


def _declared() -> Iterator[Dataset]:
    """The usual dataset, then those of the other files by their names."""
    yield USUAL
    for module in iter_modules(__path__):
        values = vars(import_module(f"{__name__}.{module.name}")).values()
        yield from (value for value in values if isinstance(value, Dataset))


DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _declared()}

__all__ = [
    "DATASETS",
    "TICKERS",
    "USUAL",
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
    "Option",
    "Part",
    "Partition",
    "Rules",
    "Snapshot",
    "Type",
    "Versions",
]
