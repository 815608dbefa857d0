"""Initial public offerings: GET /vX/reference/ipos (massive.com/docs/rest/stocks/corporate-actions/ipos).

A pending or withdrawn one may never list, and its symbol may go to somebody else: issuer and day of announcement name it.
"""

from __future__ import annotations

from datetime import date

from stockpipe.datasets.column import DATE, FLOAT, UNKNOWN, Column, text
from stockpipe.datasets.dataset import Dataset
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import VERSION_COLUMNS, Versions

IPOS = Dataset(
    name="ipos",
    table="IPOS",
    meaning="Initial public offerings, in every version that was known (KNOWN_FROM, KNOWN_TO).",
    noun="IPOs",
    kind=Versions(unversioned=("LAST_UPDATED",)),
    source=Endpoint("/vX/reference/ipos", {"order": "asc", "sort": "ticker"}, page=1000),
    columns=(
        Column("TICKER", text(20), "Symbol, perhaps one that never lists.", "ticker", required=True),
        Column("ISSUER_NAME", text(500), "Name of the company.", "issuer_name", required=True),
        Column("IPO_STATUS", text(50), "rumor, pending, new, history, postponed, withdrawn or direct_listing_process.", "ipo_status", required=True),
        Column("SECURITY_TYPE", text(20), "Ticker type code; SP for the units of a SPAC.", "security_type"),
        Column("SECURITY_DESCRIPTION", text(500), "What is offered.", "security_description"),
        Column("ANNOUNCED_DATE", DATE, "When it was announced.", "announced_date"),
        Column("LISTING_DATE", DATE, "First trading day; null while pending.", "listing_date"),
        Column("ISSUE_START_DATE", DATE, "When orders are taken from.", "issue_start_date"),
        Column("ISSUE_END_DATE", DATE, "When orders are taken to.", "issue_end_date"),
        Column("PRIMARY_EXCHANGE", text(50), "MIC (ISO 10383) of the listing.", "primary_exchange"),
        Column("CURRENCY_CODE", text(10), "Of the prices (ISO 4217).", "currency_code"),
        Column("FINAL_ISSUE_PRICE", FLOAT, "The price of the offer.", "final_issue_price", unit="CURRENCY_CODE"),
        Column("LOWEST_OFFER_PRICE", FLOAT, "Lower end of the offer.", "lowest_offer_price", unit="CURRENCY_CODE"),
        Column("HIGHEST_OFFER_PRICE", FLOAT, "Upper end of the offer.", "highest_offer_price", unit="CURRENCY_CODE"),
        Column("MIN_SHARES_OFFERED", FLOAT, "Fewest shares offered.", "min_shares_offered", unit="shares"),
        Column("MAX_SHARES_OFFERED", FLOAT, "Most shares offered.", "max_shares_offered", unit="shares"),
        Column("TOTAL_OFFER_SIZE", FLOAT, "Value of the offer.", "total_offer_size", unit="CURRENCY_CODE"),
        Column("SHARES_OUTSTANDING", FLOAT, "Shares outstanding.", "shares_outstanding", unit="shares"),
        Column("LOT_SIZE", FLOAT, "Shares of a lot.", "lot_size", unit="shares"),
        Column("US_CODE", text(20), "CUSIP, with its zeros.", "us_code"),
        Column("ISIN", text(20), "ISO 6166 number.", "isin"),
        Column("LAST_UPDATED", DATE, "The vendor's stamp; it says nothing about change.", "last_updated"),
        *VERSION_COLUMNS,
        Column("EXTRA", UNKNOWN, "Fields that the API sent and stockpipe does not know; null when there are none."),
    ),
    key=("ISSUER_NAME", "ANNOUNCED_DATE", "TICKER"),
    first_day=date(2008, 1, 1),
    size="some 6,200 rows, 7 calls",
    rows=6_200,
    calls=7,
)  # fmt: skip
