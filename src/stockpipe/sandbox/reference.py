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

_PLACES = (
    (1, "exchange", "NYSE American, LLC", "XASE", "XNYS", "A"),
    (2, "exchange", "NYSE Arca, Inc.", "ARCX", "XNYS", "P"),
    (3, "exchange", "New York Stock Exchange", "XNYS", "XNYS", "N"),
    # Four facilities under one number, each with a code of its own.
    (4, "TRF", "FINRA NYSE TRF", "FINY", "FINR", "D"),
    (4, "TRF", "FINRA Nasdaq TRF Carteret", "FINN", "FINR", "D"),
    (4, "TRF", "FINRA Nasdaq TRF Chicago", "FINC", "FINR", "D"),
    (4, "TRF", "FINRA Alternative Display Facility", "XADF", "FINR", "D"),
    (5, "exchange", "Nasdaq", "XNAS", "XNAS", "T"),
    (6, "exchange", "Cboe BZX", "BATS", "XCBO", "Z"),
    (7, "SIP", "Consolidated Tape Association", None, None, None),
    (8, "SIP", "Unlisted Trading Privileges", None, None, None),
    (9, "exchange", "Investors Exchange", "IEXG", "IEXG", "V"),
)

EXCHANGES = [
    {"id": number, "type": kind, "asset_class": "stocks", "locale": "us", "name": name}
    | {
        field: value
        for field, value in (("mic", mic), ("operating_mic", owner), ("participant_id", letter))
        if value is not None
    }
    for number, kind, name, mic, owner, letter in _PLACES
] + [
    {
        "id": 300 + at,
        "type": "exchange",
        "asset_class": kind,
        "locale": "global",
        "name": f"{kind.capitalize()} venue {at}",
    }
    for at, kind in enumerate(("crypto", "fx"))
]
