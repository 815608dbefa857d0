"""What both dlt peers share: a rest_api source that follows next_url, as dlt's documentation shows it."""

import dlt
from dlt.sources.rest_api import rest_api_source

from columns import PATH, QUERY


def tickers(base_url: str, key: str):
    """The tickers as a dlt source."""
    return rest_api_source(
        {
            "client": {
                "base_url": base_url,
                "auth": {"type": "bearer", "token": key},
                "paginator": {"type": "json_link", "next_url_path": "next_url"},
            },
            "resources": [
                {
                    "name": "tickers",
                    "write_disposition": "replace",
                    "endpoint": {"path": PATH, "params": QUERY, "data_selector": "results"},
                }
            ],
        }
    )


def load(base_url: str, key: str, path: str, loader_file_format: str | None) -> None:
    """Load the tickers into a DuckDB file; without a format, with the one that dlt chooses."""
    pipeline = dlt.pipeline("tickers", destination=dlt.destinations.duckdb(path), dataset_name="market")
    pipeline.run(tickers(base_url, key), loader_file_format=loader_file_format).raise_on_failed_jobs()
