"""Short sale volume of a day: GET /stocks/v1/short-volume (massive.com/docs/rest/stocks/fundamentals/short-volume).

It is what FINRA's members report off the exchanges: no share of the volume in the bars.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DAY, FLOAT, INTEGER, UNKNOWN, Column, decimal, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import DayFacts

_SHARES = decimal(18, 6)

SHORT_VOLUME = Dataset(
    name="short_volume",
    table="SHORT_VOLUME",
    meaning="Off-exchange volume that was sold short (FINRA), one day a partition (DS).",
    noun="short volumes",
    kind=DayFacts(),
    source=Endpoint("/stocks/v1/short-volume", {"sort": "ticker.asc"}, page=50_000, day="date"),
    columns=(
        Column("TICKER", text(20), "Symbol; case matters.", "ticker", required=True, example="AAPL"),
        Column("TOTAL_VOLUME", _SHARES, "All shares reported off the exchanges.", "total_volume", unit="shares"),
        Column("SHORT_VOLUME", _SHARES, "Of these, sold short.", "short_volume", unit="shares"),
        Column("EXEMPT_VOLUME", _SHARES, "Sold short and exempt from the price test.", "exempt_volume", unit="shares"),
        Column("NON_EXEMPT_VOLUME", _SHARES, "Sold short and not exempt.", "non_exempt_volume", unit="shares"),
        Column("SHORT_VOLUME_RATIO", FLOAT, "SHORT_VOLUME of TOTAL_VOLUME.", "short_volume_ratio", unit="per cent"),
        *(
            Column(
                f"{name.upper()}_{tail}", INTEGER, f"Reported to {place}, {what}.", f"{name}_{tail.lower()}", unit="shares"
            )
            for name, place in (
                ("nyse", "the NYSE's facility"), ("nasdaq_carteret", "Nasdaq's facility in Carteret"),
                ("nasdaq_chicago", "Nasdaq's facility in Chicago"), ("adf", "FINRA's own facility"),
            )
            for tail, what in (("SHORT_VOLUME", "sold short"), ("SHORT_VOLUME_EXEMPT", "sold short and exempt"))
        ),
        Column("DS", DAY, "The trading day; the partition.", "date", required=True),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("TICKER",),
    first_day=date(2024, 2, 6),
    size="some 8,000 rows, 1 call",
    rows=8_000,
)  # fmt: skip
