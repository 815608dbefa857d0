"""What the page says of prices, where bars, splits or dividends are loaded: movers, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from stockpipe.base.text import day_literal
from stockpipe.reading.reader import Reader

MOST = 10
_AHEAD_DAYS = 14
_LEAST_PRICE, _LEAST_TURNOVER = 1, 1_000_000


@dataclass(frozen=True)
class Listing:
    """A list of the page: its name, its heads, its rows, and the statement that gave them."""

    name: str
    heads: tuple[str, ...]
    rows: list[list[Any]]
    sql: str


def listings(reader: Reader, day: date) -> list[Listing]:
    """The lists that the loaded tables allow, as of a day."""
    found: list[Listing] = []
    bars, splits, dividends = (reader.table(name) for name in ("daily_bars", "splits", "dividends"))
    has_splits = reader.has(splits)
    if reader.has(bars):
        statement = movers_sql(bars, splits if has_splits else None, day)
        found.append(_listing(reader, "Movers", ("Ticker", "From", "To", "Before", "Close", "Move"), statement, _mover))
    if has_splits:
        heads = ("Date", "Ticker", "From", "To")
        found.append(_listing(reader, "Next splits", heads, next_splits_sql(splits, day), _plain))
    if reader.has(dividends):
        heads = ("Ex-date", "Ticker", "Amount", "Currency")
        found.append(_listing(reader, "Next dividends", heads, next_dividends_sql(dividends, day), _plain))
    return found


def movers_sql(bars: str, splits: str | None, day: date) -> str:
    """The largest moves from close to close between the last two days with bars; tickers with a split between are left out."""
    between = (
        f'\n    LEFT JOIN {splits} AS s ON s."TICKER" = n."TICKER" AND s."KNOWN_TO" IS NULL '
        'AND s."EXECUTION_DATE" > o."DS" AND s."EXECUTION_DATE" <= n."DS"'
        if splits
        else ""
    )
    unsplit = ' AND s."TICKER" IS NULL' if splits else ""
    return f"""WITH days AS (SELECT DISTINCT "DS" FROM {bars} WHERE "DS" <= {day_literal(day)} ORDER BY "DS" DESC LIMIT 2),
moves AS (
    SELECT n."TICKER", o."DS" AS before_ds, n."DS", o."CLOSE" AS before_close, n."CLOSE", CAST(n."CLOSE" AS DOUBLE) / o."CLOSE" - 1 AS move
    FROM {bars} AS n JOIN {bars} AS o ON o."TICKER" = n."TICKER"{between}
    WHERE n."DS" = (SELECT max("DS") FROM days) AND o."DS" = (SELECT min("DS") FROM days) AND n."DS" > o."DS"
        AND o."CLOSE" >= {_LEAST_PRICE} AND CAST(n."CLOSE" AS DOUBLE) * n."VOLUME" >= {_LEAST_TURNOVER}{unsplit}
)
SELECT "TICKER", before_ds, "DS", before_close, "CLOSE", move FROM moves
QUALIFY row_number() OVER (ORDER BY move DESC, "TICKER") <= {MOST} AND move > 0
    OR row_number() OVER (ORDER BY move, "TICKER") <= {MOST} AND move < 0
ORDER BY move DESC, "TICKER\""""


def next_splits_sql(splits: str, day: date) -> str:
    """The splits that are announced for the days after."""
    return (
        f'SELECT "EXECUTION_DATE", "TICKER", "SPLIT_FROM", "SPLIT_TO" FROM {splits} WHERE "KNOWN_TO" IS NULL '
        f'AND "EXECUTION_DATE" > {day_literal(day)} ORDER BY "EXECUTION_DATE", "TICKER" LIMIT {2 * MOST}'
    )


def next_dividends_sql(dividends: str, day: date) -> str:
    """The largest dividends that go ex in the next two weeks."""
    return (
        f'SELECT "EX_DIVIDEND_DATE", "TICKER", "CASH_AMOUNT", "CURRENCY" FROM {dividends} WHERE "KNOWN_TO" IS NULL '
        f'AND "EX_DIVIDEND_DATE" > {day_literal(day)} AND "EX_DIVIDEND_DATE" <= {day_literal(day)} + {_AHEAD_DAYS} '
        f'ORDER BY "CASH_AMOUNT" DESC, "EX_DIVIDEND_DATE", "TICKER" LIMIT {2 * MOST}'
    )


def _listing(
    reader: Reader, name: str, heads: tuple[str, ...], statement: str, shown: Callable[[tuple[Any, ...]], list[Any]]
) -> Listing:
    return Listing(name, heads, [shown(row) for row in reader.query(statement).tuples()], statement)


def _mover(row: tuple[Any, ...]) -> list[Any]:
    ticker, before_ds, ds, before, close, move = row
    return [ticker, str(before_ds), str(ds), f"{before:,.2f}", f"{close:,.2f}", f"{move:+.1%}"]


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row]
