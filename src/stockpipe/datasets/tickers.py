"""All tickers of a market: GET /v3/reference/tickers (massive.com/docs/rest/stocks/tickers/all-tickers).

The first thirteen columns are the table of stockpipe 1, in its order. Their widths are the least that was promised;
PRIMARY_EXCHANGE is wider than the old ten because the over-the-counter market has `Grey Market` (11 characters).
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.dataset import Column, Dataset, MarketRules

_ALWAYS = frozenset({"ticker", "market", "locale", "active"})
_NAMED = _ALWAYS | {"name"}
_LISTED = frozenset({"primary_exchange", "type", "currency_name", "composite_figi", "share_class_figi"})

TICKERS = Dataset(
    name="tickers",
    table="TICKERS",
    meaning="The tickers that the Massive API lists, one snapshot a day (DS).",
    path="/v3/reference/tickers",
    params={"order": "asc", "sort": "ticker", "limit": "1000"},
    columns=(
        Column("TICKER", "text", "Symbol, as the API writes it; case matters (ABRpD).", "ticker", 20),
        Column("NAME", "text", "Name of the company, fund, pair or index.", "name", 500),
        Column("MARKET", "text", "stocks, otc, crypto, fx or indices.", "market", 50),
        Column("LOCALE", "text", "us, or global for crypto and fx.", "locale", 10),
        Column("PRIMARY_EXCHANGE", "text", "MIC (ISO 10383) of the primary listing.", "primary_exchange", 50),
        Column("TYPE", "text", "Ticker type code, such as CS, ETF, ADRC.", "type", 20),
        Column("ACTIVE", "bool", "True while listed, false once delisted.", "active"),
        Column(
            "CURRENCY_NAME",
            "text",
            "Trading currency: a code for stocks, a name for pairs.",
            "currency_name",
            50,
        ),
        Column("CIK", "text", "SEC Central Index Key, ten digits with its zeros.", "cik", 20),
        Column("COMPOSITE_FIGI", "text", "OpenFIGI of the security in its country.", "composite_figi", 50),
        Column("SHARE_CLASS_FIGI", "text", "OpenFIGI of the share class.", "share_class_figi", 50),
        Column(
            "LAST_UPDATED_UTC",
            "timestamp",
            "Stocks: stamp of the vendor's nightly build.",
            "last_updated_utc",
        ),
        Column("DS", "date", "The day of the snapshot; the partition."),
        Column("DELISTED_UTC", "timestamp", "Last day traded, on inactive rows.", "delisted_utc"),
        Column("CURRENCY_SYMBOL", "text", "Quote currency code of a pair (ISO 4217).", "currency_symbol", 20),
        Column("BASE_CURRENCY_SYMBOL", "text", "Base currency code of a pair.", "base_currency_symbol", 20),
        Column("BASE_CURRENCY_NAME", "text", "Base currency's name.", "base_currency_name", 100),
        Column("EXTRA", "json", "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    markets={
        "stocks": MarketRules(_NAMED, _NAMED | _LISTED | {"cik", "last_updated_utc"}, nightly_build=True),
        "otc": MarketRules(_NAMED, _NAMED | {"primary_exchange", "type", "currency_name", "last_updated_utc"}),
        "crypto": MarketRules(_NAMED, _NAMED | {"currency_name"}, ticker_prefix="X:"),
        "fx": MarketRules(_NAMED, _NAMED | {"currency_name"}, ticker_prefix="C:"),
        # About one index in twenty has no name, and none has a time stamp.
        "indices": MarketRules(_ALWAYS, _NAMED, ticker_prefix="I:"),
    },
    first_day=date(2003, 9, 10),  # the vendor's history begins here
    key=("MARKET", "TICKER"),
)
