"""Prices of some tickers: the models of `models/prices.py` as parts of one statement, over the bars of these alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from stockpipe.base.text import day_literal
from stockpipe.errors import UsageError
from stockpipe.models.prices import Sources, adjusted_sql, adjustments_sql, bars_sql, issues_sql, names_sql
from stockpipe.reading.words import holds_on, ticker_literal

ADJUST = ("none", "splits", "total")
"""How prices are adjusted: not at all, by splits, or by splits and dividends (total return)."""
MOST_TICKERS = 1000
_SCOPE = 'SELECT "TICKER" FROM scope'
_COLUMNS = ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "VWAP")


@dataclass(frozen=True)
class Asked:
    """What is asked for. `tickers` are literals; `start` and `end` are days, both included; `known_on` a day or None."""

    tickers: tuple[str, ...]
    start: date
    end: date
    known_on: date | None = None

    @classmethod
    def of(cls, tickers: Any, start: date, end: date, known_on: date | None = None) -> Asked:
        """Judged; UsageError for what makes no sense."""
        names = [tickers] if isinstance(tickers, str) else list(tickers) if isinstance(tickers, Iterable) else [tickers]
        if not names:
            raise UsageError("No ticker is named.", hint="Name one or more, such as AAPL MSFT.")
        if len(names) > MOST_TICKERS:
            raise UsageError(
                f"{len(names):,} tickers are more than {MOST_TICKERS:,}.", hint="Ask the view ADJUSTED_BARS with SQL."
            )
        if start > end:
            raise UsageError(f"{start} is later than {end}.", hint="The first day comes first.")
        if known_on and start > known_on:
            raise UsageError(
                f"Nothing of {start} was known on {known_on} yet.",
                hint="Give an earlier --from, or a later --known-on.",
            )
        return cls(tuple(dict.fromkeys(map(ticker_literal, names))), start, end, known_on)


def prices_sql(sources: Sources, asked: Asked, adjust: str) -> str:
    """The bars of the asked tickers and days, continuous over renames. Of a reused ticker, the latest that bore it by `end`."""
    if adjust not in ADJUST:
        raise UsageError(f"adjust is {adjust!r}.", hint=f"Choose from: {', '.join(ADJUST)}.")
    if adjust == "none":
        columns, table, parts = _columns(_COLUMNS), '"BARS"', _bars(sources, asked)
    else:
        factor = "" if adjust == "splits" else '* "DIVIDEND_FACTOR"'
        adjusted = [name if name == '"VOLUME"' else f"{name} {factor} AS {name}" for name in map(_quoted, _COLUMNS)]
        columns, table = ", ".join((*adjusted, '"RAW_CLOSE"', '"SPLIT_FACTOR"', '"DIVIDEND_FACTOR"')), "adjusted"
        adjustments = f'"ADJUSTMENTS" AS ({adjustments_sql(_of(sources))})'
        parts = f"{_bars(sources, asked)},\n{_events(sources, asked)},\n{adjustments},\nadjusted AS ({adjusted_sql(_of(sources))})"
    return f"""WITH {parts},
{_chosen(asked)}
SELECT asked AS "ASKED", "SECURITY_ID", "TICKER", "DS", {columns}
FROM {table} AS found JOIN chosen ON chosen."SERIES" = found."SERIES"
WHERE "DS" BETWEEN {day_literal(asked.start)} AND {day_literal(asked.end)}
ORDER BY asked, "DS\""""


def price_issues_sql(sources: Sources, asked: Asked) -> str:
    """What is doubtful about the events of the asked tickers, in all of their days."""
    return f"""WITH {_bars(sources, asked)},
{_events(sources, asked)},
{_chosen(asked)},
issues AS ({issues_sql(_of(sources))})
SELECT asked AS "ASKED", "EX_DATE", "EVENT", "ISSUE", "USED", "VALUE", "LIKELY_DATE"
FROM issues JOIN chosen ON chosen."SERIES" = issues."SERIES"{_not_known_yet(sources, asked.known_on)}
ORDER BY "ASKED", "EX_DATE", "EVENT" DESC, "ISSUE", "VALUE\""""


def _not_known_yet(sources: Sources, day: date | None) -> str:
    """A row more for each list of events of which nothing was known on a day: prices then look as if there were none."""
    if day is None:
        return ""
    return "".join(
        f"""
UNION ALL SELECT CAST(NULL AS VARCHAR), CAST(NULL AS DATE), '{event}',
    'none was known on {day}, as the first load was on ' || CAST(min("KNOWN_FROM") AS VARCHAR), FALSE, NULL, CAST(NULL AS DATE)
FROM {table} HAVING min("KNOWN_FROM") > {day_literal(day)}"""
        for event, table in (("split", sources.splits), ("dividend", sources.dividends))
    )


