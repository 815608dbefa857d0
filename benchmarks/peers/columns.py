"""The table that the handwritten peers fill: the thirteen columns of stockpipe's first version."""

FIELDS = (
    "ticker",
    "name",
    "market",
    "locale",
    "primary_exchange",
    "type",
    "active",
    "currency_name",
    "cik",
    "composite_figi",
    "share_class_figi",
    "last_updated_utc",
)
CREATE = """
    CREATE TABLE tickers (
        ticker VARCHAR, name VARCHAR, market VARCHAR, locale VARCHAR, primary_exchange VARCHAR, type VARCHAR,
        active BOOLEAN, currency_name VARCHAR, cik VARCHAR, composite_figi VARCHAR, share_class_figi VARCHAR,
        last_updated_utc TIMESTAMP, ds DATE
    )
"""
INSERT = f"INSERT INTO tickers VALUES ({', '.join('?' * (len(FIELDS) + 1))})"
QUERY = {"market": "stocks", "active": "true", "order": "asc", "sort": "ticker", "limit": "1000"}
PATH = "/v3/reference/tickers"
