"""What a warehouse must be able to do, and what is handed over to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from stockpipe.base.clock import Clock
from stockpipe.datasets import Dataset
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.model import Views
from stockpipe.warehouse.runs import RunRecord


@dataclass(frozen=True)
class Delivery:
    """A proved day: its rows as Parquet, the rejected rows, and a finished record for each active state."""

    dataset: Dataset
    records: list[RunRecord]
    parquet: list[Path]
    rejects: list[tuple[Any, ...]]
    clock: Clock

    def ended(self) -> list[RunRecord]:
        """The records with the present moment as their end: they are written last."""
        return [record.finished(record.status, self.clock.now()) for record in self.records]

    @property
    def rows(self) -> int:
        """Rows to publish."""
        return sum(record.rows_published for record in self.records)


@dataclass(frozen=True)
class QueryResult:
    """The answer to a question: column names and rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class History:
    """What is known of the days before: the latest earlier day of the same query, and this day's own last publication."""

    earlier: RunRecord | None = None
    same_day: RunRecord | None = None

    @classmethod
    def from_rows(cls, rows: list[tuple[Any, ...]], ds: date) -> History:
        """From the rows that `sql.history` gives."""
        records = {record.ds == ds: record for record in map(RunRecord.from_row, rows)}
        return cls(records.get(False), records.get(True))


class Warehouse(Protocol):
    """One place that days are published to. Every method may raise WarehouseError; `prepare` also AccessError.

    `local` says that reading costs nothing: no sign-in, and no paid warehouse that wakes.
    """

    label: str
    table: str
    local: bool

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Connect, and create, complete or widen the tables; the only method that changes them.

        `views` gives the views to create beside a new table.
        """

    def history(self, record: RunRecord) -> History:
        """What was published before of the record's dataset, market and active state."""

    def holds(self, record: RunRecord) -> int:
        """How many rows the table has of the record's day, market and active state."""

    def publish(self, delivery: Delivery) -> None:
        """Replace the day's rows and write its records, all in one transaction or not at all."""

    def record(self, records: list[RunRecord]) -> None:
        """Write the records of a run that published nothing."""

    def plan(self, delivery: Delivery) -> list[str]:
        """The statements that `publish` would run, as text, secrets and values left out."""

    def query(self, sql: str) -> QueryResult:
        """The rows that a reading statement gives.

        WarehouseError when it does not only read, UsageError when there is none or more than one, NotThere when it asks
        for a table that does not exist.
        """

    def export(self, dataset: Dataset, ds: date, market: str, target: Path) -> int:
        """Write a day's rows to a Parquet file and return how many there are."""

    def close(self) -> None:
        """Let go of the connection; nothing happens when there is none."""


def must_count(expected: int, found: int, record: RunRecord) -> None:
    """Raise when the table does not hold as many rows of a slice as the run published."""
    if expected != found:
        raise WarehouseError(
            f"After the load, {found} rows of {record.market} {record.ds} are in the table where {expected} were sent.",
            hint="The transaction was rolled back: the table is as it was.",
        )