def left_out_sql(sources: Sources, asked: Asked) -> str:
    """The stretches of bars that `prices_sql` leaves out: under an asked ticker, and under its other names where no list has them.

    SECURITY_ID is whose bars they are; null while no list has the ticker, as it is not known whose it was.
    """
    return f"""WITH {_bars(sources, asked)},
{_chosen(asked)},
numbered AS (
    SELECT "TICKER", "SERIES", "DS", row_number() OVER (PARTITION BY "TICKER" ORDER BY "DS")
        - row_number() OVER (PARTITION BY "TICKER", "SERIES" ORDER BY "DS") AS stretch
    FROM "BARS"
),
names AS (
    SELECT asked, chosen."SERIES", "TICKER", min("DS") AS first_ds, max("DS") AS last_ds
    FROM chosen JOIN "BARS" AS own ON own."SERIES" = chosen."SERIES" GROUP BY asked, chosen."SERIES", "TICKER"
)
SELECT asked AS "ASKED", n."TICKER", CASE WHEN n."SERIES" <> n."TICKER" THEN n."SERIES" END AS "SECURITY_ID",
    min("DS") AS "FIRST_DS", max("DS") AS "LAST_DS", count(*) AS "BARS"
FROM numbered AS n JOIN names ON names."TICKER" = n."TICKER" AND names."SERIES" <> n."SERIES"
WHERE "DS" BETWEEN {day_literal(asked.start)} AND {day_literal(asked.end)}
    AND (n."TICKER" = asked OR (n."SERIES" = n."TICKER" AND "DS" BETWEEN first_ds AND last_ds))
GROUP BY asked, n."TICKER", n."SERIES", stretch ORDER BY "ASKED", "FIRST_DS", n."TICKER\""""


def loaded_sql(daily_bars: str, asked: Asked) -> str:
    """Of which tickers there are bars at all, those that differ in upper and lower case included."""
    alike = ", ".join(f"upper({ticker})" for ticker in asked.tickers)
    return f"""SELECT "TICKER", min("DS") AS "FIRST_DS", max("DS") AS "LAST_DS", count(*) AS "BARS"
FROM {daily_bars} WHERE upper("TICKER") IN ({alike}) GROUP BY "TICKER" ORDER BY "TICKER\""""


def _bars(sources: Sources, asked: Asked) -> str:
    """The bars under all names of the asked securities, up to the day as of which is asked."""
    until = f' AND "DS" <= {day_literal(asked.known_on)}' if asked.known_on else ""
    theirs = f'(SELECT * FROM {sources.daily_bars} WHERE "TICKER" IN ({_SCOPE}){until})'
    return f'scope AS ({_scope(sources, asked)}),\n"BARS" AS ({bars_sql(replace(sources, daily_bars=theirs))})'


def _events(sources: Sources, asked: Asked) -> str:
    """Their splits and dividends, as they are known, or were known on a day."""
    splits, dividends = (
        f'SELECT * FROM {table} WHERE "TICKER" IN ({_SCOPE}) AND {_known(asked.known_on)}'
        for table in (sources.splits, sources.dividends)
    )
    return f"splits_known AS ({splits}),\ndividends_known AS ({dividends})"


def _scope(sources: Sources, asked: Asked) -> str:
    """The asked tickers, and the other names of the securities that ever bore one."""
    return names_sql(sources.history, " UNION ALL ".join(f'SELECT {ticker} AS "TICKER"' for ticker in asked.tickers))


def _chosen(asked: Asked) -> str:
    """For each asked ticker the security that bore it last, up to the end of what is asked; where none did, its bare bars."""
    return f"""chosen AS (
    SELECT "TICKER" AS asked, "SERIES" FROM (
        SELECT "TICKER", "SERIES", max("DS") AS last_ds FROM "BARS"
        WHERE "TICKER" IN ({", ".join(asked.tickers)}) AND "DS" <= {day_literal(asked.end)} GROUP BY "TICKER", "SERIES"
    ) AS bearers QUALIFY row_number() OVER (PARTITION BY "TICKER" ORDER BY
        CASE WHEN "SERIES" = "TICKER" THEN 1 ELSE 0 END, last_ds DESC, "SERIES") = 1
)"""


def _known(day: date | None) -> str:
    return '"KNOWN_TO" IS NULL' if day is None else holds_on(day, "KNOWN")


def _of(sources: Sources) -> Sources:
    """What the models read: parts of the statement, in place of tables."""
    return Sources('"BARS"', "splits_known", "dividends_known", sources.history, '"BARS"', '"ADJUSTMENTS"')


def _columns(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
