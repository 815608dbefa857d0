"""Bars, splits and dividends in the tables that a load makes, in a DuckDB file or in the stand-in of Snowflake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from snowflake_gate import SnowflakeGate
from stockpipe import Reader
from stockpipe.datasets import DATASETS
from stockpipe.settings import load_settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import TableOptions, duckdb_create, snowflake_create

Bar = tuple[str, str, float]
"""Ticker, day, close."""
Split = tuple[str, str, float, float]
"""Ticker, execution date, from, to."""
Dividend = tuple[str, str, float]
"""Ticker, ex-date, amount per share."""


class Prices:
    """A DuckDB file, or with a `gate` Snowflake's schema, to which events are added."""

    def __init__(self, path: Path = Path("prices.duckdb"), gate: SnowflakeGate | None = None) -> None:
        self.gate = gate
        values = gate.env() if gate else {"STOCKPIPE_DUCKDB_PATH": str(path)}
        self.settings = load_settings(values, env={})
        self.path = path
        tables = [sql.dataset_table(DATASETS[name], self.settings) for name in ("daily_bars", "splits", "dividends")]
        options = TableOptions.of(self.settings)
        if gate:
            for table in tables:
                self.run(snowflake_create(table, options))
        else:
            self.run(";".join(statement for table in tables for statement in duckdb_create(table)))

    @property
    def desk(self) -> Reader:
        """A reader of the tables."""
        return Reader(self.settings)

    def run(self, statement: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        """Run a statement, once for each row of values."""
        if self.gate:
            for row in rows or [()]:
                self.gate.rows(_filled(statement, row))
            return
        with duckdb.connect(str(self.path)) as connection:
            if rows:
                connection.executemany(statement, [list(row) for row in rows])
            else:
                connection.execute(statement)

    def bars(self, *bars: Bar, volume: float = 1000) -> None:
        """Bars whose four prices are the close."""
        self.run(
            "INSERT INTO DAILY_BARS (TICKER, DS, OPEN, HIGH, LOW, CLOSE, VWAP, VOLUME) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(ticker, day, close, close, close, close, close, volume) for ticker, day, close in bars],
        )

    def closes(self, ticker: str, first: str, *closes: float) -> None:
        """Bars on days in a row."""
        days = [date.fromisoformat(first) + timedelta(days=number) for number in range(len(closes))]
        self.bars(*((ticker, str(day), close) for day, close in zip(days, closes, strict=True)))

    def splits(
        self, *splits: Split, kind: str = "forward_split", known: tuple[str, str | None] = ("2003-09-10", None)
    ) -> None:
        """Splits that are known from a day on, and until one."""
        self.run(
            "INSERT INTO SPLITS (TICKER, EXECUTION_DATE, SPLIT_FROM, SPLIT_TO, ADJUSTMENT_TYPE, OCCURRENCE, KNOWN_FROM, KNOWN_TO) "
            "VALUES (?, ?, ?, ?, ?, 1, ?, ?)",
            [(*split, kind, *known) for split in splits],
        )

    def dividends(
        self, *dividends: Dividend, kind: str = "recurring", currency: str = "USD", adjusted: float | None = None
    ) -> None:
        """Dividends; `adjusted` is the amount on today's shares, as the vendor tells it."""
        self.run(
            "INSERT INTO DIVIDENDS (TICKER, EX_DIVIDEND_DATE, CASH_AMOUNT, DISTRIBUTION_TYPE, CURRENCY, "
            "SPLIT_ADJUSTED_CASH_AMOUNT, OCCURRENCE, KNOWN_FROM) VALUES (?, ?, ?, ?, ?, ?, 1, DATE '2003-09-10')",
            [(*dividend, kind, currency, adjusted) for dividend in dividends],
        )

    def master(self, *stretches: tuple[str, str, str, str | None]) -> None:
        """The history of a security master, empty at first: id, ticker, first day, first day behind."""
        self.run(
            "CREATE TABLE IF NOT EXISTS SECURITY_HISTORY (SECURITY_ID VARCHAR, TICKER VARCHAR, VALID_FROM DATE, VALID_TO DATE)"
        )
        if stretches:
            self.run("INSERT INTO SECURITY_HISTORY VALUES (?, ?, ?, ?)", stretches)

    def values(self, ticker: str, column: str, **how: Any) -> dict[str, Any]:
        """A column of the prices of a ticker, by day."""
        return {str(row["DS"]): row[column] for row in self.desk.prices(ticker, **how)}

    def issues(self, ticker: str) -> list[tuple[str, str, str, bool]]:
        """Day, event, issue, and whether it counts."""
        return [
            (str(row["EX_DATE"]), row["EVENT"], row["ISSUE"], row["USED"]) for row in self.desk.price_issues(ticker)
        ]


def _filled(statement: str, row: Sequence[Any]) -> str:
    """A statement with its values written out."""
    literals = ["NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value) for value in row]
    return statement.replace("?", "{}").format(*literals)
