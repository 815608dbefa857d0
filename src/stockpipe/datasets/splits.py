"""Splits: GET /stocks/v1/splits (massive.com/docs/rest/stocks/corporate-actions/splits).

The vendor restates its factors with every later split and makes new ids at times, so an event is known by what it says.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DATE, FLOAT, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint, Option
from stockpipe.datasets.kinds import VERSION_COLUMNS, Versions

SPLITS = Dataset(
    name="splits",
    table="SPLITS",
    meaning="Splits and stock dividends, in every version that was known (KNOWN_FROM, KNOWN_TO).",
    noun="splits",
    kind=Versions(unversioned=("HISTORICAL_ADJUSTMENT_FACTOR", "VENDOR_ID"), covers="EXECUTION_DATE"),
    # Sorted by all that can tell two events of one day apart: rows that tie may be lost where a page ends.
    source=Endpoint(
        "/stocks/v1/splits", {"sort": "ticker.asc,execution_date.asc,adjustment_type.asc"}, page=5000,
        options=(Option("since", "execution_date.gte", help="Of restated lists, only events from this day on (YYYY-MM-DD, or all)."),),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol on the execution date; case matters.", "ticker", required=True, example="AAPL"),
        Column("EXECUTION_DATE", DATE, "First day on which trades are at the new price.", "execution_date", required=True),
        Column("ADJUSTMENT_TYPE", text(50), "forward_split, reverse_split or stock_dividend.", "adjustment_type"),
        Column("SPLIT_FROM", FLOAT, "Old shares: 1 of a 4-for-1 split.", "split_from", required=True, unit="shares"),
        Column("SPLIT_TO", FLOAT, "New shares: 4 of a 4-for-1 split.", "split_to", required=True, unit="shares"),
        Column(
            "HISTORICAL_ADJUSTMENT_FACTOR", FLOAT,
            "The vendor's product of this split and all later ones of the ticker, as of the newest load. Null for announced "
            "splits; some are wrong, 0 or negative.",
            "historical_adjustment_factor",
        ),
        Column("VENDOR_ID", text(100), "The vendor's id of the row, which changes at times.", "id"),
        *VERSION_COLUMNS,
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("EXECUTION_DATE", "ADJUSTMENT_TYPE", "SPLIT_FROM", "SPLIT_TO", "TICKER"),
    first_day=date(1978, 10, 25),
    size="some 26,000 rows since 1978, 6 calls",
    rows=26_000,
    calls=6,
)  # fmt: skip
