"""Prices that join: raw bars under permanent ids, the factors of splits and dividends, and bars adjusted by them.

All are SELECTs over one another, the same in both warehouses: as views for SQL, and as parts of one statement for
`stockpipe prices`. No price is stored, since every later split rewrites the past; in a DuckDB file with many bars the factors
are, until something is published that they rest on (`price_views`).

What continues over days is a SERIES: the security where the security master knows it, else the ticker. Before the master's
first list it is that of the security which had the ticker in this list, and while a security is away from the lists that of
the security which comes back. For a bar of day t,
with products over the events whose first bar lies after t:

    split factor     S(t) = product of split_from / split_to                  prices x S, volume / S
    dividend factor  Q(t) = product of 1 - sum of D / close of the bar before
    total return     P(t) x S(t) x Q(t);  forward: the same divided by S x Q of the first bar

An event that does not fit is left out and named in ADJUSTMENT_ISSUES, never multiplied blindly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LOW, HIGH = 0.7, 1.4
"""Between these a close may lie against the one before, once the split is taken out (massive-com: MA 2014, TQQQ 2017)."""
_JUMP = (0.6, 1.67)
_SEARCHED_DAYS = 22  # some fifteen sessions
_RENAMED_DAYS = 10
_FIRST_YEAR = 2000
_LARGE_SHARE = 0.5
_OLD_DAYS = 14
_PRICES = ("OPEN", "HIGH", "LOW", "CLOSE", "VWAP")


NO_HISTORY = (
    '(SELECT CAST(NULL AS VARCHAR) AS "SECURITY_ID", CAST(NULL AS VARCHAR) AS "TICKER", CAST(NULL AS DATE) AS "VALID_FROM", '
    'CAST(NULL AS DATE) AS "VALID_TO" WHERE 1 = 0)'
)
"""In place of a history that is not there, for who may only read: an empty one."""


@dataclass(frozen=True)
class Sources:
    """What the SELECTs read: names, in quotes where they need them. `history` is that of the security master.

    `factors` is a table that has what `factors_sql` gives, where there is one.
    """

    daily_bars: str
    splits: str
    dividends: str
    history: str
    bars: str = '"BARS"'
    adjustments: str = '"ADJUSTMENTS"'
    factors: str = ""


def bars_sql(sources: Sources) -> str:
    """Raw bars with SECURITY_ID, joined by ticker and day; null for a ticker that no list of that day has.

    Before the first list that the master knows, and between two stretches of one security with the same ticker which nobody
    else had meanwhile, a series goes on by ticker. Otherwise years of bars would end where the daily lists begin, and a stock
    that traded elsewhere for some weeks would have a hole.
    """
    columns = ", ".join(
        f'b."{name}"' for name in ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "VWAP", "TRANSACTIONS", "OTC")
    )
    return (
        f'SELECT coalesce(h."SECURITY_ID", f."SECURITY_ID", b."TICKER") AS "SERIES", h."SECURITY_ID", b."TICKER", b."DS", '
        f"{columns}\n"
        f"FROM {sources.daily_bars} AS b\n"
        f'LEFT JOIN {sources.history} AS h ON h."TICKER" = b."TICKER" AND h."VALID_FROM" <= b."DS" '
        f'AND (h."VALID_TO" > b."DS" OR h."VALID_TO" IS NULL)\n'
        f'LEFT JOIN ({_unlisted(sources.history)}) AS f ON f."TICKER" = b."TICKER" '
        f'AND b."DS" >= f.since AND b."DS" < f.until'
    )


def _unlisted(history: str) -> str:
    """The days without a list that are a security's all the same: from `since` to the day before `until`.

    With joins: windows would put the whole history in order, for each question about a few tickers too.
    """
    # Of the same ticker, or the same security: what lies between the two sides of a hole.
    bearer, moved = (
        f'{x}."VALID_FROM" > a."VALID_FROM" AND {x}."VALID_FROM" < b."VALID_FROM"' for x in ("bearer", "moved")
    )
    return f"""SELECT "TICKER", "SECURITY_ID", DATE '1900-01-01' AS since, "VALID_FROM" AS until
    FROM {history} WHERE "VALID_FROM" = (SELECT min("VALID_FROM") FROM {history})
    UNION ALL
    SELECT a."TICKER", a."SECURITY_ID", a."VALID_TO", b."VALID_FROM"
    FROM {history} AS a
    LEFT JOIN {history} AS goes_on ON goes_on."SECURITY_ID" = a."SECURITY_ID" AND goes_on."VALID_FROM" = a."VALID_TO"
    JOIN {history} AS b ON b."TICKER" = a."TICKER" AND b."SECURITY_ID" = a."SECURITY_ID" AND b."VALID_FROM" > a."VALID_TO"
    LEFT JOIN {history} AS bearer ON bearer."TICKER" = a."TICKER" AND {bearer}
    LEFT JOIN {history} AS moved ON moved."SECURITY_ID" = a."SECURITY_ID" AND {moved}
    WHERE goes_on."SECURITY_ID" IS NULL AND bearer."TICKER" IS NULL AND moved."TICKER" IS NULL"""


def names_sql(history: str, tickers: str) -> str:
    """A SELECT of some tickers, and of all other names of the securities that ever bore one; `tickers` is a SELECT."""
    ids = f'SELECT "SECURITY_ID" FROM {history} WHERE "TICKER" IN ({tickers})'
    return f'{tickers} UNION SELECT "TICKER" FROM {history} WHERE "SECURITY_ID" IN ({ids})'


def adjustments_sql(sources: Sources) -> str:
    """The events that count: a row for each series and ex-date with its factors, and the bars on both sides of it."""
    return f"""WITH {_judged(sources)}
