"""Short interest: GET /stocks/v1/short-interest (massive.com/docs/rest/stocks/fundamentals/short-interest).

Two settlement dates a month, each published some eight sessions later: KNOWN_FROM says when it was seen, and a back-test
that goes by SETTLEMENT_DATE alone looks ahead.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DATE, FLOAT, INTEGER, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset, Rules
from stockpipe.datasets.endpoint import Endpoint, Option
from stockpipe.datasets.kinds import VERSION_COLUMNS, Versions

SHORT_INTEREST = Dataset(
    name="short_interest",
    table="SHORT_INTEREST",
    meaning="Shares sold short and not yet bought back, in every version that was known (KNOWN_FROM, KNOWN_TO).",
    noun="short interests",
    kind=Versions(covers="SETTLEMENT_DATE"),
    source=Endpoint(
        "/stocks/v1/short-interest", {"sort": "ticker.asc,settlement_date.asc"}, page=50_000,
        options=(
            Option(
                "since", "settlement_date.gte", days=60,
                help="Of restated lists, only events from this day on (YYYY-MM-DD, or all).",
            ),
        ),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol; case matters.", "ticker", required=True, example="AAPL"),
        Column("SETTLEMENT_DATE", DATE, "The day that it is of; it is published some eight sessions later.", "settlement_date", required=True),
        Column("SHORT_INTEREST", INTEGER, "Shares sold short.", "short_interest", unit="shares"),
        Column("AVG_DAILY_VOLUME", INTEGER, "Average shares traded a day.", "avg_daily_volume", unit="shares"),
        Column("DAYS_TO_COVER", FLOAT, "The first by the second, 1 at least; 999.99 where nothing was traded.", "days_to_cover", unit="days"),
        *VERSION_COLUMNS,
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("SETTLEMENT_DATE", "TICKER"),
    rules={"": Rules(steady=False)},  # sixty days hold three, four or five settlement dates
    first_day=date(2017, 12, 29),
    size="some 84,000 rows of the last 60 days, 2 calls; all since 2017: 4 million, 80 calls",
    rows=84_000,
    calls=2,
)  # fmt: skip
