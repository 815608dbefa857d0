"""What is handed over to replace derived tables, and the look that keeps two builds from mixing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockpipe.errors import WarehouseError
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.sql import Table


@dataclass(frozen=True)
class Replacement:
    """Derived tables that are replaced whole, in one transaction.

    `files` are their rows as Parquet (one file each, no file for a table without rows). The row of `log` is added to the
    log's table, whose column `BUILD` counts: unless its highest number is still `after`, somebody else was first. `readers`
    are views of others that read the tables: what is kept of them is stale then.
    """

    tables: Sequence[Table]
    files: Mapping[str, Path]
    log: Table
    row: tuple[Any, ...]
    after: int
    views: Sequence[Model] = ()
    readers: Sequence[Model] = ()


class SomebodyWasFirst(WarehouseError):
    """Another build was published since this one read its state: nothing was changed, and it can begin again."""


def newest(log: Table) -> str:
    """The highest number in the log of the builds."""
    return f'SELECT coalesce(max("BUILD"), 0) FROM {log.name}'


def must_still_be(rows: Sequence[Sequence[object]], replacement: Replacement) -> None:
    """SomebodyWasFirst where the log has a newer build than the one that this one rests on."""
    if int(str(rows[0][0])) != replacement.after:
        raise SomebodyWasFirst(
            f"Another build was published while this one was made: number {rows[0][0]} is there, {replacement.after} was read.",
            hint="Nothing was changed. Run the same command again.",
        )
