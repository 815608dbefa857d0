"""What the dlt peers share: a rest_api source that follows next_url, as dlt's documentation shows it."""

import dlt
from dlt.sources.rest_api import rest_api_source

from columns import PATH, QUERY


def tickers(base_url: str, key: str):
    """The tickers as a dlt source."""
    endpoint = {"path": PATH, "params": QUERY, "data_selector": "results"}
    return source(base_url, key, {"name": "tickers", "write_disposition": "replace", "endpoint": endpoint})


def source(base_url: str, key: str, *resources: object):
    """A dlt source of these resources."""
    client = {
        "base_url": base_url,
        "auth": {"type": "bearer", "token": key},
        "paginator": {"type": "json_link", "next_url_path": "next_url"},
    }
    return rest_api_source({"client": client, "resources": list(resources)})


def load(found: object, path: str, loader_file_format: str | None) -> None:
    """Load a source into a DuckDB file; without a format, with the one that dlt chooses."""
    pipeline = dlt.pipeline("tickers", destination=dlt.destinations.duckdb(path), dataset_name="market")
    pipeline.run(found, loader_file_format=loader_file_format).raise_on_failed_jobs()
