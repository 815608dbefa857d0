"""Many days with dlt, one call after the other, and its fastest setting for DuckDB: Parquet loader files.

Usage: dlt_days.py BASE_URL KEY DUCKDB_PATH FIRST_DAY DAYS
"""

import sys
from datetime import date, timedelta

import dlt

from columns import PATH, QUERY
from dlt_source import load, source

base_url, key, path, first, count = sys.argv[1:]


@dlt.resource(selected=False)
def days():
    """The days, each a row: the parent of that day's tickers."""
    yield [{"ds": (date.fromisoformat(first) + timedelta(number)).isoformat()} for number in range(int(count))]


endpoint = {"path": PATH, "params": QUERY | {"date": "{resources.days.ds}"}, "data_selector": "results"}
tickers = {"name": "tickers", "write_disposition": "append", "include_from_parent": ["ds"], "endpoint": endpoint}
load(source(base_url, key, days(), tickers), path, "parquet")