SELECT "SERIES", "EX_DATE", min("PREV_DS") AS "PREV_DS", min("FIRST_BAR") AS "FIRST_BAR",
    min("PREV_CLOSE") AS "PREV_CLOSE", min("FIRST_CLOSE") AS "FIRST_CLOSE",
    coalesce(max(split), 1.0) AS "SPLIT_FACTOR", coalesce(max(dividend), 0.0) AS "DIVIDEND",
    1.0 - coalesce(max(dividend), 0.0) / min("PREV_CLOSE") AS "DIVIDEND_FACTOR",
    min("FIRST_CLOSE") / (min("FIRST_CLOSE") + coalesce(max(dividend), 0.0) * coalesce(max(split), 1.0)) AS "CRSP_FACTOR"
FROM (
    SELECT "SERIES", "EX_DATE", "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE",
        factor AS split, CAST(NULL AS DOUBLE) AS dividend
    FROM judged_splits WHERE used
    UNION ALL
    SELECT "SERIES", "EX_DATE", "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE", CAST(NULL AS DOUBLE), amount
    FROM judged_dividends WHERE used
) AS events
GROUP BY "SERIES", "EX_DATE\""""


def issues_sql(sources: Sources) -> str:
    """Every event that is doubtful, whether it counts all the same, and every jump that no event explains."""
    return f"""WITH {_judged(sources)},
all_priced AS (
    {_priced(sources.bars)}
),
moves AS (
    SELECT p."SERIES", p."FIRST_BAR", p."PREV_DS", p."FIRST_CLOSE" / p."PREV_CLOSE" / coalesce(exp(sum(ln(f.factor))), 1.0) AS move
    FROM all_priced AS p LEFT JOIN (
        SELECT "SERIES", "FIRST_BAR", factor FROM judged_splits WHERE used
        UNION ALL SELECT "SERIES", "FIRST_BAR", 1.0 - amount / "PREV_CLOSE" FROM judged_dividends WHERE used
    ) AS f ON f."SERIES" = p."SERIES" AND f."FIRST_BAR" = p."FIRST_BAR"
    WHERE p."PREV_CLOSE" >= 1 AND p."FIRST_BAR" - p."PREV_DS" <= 7
    GROUP BY p."SERIES", p."FIRST_BAR", p."PREV_DS", p."FIRST_CLOSE", p."PREV_CLOSE"
)
SELECT "SERIES", "EX_DATE", 'split' AS "EVENT", issue AS "ISSUE", used AS "USED", 1.0 / factor AS "VALUE", "LIKELY_DATE"
FROM judged_splits WHERE issue IS NOT NULL
UNION ALL
SELECT "SERIES", "EX_DATE", 'dividend', issue, used, amount, CAST(NULL AS DATE) FROM judged_dividends WHERE issue IS NOT NULL
UNION ALL
SELECT "SERIES", "EX_DATE", 'dividend', 'foreign currency', FALSE, "CASH_AMOUNT", CAST(NULL AS DATE) FROM foreign_dividends
UNION ALL
SELECT "SERIES", "FIRST_BAR", 'price', 'a jump that no event explains', FALSE, move, CAST(NULL AS DATE)
FROM moves WHERE move < {_JUMP[0]} OR move > {_JUMP[1]}"""


