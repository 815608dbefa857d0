"""The warehouse: can it be reached and read, and may the role do what a run does?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from stockpipe.datasets import DATASETS
from stockpipe.errors import ConfigError, NotThere, WarehouseError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed
from stockpipe.setup.doctor.tables import OurTables, examine_age, examine_tables
from stockpipe.warehouse.history import last_day_sql

# Only the schema that `run` writes into is examined.
_COLUMNS = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = 'main'"


def examine_warehouse(settings: Settings, today: date) -> Iterator[Diagnosis]:
    """Findings about the warehouse that the settings name; `today` is New York's."""
    if settings.warehouse == "snowflake":
        from stockpipe.setup.doctor.account import examine_account

        yield from examine_account(settings, today)
    else:
        yield from _examine_file(settings, today)


def _examine_file(settings: Settings, today: date) -> Iterator[Diagnosis]:
    """A DuckDB file is opened for reading only; one that is not there is not made."""
    from stockpipe.warehouse.dialect import duckdb_type
    from stockpipe.warehouse.duckdb.file import is_locked
    from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse

    warehouse = DuckDBWarehouse(settings, patience=0.0)
    try:
        ours = OurTables.of(settings)
    except ConfigError as error:
        yield failed("table", error)
        return
    columns: dict[str, dict[str, str]] = {}
    try:
        for name, column, kind in warehouse.scan(_COLUMNS)[0].rows:
            columns.setdefault(f'"{name.upper()}"', {})[column.upper()] = kind
    except NotThere:
        yield _can_be_made(warehouse.path)
        return
    except WarehouseError as error:
        if not is_locked(error.__cause__):
            raise
        yield Diagnosis("WARN", "warehouse", error.message, "A run waits for it (STOCKPIPE_LOCK_TIMEOUT). Close a program that is left open.")  # fmt: skip
        yield Diagnosis("SKIP", "table", "tables were not looked at: the file is held")
        return
    yield _writable(warehouse.path)
    tables = ours.in_use(lambda name: columns.get(name.upper()))
    obstacles = warehouse.obstacles(DATASETS[name] for name in tables.datasets)
    yield from examine_tables(
        tables.all,
        lambda name: columns.get(name.upper(), {}),
        duckdb_type,
        obstacles=lambda table: [obstacles[table.name]] if table.name in obstacles else [],
    )
    if tables.runs.name in columns:
        yield examine_age(warehouse.scan(last_day_sql(tables.runs))[0].rows[0][0], today)


def _can_be_made(path: Path) -> Diagnosis:
    folder = path.parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Diagnosis("OK", "warehouse", f"DuckDB file {path} is not there yet; the first run makes it")
    reason = "you may not write there" if folder.is_dir() else f"there is no folder {folder}"
    return Diagnosis("FAIL", "warehouse", f"DuckDB file {path} cannot be made: {reason}", "Make the folder and fix its permissions, or set STOCKPIPE_DUCKDB_PATH.", 6)  # fmt: skip


def _writable(path: Path) -> Diagnosis:
    # DuckDB writes a second file beside the first.
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return Diagnosis("OK", "warehouse", f"DuckDB file {path} can be read and written")
    return Diagnosis("FAIL", "warehouse", f"DuckDB file {path} can be read, not written", "Fix the permissions of the file and its folder, or set STOCKPIPE_DUCKDB_PATH.", 6)  # fmt: skip
