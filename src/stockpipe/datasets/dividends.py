"""Cash dividends: GET /stocks/v1/dividends (massive.com/docs/rest/stocks/corporate-actions/dividends).

Amounts are as paid, not adjusted for splits. The vendor restates its factors and makes new ids at times, so a dividend is
known by what it says; a regular and a special one on one day are two.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DATE, FLOAT, INTEGER, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint, Option
from stockpipe.datasets.kinds import VERSION_COLUMNS, Versions

DIVIDENDS = Dataset(
    name="dividends",
    table="DIVIDENDS",
    meaning="Cash dividends, in every version that was known (KNOWN_FROM, KNOWN_TO).",
    noun="dividends",
    kind=Versions(
        unversioned=("HISTORICAL_ADJUSTMENT_FACTOR", "SPLIT_ADJUSTED_CASH_AMOUNT", "VENDOR_ID"), covers="EX_DIVIDEND_DATE"
    ),
    # Sorted by all that can tell two dividends of one day apart: rows that tie may be lost where a page ends.
    source=Endpoint(
        "/stocks/v1/dividends", {"sort": "ticker.asc,ex_dividend_date.asc,frequency.asc,distribution_type.asc"}, page=5000,
        options=(Option("since", "ex_dividend_date.gte", help="Of restated lists, only events from this day on (YYYY-MM-DD, or all)."),),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol on the ex-date; case matters.", "ticker", required=True, example="AAPL"),
        Column("EX_DIVIDEND_DATE", DATE, "First day on which a buyer no longer gets it.", "ex_dividend_date", required=True),
        Column("CASH_AMOUNT", FLOAT, "Per share as paid, not adjusted for splits.", "cash_amount", required=True, unit="CURRENCY", example="0.26"),
        Column("CURRENCY", text(10), "Of the amount (ISO 4217); not always USD.", "currency", example="USD"),
        Column("DISTRIBUTION_TYPE", text(50), "recurring, special, irregular, supplemental or unknown: its rhythm.", "distribution_type"),
        Column("FREQUENCY", INTEGER, "Payments a year, as the vendor infers; 0 for none.", "frequency"),
        Column("DECLARATION_DATE", DATE, "When it was announced; old ones lack it.", "declaration_date"),
        Column("RECORD_DATE", DATE, "Holders of this day get it.", "record_date"),
        Column("PAY_DATE", DATE, "When it is paid.", "pay_date"),
        Column(
            "HISTORICAL_ADJUSTMENT_FACTOR", FLOAT,
            "The vendor's product of 1 - amount / earlier close over this dividend and all later ones, as of the newest load. "
            "Null is unknown, not 1.",
            "historical_adjustment_factor",
        ),
        Column(
            "SPLIT_ADJUSTED_CASH_AMOUNT", FLOAT, "The amount on today's shares, as of the newest load.",
            "split_adjusted_cash_amount", unit="CURRENCY",
        ),
        Column("VENDOR_ID", text(100), "The vendor's id of the row, which changes at times.", "id"),
        *VERSION_COLUMNS,
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("EX_DIVIDEND_DATE", "CASH_AMOUNT", "DISTRIBUTION_TYPE", "CURRENCY", "TICKER"),
    first_day=date(2000, 1, 15),
    size="some 0.8 million rows since 2000, 160 calls; with --since 60 days back 15,000, 3 calls",
    rows=800_000,
    calls=160,
)  # fmt: skip
