"""The tables: have they the declared form, and how old is the last day?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from stockpipe.datasets import DATASETS, USUAL, Column
from stockpipe.errors import WarehouseError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed
from stockpipe.warehouse import sql
from stockpipe.warehouse.runs import RUNS_TABLE

_SATURDAY = 5
Columns = Mapping[str, str]
"""Names and types, as a warehouse describes a table."""


@dataclass(frozen=True)
class OurTables:
    """The tables that a run uses."""

    datasets: dict[str, sql.Table]
    """By the dataset's name."""
    runs: sql.Table
    rejects: sql.Table
    prefix: str = ""
    """The quoted database and schema, with a dot behind."""

    @classmethod
    def of(cls, settings: Settings, prefix: str = "") -> OurTables:
        """As the settings name them; `prefix` is a quoted database and schema with a dot behind."""
        tables = {name: sql.dataset_table(dataset, settings, prefix) for name, dataset in DATASETS.items()}
        return cls(tables, sql.runs_table(prefix), sql.rejects_table(prefix), prefix)

    @property
    def all(self) -> list[sql.Table]:
        """All of them."""
        return [*self.datasets.values(), self.runs, self.rejects]

    def in_use(self, is_there: Callable[[str], object], loaded: Iterable[str] = ()) -> OurTables:
        """Without those of datasets that nobody loaded so far. The usual one stays: it is what the first run loads."""
        names = {USUAL.name, *loaded}
        used = {name: table for name, table in self.datasets.items() if name in names or is_there(table.name)}
        return replace(self, datasets=used)


def not_there(name: str) -> Diagnosis:
    """For a table that is certainly not there."""
    return Diagnosis("OK", "table", f"{name} is not there yet; the first run makes it")


def examine_tables(
    tables: list[sql.Table],
    described: Callable[[str], Columns],
    type_of: Callable[[Column], str],
    missing: Callable[[str], Diagnosis] = not_there,
    obstacles: Callable[[sql.Table], Iterable[tuple[str, str]]] = lambda _: (),
) -> Iterator[Diagnosis]:
    """Each table's form; `described` gives names and types of a table's columns, nothing for one that is `missing`.

    `obstacles` are what else keeps our rows out of a table that is there, each with its remedy.
    """
    for table in tables:
        existing = described(table.name)
        if not existing:
            yield missing(table.name)
            continue
        try:
            obstacle = next(iter(obstacles(table)), None)
            changes = [] if obstacle else _changes(table, existing, type_of)
        except WarehouseError as error:
            yield failed("table", error)
            continue
        if obstacle:
            yield Diagnosis("FAIL", "table", *obstacle, exit_code=6)
            continue
        yield Diagnosis("OK", "table", f"{table.name}: " + (f"the next run {'; '.join(changes)}" if changes else "as declared"))  # fmt: skip


def _changes(table: sql.Table, existing: Columns, type_of: Callable[[Column], str]) -> list[str]:
    """What the next run does to the columns of a table. WarehouseError when one of them is of another kind."""
    missing = [column.name for column in sql.missing_columns(table, existing, type_of)]
    narrow = [column.name for column in table.columns if _is_narrow(column, existing.get(column.name, ""))]
    words = {"adds": missing, "widens": narrow}
    return [f"{word} {', '.join(names)}" for word, names in words.items() if names]


def _is_narrow(column: Column, kind: str) -> bool:
    present = sql.width(kind)
    return column.kind == "text" and bool(column.width and present and present < column.width)


def examine_age(last: date | None, today: date) -> Diagnosis:
    """The age of the last published day; `today` is New York's. Who loads on weekdays only has missed nothing on Sunday."""
    if last is None:
        return Diagnosis("OK", "last day", f"none yet in {RUNS_TABLE}", "stockpipe run loads the first one.")
    days = (today - last).days
    if days < 0:
        return Diagnosis("WARN", "last day", f"{last}, after today in New York ({today})", "Set this machine's clock, or that of the machine that loads.")  # fmt: skip
    text = f"{last}, today's" if days == 0 else f"{last}, {days} day{'s' if days > 1 else ''} old"
    missed = sum((last + timedelta(day)).weekday() < _SATURDAY for day in range(1, days))
    if missed:
        text += f"; {missed} weekday{'s' if missed > 1 else ''} not loaded"
        return Diagnosis("WARN", "last day", text, "stockpipe runs tells why; stockpipe run loads today's.")
    return Diagnosis("OK", "last day", text)
