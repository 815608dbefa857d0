"""The official client, one CSV, one COPY: the fastest thing that is written by hand.

Usage: client_csv_copy.py BASE_URL KEY DUCKDB_PATH
"""

import csv
import sys
from datetime import date
from pathlib import Path

import duckdb
from massive import RESTClient

from columns import CREATE, FIELDS

base_url, key, path = sys.argv[1:]
client = RESTClient(api_key=key, base=base_url)
today = date.today().isoformat()
listing = Path(path).with_suffix(".csv")
with listing.open("w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file)
    for ticker in client.list_tickers(market="stocks", active=True, order="asc", sort="ticker", limit=1000):
        writer.writerow([*(getattr(ticker, field) for field in FIELDS), today])

connection = duckdb.connect(path)
connection.execute(CREATE)
connection.execute(f"COPY tickers FROM '{listing}' (FORMAT csv, HEADER false)")
connection.close()
