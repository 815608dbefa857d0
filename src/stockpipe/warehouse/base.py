"""What a warehouse must be able to do, and what is handed over to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stockpipe.base.clock import Clock
from stockpipe.base.text import printable
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.derived import Replacement
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.source import Source

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Publication:
    """A verified partition that is to be published, with its finished record."""

    partition: Partition
    record: RunRecord


@dataclass(frozen=True)
class Delivery:
    """What one transaction publishes: partitions of a dataset, their rows as Parquet, and the rejected rows.

    `rejects` are values in the order of REJECT_COLUMNS, some rows at a time; they can be gone through once. `force`
    accepts what a check of the publish itself refuses. `left_out` are the finished records of days that were to be published too, and could not be.
    """

    dataset: Dataset
    publications: list[Publication]
    parquet: list[Path]
    rejects: Iterator[list[tuple[Any, ...]]]
    clock: Clock
    force: bool = False
    left_out: list[RunRecord] = field(default_factory=list)

    def ended(self, overruled: Sequence[str] = ()) -> list[RunRecord]:
        """The records with the present moment as their end: they are written last, and once.

        `overruled` is what `force` accepted in the publish.
        """
        return [
            one.record.finished(one.record.status, self.clock.now(), forced=[*one.record.forced, *overruled])
            for one in self.publications
        ]

    @property
    def by_part(self) -> list[list[Publication]]:
        """The publications of each part, whose days are replaced and counted together."""
        found: dict[str, list[Publication]] = {}
        for one in self.publications:
            found.setdefault(one.partition.part.path, []).append(one)
        return list(found.values())

    @property
    def rows(self) -> int:
        """Rows to publish."""
        return sum(one.record.rows_published for one in self.publications)


@dataclass(frozen=True)
class QueryResult:
    """The answer to a question: column names and rows.

    Every digit is there: a time of more than microseconds is a `Moment`, and what no Python type holds whole is text.
    `types` are DuckDB's of the columns, where they are known; `documents` the places (from 0) of those whose texts are JSON;
    `coarse` the names of those whose times the client may have cut to microseconds.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]
    types: list[str] = field(default_factory=list)
    documents: frozenset[int] = frozenset()
    coarse: tuple[str, ...] = ()

    @property
    def cut(self) -> str:
        """What to tell of digits that may be missing, and how to see them; "" where none can be."""
        names = ", ".join(map(printable, self.coarse))
        told = f"Snowflake's connector cuts times to microseconds: {names}. TO_VARCHAR(...) shows every digit."
        return told if names else ""


@dataclass(frozen=True)
class Compacted:
    """What `compact` wrote anew: the tables, their rows, and the bytes before and after where that is known."""

    tables: list[str]
    rows: int
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class History:
    """What is known of the published days of a part: of each kind of source the nearest ones around this day, and itself.

    `records` are the last good records of these days.
    """

    ds: date | None = None
    records: tuple[RunRecord, ...] = ()

    @classmethod
    def from_rows(cls, rows: list[tuple[Any, ...]], ds: date) -> History:
        """From the rows that `history.before_sql` gives."""
        return cls(ds, tuple(map(RunRecord.from_row, rows)))

    @property
    def same_day(self) -> RunRecord | None:
        """This day's own last publication."""
        return next((record for record in self.records if record.ds == self.ds), None)

    @property
    def sources(self) -> list[Source]:
        """Where the published days came from; of those with one kind, one."""
        found = {source.kind: source for source in map(Source.of, self.records)}
        return [source for kind, source in found.items() if kind]

    def before(self, source: Source) -> RunRecord | None:
        """The day to compare with: the latest earlier one of the same kind of source, else this day's own."""
        days = [day for day in self.records if Source.of(day).kind in (source.kind, "")]
        earlier = [day for day in days if self.ds and day.ds < self.ds]
        same = [day for day in days if day.ds == self.ds]
        return max(earlier, key=lambda day: day.ds, default=None) or next(iter(same), None)

    def after(self, source: Source) -> RunRecord | None:
        """The nearest known later day of the same kind of source."""
        days = [day for day in self.records if Source.of(day).kind in (source.kind, "")]
        return min((day for day in days if self.ds and day.ds > self.ds), key=lambda day: day.ds, default=None)


