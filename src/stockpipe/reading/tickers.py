"""Questions to the table of the tickers alone, where no security master is built: the same SQL in both warehouses.

Who was renamed is told by the composite FIGI, where exactly one ticker of each day has it.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets import TICKERS, Part
from stockpipe.reading.words import day_literal
from stockpipe.warehouse import sql

COMPARED = ("NAME", "TYPE", "PRIMARY_EXCHANGE", "CURRENCY_NAME", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI")
"""The columns whose change is told."""


def universe_sql(table: str, parts: list[Part], day: date) -> str:
    """The rows of a day in the order of their tickers, all columns."""
    where = sql.where_exported(day, parts)
    return f"SELECT * FROM {table} WHERE {where} ORDER BY {sql.export_order(TICKERS)}"


def history_sql(table: str, ticker: str) -> str:
    """The stretches of days in which nothing that matters changed, of a ticker (a literal) and of its other names.

    Other names are the tickers that had a composite FIGI of it. Days are published days: FIRST_DS and LAST_DS are
    both included, DAYS counts them, and a day between two of them that is missing cuts a stretch.
    """
    kept = sql.column_list([TICKERS.column(name) for name in ("TICKER", "MARKET", "ACTIVE", *COMPARED)])
    named = (
        f'"TICKER" = {ticker} OR "COMPOSITE_FIGI" IN '
        f'(SELECT "COMPOSITE_FIGI" FROM {table} WHERE "TICKER" = {ticker} AND "COMPOSITE_FIGI" IS NOT NULL)'
    )
    return f"""WITH numbered AS (
    SELECT "MARKET", "ACTIVE", "DS", row_number() OVER (PARTITION BY "MARKET", "ACTIVE" ORDER BY "DS") AS n
    FROM (SELECT DISTINCT "MARKET", "ACTIVE", "DS" FROM {table}) AS days
),
found AS (
    SELECT {kept}, "DS", n - row_number() OVER (PARTITION BY {kept} ORDER BY "DS") AS stretch
    FROM (SELECT * FROM {table} WHERE {named}) AS t JOIN numbered USING ("MARKET", "ACTIVE", "DS")
)
SELECT min("DS") AS "FIRST_DS", max("DS") AS "LAST_DS", count(*) AS "DAYS", {kept}
FROM found GROUP BY {kept}, stretch ORDER BY "ACTIVE" DESC, "FIRST_DS", "TICKER\""""


def changes_sql(table: str, part: Part, day: date, before: date) -> str:
    """What changed from one published day of a part to another: a row for each new, gone or renamed ticker, and for each
    value that changed. Example of the last: AAPL, changed, NAME, `Apple Computer`, `Apple Inc.`."""
    values = " UNION ALL ".join(_changed(name) for name in COMPARED)
    return f"""WITH after AS ({_side(table, part, day)}),
before AS ({_side(table, part, before)}),
came AS (SELECT * FROM after WHERE "TICKER" NOT IN (SELECT "TICKER" FROM before)),
went AS (SELECT * FROM before WHERE "TICKER" NOT IN (SELECT "TICKER" FROM after)),
renamed AS (
    SELECT came."TICKER" AS new_ticker, went."TICKER" AS old_ticker
    FROM came JOIN went ON came."COMPOSITE_FIGI" = went."COMPOSITE_FIGI"
    QUALIFY count(*) OVER (PARTITION BY came."COMPOSITE_FIGI") = 1
),
told AS (
    SELECT 1 AS place, 'new' AS "CHANGE", "TICKER", NULL AS "COLUMN_NAME", NULL AS "OLD", NULL AS "NEW",
        "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM came WHERE "TICKER" NOT IN (SELECT new_ticker FROM renamed)
    UNION ALL
    SELECT 2, 'gone', "TICKER", NULL, NULL, NULL, "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM went WHERE "TICKER" NOT IN (SELECT old_ticker FROM renamed)
    UNION ALL
    SELECT 3, 'renamed', new_ticker, 'TICKER', old_ticker, new_ticker, "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM renamed JOIN came ON came."TICKER" = new_ticker
    UNION ALL
    {values}
)
SELECT {day_literal(day)} AS "DS", {day_literal(before)} AS "PREVIOUS_DS",
    "CHANGE", "TICKER", "COLUMN_NAME", "OLD", "NEW", "NAME", "TYPE", "PRIMARY_EXCHANGE"
FROM told ORDER BY place, "TICKER", "COLUMN_NAME\""""


def _side(table: str, part: Part, day: date) -> str:
    columns = sql.column_list([TICKERS.column(name) for name in ("TICKER", *COMPARED)])
    return f"SELECT {columns} FROM {table} WHERE {sql.where_exported(day, [part])}"


def _changed(name: str) -> str:
    return (
        f'SELECT 4, \'changed\', after."TICKER", \'{name}\', before."{name}", after."{name}", '
        f'after."NAME", after."TYPE", after."PRIMARY_EXCHANGE" '
        f'FROM after JOIN before ON after."TICKER" = before."TICKER" '
        f'WHERE after."{name}" IS DISTINCT FROM before."{name}"'
    )
