"""What the last build left: its tables as they are now, and whether another hand has changed them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from stockpipe.errors import NotThere
from stockpipe.master.resolve.stretch import List
from stockpipe.warehouse import Warehouse, sql
from stockpipe.warehouse.securities import (
    SECURITIES,
    SECURITY_ALIASES,
    SECURITY_BUILDS,
    SECURITY_DECISIONS,
    SECURITY_EVENTS,
    SECURITY_HISTORY,
    SECURITY_LISTS,
    SECURITY_STRETCHES,
)
from stockpipe.warehouse.sql import Table

Row = tuple[Any, ...]
_READ = (SECURITIES, SECURITY_HISTORY, SECURITY_ALIASES, SECURITY_STRETCHES, SECURITY_LISTS)
"""The tables that the next build rests on; of the others only the size is looked at."""
_COUNTED = (SECURITY_EVENTS, SECURITY_DECISIONS)


@dataclass
class State:
    """The newest build, and the rows of its tables by the table's name; build 0 has none. `missing` are tables that were dropped."""

    build: int = 0
    log: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def of(self, table: Table) -> list[Row]:
        """The rows of a table."""
        return self.rows.get(table.name, [])

    @property
    def start(self) -> date | None:
        """The day before which days were left out."""
        return self.log.get("FROM_DS")

    @property
    def given(self) -> list[str]:
        """All ids that were given, aliases included."""
        return [row[0] for row in (*self.of(SECURITIES), *self.of(SECURITY_ALIASES))]

    @property
    def lists(self) -> list[tuple[List, str]]:
        """The lists that the build rested on, each with its state: whole, torn or broken."""
        return [
            (List(day, rows, store or "", state == "torn", mark or ""), state)
            for day, rows, store, state, mark in sorted(self.of(SECURITY_LISTS), key=lambda row: row[0])
        ]

    @property
    def read(self) -> int:
        """How many rows were read."""
        return sum(len(rows) for rows in self.rows.values())

    def edited(self) -> list[str]:
        """The tables that are not as the build left them, in words."""
        digests = json.loads(self.log["DIGESTS"]) if self.log.get("DIGESTS") else {}
        figures = json.loads(self.log["FIGURES"]) if self.log.get("FIGURES") else {}
        found = [f"{name} is not there" for name in self.missing]
        found += [
            f"{_bare(table)} has other rows"
            for table in _READ
            if table.name in self.rows and digest(self.of(table)) != digests.get(_bare(table))
        ]
        found += [
            f"{_bare(table)} has {self.counts[table.name]:,} rows where {figures.get(_bare(table), 0):,} were written"
            for table in _COUNTED
            if table.name in self.counts and self.counts[table.name] != figures.get(_bare(table), 0)
        ]
        return found


def read_state(warehouse: Warehouse) -> State:
    """The state as it is in the warehouse; an empty one where no master was built."""
    log = last_build(warehouse)
    if log is None:
        return State()
    prefix = warehouse.prefix
    selects = [f"SELECT {sql.column_list(table.columns)} FROM {prefix}{table.name}" for table in _READ]
    counts = " UNION ALL ".join(f"SELECT '{table.name}', count(*) FROM {prefix}{table.name}" for table in _COUNTED)
    try:
        *found, counted = warehouse.scan(*selects, counts)
    except NotThere:
        return _state_without_some(warehouse, log, selects)
    rows = {table.name: answer.rows for table, answer in zip(_READ, found, strict=True)}
    return State(log["BUILD"], log, rows, {name: int(count) for name, count in counted.rows})


def _state_without_some(warehouse: Warehouse, log: dict[str, Any], selects: Sequence[str]) -> State:
    """The state where a table was dropped: of those that are there, and which are not."""
    state = State(log["BUILD"], log)
    for table, select in zip(_READ, selects, strict=True):
        try:
            state.rows[table.name] = warehouse.scan(select)[0].rows
        except NotThere:
            state.missing.append(_bare(table))
    for table in _COUNTED:
        try:
            count = warehouse.scan(f"SELECT count(*) FROM {warehouse.prefix}{table.name}")[0].rows[0][0]
            state.counts[table.name] = int(count)
        except NotThere:
            state.missing.append(_bare(table))
    return state


def last_build(warehouse: Warehouse) -> dict[str, Any] | None:
    """The record of the newest build; None where no master was built."""
    names = [column.name for column in SECURITY_BUILDS.columns]
    table = f"{warehouse.prefix}{SECURITY_BUILDS.name}"
    try:
        rows = warehouse.scan(
            f'SELECT {sql.column_list(SECURITY_BUILDS.columns)} FROM {table} WHERE "BUILD" = (SELECT max("BUILD") FROM {table})'
        )[0].rows
    except NotThere:
        return None
    return dict(zip(names, rows[0], strict=True)) if rows else None


def digests(rows: dict[str, Sequence[Row]]) -> dict[str, str]:
    """The fingerprints of the tables that the next build rests on."""
    return {_bare(table): digest(rows[table.name]) for table in _READ}


def digest(rows: Iterable[Sequence[object]]) -> str:
    """A fingerprint of a table's rows, whatever their order."""
    lines = msgspec.json.Encoder().encode_lines(rows).splitlines()  # a row each: line breaks in it are escaped
    return hashlib.sha256(b"\n".join(sorted(lines))).hexdigest()[:32]


def _bare(table: Table) -> str:
    return table.name.strip('"')
