"""The small fixed lists of the API: ticker types, exchanges, markets, sort fields."""

from __future__ import annotations

MARKETS = ("crypto", "fx", "indices", "otc", "stocks")

SORT_FIELDS = frozenset(
    {
        "ticker", "name", "market", "locale", "primary_exchange", "type", "currency_symbol", "currency_name",
        "base_currency_symbol", "base_currency_name", "cik", "composite_figi", "share_class_figi", "last_updated_utc",
        "delisted_utc",
    }
)  # fmt: skip

_TYPES = {
    "CS": "Common Stock", "PFD": "Preferred Stock", "WARRANT": "Warrant", "RIGHT": "Rights", "BOND": "Corporate Bond",
    "ETF": "Exchange Traded Fund", "ETN": "Exchange Traded Note", "ETV": "Exchange Traded Vehicle",
    "ETS": "Single-security ETF", "SP": "Structured Product", "ADRC": "American Depository Receipt Common",
    "ADRP": "American Depository Receipt Preferred", "ADRW": "American Depository Receipt Warrants",
    "ADRR": "American Depository Receipt Rights", "FUND": "Fund", "BASKET": "Basket", "UNIT": "Unit",
    "LT": "Liquidating Trust", "OS": "Ordinary Shares", "GDR": "Global Depository Receipts", "OTHER": "Other Security Type",
    "NYRS": "New York Registry Shares", "AGEN": "Agency Bond", "EQLK": "Equity Linked Bond", "INDEX": "Index",
}  # fmt: skip

TYPES = [
    {"code": code, "description": text, "asset_class": "indices" if code == "INDEX" else "stocks", "locale": "us"}
    for code, text in _TYPES.items()
]

EXCHANGES = [
    {
        "id": number,
        "type": "exchange",
        "asset_class": "stocks",
        "locale": "us",
        "name": name,
        "mic": mic,
        "operating_mic": owner,
    }
    for number, (name, mic, owner) in enumerate(
        (
            ("NYSE American, LLC", "XASE", "XNYS"),
            ("NYSE Arca, Inc.", "ARCX", "XNYS"),
            ("New York Stock Exchange", "XNYS", "XNYS"),
            ("Nasdaq", "XNAS", "XNAS"),
            ("Cboe BZX", "BATS", "XCBO"),
        ),
        start=1,
    )
]