def factors_sql(sources: Sources) -> str:
    """What to multiply prices with: a row for each series and stretch of days between two events, cut by years.

    Bars from FROM_BAR (null: from the first one) to the day before UNTIL_BAR; behind the last event there is no row. Cut by
    years, so that a bar meets the events of its year and not all of its series. A factor is always more than 0: DuckDB takes
    the condition for a filter, and so keeps these rows in memory, not the bars.
    """
    ones, tens = (", ".join(f"({number})" for number in range(0, 10 * step, step)) for step in (1, 10))
    # Written out: the short form (ROWS UNBOUNDED PRECEDING) is not known to work in every warehouse.
    onwards = 'PARTITION BY "SERIES" ORDER BY "FIRST_BAR" DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'
    return f"""WITH steps AS (
    SELECT "SERIES", "FIRST_BAR", sum(ln("SPLIT_FACTOR")) AS split_ln, sum(ln("DIVIDEND_FACTOR")) AS dividend_ln
    FROM {sources.adjustments} WHERE "SPLIT_FACTOR" <> 1 OR "DIVIDEND_FACTOR" <> 1 GROUP BY "SERIES", "FIRST_BAR"
),
chain AS (
    SELECT "SERIES", lag("FIRST_BAR") OVER (PARTITION BY "SERIES" ORDER BY "FIRST_BAR") AS "FROM_BAR", "FIRST_BAR" AS "UNTIL_BAR",
        exp(sum(split_ln) OVER ({onwards})) AS "SPLIT_FACTOR", exp(sum(dividend_ln) OVER ({onwards})) AS "DIVIDEND_FACTOR"
    FROM steps
),
years AS (
    SELECT {_FIRST_YEAR} + tens.n + ones.n AS "YEAR" FROM (VALUES {tens}) AS tens(n) CROSS JOIN (VALUES {ones}) AS ones(n)
)
SELECT "SERIES", "YEAR", "FROM_BAR", "UNTIL_BAR", "SPLIT_FACTOR", "DIVIDEND_FACTOR"
FROM chain JOIN years ON "YEAR" BETWEEN coalesce({_year('"FROM_BAR"')}, {_FIRST_YEAR}) AND {_year('"UNTIL_BAR"')}
WHERE "SPLIT_FACTOR" > 0"""


def adjusted_sql(sources: Sources) -> str:
    """Bars on the shares of the last bar: OPEN to VWAP and VOLUME by splits alone, TR_* with dividends reinvested too."""
    prices = ", ".join(f'CAST(b."{name}" AS DOUBLE) * s AS "{name}"' for name in _PRICES)
    total = ", ".join(f'CAST(b."{name}" AS DOUBLE) * s * q AS "TR_{name}"' for name in _PRICES[:4])
    # A table is read twice: a part of the statement with two readers is worked out as a whole, all securities of it.
    factors = sources.factors or "factors"
    parts = "" if sources.factors else f"factors AS (\n    {factors_sql(sources)}\n),\n"
    return f"""WITH {parts}firsts AS (
    SELECT "SERIES", "SPLIT_FACTOR" * "DIVIDEND_FACTOR" AS first_factor FROM {factors}
    WHERE "FROM_BAR" IS NULL AND "YEAR" = {_year('"UNTIL_BAR"')}
),
b AS (
    SELECT bars.*, coalesce(f."SPLIT_FACTOR", 1.0) AS s, coalesce(f."DIVIDEND_FACTOR", 1.0) AS q,
        coalesce(firsts.first_factor, 1.0) AS first_factor
    FROM {sources.bars} AS bars
    LEFT JOIN {factors} AS f ON f."SERIES" = bars."SERIES" AND f."YEAR" = {_year('bars."DS"')}
        AND bars."DS" < f."UNTIL_BAR" AND (f."FROM_BAR" IS NULL OR bars."DS" >= f."FROM_BAR")
    LEFT JOIN firsts ON firsts."SERIES" = bars."SERIES"
)
SELECT b."SERIES", b."SECURITY_ID", b."TICKER", b."DS", {prices}, CAST(b."VOLUME" AS DOUBLE) / s AS "VOLUME",
    {total}, CAST(b."CLOSE" AS DOUBLE) * s * q / b.first_factor AS "FORWARD_CLOSE",
    b."CLOSE" AS "RAW_CLOSE", s AS "SPLIT_FACTOR", q AS "DIVIDEND_FACTOR"
FROM b"""


