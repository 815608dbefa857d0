"""The trading days as the published lists of holidays say. A warehouse without such lists knows none, and that is no error.

A list says something of the days from its own to its last holiday. Of a day, the newest list before it counts, and that of
the day itself: a closing that is announced late is in no other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from stockpipe.base.calendar import RULES, Sessions
from stockpipe.base.text import in_quotes
from stockpipe.datasets.market_holidays import MARKET_HOLIDAYS
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.base import Warehouse

log = logging.getLogger(__name__)

_EXCHANGES = "('NYSE', 'NASDAQ')"
"""Those whose stocks have bars; a list may also name others."""


def sessions_of(warehouse: Warehouse) -> Sessions:
    """The trading days that a warehouse knows of; those of the rules where it has no list of holidays."""
    try:
        rows = warehouse.scan(_statement(in_quotes(warehouse.table(MARKET_HOLIDAYS))))[0].rows
    except WarehouseError as error:
        log.debug("no list of holidays could be read: %s", error)
        return RULES
    lists = [(ds, day) for exchange, ds, day in rows if not exchange]
    named: dict[str, dict[date, date]] = {}
    for exchange, ds, day in rows:
        if exchange:
            named.setdefault(exchange, {})[day] = ds
    return sessions_from(sorted(lists), named.values())


def _statement(table: str) -> str:
    """For each list its day and its last holiday; for each closing of an exchange the day of the newest list that has it."""
    return (
        f'SELECT \'\', "DS", max("HOLIDAY_DATE") FROM {table} WHERE "EXCHANGE" IN {_EXCHANGES} GROUP BY "DS" UNION ALL '
        f'SELECT "EXCHANGE", max("DS"), "HOLIDAY_DATE" FROM {table} '
        f'WHERE "EXCHANGE" IN {_EXCHANGES} AND "STATUS" = \'closed\' GROUP BY "EXCHANGE", "HOLIDAY_DATE"'
    )


def sessions_from(lists: Sequence[tuple[date, date]], named: Iterable[Mapping[date, date]]) -> Sessions:
    """The trading days of lists (day and last holiday of each, rising), and the closings that each exchange `named`.

    A closing comes with the day of the newest list that has it. A day on which one exchange trades is a session.
    """
    each = [{day for day, newest in one.items() if newest >= _counts(lists, day, newest)} for one in named]
    closed = set.intersection(*each) if each else set()
    told: list[tuple[int, int]] = []
    for first, last in ((ds.toordinal(), last.toordinal()) for ds, last in lists):
        if told and first <= told[-1][1] + 1:
            told[-1] = (told[-1][0], max(told[-1][1], last))
        else:
            told.append((first, last))
    return Sessions(tuple(told), frozenset(day.toordinal() for day in closed))


def _counts(lists: Sequence[tuple[date, date]], day: date, otherwise: date) -> date:
    """The day of the newest list before `day` that reaches to it."""
    return max((ds for ds, last in lists if ds < day <= last), default=otherwise)
