"""dlt as installed. Usage: dlt_rest.py BASE_URL KEY DUCKDB_PATH"""

import sys

from dlt_source import load, tickers

base_url, key, path = sys.argv[1:]
load(tickers(base_url, key), path, None)
