"""Where the data goes: one small protocol, and a file for each warehouse behind it."""

from __future__ import annotations

from stockpipe.settings import Settings
from stockpipe.warehouse.base import Delivery, History, Publication, QueryResult, Warehouse


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings name, not yet connected. ConfigError when a setting it needs is missing."""
    if settings.warehouse == "snowflake":
        from stockpipe.warehouse.snowflake.warehouse import SnowflakeWarehouse

        return SnowflakeWarehouse(settings)
    from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse

    return DuckDBWarehouse(settings)


__all__ = ["Delivery", "History", "Publication", "QueryResult", "Warehouse", "open_warehouse"]