class Warehouse(Protocol):
    """One place that days are published to. Every method may raise WarehouseError; `prepare` also AccessError.

    `local` says that reading costs nothing: no sign-in, and no paid warehouse that wakes.
    """

    label: str
    local: bool
    prefix: str
    """The quoted database and schema of the tables, with a dot behind; "" in a DuckDB file."""

    def table(self, dataset: Dataset) -> str:
        """The name of a dataset's table, without quotes."""

    def begin(self, run_id: str) -> None:
        """Take note of the run that the next statements belong to."""

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Connect, and create, complete or widen the tables; the only method that changes them.

        `views` gives the views to create beside a new table.
        """

    def history(self, partition: Partition) -> History:
        """What was published before of the partition's part."""

    def count(self, partition: Partition) -> int:
        """How many rows the table has of a partition, or how many versions were known on its day."""

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """Replace the partitions' rows, or merge their versions, and write their records, all in one transaction or not.

        Returns the records as they were written. DataCheckError when a restated list closes too many versions.
        """

    def rehearse(self, delivery: Delivery) -> None:
        """Judge a restated list as `publish` does, and leave all as it is; only where that wakes no warehouse.

        DataCheckError when it closes too many versions, or is older than the table.
        """

    def write_records(self, records: list[RunRecord]) -> None:
        """Write the records of a run that published nothing."""

    def script(self, delivery: Delivery) -> list[str]:
        """The statements that `publish` would run, as text, secrets and values left out."""

    def query(self, sql: str) -> QueryResult:
        """The rows that a reading statement gives.

        WarehouseError when it does not only read, UsageError when there is none or more than one, NotThere when it asks
        for a table that does not exist.
        """

    def fetch(self, text: str, *, ours: bool = False) -> duckdb.DuckDBPyConnection:
        """What a SELECT gives, in a DuckDB in memory as its table `answer`; the warehouse is let go of before it returns.

        For who reads many rows, or wants each value with its type. `ours` for a statement that is not a person's, and is
        not looked at: it may read only. Raises as `query`.
        """

    def scan(self, *texts: str, heavy: bool = False) -> list[QueryResult]:
        """The rows of SELECTs of our own. Heavy ones stay within a bound of memory, and the rest goes to disk.

        Raises as `query`.
        """

    def replace(self, replacement: Replacement) -> None:
        """Make the tables and views that are missing, and replace the tables' rows. SomebodyWasFirst, see Replacement."""

    def keep(self, views: Sequence[Model]) -> None:
        """Work out what can be kept of views in a DuckDB file, where it was let go of and is worth it. Elsewhere nothing is kept."""

    def export(self, dataset: Dataset, ds: date, parts: list[Part], target: Path) -> int:
        """Write a day's rows of some parts to a Parquet file and return how many there are."""

    def compact(self, datasets: Sequence[Dataset]) -> Compacted:
        """Write tables anew in the order of their days, each whole or not at all; the rows stay the same."""

    def release(self) -> None:
        """Let others at it between two loads: a DuckDB file is closed, a session stays."""

    def close(self) -> None:
        """Let go of the connection; nothing happens when there is none."""


def require_counts(publications: Sequence[Publication], found: Mapping[date, int]) -> None:
    """Raise when the table does not hold as many rows of a part's days (by day) as the run published."""
    for one in publications:
        require_count(one.record.rows_published, found.get(one.partition.ds, 0), one.partition)


def require_count(expected: int, found: int, partition: Partition) -> None:
    """Raise when the table does not hold as many rows of a partition as the run published."""
    if expected != found:
        raise WarehouseError(
            f"After the load, {found} rows of {partition.label} are in the table where {expected} were sent.",
            hint="The transaction was rolled back: the table is as it was.",
        )
