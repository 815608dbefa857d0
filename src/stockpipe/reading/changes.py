"""What changed from one published day to another: who is new, gone or renamed, and which values changed.

With a security master, two rows are one security where it says so, and a ticker that serves another company the next day
is told as gone and new. Before there is one, the composite FIGI tells, where exactly one row of each day has it; rows
without such a FIGI are paired by their ticker.
"""

from __future__ import annotations

from datetime import date

from stockpipe.base.text import day_literal
from stockpipe.datasets import TICKERS, Part
from stockpipe.reading.tickers import COMPARED
from stockpipe.reading.words import holds_on
from stockpipe.warehouse import sql
from stockpipe.warehouse.securities import SECURITY_HISTORY

COLUMNS = (
    "DS",
    "PREVIOUS_DS",
    "CHANGE",
    "TICKER",
    "OLD_TICKER",
    "COLUMN_NAME",
    "OLD",
    "NEW",
    "NAME",
    "TYPE",
    "PRIMARY_EXCHANGE",
)
"""The columns of the answer. CHANGE is new, gone, renamed or changed; of a change COLUMN_NAME, OLD and NEW tell which."""


def changes_sql(table: str, part: Part, day: date, before: date, prefix: str | None = None) -> str:
    """A row for each new, gone or renamed ticker, and for each value that changed.

    `table` is the quoted table of the tickers; `prefix` the place of a master that knows both days, None for none.
    Example: SPYM, renamed, TICKER, `SPLG`, `SPYM`; SPYM, changed, NAME, `SPDR Portfolio ...`, `State Street SPDR ...`.
    """
    values = "\n    UNION ALL ".join(_changed(name) for name in COMPARED)
    nothing = "CAST(NULL AS VARCHAR)"
    return f"""WITH {_sides(table, part, day, before, prefix)},
moved AS (
    SELECT n."TICKER" AS new_ticker, o."TICKER" AS old_ticker
    FROM new_rows AS n JOIN old_rows AS o ON n.identity = o.identity
    WHERE n."TICKER" <> o."TICKER"
    QUALIFY count(*) OVER (PARTITION BY n.identity) = 1
),
pairs AS (
    SELECT new_ticker, old_ticker FROM moved
    UNION ALL
    SELECT n."TICKER", o."TICKER" FROM new_rows AS n JOIN old_rows AS o ON n."TICKER" = o."TICKER"
    WHERE n."TICKER" NOT IN (SELECT new_ticker FROM moved) AND o."TICKER" NOT IN (SELECT old_ticker FROM moved)
        AND (NOT n.is_sure OR NOT o.is_sure OR n.identity = o.identity)
),
told AS (
    SELECT 1 AS place, 'new' AS "CHANGE", "TICKER", {nothing} AS "OLD_TICKER", {nothing} AS "COLUMN_NAME",
        {nothing} AS "OLD", {nothing} AS "NEW", "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM new_rows WHERE "TICKER" NOT IN (SELECT new_ticker FROM pairs)
    UNION ALL
    SELECT 2, 'gone', "TICKER", "TICKER", NULL, NULL, NULL, "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM old_rows WHERE "TICKER" NOT IN (SELECT old_ticker FROM pairs)
    UNION ALL
    SELECT 3, 'renamed', new_ticker, old_ticker, 'TICKER', old_ticker, new_ticker, "NAME", "TYPE", "PRIMARY_EXCHANGE"
    FROM moved JOIN new_rows ON "TICKER" = new_ticker
    UNION ALL {values}
)
SELECT {day_literal(day)} AS "DS", {day_literal(before)} AS "PREVIOUS_DS", {", ".join(f'"{name}"' for name in COLUMNS[2:])}
FROM told ORDER BY place, "TICKER", "COLUMN_NAME\""""


def _sides(table: str, part: Part, day: date, before: date, prefix: str | None) -> str:
    """The rows of both days, each with an identity and whether that is the master's word."""
    sides = []
    for name, on in (("new_rows", day), ("old_rows", before)):
        columns = ", ".join(f't."{column}"' for column in ("TICKER", *COMPARED))
        where = sql.where_exported(on, [part])
        rows = f"(SELECT * FROM {table} WHERE {where}) AS t"
        if prefix is None:
            figi = 't."COMPOSITE_FIGI"'
            once = f"CASE WHEN count({figi}) OVER (PARTITION BY {figi}) = 1 THEN {figi} END"
            sides.append(f"{name} AS (\n    SELECT {columns}, {once} AS identity, FALSE AS is_sure FROM {rows}\n)")
        else:
            valid = holds_on(on, "VALID", "h.")
            sides.append(
                f'{name} AS (\n    SELECT {columns}, h."SECURITY_ID" AS identity, h."SECURITY_ID" IS NOT NULL AS is_sure FROM {rows}\n'
                f'    LEFT JOIN {prefix}{SECURITY_HISTORY.name} AS h ON h."TICKER" = t."TICKER" AND {valid}\n)'
            )
    return ",\n".join(sides)


def _changed(name: str) -> str:
    column = TICKERS.column(name).name
    return (
        f"SELECT 4, 'changed', new_ticker, old_ticker, '{column}', o.\"{column}\", n.\"{column}\", "
        'n."NAME", n."TYPE", n."PRIMARY_EXCHANGE" '
        'FROM pairs JOIN new_rows AS n ON n."TICKER" = new_ticker JOIN old_rows AS o ON o."TICKER" = old_ticker '
        f'WHERE n."{column}" IS DISTINCT FROM o."{column}"'
    )
