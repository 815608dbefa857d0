"""Free float: GET /stocks/vX/float (massive.com/docs/rest/stocks/fundamentals/float). Current values only."""

from __future__ import annotations

from stockpipe.datasets.column import DATE, DAY, FLOAT, INTEGER, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import Snapshot

FREE_FLOAT = Dataset(
    name="float",
    table="FLOAT",
    meaning="Shares that the public can trade, one list a day (DS).",
    noun="free floats",
    kind=Snapshot(),
    source=Endpoint("/stocks/vX/float", {"sort": "ticker.asc"}, page=5000),
    columns=(
        Column("TICKER", text(20), "Symbol; case matters.", "ticker", required=True, example="AAPL"),
        Column("EFFECTIVE_DATE", DATE, "The day that the number is of.", "effective_date"),
        Column("FREE_FLOAT", INTEGER, "Shares that the public can trade.", "free_float", unit="shares"),
        Column("FREE_FLOAT_PERCENT", FLOAT, "The same as a share of all.", "free_float_percent", unit="per cent"),
        Column("DS", DAY, "The day of the list; the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("TICKER",),
    size="some 6,400 rows, 2 calls",
    rows=6_400,
    calls=2,
)  # fmt: skip