def _year(day: str) -> str:
    """The year of a day; what lies outside of the list of years counts to its first or last one."""
    return f"least(greatest(year({day}), {_FIRST_YEAR}), {_FIRST_YEAR + 99})"


def _judged(sources: Sources) -> str:
    """The parts that ADJUSTMENTS and ADJUSTMENT_ISSUES share: each event of a series beside its bars, and what is made of it.

    Nearly all events have a bar on their day and on the trading day before: these bars alone are fetched.
    For the rest all bars of their securities are put in order, which takes far longer than all else.
    """
    day_before = 'SELECT t."TICKER", s.before FROM told AS t JOIN sessions AS s ON s."DS" = t."EX_DATE"'
    wanted = f'SELECT "TICKER", "EX_DATE" AS day FROM told UNION {day_before}'
    near = f'SELECT * FROM {sources.daily_bars} WHERE ("TICKER", "DS") IN ({wanted})'
    names = names_sql(sources.history, 'SELECT "TICKER" FROM searched')
    rest = f'SELECT * FROM {sources.daily_bars} WHERE "TICKER" IN ({names})'
    return f"""told AS (
    SELECT "TICKER", "EXECUTION_DATE" AS "EX_DATE" FROM {sources.splits}
    UNION SELECT "TICKER", "EX_DIVIDEND_DATE" FROM {sources.dividends}
),
sessions AS (
    SELECT "DS", lag("DS") OVER (ORDER BY "DS") AS before FROM (SELECT DISTINCT "DS" FROM {sources.daily_bars}) AS days
),
near AS (
    {_with_series(sources, near)}
),
usual AS (
    SELECT p."TICKER", p."SERIES", p."FIRST_BAR" AS "EX_DATE", p."PREV_DS", p."FIRST_BAR", p."PREV_CLOSE", p."FIRST_CLOSE"
    FROM ({_priced("near")}) AS p
    JOIN sessions AS s ON s."DS" = p."FIRST_BAR" AND s.before = p."PREV_DS"
),
searched AS (
    SELECT t."TICKER" FROM told AS t LEFT JOIN usual AS u ON u."TICKER" = t."TICKER" AND u."EX_DATE" = t."EX_DATE"
    WHERE u."TICKER" IS NULL AND t."EX_DATE" BETWEEN (SELECT min("DS") FROM sessions) AND (SELECT max("DS") FROM sessions)
    UNION
    SELECT e."TICKER" FROM {sources.splits} AS e
    JOIN usual AS u ON u."TICKER" = e."TICKER" AND u."EX_DATE" = e."EXECUTION_DATE"
    WHERE NOT u."FIRST_CLOSE" / u."PREV_CLOSE" * e."SPLIT_TO" / nullif(e."SPLIT_FROM", 0) BETWEEN {LOW} AND {HIGH}
),
rest AS (
    {_with_series(sources, rest)}
),
spans AS (
    SELECT "TICKER", "SERIES", min("DS") AS first_ds, max("DS") AS last_ds FROM rest GROUP BY "TICKER", "SERIES"
),
priced AS (
    {_priced("rest")}
),
{_splits(sources)},
{_dividends(sources)}"""


def _with_series(sources: Sources, some: str) -> str:
    """Some of the daily bars with their series, which they have already where the daily bars are those with series."""
    return some if sources.daily_bars == sources.bars else bars_sql(replace(sources, daily_bars=f"({some})"))


def _priced(bars: str) -> str:
    """The bars that have a close, each beside the one before."""
    before = 'OVER (PARTITION BY "SERIES" ORDER BY "DS")'
    return f"""SELECT "TICKER", "SERIES", "DS" AS "FIRST_BAR", CAST("CLOSE" AS DOUBLE) AS "FIRST_CLOSE",
        lag("DS") {before} AS "PREV_DS", CAST(lag("CLOSE") {before} AS DOUBLE) AS "PREV_CLOSE"
    FROM {bars} WHERE "CLOSE" > 0"""


