"""Exchanges and other venues: GET /v3/reference/exchanges (massive.com/docs/rest/stocks/market-operations/exchanges)."""

from __future__ import annotations

from stockpipe.datasets.column import DAY, INTEGER, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import Snapshot

EXCHANGES = Dataset(
    name="exchanges",
    table="EXCHANGES",
    meaning="Exchanges, trade reporting facilities and data feeds of all asset classes, one list a day (DS).",
    noun="exchanges",
    kind=Snapshot(),
    source=Endpoint("/v3/reference/exchanges"),
    columns=(
        Column("ID", INTEGER, "The vendor's number, as in trades; several venues may share one.", "id", required=True),
        Column("TYPE", text(20), "exchange, TRF or SIP.", "type", required=True),
        Column("ASSET_CLASS", text(50), "stocks, options, crypto, fx or futures.", "asset_class", required=True),
        Column("LOCALE", text(10), "us or global.", "locale", required=True),
        Column("NAME", text(200), "Its name.", "name", required=True, example="New York Stock Exchange"),
        Column("ACRONYM", text(20), "Its short name.", "acronym"),
        Column("MIC", text(10), "ISO 10383 code, as in PRIMARY_EXCHANGE of the tickers; a feed has none.", "mic", example="XNYS"),
        Column("OPERATING_MIC", text(10), "ISO 10383 code of who runs it.", "operating_mic"),
        Column("PARTICIPANT_ID", text(10), "Its letter on the consolidated tape.", "participant_id"),
        Column("URL", text(500), "Its web page.", "url"),
        Column("DS", DAY, "The day of the list; the partition."),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("ASSET_CLASS", "TYPE", "ID", "NAME"),
    size="52 rows",
    rows=52,
)  # fmt: skip
