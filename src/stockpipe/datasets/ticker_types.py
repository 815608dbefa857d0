"""Codes of ticker types: GET /v3/reference/tickers/types (massive.com/docs/rest/stocks/tickers/ticker-types)."""

from __future__ import annotations

from stockpipe.datasets.column import DAY, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import Snapshot

TICKER_TYPES = Dataset(
    name="ticker_types",
    table="TICKER_TYPES",
    meaning="What the codes in the column TYPE of the tickers mean, one list a day (DS).",
    noun="ticker types",
    kind=Snapshot(),
    source=Endpoint("/v3/reference/tickers/types"),
    columns=(
        Column("CODE", text(20), "The code, as in TYPE of the tickers.", "code", required=True, example="CS"),
        Column("DESCRIPTION", text(200), "What it means.", "description", required=True, example="Common Stock"),
        Column("ASSET_CLASS", text(50), "stocks, options, crypto, fx or indices.", "asset_class", required=True),
        Column("LOCALE", text(10), "us or global.", "locale", required=True),
        Column("DS", DAY, "The day of the list; the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("ASSET_CLASS", "LOCALE", "CODE"),
    size="25 rows",
    rows=25,
)  # fmt: skip
