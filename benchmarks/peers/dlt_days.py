"""Many days with dlt, one call after the other, and its fastest setting for DuckDB: Parquet loader files.

Usage: dlt_days.py BASE_URL KEY DUCKDB_PATH FIRST_DAY DAYS
"""

import sys
from datetime import date, timedelta

import dlt
from dlt.sources.rest_api import rest_api_source

from columns import PATH, QUERY

base_url, key, path, first, count = sys.argv[1:]


@dlt.resource(selected=False)
def days():
    """The days, each a row: the parent of that day's tickers."""
    yield [{"ds": (date.fromisoformat(first) + timedelta(number)).isoformat()} for number in range(int(count))]


source = rest_api_source(
    {
        "client": {
            "base_url": base_url,
            "auth": {"type": "bearer", "token": key},
            "paginator": {"type": "json_link", "next_url_path": "next_url"},
        },
        "resources": [
            days(),
            {
                "name": "tickers",
                "write_disposition": "append",
                "include_from_parent": ["ds"],
                "endpoint": {
                    "path": PATH,
                    "params": QUERY | {"date": "{resources.days.ds}"},
                    "data_selector": "results",
                },
            },
        ],
    }
)
pipeline = dlt.pipeline("tickers", destination=dlt.destinations.duckdb(path), dataset_name="market")
pipeline.run(source, loader_file_format="parquet").raise_on_failed_jobs()
