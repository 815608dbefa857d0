"""The live market: GET /v2/snapshot/locale/us/markets/stocks/tickers, prices of now.

massive.com/docs/rest/stocks/snapshots/full-market-snapshot. 15 minutes late on Starter and Developer. The vendor clears it
at 03:30 in New York and fills it again from 04:00.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from stockpipe.datasets.column import DAY, EPOCH_MS, EPOCH_NS, FLAG, FLOAT, INTEGER, JSON, PULLED, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset, Rules
from stockpipe.datasets.endpoint import Endpoint, Option
from stockpipe.datasets.kinds import Snapshot

_BAR = (
    ("OPEN", "o", "First price"),
    ("HIGH", "h", "Highest price"),
    ("LOW", "l", "Lowest price"),
    ("CLOSE", "c", "Last price"),
)


def _bar(prefix: str, path: str, of: str) -> Iterator[Column]:
    for name, field, what in _BAR:
        yield Column(f"{prefix}_{name}", FLOAT, f"{what} of {of}.", f"{path}.{field}", unit="USD")
    yield Column(f"{prefix}_VOLUME", FLOAT, f"Shares traded in {of}.", f"{path}.v", unit="shares")
    yield Column(f"{prefix}_VWAP", FLOAT, f"Price of {of}, weighted by volume.", f"{path}.vw", unit="USD")


_TODAY = (
    *_bar("DAY", "day", "the day so far"),
    Column("DAY_VOLUME_TEXT", text(50), "The day's volume with every digit.", "day.dv", unit="shares"),
    Column("DAY_OTC", FLAG, "True for over-the-counter stocks, else null.", "day.otc"),
    *_bar("MINUTE", "min", "the newest minute"),
    Column("MINUTE_TRANSACTIONS", INTEGER, "Trades in that minute.", "min.n"),
    Column("MINUTE_DAY_VOLUME", FLOAT, "The day's volume up to it.", "min.av", unit="shares"),
    Column("MINUTE_DAY_VOLUME_TEXT", text(50), "The same with every digit.", "min.dav", unit="shares"),
    Column("MINUTE_UTC", EPOCH_MS, "When that minute began.", "min.t"),
)

MARKET_SNAPSHOT = Dataset(
    name="market_snapshot",
    table="MARKET_SNAPSHOT",
    meaning="All US stocks as they trade now, one pull a partition (DS, PULLED_UTC).",
    noun="stocks",
    kind=Snapshot(empty_until=time(4, 0)),
    source=Endpoint(
        "/v2/snapshot/locale/us/markets/stocks/tickers", rows="tickers",
        options=(Option("otc", "include_otc", words=("true", "false"), usual="false", help="With over-the-counter stocks: true or false."),),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol; case matters.", "ticker", required=True, example="AAPL"),
        Column("TODAYS_CHANGE", FLOAT, "Change since the close of the day before.", "todaysChange", unit="USD"),
        Column("TODAYS_CHANGE_PERC", FLOAT, "The same; huge where that close was next to nothing.", "todaysChangePerc", unit="per cent"),
        Column("UPDATED_UTC", EPOCH_NS, "When the vendor last changed the row; 1970 for not yet today.", "updated"),
        Column("FAIR_MARKET_VALUE", FLOAT, "The vendor's own estimate; business plans only.", "fmv", unit="USD"),
        *_TODAY,
        *_bar("PREVIOUS", "prevDay", "the day before"),
        Column("LAST_TRADE_PRICE", FLOAT, "Price of the last trade; plans with trades only.", "lastTrade.p", unit="USD"),
        Column("LAST_TRADE_SIZE", FLOAT, "Its shares.", "lastTrade.s", unit="shares"),
        Column("LAST_TRADE_SIZE_TEXT", text(50), "The same with every digit.", "lastTrade.ds", unit="shares"),
        Column("LAST_TRADE_CONDITIONS", JSON, "Its condition codes.", "lastTrade.c"),
        Column("LAST_TRADE_ID", text(50), "Its id on the exchange.", "lastTrade.i"),
        Column("LAST_TRADE_EXCHANGE", INTEGER, "The vendor's number of the exchange.", "lastTrade.x"),
        Column("LAST_TRADE_UTC", EPOCH_NS, "Its time.", "lastTrade.t"),
        Column("ASK_PRICE", FLOAT, "Lowest offer; plans with quotes only.", "lastQuote.P", unit="USD"),
        Column("ASK_SIZE", FLOAT, "Its size: round lots until 2025-11-03, shares since.", "lastQuote.S"),
        Column("BID_PRICE", FLOAT, "Highest bid.", "lastQuote.p", unit="USD"),
        Column("BID_SIZE", FLOAT, "Its size.", "lastQuote.s"),
        Column("QUOTE_UTC", EPOCH_NS, "Time of the quote.", "lastQuote.t"),
        Column("DS", DAY, "The day of the pull in New York; the partition."),
        Column("PULLED_UTC", PULLED, "When it was pulled; with --keep all, a part of the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("TICKER",),
    # It fills up in the course of the morning, and on a holiday nothing is traded.
    rules={"": Rules(steady=False, fleeting=frozenset(column.name for column in _TODAY))},
    plan="starter",
    size="some 12,000 rows, 1 call of 8 to 10 MB a pull",
    rows=12_000,
)  # fmt: skip
