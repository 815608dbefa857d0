"""All tickers of a market: GET /v3/reference/tickers (massive.com/docs/rest/stocks/tickers/all-tickers).

The first thirteen columns are the table of stockpipe 1, in its order. Their widths are the minimum that was promised;
PRIMARY_EXCHANGE is wider than the old ten because the over-the-counter market has `Grey Market` (11 characters).
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DAY, FLAG, TIMESTAMP, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Choice, Dataset, Division, Rules
from stockpipe.datasets.endpoint import Cut, Endpoint
from stockpipe.datasets.kinds import Snapshot

_NAMED = frozenset({"TICKER", "NAME", "MARKET", "LOCALE", "ACTIVE"})
_LISTED = frozenset({"PRIMARY_EXCHANGE", "TYPE", "CURRENCY_NAME", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI"})

TICKERS = Dataset(
    name="tickers",
    table="TICKERS",
    meaning="The tickers that the Massive API lists, one snapshot a day (DS).",
    noun="tickers",
    kind=Snapshot(build_stamp="LAST_UPDATED_UTC"),
    source=Endpoint(
        "/v3/reference/tickers",
        {"order": "asc", "sort": "ticker"},
        page=1000,
        day="date",
        # Cut here, a list of some 12,000 US stocks falls into ranges of a little under one page (as listed in 2026).
        cut=Cut("ticker", ("AV", "BV", "CT", "EM", "FS", "HL", "JE", "MB", "NO", "PK", "RO", "SP", "TS", "WM")),
    ),
    divisions=(
        Division(
            "MARKET",
            "market",
            tuple(Choice.named(name) for name in ("stocks", "otc", "crypto", "fx", "indices")),
            usual="stocks",
            help="stocks, otc, crypto, fx or indices.",
        ),
        Division(
            "ACTIVE",
            "active",
            (Choice(True, "true", "", "active"), Choice(False, "false", "delisted", "inactive")),
            usual="true",
            every="both",
            help="true (listed), false (delisted) or both.",
        ),
    ),
    columns=(
        Column("TICKER", text(20), "Symbol, as the API writes it; case matters (ABRpD).", "ticker", required=True),
        Column("NAME", text(500), "Name of the company, fund, pair or index.", "name", required=True),
        Column("MARKET", text(50), "stocks, otc, crypto, fx or indices.", "market", required=True),
        Column("LOCALE", text(10), "us, or global for crypto and fx.", "locale", required=True),
        Column("PRIMARY_EXCHANGE", text(50), "MIC (ISO 10383) of the primary listing.", "primary_exchange"),
        Column("TYPE", text(20), "Ticker type code, such as CS, ETF, ADRC.", "type"),
        Column("ACTIVE", FLAG, "True while listed, false once delisted.", "active", required=True),
        Column("CURRENCY_NAME", text(50), "Trading currency: a code for stocks, a name for pairs.", "currency_name"),
        Column("CIK", text(20), "SEC Central Index Key, ten digits with its zeros.", "cik"),
        Column("COMPOSITE_FIGI", text(50), "OpenFIGI of the security in its country.", "composite_figi"),
        Column("SHARE_CLASS_FIGI", text(50), "OpenFIGI of the share class.", "share_class_figi"),
        Column("LAST_UPDATED_UTC", TIMESTAMP, "Stocks: stamp of the vendor's nightly build.", "last_updated_utc"),
        Column("DS", DAY, "The day of the snapshot; the partition."),
        Column("DELISTED_UTC", TIMESTAMP, "Last day traded, on inactive rows.", "delisted_utc"),
        Column("CURRENCY_SYMBOL", text(20), "Quote currency code of a pair (ISO 4217).", "currency_symbol"),
        Column("BASE_CURRENCY_SYMBOL", text(20), "Base currency code of a pair.", "base_currency_symbol"),
        Column("BASE_CURRENCY_NAME", text(100), "Base currency's name.", "base_currency_name"),
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("MARKET", "TICKER"),
    unique_where="ACTIVE",
    once=("COMPOSITE_FIGI",),  # unique in every whole build of 2025 and 2026; a renamed ticker keeps it
    not_compared=("LAST_UPDATED_UTC",),
    rules={
        "stocks/active": Rules(expected=_NAMED | _LISTED | {"CIK", "LAST_UPDATED_UTC"}, nightly_build=True),
        "otc/active": Rules(expected=_NAMED | {"PRIMARY_EXCHANGE", "TYPE", "CURRENCY_NAME", "LAST_UPDATED_UTC"}),
        "crypto/active": Rules(expected=_NAMED | {"CURRENCY_NAME"}, prefix="X:"),
        "crypto/inactive": Rules(prefix="X:", may_be_empty=True),
        "fx/active": Rules(expected=_NAMED | {"CURRENCY_NAME"}, prefix="C:"),
        "fx": Rules(prefix="C:"),
        # About one index in twenty has no name, and none has a time stamp.
        "indices/active": Rules(optional=frozenset({"NAME"}), expected=_NAMED, prefix="I:"),
        "indices": Rules(optional=frozenset({"NAME"}), prefix="I:"),
    },
    first_day=date(2003, 9, 10),  # the vendor's history begins here
    table_setting="SNOWFLAKE_TABLE",
    size="some 12,400 listed stocks, 13 calls; of the delisted some 30,000, 30 calls",
    rows=12_400,
    calls=13,
)
