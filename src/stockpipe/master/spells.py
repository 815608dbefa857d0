"""The two questions to the tickers table: which days there are, and the stretches of unchanged identity in them.

Each is one SELECT, the same text in both warehouses. Seventy million rows are read where they lie; some hundred thousand
stretches come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from stockpipe.base.text import day_literal
from stockpipe.master.resolve.stretch import List, Lists, Stretch
from stockpipe.warehouse.history import ended
from stockpipe.warehouse.runs import GOOD, RUNS_TABLE

_VALUES = '"TICKER", "NAME", "TYPE", "PRIMARY_EXCHANGE", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI"'
_LISTED = '"MARKET" = \'stocks\' AND "ACTIVE"'


def days_sql(table: str, prefix: str, *, records: bool = True) -> str:
    """Every day with a list of the listed stocks: day, rows, and what the last good record says of content, source, build
    and overruled checks. Without `records` there is no table of them. `table` is quoted."""
    counted = f'SELECT "DS", count(*) AS listed FROM {table} WHERE {_LISTED} AND "DS" IS NOT NULL GROUP BY "DS"'
    if not records:
        return f'SELECT "DS", listed, NULL, NULL, NULL, NULL FROM ({counted}) AS days ORDER BY "DS"'
    told = '"CONTENT_HASH", "SOURCE", "BUILD_DATE", "FORCED"'
    return f"""SELECT days."DS", days.listed, {told} FROM ({counted}) AS days
LEFT JOIN (
    SELECT "DS", {told} FROM {prefix}"{RUNS_TABLE}"
    WHERE {ended(GOOD)} AND "DATASET" = 'tickers' AND {_LISTED}
    QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY "FINISHED_UTC" DESC) = 1
) AS told ON told."DS" = days."DS"
ORDER BY days."DS\""""


def stretches_sql(table: str, first: date, left_out: Sequence[date] = ()) -> str:
    """The stretches of the lists from `first` on: seven values, first and last day. `left_out` are days that do not count.

    Most values of a ticker fill one range of lists without a hole: these cost one GROUP BY. Only the tickers in which
    something comes back need the window over their rows.
    """
    but = f' AND "DS" NOT IN ({", ".join(day_literal(day) for day in left_out)})' if left_out else ""
    where = f'{_LISTED} AND "DS" >= {day_literal(first)}{but}'
    return f"""WITH days AS (
    SELECT "DS", row_number() OVER (ORDER BY "DS") AS n FROM (SELECT DISTINCT "DS" FROM {table} WHERE {where}) AS d
),
listed AS (
    SELECT {_VALUES}, t."DS", days.n FROM {table} AS t JOIN days ON days."DS" = t."DS" WHERE {_of(where)}
),
ranges AS (
    SELECT {_VALUES}, min("DS") AS first_ds, max("DS") AS last_ds,
        count(*) = max(n) - min(n) + 1 AND 2 * sum(n) = (min(n) + max(n)) * count(*) AS is_whole
    FROM listed GROUP BY {_VALUES}
),
holed AS (
    SELECT DISTINCT "TICKER" FROM ranges WHERE NOT is_whole
),
numbered AS (
    SELECT {_VALUES}, "DS", n - dense_rank() OVER (PARTITION BY {_VALUES} ORDER BY n) AS island
    FROM listed WHERE "TICKER" IN (SELECT "TICKER" FROM holed)
)
SELECT {_VALUES}, first_ds, last_ds FROM ranges WHERE "TICKER" NOT IN (SELECT "TICKER" FROM holed)
UNION ALL
SELECT {_VALUES}, min("DS"), max("DS") FROM numbered GROUP BY {_VALUES}, island"""


def delisted_sql(table: str, first: date) -> str:
    """What the newest list of the delisted says of who ended since the first list: ticker, name, CIK, FIGIs, last day."""
    delisted = '"MARKET" = \'stocks\' AND NOT "ACTIVE"'
    return (
        'SELECT DISTINCT "TICKER", "NAME", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI", CAST("DELISTED_UTC" AS DATE) AS ended '
        f'FROM {table} WHERE {delisted} AND "DELISTED_UTC" >= {day_literal(first)} '
        f'AND "DS" = (SELECT max("DS") FROM {table} WHERE {delisted})'
    )


def as_stretches(rows: Sequence[tuple[Any, ...]], lists: Lists) -> list[Stretch]:
    """Rows of `stretches_sql`, or of SECURITY_STRETCHES, with days as numbers of lists."""
    number = lists.number
    return [Stretch.made(row[0], row[1:7], number[row[7]], number[row[8]]) for row in rows]


def as_rows(stretches: Sequence[Stretch], lists: Lists) -> list[tuple[object, ...]]:
    """Stretches as rows of SECURITY_STRETCHES."""
    days = lists.days
    return [(*one.values, days[one.first], days[one.last]) for one in stretches]


def lists_as_rows(lists: Sequence[List], broken: Sequence[List]) -> list[tuple[object, ...]]:
    """Lists as rows of SECURITY_LISTS, those that were left out too."""
    states = [(one, "torn" if one.torn else "whole") for one in lists] + [(one, "broken") for one in broken]
    return sorted((one.day, one.rows, one.store or None, state, one.mark or None) for one, state in states)


def _of(where: str) -> str:
    return where.replace('"DS"', 't."DS"')
