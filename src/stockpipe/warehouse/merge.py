"""A restated list merged into its table of versions (SCD type 2), in SQL that both warehouses take.

The rows of the list are in the table `incoming`. For splits, loaded on 2026-02-06, the statements are, in this order:

    DELETE FROM "SPLITS" WHERE "KNOWN_FROM" = ? AND "EXECUTION_DATE" >= (SELECT min("EXECUTION_DATE") FROM incoming)
    UPDATE "SPLITS" SET "KNOWN_TO" = NULL WHERE "KNOWN_TO" = ? AND ...
    UPDATE "SPLITS" SET "KNOWN_TO" = ? WHERE "KNOWN_TO" IS NULL AND ... AND "VERSION_HASH" NOT IN (SELECT "VERSION_HASH" FROM incoming)
    UPDATE "SPLITS" SET "VENDOR_ID" = "N1", ... FROM (SELECT "VERSION_HASH" AS "N0", "VENDOR_ID" AS "N1", ... FROM incoming) AS newer
        WHERE "KNOWN_TO" IS NULL AND "VERSION_HASH" = "N0" AND ("VENDOR_ID" IS DISTINCT FROM "N1" OR ...)
    INSERT INTO "SPLITS" (...) SELECT ... FROM incoming WHERE "VERSION_HASH" NOT IN (SELECT "VERSION_HASH" FROM "SPLITS" WHERE "KNOWN_TO" IS NULL ...)

The first two take back what an earlier load of the same day did, so that loading a day twice gives the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from stockpipe.datasets import Column, Dataset, Partition, Versions
from stockpipe.errors import DataCheckError
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import require_count

Step = tuple[str, list[Any]]
"""A statement, and the values to bind."""
Run = Callable[[str, list[Any]], Sequence[tuple[Any, ...]]]
"""Sends a statement with the values to bind, and gives its rows."""

MOST_CLOSED = 0.01
"""The largest share of the open versions that one list may close, included. A single one is never too much."""


@dataclass(frozen=True)
class Merge:
    """The merge of one partition. `incoming` is the name of the table with its rows, `mark` what stands for a value."""

    table: sql.Table
    partition: Partition
    incoming: str
    mark: str

    @property
    def later(self) -> Step:
        """Count the rows that are of a later day than this list."""
        until, since, mark = self._until, self._since, self.mark
        where = f"({since} > {mark} OR {until} > {mark}){self._in_part}"
        return self._count(where), [self._ds, self._ds, *self._part]

    @property
    def undo(self) -> list[Step]:
        """Take back what an earlier load of this day did."""
        name, until, since = self.table.name, self._until, self._since
        return [
            (f"DELETE FROM {name} WHERE {since} = {self.mark}{self._covered}", [self._ds, *self._part]),
            (f"UPDATE {name} SET {until} = NULL WHERE {until} = {self.mark}{self._covered}", [self._ds, *self._part]),
        ]

    @property
    def open(self) -> Step:
        """Count the open versions that the list says something of."""
        return self._count(f"{self._until} IS NULL{self._covered}"), [*self._part]

    @property
    def closed(self) -> Step:
        """Count those that the list no longer has."""
        return self._count(self._gone), [*self._part]

    @property
    def steps(self) -> list[Step]:
        """Close what is gone, renew what makes no version, and open what is new."""
        name, columns, version = self.table.name, sql.column_list(self.table.columns), self._version
        known = f"SELECT {version} FROM {name} WHERE {self._until} IS NULL{self._in_part}"
        return [
            (f"UPDATE {name} SET {self._until} = {self.mark} WHERE {self._gone}", [self._ds, *self._part]),
            *self._renewing(),
            (
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {self.incoming} WHERE {version} NOT IN ({known})",
                [*self._part],
            ),
        ]

    def _renewing(self) -> list[Step]:
        noise = [self._dataset.column(name) for name in self._kind.unversioned]
        if unknown := self._dataset.unknown:
            noise.append(unknown)
        if not noise:
            return []
        news = [f'"N{number}"' for number in range(1, len(noise) + 1)]
        sets = ", ".join(f'"{column.name}" = {new}' for column, new in zip(noise, news, strict=True))
        differ = " OR ".join(_differs(column, new) for column, new in zip(noise, news, strict=True))
        cells = ", ".join(f'"{column.name}" AS {new}' for column, new in zip(noise, news, strict=True))
        newer = f'(SELECT {self._version} AS "N0", {cells} FROM {self.incoming}) AS newer'
        where = f'{self._until} IS NULL AND {self._version} = "N0"{self._in_part} AND ({differ})'
        return [(f"UPDATE {self.table.name} SET {sets} FROM {newer} WHERE {where}", [*self._part])]

    @property
    def _gone(self) -> str:
        return f"{self._until} IS NULL{self._covered} AND {self._version} NOT IN (SELECT {self._version} FROM {self.incoming})"

    @property
    def _covered(self) -> str:
        """The condition for the part, and for events on or after the first one of the list; each with AND before it."""
        covers = self._kind.covers
        since = f' AND "{covers}" >= (SELECT min("{covers}") FROM {self.incoming})' if covers else ""
        return f"{self._in_part}{since}"

    @property
    def _in_part(self) -> str:
        return "".join(f' AND "{name}" = {self.mark}' for name in self.partition.part.values)

    @property
    def _part(self) -> list[Any]:
        return list(self.partition.part.values.values())

    @property
    def _ds(self) -> date:
        return self.partition.ds

    @property
    def _dataset(self) -> Dataset:
        return self.partition.part.dataset

    @property
    def _kind(self) -> Versions:
        kind = self._dataset.kind
        if not isinstance(kind, Versions):
            raise TypeError(f"{self._dataset.name} has no versions")
        return kind

    @property
    def _since(self) -> str:
        return f'"{self._dataset.day.name}"'

    @property
    def _until(self) -> str:
        return f'"{sql.until_column(self._dataset).name}"'

    @property
    def _version(self) -> str:
        return next(f'"{column.name}"' for column in self.table.columns if column.type.role == "version")

    def _count(self, where: str) -> str:
        return f"SELECT count(*) FROM {self.table.name} WHERE {where}"


def merge_one(merge: Merge, run: Run, rows: int, *, force: bool) -> list[str]:
    """Merge one partition within the open transaction; `rows` of it must be open in the end. Returns what `force` accepted.

    DataCheckError for a list that closes too many versions, or that is older than the table. WarehouseError for a number of
    open versions that is not `rows`.
    """

    def count(step: Step) -> int:
        return int(run(*step)[0][0])

    must_be_newest(count(merge.later), merge.partition)
    for step in merge.undo:
        run(*step)
    overruled = may_close(count(merge.closed), count(merge.open), merge.partition, force=force)
    for step in merge.steps:
        run(*step)
    require_count(rows, count(merge.open), merge.partition)
    return overruled


def _differs(column: Column, new: str) -> str:
    old = f'"{column.name}"'
    if column.kind == "json":
        old, new = f"CAST({old} AS VARCHAR)", f"CAST({new} AS VARCHAR)"
    return f"{old} IS DISTINCT FROM {new}"


def must_be_newest(later: int, partition: Partition) -> None:
    """DataCheckError when the table has versions of a later day: history cannot be rewritten from an older list."""
    if later:
        raise DataCheckError(
            f"{partition.part.label} is known as of a later day than {partition.ds}: an older list would rewrite what was known since.",
            hint="Nothing was published. Load it without a date.",
            checks=["order"],
        )


def may_close(closed: int, open_before: int, partition: Partition, *, force: bool) -> list[str]:
    """What was overruled with `force`, or nothing; DataCheckError when a list closes too many of the open versions."""
    if closed <= max(MOST_CLOSED * open_before, 1):
        return []
    text = (
        f"The list of {partition.part.label} closes {closed:,} of {open_before:,} versions "
        f"({closed / open_before:.1%}), more than 1 %."
    )
    if not force:
        raise DataCheckError(
            text,
            hint="Nothing was published. If the list is right all the same, run again with --force: it is recorded.",
            checks=["closed"],
        )
    return [f"closed: {text}"]
