"""Days of the tickers table written by hand or by the synthetic market, and builds of the security master over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock
from stockpipe.master.build import Built, Wish, build_master
from stockpipe.sandbox.market import Market
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.scripts import tables_script

FILE = "stockpipe.duckdb"
COLUMNS = (
    "DS, TICKER, NAME, TYPE, PRIMARY_EXCHANGE, CIK, COMPOSITE_FIGI, SHARE_CLASS_FIGI, MARKET, ACTIVE, DELISTED_UTC"
)
Listed = tuple[str, ...]
"""Ticker, name, type, exchange, CIK, FIGI, share class FIGI; what is missing at the end is null."""


@dataclass
class Place:
    """A warehouse with a table of tickers that the test fills."""

    settings: dict[str, str]
    gate: SnowflakeGate | None = None

    def create(self) -> None:
        """Make the tables that a load makes."""
        self._all(tables_script(load_settings(self.settings, env={})).split(";\n"))

    def _all(self, statements: Iterable[str]) -> None:
        if self.gate:
            for statement in statements:
                if statement.strip():
                    self.gate.rows(statement)
            return
        with duckdb.connect(FILE) as connection:
            connection.execute(";\n".join(statements))

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """A statement of the test's own."""
        if self.gate:
            return self.gate.rows(statement)
        with duckdb.connect(FILE) as connection:
            return connection.execute(statement).fetchall()

    def load(self, days: Mapping[str, Iterable[Sequence[str | None]]], *, active: bool = True) -> None:
        """Put days into the table, in place of what it has of them."""
        statements = []
        for day, rows in days.items():
            statements.append(f"DELETE FROM TICKERS WHERE DS = '{day}' AND ACTIVE = {active}")
            lines = [
                (day, *row[:7], *[None] * (7 - len(row)), "stocks", active, row[7] if len(row) > 7 else None)
                for row in rows
            ]
            for at in range(0, len(lines), 5000):
                values = ", ".join(f"({', '.join(map(_cell, line))})" for line in lines[at : at + 5000])
                statements.append(f"INSERT INTO TICKERS ({COLUMNS}) VALUES {values}")
        self._all(statements)

    def build(self, **wish: Any) -> Built:
        """`stockpipe master build`."""
        settings = load_settings(self.settings, env={})
        with closing(open_warehouse(settings)) as warehouse:
            return build_master(warehouse, settings, Clock(), Wish(**wish))

    def table(self, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The rows of a table, in the order of their texts."""
        return sorted(self.run(f"SELECT {columns} FROM {name}"), key=str)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The tables that two builds of the same days must have in common."""
        names = (
            "SECURITIES",
            "SECURITY_HISTORY",
            "SECURITY_EVENTS",
            "SECURITY_DECISIONS",
            "SECURITY_STRETCHES",
            "SECURITY_LISTS",
        )
        return {name: self.table(name) for name in names}


def _cell(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def market_days(market: Market, days: Iterable[date]) -> dict[str, list[tuple[str | None, ...]]]:
    """The dated lists of a synthetic market, as rows for `Place.load`. Of doubles the first row stays."""
    fields = ("ticker", "name", "type", "primary_exchange", "cik", "composite_figi", "share_class_figi")
    found = {}
    for day in days:
        rows: dict[str, tuple[str | None, ...]] = {}
        for _, row in market.truth("stocks", day):
            rows.setdefault(str(row["ticker"]), tuple(str(row[name]) if name in row else None for name in fields))
        found[day.isoformat()] = list(rows.values())
    return found
