"""Questions to the table of the tickers: the same SQL in both warehouses. None needs a security master."""

from __future__ import annotations

from datetime import date

from stockpipe.datasets import TICKERS, Part
from stockpipe.reading.words import holds_on
from stockpipe.warehouse import sql

COMPARED = ("NAME", "TYPE", "PRIMARY_EXCHANGE", "CURRENCY_NAME", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI")
"""The columns whose change is told."""


def universe_sql(table: str, parts: list[Part], day: date) -> str:
    """The rows of a day in the order of their tickers, all columns."""
    where = sql.where_exported(day, parts)
    return f"SELECT * FROM {table} WHERE {where} ORDER BY {sql.export_order(TICKERS)}"


def universe_with_ids_sql(table: str, parts: list[Part], day: date, history: str) -> str:
    """The same with the permanent id of each row as the last column; null where the security master knows none.

    `history` is SECURITY_HISTORY of a master that knows the day.
    """
    where = sql.where_exported(day, parts)
    return f"""SELECT t.*, h."SECURITY_ID" FROM (SELECT * FROM {table} WHERE {where}) AS t
LEFT JOIN (SELECT "SECURITY_ID", "TICKER" AS "KNOWN_AS" FROM {history} WHERE {holds_on(day, "VALID")}) AS h ON h."KNOWN_AS" = t."TICKER"
ORDER BY {sql.export_order(TICKERS)}"""


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
FROM found GROUP BY {kept}, stretch ORDER BY "ACTIVE" DESC, "FIRST_DS", "TICKER", "MARKET\""""
