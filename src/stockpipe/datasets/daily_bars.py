"""Bars of all US stocks for a day: GET /v2/aggs/grouped/locale/us/market/stocks/{day}.

massive.com/docs/rest/stocks/aggregates/daily-market-summary. Prices and volume are unadjusted: every later split would
rewrite them. The vendor's own stamp is 16:00 in New York, also on other days at times, so the day is that of the call.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DAY, EPOCH_MS, FLAG, INTEGER, UNKNOWN, Column, decimal, text
from stockpipe.datasets.dataset import Dataset, Rules
from stockpipe.datasets.endpoint import Endpoint, Option
from stockpipe.datasets.kinds import DayFacts

_PRICE = decimal(18, 6)

DAILY_BARS = Dataset(
    name="daily_bars",
    table="DAILY_BARS",
    meaning="Unadjusted bars of all US stocks, one day a partition (DS).",
    noun="daily bars",
    kind=DayFacts(members="tickers"),
    source=Endpoint(
        "/v2/aggs/grouped/locale/us/market/stocks/{day}", {"adjusted": "false"},
        options=(Option("otc", "include_otc", words=("true", "false"), usual="false", help="With over-the-counter stocks: true or false."),),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol; case matters, and NA, NAN, TRUE are symbols.", "T", required=True, example="AAPL"),
        Column("OPEN", _PRICE, "First price of the regular session.", "o", required=True, unit="USD"),
        Column("HIGH", _PRICE, "Highest price.", "h", required=True, unit="USD"),
        Column("LOW", _PRICE, "Lowest price.", "l", required=True, unit="USD"),
        Column("CLOSE", _PRICE, "Last price, unadjusted.", "c", required=True, unit="USD"),
        Column("VOLUME", decimal(18, 6), "Shares traded; fractional since 2026-02-23.", "v", required=True, unit="shares"),
        Column("VWAP", _PRICE, "Price weighted by volume; null where nothing was traded.", "vw", unit="USD"),
        Column("TRANSACTIONS", INTEGER, "Number of trades; null where nothing was traded.", "n"),
        Column("STAMP_UTC", EPOCH_MS, "The vendor's stamp of the bar, usually 16:00 in New York. The day is DS.", "t"),
        Column("OTC", FLAG, "True for over-the-counter bars, else null.", "otc"),
        Column("DS", DAY, "The trading day; the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("TICKER",),
    rules={"": Rules(expected=frozenset({"VWAP", "TRANSACTIONS"}))},
    first_day=date(2003, 9, 10),  # the vendor's history begins here; that of OTC bars on 2021-12-31
    size="some 12,500 rows, 1 call of 1.3 MB",
    rows=12_500,
)  # fmt: skip
