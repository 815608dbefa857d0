"""The SQL behind the page, the same in both warehouses. Days and words of our own declarations stand in it as they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from stockpipe.base.text import day_literal, literal
from stockpipe.datasets import Part
from stockpipe.warehouse import sql
from stockpipe.warehouse.history import Chosen, ended
from stockpipe.warehouse.runs import GOOD, RUNS_TABLE

CALENDAR_DAYS = 371
"""How far the load calendar reaches back: 53 weeks."""


def by_type_sql(table: str, part: Part, days: Sequence[date]) -> str:
    """How many tickers of each type some days have."""
    return (
        f'SELECT "DS", coalesce("TYPE", \'none\') AS "TYPE", count(*) AS "TICKERS" FROM {table} '
        f'WHERE "DS" IN ({_list(days)}) AND {_of(part)} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2'
    )


def by_exchange_sql(table: str, part: Part, day: date) -> str:
    """How many tickers of each type each exchange has on a day."""
    return (
        f'SELECT coalesce("PRIMARY_EXCHANGE", \'none\') AS "EXCHANGE", coalesce("TYPE", \'none\') AS "TYPE", '
        f'count(*) AS "TICKERS" FROM {table} WHERE {sql.where_exported(day, [part])} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2'
    )


def flow_sql(table: str, part: Part, steps: Sequence[tuple[date, date]]) -> str:
    """How many tickers came and went between two days of each step (from, to); a renamed one does both."""
    values = ", ".join(f"({day_literal(before)}, {day_literal(after)})" for before, after in steps)
    days = sorted({day for step in steps for day in step})
    return f"""WITH steps AS (SELECT * FROM (VALUES {values}) AS s(before_ds, after_ds)),
held AS (SELECT "TICKER", "DS" FROM {table} WHERE "DS" IN ({_list(days)}) AND {_of(part)}),
sides AS (
    SELECT after_ds, "TICKER", max(CASE WHEN "DS" = after_ds THEN 1 ELSE 0 END) AS after_,
        max(CASE WHEN "DS" = before_ds THEN 1 ELSE 0 END) AS before_
    FROM steps JOIN held ON "DS" = after_ds OR "DS" = before_ds GROUP BY after_ds, "TICKER"
)
SELECT after_ds AS "DS", sum(CASE WHEN before_ = 0 THEN 1 ELSE 0 END) AS "CAME",
    sum(CASE WHEN after_ = 0 THEN 1 ELSE 0 END) AS "WENT"
FROM sides GROUP BY after_ds ORDER BY after_ds"""


def calendar_sql(part: Part, day: date) -> str:
    """How the loads of each day of the last year ended: the last good one, else the last one."""
    since = day - timedelta(days=CALENDAR_DAYS)
    return (
        f'SELECT "DS", "STATUS", "FORCED" FROM "{RUNS_TABLE}" WHERE {Chosen([part]).where} '
        f'AND "DS" > {day_literal(since)} AND "DS" <= {day_literal(day)} '
        f'QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY CASE WHEN {ended(GOOD)} THEN 0 ELSE 1 END, '
        f'"FINISHED_UTC" DESC) = 1 ORDER BY "DS"'
    )


def _list(days: Sequence[date]) -> str:
    return ", ".join(map(day_literal, days))


def _of(part: Part) -> str:
    return " AND ".join(f'"{name}" = {literal(value)}' for name, value in part.values.items())
