"""The official client and executemany. Usage: client_executemany.py BASE_URL KEY DUCKDB_PATH"""

import sys
from datetime import date

import duckdb
from massive import RESTClient

from columns import CREATE, FIELDS, INSERT

base_url, key, path = sys.argv[1:]
client = RESTClient(api_key=key, base=base_url)
today = date.today()
rows = [
    [*(getattr(ticker, field) for field in FIELDS), today]
    for ticker in client.list_tickers(market="stocks", active=True, order="asc", sort="ticker", limit=1000)
]

connection = duckdb.connect(path)
connection.execute(CREATE)
connection.begin()  # without it every row is a transaction of its own
connection.executemany(INSERT, rows)
connection.commit()
connection.close()
