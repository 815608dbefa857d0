"""The usual script: requests, follow next_url, one INSERT a row. Usage: usual_script.py BASE_URL KEY DUCKDB_PATH"""

import sys
from datetime import date

import duckdb
import requests

from columns import CREATE, FIELDS, INSERT, PATH, QUERY

base_url, key, path = sys.argv[1:]
session = requests.Session()  # keeps the connection; many such scripts open one a page
answer = session.get(base_url + PATH, params={**QUERY, "apiKey": key}, timeout=60).json()
tickers = answer["results"]
while "next_url" in answer:
    answer = session.get(answer["next_url"], params={"apiKey": key}, timeout=60).json()
    tickers.extend(answer["results"])

connection = duckdb.connect(path)
connection.execute(CREATE)
today = date.today()
for ticker in tickers:
    connection.execute(INSERT, [*(ticker.get(field) for field in FIELDS), today])
connection.close()
