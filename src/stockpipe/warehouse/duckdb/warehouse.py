"""A DuckDB file as the warehouse: no account, no server, one file."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from stockpipe.base.stopping import interruptible
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import NotThere, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Delivery, History, QueryResult, require_count
from stockpipe.warehouse.dialect import duckdb_create, duckdb_type, duckdb_view
from stockpipe.warehouse.duckdb.reading import LOCK, SHUT, must_be_one_statement, refused
from stockpipe.warehouse.history import before_sql
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)

_LOCK_POLL = 0.2
# A signal is seen between two of these, not while rows are made into Python's objects.
_ROWS_AT_ONCE = 10_000
_MEMORY = "128MB"
# A commit of more than this is written to the file itself, not to a log beside it and from there to the file.
_STRAIGHT = "1MB"
# Queries of one process share an instance of the file, and a lock of its settings holds until its last connection closes.
_one_query = threading.Lock()
_HOLDER = re.compile(r"held in ([^\n(]*)\(PID (\d+)\)")


class DuckDBWarehouse:
    """Publishes into one DuckDB file. The file is held while tables are prepared, and from the comparison to the end.

    `patience` is the maximum seconds to wait for another program that holds it, STOCKPIPE_LOCK_TIMEOUT by default.
    """

    local = True

    def __init__(self, settings: Settings, *, patience: float | None = None) -> None:
        self.path = settings.duckdb_path
        self.label = f"DuckDB file {self.path}"
        self._settings = settings
        set_patience = settings.number("STOCKPIPE_LOCK_TIMEOUT")
        self._lock_seconds = set_patience if patience is None else patience
        self._held: duckdb.DuckDBPyConnection | None = None

    def table(self, dataset: Dataset) -> str:
        """See Warehouse."""
        return self._main(dataset).name.strip('"')

    def begin(self, run_id: str) -> None:
        """See Warehouse. DuckDB keeps no log of statements."""

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Open the file, or create it, and bring the three tables to their declared shape."""
        log.info("Connecting to %s...", self.label)
        with self._open() as connection:
            log.info("Connected to DuckDB successfully!")
            tables = [self._main(dataset), sql.runs_table(), sql.rejects_table()]
            existing = [_columns(connection, table) for table in tables]
            connection.execute("BEGIN TRANSACTION")
            for table, columns in zip(tables, existing, strict=True):
                _shape(connection, table, columns)
            connection.execute("COMMIT")
            log.info("Table %s already exists" if existing[0] else "Table %s created", self.table(dataset))
            if not all(existing):
                self._make_views(connection, views(dataset, tables[0]))

    def history(self, partition: Partition) -> History:
        """See Warehouse."""
        if not self.path.exists():
            return History()
        try:
            rows = self._hold().execute(*before_sql(sql.runs_table(), partition, "?")).fetchall()
        except duckdb.CatalogException:
            return History()
        return History.from_rows(rows, partition.ds)

    def count(self, partition: Partition) -> int:
        """See Warehouse."""
        return _count(self._hold(), self._main(partition.part.dataset), partition)

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """See Warehouse. DuckDB lets one process write at a time; another run is waited for, then named."""
        main, runs, rejects = self._main(delivery.dataset), sql.runs_table(), sql.rejects_table()
        connection = self._hold()
        try:
            connection.execute("BEGIN TRANSACTION")
            for one in delivery.publications:
                statement = sql.delete_partition(main, one.partition, "?")
                connection.execute(statement, list(one.partition.values.values()))
            connection.execute(_insert_parquet(main), [[str(path) for path in delivery.parquet]])
            for one in delivery.publications:
                require_count(one.record.rows_published, _count(connection, main, one.partition), one.partition)
            for rows in delivery.rejects:
                _insert(connection, rejects, rows)
            records = delivery.ended()
            _insert(connection, runs, [record.row() for record in records])
            connection.execute("COMMIT")
        except duckdb.Error as error:
            self.close()
            raise _failed(error, self.path) from error
        except BaseException:
            self.close()
            raise
        log.info("Ingested batch 1 (%s records)", f"{delivery.rows:,}")
        return records

    def write_records(self, records: list[RunRecord]) -> None:
        """See Warehouse."""
        if not self.path.exists():
            return
        runs = sql.runs_table()
        _shape(self._hold(), runs, _columns(self._hold(), runs))
        _insert(self._hold(), runs, [record.row() for record in records])

    def script(self, delivery: Delivery) -> list[str]:
        """See Warehouse."""
        main, runs, rejects = self._main(delivery.dataset), sql.runs_table(), sql.rejects_table()
        deletes = [sql.delete_partition(main, one.partition, "?") for one in delivery.publications]
        inserts = [_insert_values(rejects)] if any(one.record.rows_rejected for one in delivery.publications) else []
        return [
            "BEGIN TRANSACTION",
            *deletes,
            _insert_parquet(main),
            *inserts,
            _insert_values(runs),
            "COMMIT",
        ]

    def query(self, text: str) -> QueryResult:
        """See Warehouse. The engine reads this file only, and nothing else: see `reading`."""
        must_be_one_statement(text)
        with _one_query:
            return self._read(text, shut=True)

    def export(self, dataset: Dataset, ds: date, parts: list[Part], target: Path) -> int:
        """See Warehouse."""
        main = self._main(dataset)
        where = f"WHERE {sql.where_exported(ds, parts)}"
        count = self._read(f"SELECT count(*) FROM {main.name} {where}").rows[0][0]
        path = str(target).replace("'", "''")
        columns = sql.column_list(main.columns)
        self._read(
            f"COPY (SELECT {columns} FROM {main.name} {where} ORDER BY {sql.export_order(dataset)}) TO '{path}' (FORMAT parquet)"
        )
        return int(count)

    def release(self) -> None:
        """See Warehouse."""
        self.close()

    def close(self) -> None:
        """See Warehouse. What was not committed is undone."""
        if self._held is not None:
            held, self._held = self._held, None
            with contextlib.suppress(duckdb.Error):
                held.rollback()
            held.execute("RESET memory_limit; RESET threads; RESET checkpoint_threshold")
            held.close()

    def _read(self, text: str, *, shut: bool = False) -> QueryResult:
        """What a statement gives over the file, opened for reading only; `shut` when the statement is not our own."""
        if not self.path.exists():
            raise NotThere(f"There is no {self.label} yet.", hint="Load a day first: stockpipe run, or stockpipe demo.")
        self.close()
        with self._open(read_only=True, config=SHUT if shut else {}) as connection:
            try:
                if shut:
                    connection.execute(LOCK)
                with interruptible(connection):
                    cursor = connection.execute(text)
                    rows = [row for part in iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []) for row in part]
                return QueryResult([column[0] for column in cursor.description or ()], rows)
            except duckdb.Error as error:
                raise refused(error) from error

    def _hold(self) -> duckdb.DuckDBPyConnection:
        """The connection that is kept until `close`. A day of a million rows shall not fill the memory either.

        The limits are those of the file's instance, which other code of this process may share: `close` resets them.
        """
        if self._held is None:
            self._held = self._open()
            self._held.execute(
                f"SET memory_limit = '{_MEMORY}'; SET threads = 1; SET checkpoint_threshold = '{_STRAIGHT}'"
            )
        return self._held

    def _make_views(self, connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
        """Beside a new or newly adopted table only; what has the name already stays as it is."""
        for view in models:
            connection.begin()
            try:
                for statement in duckdb_view(view, "CREATE VIEW"):
                    connection.execute(statement)
                connection.commit()
            except duckdb.Error as error:
                connection.rollback()
                log.info("View %s was not made (%s); stockpipe schema --views prints it.", view.name, error)

    def _main(self, dataset: Dataset) -> sql.Table:
        return sql.dataset_table(dataset, self._settings)

    def _open(
        self, *, read_only: bool = False, config: dict[str, str | bool | int | float | list[str]] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection; while another process holds the file, say so once and try again until the lock time-out."""
        give_up = time.monotonic() + self._lock_seconds
        told = False
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only, config=config or {})
            except duckdb.Error as error:
                if not is_locked(error) or time.monotonic() >= give_up:
                    raise _failed(error, self.path) from error
                if not told:
                    who = _holder(error)
                    log.info("%s is held by %s; waiting for it, up to %g s.", self.path, who, self._lock_seconds)
                    told = True
            time.sleep(_LOCK_POLL)


def _count(connection: duckdb.DuckDBPyConnection, table: sql.Table, partition: Partition) -> int:
    values = list(partition.values.values())
    found = connection.execute(sql.count_partition(table, partition, "?"), values).fetchone()
    return int(found[0]) if found else 0


def _columns(connection: duckdb.DuckDBPyConnection, table: sql.Table) -> dict[str, str]:
    """Names and types of a table's columns, empty when there is no such table."""
    try:
        return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table.name}").fetchall()}
    except duckdb.CatalogException:
        return {}


def _shape(connection: duckdb.DuckDBPyConnection, table: sql.Table, existing: dict[str, str]) -> None:
    """Make the table, or add what it lacks."""
    # DuckDB's names know no case, so the spelling of an existing column is no clash.
    known = {name.upper(): kind for name, kind in existing.items()}
    statements = (
        [
            f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {duckdb_type(column)}'
            for column in sql.missing_columns(table, known, duckdb_type)
        ]
        if known
        else duckdb_create(table)
    )
    try:
        for statement in statements:
            connection.execute(statement)
    except duckdb.Error as error:
        raise WarehouseError(f"{table.name} could not be made ready: {error}", hint="Nothing was published.") from error


def _insert_parquet(table: sql.Table) -> str:
    columns = sql.column_list(table.columns)
    return f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM read_parquet(?)"


def _insert_values(table: sql.Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({sql.column_list(table.columns)}) VALUES ({marks})"


def _insert(connection: duckdb.DuckDBPyConnection, table: sql.Table, rows: list[tuple[object, ...]]) -> None:
    """Insert rows in one statement, a list for each column: hundreds of times faster than one by one."""
    if rows:
        cells = ", ".join(f"unnest(?::{duckdb_type(column)}[])" for column in table.columns)
        statement = f"INSERT INTO {table.name} ({sql.column_list(table.columns)}) SELECT {cells}"
        connection.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def is_locked(error: BaseException | None) -> bool:
    """Whether an error of DuckDB says that another program holds the file."""
    text = str(error)
    # The last two: another thread of this process has the file open in another way, or is just opening or closing it.
    return any(
        sign in text
        for sign in ("Could not set lock", "used by another process", "different configuration", "already attached")
    )


def _holder(error: duckdb.Error) -> str:
    """Who holds the file, as far as DuckDB knows."""
    found = _HOLDER.search(str(error))
    return f"{found.group(1).strip()} (process {found.group(2)})" if found else "another program"


def _failed(error: duckdb.Error, path: Path) -> WarehouseError:
    """What DuckDB's complaint means for the user."""
    text = str(error)
    if is_locked(error):
        return WarehouseError(
            f"{path} is held by {_holder(error)}.",
            hint="Close that program or wait for the other run, then run again.",
        )
    if path.is_dir():
        return WarehouseError(
            f"{path} is a folder.",
            hint=f"Name a file in STOCKPIPE_DUCKDB_PATH, such as {path / 'stockpipe.duckdb'}.",
        )
    if "not a valid DuckDB database" in text or "storage version" in text.lower() or "version number" in text:
        return WarehouseError(
            f"{path} is not a DuckDB file that this version can open.",
            hint="Name another file in STOCKPIPE_DUCKDB_PATH.",
        )
    if "Cannot open file" in text or "Permission denied" in text or "Read-only" in text or "No such file" in text:
        return WarehouseError(
            f"{path} cannot be opened or made: {_reason(text)}.",
            hint="Check the folder and its permissions, or set STOCKPIPE_DUCKDB_PATH.",
        )
    return WarehouseError(f"DuckDB could not finish: {text}", hint="The table is as it was before the run.")


def _reason(text: str) -> str:
    return text.rpartition(": ")[2].strip().rstrip(".") or "no access"
