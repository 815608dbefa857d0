"""Questions to the security master: who was listed on a day, and whose a ticker was."""

from __future__ import annotations

from datetime import date

from stockpipe.base.text import day_literal
from stockpipe.errors import NotThere, UsageError
from stockpipe.reading.words import holds_on
from stockpipe.warehouse import Warehouse
from stockpipe.warehouse.securities import SECURITIES, SECURITY_HISTORY, SECURITY_LISTS

_IDENTITY = ("TICKER", "NAME", "TYPE", "PRIMARY_EXCHANGE", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI")


def master_days(warehouse: Warehouse) -> tuple[date, date] | None:
    """The first and the newest day that the master knows; None where none was built."""
    from stockpipe.master.state import last_build  # brings the build's own types, which prices need not wait for

    build = last_build(warehouse)
    return (build["FIRST_DS"], build["LAST_DS"]) if build else None


def known_day(days: tuple[date, date] | None, day: date | None) -> date:
    """The day to answer for, by default the master's newest. NotThere without a master, UsageError outside of its days."""
    if days is None:
        raise NotThere(
            "No security master is built yet.",
            hint="Build it from the days that are loaded: stockpipe master build.",
        )
    first, last = days
    if day is not None and not first <= day <= last:
        raise UsageError(
            f"The security master knows the days from {first} to {last}, not {day}.",
            hint="Choose one of them, or load more days and run stockpipe master build.",
        )
    return day or last


def securities_sql(prefix: str, day: date) -> str:
    """Who was listed on a day, with permanent ids, by ticker."""
    columns = ", ".join(f'"{name}"' for name in ("SECURITY_ID", *_IDENTITY, "VALID_FROM"))
    where = holds_on(day, "VALID")
    return f'SELECT {columns} FROM {prefix}{SECURITY_HISTORY.name} WHERE {where} ORDER BY "TICKER", "SECURITY_ID"'


def list_sql(prefix: str, day: date) -> str:
    """The last day until this one whose list the master was made from; a broken list was left out."""
    where = f'"DS" <= {day_literal(day)} AND "STATE" <> \'broken\''
    return f'SELECT max("DS") AS "DS" FROM {prefix}{SECURITY_LISTS.name} WHERE {where}'


def alike_sql(prefix: str, ticker: str) -> str:
    """The tickers that differ from one (a literal) in upper and lower case alone."""
    names = f'SELECT DISTINCT "TICKER" FROM {prefix}{SECURITY_HISTORY.name}'
    return f'{names} WHERE upper("TICKER") = upper({ticker}) AND "TICKER" <> {ticker} ORDER BY "TICKER"'


def lookup_sql(prefix: str, ticker: str, day: date | None = None) -> str:
    """Whose a ticker (a literal) was, on a day or ever: what it was then, and what it is called now."""
    then = ", ".join(f'h."{name}"' for name in ("TICKER", "NAME", "TYPE", "PRIMARY_EXCHANGE"))
    on = f" AND {holds_on(day, 'VALID', 'h.')}" if day else ""
    return f"""SELECT h."SECURITY_ID", {then}, h."VALID_FROM", h."VALID_TO",
    s."STATUS", s."TICKER" AS "TICKER_NOW", s."NAME" AS "NAME_NOW", s."ISSUER_ID", s."CIK", s."COMPOSITE_FIGI"
FROM {prefix}{SECURITY_HISTORY.name} AS h
JOIN {prefix}{SECURITIES.name} AS s ON s."SECURITY_ID" = h."SECURITY_ID"
WHERE h."TICKER" = {ticker}{on}
ORDER BY h."VALID_FROM", h."SECURITY_ID\""""