def _at_bars(name: str, table: str, day: str, key: str) -> str:
    """The part `name`: events with their series, the bar of their day, or the first one behind it, and the bar before that.

    Those that are not usual are of the series that bore their ticker on the day, or up to some days before: a reverse split
    that comes with a new symbol is told under the old one. They find their bar in two parts, as a join by a range alone
    compares all bars of a series with all of its events.
    """
    bar = 'p."PREV_DS", p."FIRST_BAR", p."PREV_CLOSE", p."FIRST_CLOSE"'
    same = 'p."SERIES" = e."SERIES" AND p."FIRST_BAR" = e."EX_DATE"'
    return f"""other_{name} AS (
    SELECT e.*, s."SERIES", e."{day}" AS "EX_DATE"
    FROM (
        SELECT e.* FROM {table} AS e LEFT JOIN usual AS u ON u."TICKER" = e."TICKER" AND u."EX_DATE" = e."{day}"
        WHERE u."TICKER" IS NULL
    ) AS e
    JOIN spans AS s ON s."TICKER" = e."TICKER"
        AND e."{day}" > s.first_ds - {_RENAMED_DAYS} AND e."{day}" <= s.last_ds + {_RENAMED_DAYS}
    LEFT JOIN rest AS b ON b."TICKER" = e."TICKER" AND b."DS" = e."{day}" AND b."SERIES" = s."SERIES"
    QUALIFY row_number() OVER (PARTITION BY e."TICKER", {key}, e."OCCURRENCE" ORDER BY
        CASE WHEN b."SERIES" IS NOT NULL THEN 0
            WHEN e."{day}" BETWEEN s.first_ds AND s.last_ds THEN 1
            WHEN e."{day}" > s.last_ds THEN 2 ELSE 3 END,
        s.last_ds DESC, s."SERIES") = 1
),
{name} AS (
    SELECT e.*, p."SERIES", p."EX_DATE", {bar}
    FROM {table} AS e JOIN usual AS p ON p."TICKER" = e."TICKER" AND p."EX_DATE" = e."{day}"
    UNION ALL
    SELECT e.*, {bar} FROM other_{name} AS e JOIN priced AS p ON {same}
    UNION ALL
    SELECT e.*, {bar}
    FROM (SELECT e.* FROM other_{name} AS e LEFT JOIN priced AS p ON {same} WHERE p."SERIES" IS NULL) AS e
    JOIN priced AS p ON p."SERIES" = e."SERIES" AND p."PREV_DS" < e."EX_DATE" AND e."EX_DATE" < p."FIRST_BAR"
)"""


def _splits(sources: Sources) -> str:
    """Of all splits of one day the one that fits the prices best counts, unless the price moved as if there was none."""
    key = 'e."EXECUTION_DATE", e."ADJUSTMENT_TYPE", e."SPLIT_FROM", e."SPLIT_TO"'
    fits, still = f"moved BETWEEN {LOW} AND {HIGH}", f"unsplit BETWEEN {LOW} AND {HIGH}"
    return f"""{_at_bars("split_bars", sources.splits, "EXECUTION_DATE", key)},
split_moves AS (
    SELECT "SERIES", "EX_DATE", "SPLIT_FROM" / "SPLIT_TO" AS factor, "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE",
        "FIRST_CLOSE" / "PREV_CLOSE" AS unsplit, "FIRST_CLOSE" / "PREV_CLOSE" * "SPLIT_TO" / "SPLIT_FROM" AS moved
    FROM split_bars
    WHERE "SPLIT_FROM" > 0 AND "SPLIT_TO" > 0 AND "PREV_DS" IS NOT NULL
),
ranked_splits AS (
    SELECT m.*, row_number() OVER (PARTITION BY "SERIES", "EX_DATE" ORDER BY abs(ln(moved)), factor) AS place,
        lag(factor) OVER (PARTITION BY "SERIES", "EX_DATE" ORDER BY abs(ln(moved)), factor) AS factor_before
    FROM split_moves AS m
),
likely_splits AS (
    SELECT r."SERIES", r."EX_DATE", r.factor, min_by(p."FIRST_BAR", abs(p."FIRST_BAR" - r."EX_DATE")) AS likely
    FROM ranked_splits AS r
    JOIN priced AS p ON p."SERIES" = r."SERIES" AND p."FIRST_BAR" <> r."FIRST_BAR"
        AND p."FIRST_BAR" BETWEEN r."EX_DATE" - {_SEARCHED_DAYS} AND r."EX_DATE" + {_SEARCHED_DAYS}
        AND p."FIRST_CLOSE" / p."PREV_CLOSE" / r.factor BETWEEN {LOW} AND {HIGH}
        AND NOT p."FIRST_CLOSE" / p."PREV_CLOSE" BETWEEN {LOW} AND {HIGH}
    WHERE NOT r.moved BETWEEN {LOW} AND {HIGH}
    GROUP BY r."SERIES", r."EX_DATE", r.factor
),
judged_splits AS (
    SELECT r."SERIES", r."EX_DATE", r.factor, r."PREV_DS", r."FIRST_BAR", r."PREV_CLOSE", r."FIRST_CLOSE", l.likely AS "LIKELY_DATE",
        place = 1 AND ({fits} OR NOT ({still}) AND l.likely IS NULL) AS used,
        CASE WHEN place > 1 AND factor_before = r.factor THEN 'told twice'
            WHEN place > 1 THEN 'another split of this day fits better'
            WHEN {fits} THEN NULL
            WHEN l.likely IS NOT NULL THEN 'wrong date: the price moved so on another day'
            WHEN {still} THEN 'the price did not move'
            ELSE 'an unusual move' END AS issue
    FROM ranked_splits AS r
    LEFT JOIN likely_splits AS l ON l."SERIES" = r."SERIES" AND l."EX_DATE" = r."EX_DATE" AND l.factor = r.factor
)"""


