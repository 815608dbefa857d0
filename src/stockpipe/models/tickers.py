"""The views beside a dataset's table: the latest state, and what changed from day to day.

Both warehouses get the same SELECT; only CREATE and COMMENT are spelled differently.
"""

from __future__ import annotations

from stockpipe.datasets import Column
from stockpipe.datasets.column import DATE, FLAG, text
from stockpipe.warehouse import sql
from stockpipe.warehouse.model import Model

# The vendor's stamp is renewed every night, and DS is the day itself: neither says that a row changed.
_NO_CHANGE = ("LAST_UPDATED_UTC", "DS")
_SLICE = ("MARKET", "ACTIVE")

_CHANGE_COLUMNS = (
    Column("DS", DATE, "The day."),
    Column("PREVIOUS_DS", DATE, "The loaded day before it, of the same market and active state."),
    Column("MARKET", text(), "Of which market."),
    Column("ACTIVE", FLAG, "In the list of listed (true) or delisted (false) securities."),
    Column("TICKER", text(), "Symbol; one that was delisted twice may have a row for each."),
    Column("CHANGE", text(), "added, removed or changed."),
    Column("CHANGED_COLUMNS", text(), "Names of the columns that changed, with commas between; null otherwise."),
)


def ticker_views(table: sql.Table) -> tuple[Model, Model]:
    """The views beside the table of the tickers, which may have any name."""
    latest = Model(
        sql.renamed(table.name, "_LATEST"),
        table.columns,
        "The latest loaded day of each market and active state: one row a ticker, a listed one before its namesakes.",
        _latest(table),
    )
    changes = Model(
        sql.renamed(table.name, "_CHANGES"),
        _CHANGE_COLUMNS,
        "What changed from each loaded day of a market and active state to the next; LAST_UPDATED_UTC does not count.",
        _changes(table),
    )
    return latest, changes


def _latest(table: sql.Table) -> str:
    """An active row is true on its DS, a delisted one until DELISTED_UTC: of one ticker, the later one stays."""
    first = (*_SLICE, "TICKER", "DS", "DELISTED_UTC")
    rest = [
        f't."{column.name}" NULLS LAST'
        for column in table.columns
        if column.name not in first and column.kind != "json"
    ]
    return f"""SELECT {", ".join(f't."{column.name}"' for column in table.columns)}
FROM {table.name} AS t
JOIN (
    SELECT "MARKET", "ACTIVE", max("DS") AS "DS" FROM {table.name} GROUP BY "MARKET", "ACTIVE"
) AS latest ON t."MARKET" = latest."MARKET" AND t."ACTIVE" = latest."ACTIVE" AND t."DS" = latest."DS"
QUALIFY row_number() OVER (
    PARTITION BY t."MARKET", t."TICKER"
    ORDER BY CASE WHEN t."ACTIVE" THEN t."DS" ELSE CAST(t."DELISTED_UTC" AS DATE) END DESC NULLS LAST, t."ACTIVE" DESC,
        {", ".join(rest)}
) = 1"""


def _changes(table: sql.Table) -> str:
    """Rows that are the same on both days drop out; what is left of a ticker is paired in the order of DELISTED_UTC.

    Rows without a day, which an adopted table may have, are no day.
    """
    apart = (*_NO_CHANGE, *_SLICE, "TICKER")
    compared = [column for column in table.columns if column.name not in apart]
    content = sql.column_list(compared)
    cells = ", ".join(
        f'CAST(t."{column.name}" AS VARCHAR) AS "{column.name}"' if column.kind == "json" else f't."{column.name}"'
        for column in compared
    )
    named = "\n        || ".join(_differs(column.name) for column in compared)
    return f"""WITH loaded AS (
    SELECT "MARKET", "ACTIVE", "DS",
        lag("DS") OVER (PARTITION BY "MARKET", "ACTIVE" ORDER BY "DS") AS "PREVIOUS_DS"
    FROM (SELECT DISTINCT "MARKET", "ACTIVE", "DS" FROM {table.name} WHERE "DS" IS NOT NULL) AS days
),
both_days AS (
{_side("new", "DS", cells, table)}
    UNION ALL
{_side("old", "PREVIOUS_DS", cells, table)}
),
differing AS (
    SELECT "DS", "PREVIOUS_DS", "MARKET", "ACTIVE", "TICKER", {content}, min(side) AS only_side
    FROM both_days
    GROUP BY "DS", "PREVIOUS_DS", "MARKET", "ACTIVE", "TICKER", {content}
    HAVING count(DISTINCT side) = 1
),
paired AS (
    SELECT differing.*, row_number() OVER (
        PARTITION BY "DS", "MARKET", "ACTIVE", "TICKER", only_side ORDER BY "DELISTED_UTC" NULLS LAST, {content}
    ) AS pair
    FROM differing
)
SELECT "DS", "PREVIOUS_DS", "MARKET", "ACTIVE", "TICKER",
    CASE WHEN count(*) = 2 THEN 'changed' WHEN min(only_side) = 'new' THEN 'added' ELSE 'removed' END AS "CHANGE",
    CASE WHEN count(*) = 2 THEN substr({named}, 3) END AS "CHANGED_COLUMNS"
FROM paired
GROUP BY "DS", "PREVIOUS_DS", "MARKET", "ACTIVE", "TICKER", pair"""


def _side(side: str, day: str, cells: str, table: sql.Table) -> str:
    return f"""    SELECT loaded."DS", loaded."PREVIOUS_DS", '{side}' AS side, t."MARKET", t."ACTIVE", t."TICKER", {cells}
    FROM {table.name} AS t
    JOIN loaded ON t."MARKET" = loaded."MARKET" AND t."ACTIVE" = loaded."ACTIVE" AND t."DS" = loaded."{day}"
    WHERE loaded."PREVIOUS_DS" IS NOT NULL"""


def _differs(name: str) -> str:
    new, old = (f"max(CASE WHEN only_side = '{side}' THEN \"{name}\" END)" for side in ("new", "old"))
    return f"CASE WHEN {new} IS DISTINCT FROM {old} THEN ', {name}' ELSE '' END"
