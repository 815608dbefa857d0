"""The words of a declaration: what a dataset, a column and a market's rules are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["text", "bool", "int", "float", "timestamp", "date", "json"]


@dataclass(frozen=True)
class Column:
    """One column of the table.

    `field` is the API's own name, None where the column is ours. `width` is the most characters that a text may have:
    a longer one is rejected, never cut. A timestamp is UTC and kept to the nanosecond.
    """

    name: str
    kind: Kind
    meaning: str
    field: str | None = None
    width: int | None = None


@dataclass(frozen=True)
class MarketRules:
    """What is normal in one market.

    `required`: fields without which a row is rejected. `expected`: fields that at least one row of a healthy day has.
    `nightly_build`: the current list is rewritten every night, and all its rows carry that build's date.
    `ticker_prefix`: what every ticker of the market begins with.
    """

    required: frozenset[str]
    expected: frozenset[str]
    nightly_build: bool = False
    ticker_prefix: str = ""


@dataclass(frozen=True)
class Dataset:
    """One thing to load: where it is asked for, what its rows are, and what makes a day of it healthy."""

    name: str
    table: str
    meaning: str
    path: str
    params: Mapping[str, str]
    columns: tuple[Column, ...]
    markets: Mapping[str, MarketRules]
    first_day: date
    default_market: str = "stocks"
    key: tuple[str, ...] = field(default=())

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that come from the API, in the table's order."""
        return tuple(column for column in self.columns if column.field)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
