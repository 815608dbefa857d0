"""The warehouse: can it be reached and read, and may the role do what a run does?"""

from __future__ import annotations

from collections.abc import Iterator

from stockpipe.clock import Clock, new_york_date
from stockpipe.doctor.finding import Finding, failed
from stockpipe.doctor.tables import examine_age, examine_tables, last_day_sql, our_tables
from stockpipe.errors import StockpipeError
from stockpipe.settings import Settings


def examine_warehouse(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Findings about the warehouse that the settings name."""
    try:
        if settings.warehouse == "snowflake":
            from stockpipe.doctor.account import examine_account

            yield from examine_account(settings, new_york_date(clock))
        else:
            yield from _examine_file(settings, clock)
    except StockpipeError as error:
        yield failed("warehouse", error)


def _examine_file(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """A DuckDB file is opened for reading only; one that is not there is not made."""
    from stockpipe.warehouse.ddl import DUCKDB_TYPES
    from stockpipe.warehouse.duckdb import DuckDBWarehouse

    warehouse = DuckDBWarehouse(settings)
    if not warehouse.path.exists():
        yield Finding("OK", "warehouse", f"{warehouse.label} is not there yet; the first run makes it")
        return
    tables = our_tables(settings)
    columns: dict[str, dict[str, str]] = {}
    for name, column, kind in warehouse.query("SELECT table_name, column_name, data_type FROM duckdb_columns()").rows:
        columns.setdefault(f'"{name.upper()}"', {})[column.upper()] = kind
    yield Finding("OK", "warehouse", f"{warehouse.label} can be read")
    yield from examine_tables(tables, lambda table: columns.get(table.name.upper(), {}), DUCKDB_TYPES)
    runs = tables[1]
    if runs.name in columns:
        yield examine_age(warehouse.query(last_day_sql(runs)).rows[0][0], new_york_date(clock))