def _dividends(sources: Sources) -> str:
    """All of one ex-date together, per old share; what is not in dollars, or is not less than the price, counts nothing."""
    key = 'e."EX_DIVIDEND_DATE", e."CASH_AMOUNT", e."DISTRIBUTION_TYPE", e."CURRENCY"'
    # Snowflake has no logarithm of zero: an adjusted amount of nothing tells nothing.
    told = 'nullif(greatest(e."SPLIT_ADJUSTED_CASH_AMOUNT", 0), 0) / e."CASH_AMOUNT"'
    return f"""{_at_bars("dividend_bars", sources.dividends, "EX_DIVIDEND_DATE", key)},
foreign_dividends AS (SELECT "SERIES", "EX_DATE", "CASH_AMOUNT" FROM dividend_bars WHERE upper("CURRENCY") <> 'USD'),
split_after AS (
    SELECT "SERIES", "EX_DATE", factor, exp(sum(ln(factor)) OVER (
        PARTITION BY "SERIES" ORDER BY "EX_DATE" DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) / factor AS later
    FROM judged_splits WHERE used
),
dividend_amounts AS (
    SELECT e."SERIES", e."EX_DATE", e."PREV_DS", e."FIRST_BAR", e."PREV_CLOSE", e."FIRST_CLOSE", CASE WHEN a.factor IS NOT NULL
            AND abs(ln({told} / a.later)) < abs(ln({told} / a.later / a.factor))
        THEN e."CASH_AMOUNT" / a.factor ELSE e."CASH_AMOUNT" END AS amount, a.factor IS NOT NULL AS with_split
    FROM dividend_bars AS e LEFT JOIN split_after AS a ON a."SERIES" = e."SERIES" AND a."EX_DATE" = e."EX_DATE"
    WHERE (e."CURRENCY" IS NULL OR upper(e."CURRENCY") = 'USD') AND e."CASH_AMOUNT" > 0
),
dividend_sums AS (
    SELECT "SERIES", "EX_DATE", "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE", sum(amount) AS amount,
        max(CASE WHEN with_split THEN 1 ELSE 0 END) AS with_split
    FROM dividend_amounts GROUP BY "SERIES", "EX_DATE", "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE"
),
judged_dividends AS (
    SELECT "SERIES", "EX_DATE", amount, "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE",
        "PREV_CLOSE" IS NOT NULL AND amount < "PREV_CLOSE" AS used,
        CASE WHEN "PREV_CLOSE" IS NULL THEN 'no close before it'
            WHEN amount >= "PREV_CLOSE" THEN 'not less than the price'
            WHEN amount > {_LARGE_SHARE} * "PREV_CLOSE" THEN 'more than half of the price'
            WHEN with_split = 1 THEN 'on the day of a split'
            WHEN "EX_DATE" - "PREV_DS" > {_OLD_DAYS} THEN 'the close before it is old' END AS issue
    FROM dividend_sums
)"""
