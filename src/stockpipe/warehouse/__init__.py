"""Where the data goes: one small protocol, and a file for each warehouse behind it."""

from __future__ import annotations

from stockpipe.settings import Settings
from stockpipe.warehouse.base import Delivery, History, Publication, QueryResult, Warehouse
from stockpipe.warehouse.needed import check_needed

_READERS_WAIT = 10.0


def open_warehouse(settings: Settings, *, reads: bool = False) -> Warehouse:
    """The warehouse that the settings name, not yet connected. ConfigError when a setting it needs is missing.

    `reads` says that somebody only looks: a held file is waited for 10 s, unless STOCKPIPE_LOCK_TIMEOUT says otherwise,
    and a sign-in at Snowflake takes 10 s at most.
    """
    if settings.warehouse == "snowflake":
        check_needed(settings)
        from stockpipe.warehouse.snowflake.warehouse import SnowflakeWarehouse

        return SnowflakeWarehouse(settings, reads=reads)
    from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse

    usual = not settings.is_set("STOCKPIPE_LOCK_TIMEOUT")
    return DuckDBWarehouse(settings, patience=_READERS_WAIT if reads and usual else None)


__all__ = ["Delivery", "History", "Publication", "QueryResult", "Warehouse", "open_warehouse"]
