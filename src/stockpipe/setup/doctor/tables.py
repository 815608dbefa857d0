"""The tables: have they the declared form, and how old is the last day?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from stockpipe.datasets import DATASETS, Column
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

    datasets: list[sql.Table]
    runs: sql.Table
    rejects: sql.Table

    @classmethod
    def of(cls, settings: Settings, prefix: str = "") -> OurTables:
        """As the settings name them; `prefix` is a quoted database and schema with a dot behind."""
        tables = [sql.dataset_table(dataset, settings, prefix) for dataset in DATASETS.values()]
        return cls(tables, sql.runs_table(prefix), sql.rejects_table(prefix))

    @property
    def all(self) -> list[sql.Table]:
        """All of them."""
        return [*self.datasets, self.runs, self.rejects]


def not_there(name: str) -> Diagnosis:
    """For a table that is certainly not there."""
    return Diagnosis("OK", "table", f"{name} is not there yet; the first run makes it")


def examine_tables(
    tables: list[sql.Table],
    described: Callable[[str], Columns],
    type_of: Callable[[Column], str],
    missing: Callable[[str], Diagnosis] = not_there,
) -> Iterator[Diagnosis]:
    """Each table's form; `described` gives names and types of a table's columns, nothing for one that is `missing`."""
    for table in tables:
        existing = described(table.name)
        if not existing:
            yield missing(table.name)
            continue
        try:
            changes = _changes(table, existing, type_of)
        except WarehouseError as error:
            yield failed("table", error)
            continue
        yield Diagnosis("OK", "table", f"{table.name}: " + (f"the next run {'; '.join(changes)}" if changes else "as declared"))  # fmt: skip


def may_alter(table: sql.Table, existing: Columns, type_of: Callable[[Column], str]) -> bool:
    """Whether the next run changes the form of a table that is there."""
    try:
        return bool(existing and _changes(table, existing, type_of))
    except WarehouseError:
        return False  # it ends before


def _changes(table: sql.Table, existing: Columns, type_of: Callable[[Column], str]) -> list[str]:
    """What the next run does to the columns of a table. WarehouseError when one of them is of another kind."""
    missing = [column.name for column in sql.missing_columns(table, existing, type_of)]
    renamed = sql.misspelled_columns(table, existing)
    kinds = {renamed.get(name, name): kind for name, kind in existing.items()}
    narrow = [column.name for column in table.columns if _is_narrow(column, kinds.get(column.name, ""))]
    words = {"adds": missing, "renames to upper case": list(renamed.values()), "widens": narrow}
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
