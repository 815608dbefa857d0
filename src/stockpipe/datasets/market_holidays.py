"""Holidays and early closes that are ahead: GET /v1/marketstatus/upcoming.

massive.com/docs/rest/stocks/market-operations/market-holidays. The answer is a bare list without status; nothing in it is
past, so earlier holidays are in earlier days' lists. Unscheduled closings appear late, or never.
"""

from __future__ import annotations

from stockpipe.datasets.column import DATE, DAY, TIMESTAMP, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset, Rules
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import Snapshot

MARKET_HOLIDAYS = Dataset(
    name="market_holidays",
    table="MARKET_HOLIDAYS",
    meaning="Holidays and early closes that were ahead, one list a day (DS).",
    noun="market holidays",
    kind=Snapshot(),
    source=Endpoint("/v1/marketstatus/upcoming", rows=None, status=False),
    columns=(
        Column("HOLIDAY_DATE", DATE, "The day.", "date", required=True),
        Column("EXCHANGE", text(50), "NYSE, NASDAQ or OTC.", "exchange", required=True),
        Column("NAME", text(200), "Of the holiday.", "name", required=True, example="Thanksgiving"),
        Column("STATUS", text(50), "closed or early-close.", "status", required=True),
        Column("OPEN_UTC", TIMESTAMP, "When trading begins; on early closes only.", "open"),
        Column("CLOSE_UTC", TIMESTAMP, "When trading ends; on early closes only.", "close"),
        Column("DS", DAY, "The day of the list; the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("EXCHANGE", "HOLIDAY_DATE"),
    rules={"": Rules(steady=False)},  # a holiday that is over leaves the list, and a new year comes at once
    size="some 24 rows",
    rows=24,
)  # fmt: skip
