"""A DuckDB file as the warehouse: no account, no server, one file."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import duckdb

from stockpipe.base.disk import no_room
from stockpipe.base.engine import Limits, open_shut
from stockpipe.base.stopping import committing, interruptible
from stockpipe.base.text import literal
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import NotThere, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Compacted, Delivery, History, QueryResult, require_counts
from stockpipe.warehouse.derived import Replacement
from stockpipe.warehouse.dialect import duckdb_create, duckdb_type, duckdb_view
from stockpipe.warehouse.duckdb import derived, kept
from stockpipe.warehouse.duckdb.compact import LIMITS_OF_COMPACT, compact
from stockpipe.warehouse.duckdb.copying import copied
from stockpipe.warehouse.duckdb.exact import asked_exactly
from stockpipe.warehouse.duckdb.file import no_file, open_patiently, patiently, translated
from stockpipe.warehouse.duckdb.merging import merge_script, merge_versions
from stockpipe.warehouse.duckdb.reading import LOCK, SHUT, must_be_one_statement, refused, the_select
from stockpipe.warehouse.duckdb.shape import first_obstacle, look, shape, tell_of_coarse_columns
from stockpipe.warehouse.history import before_sql
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.names import bare
from stockpipe.warehouse.runs import REJECTS_TABLE, RUNS_TABLE, RunRecord

log = logging.getLogger(__name__)

# A signal is seen between two of these, not while rows are made into Python's objects.
_ROWS_AT_ONCE = 10_000
# A day of a million rows shall not fill the memory. A commit of more than the threshold is written to the file itself, not
# to a log beside it and from there to the file.
_LIMITS: Limits = {
    "memory_limit": "128MB",
    "threads": "1",
    "checkpoint_threshold": "1MB",
    "auto_checkpoint_skip_wal_threshold": "100000",
}
_WITHOUT_LOG: Limits = {"checkpoint_threshold": "0KB", "auto_checkpoint_skip_wal_threshold": "0"}
_RUNS_KEY = ("RUN_ID", "DATASET", "DS", "MARKET", "ACTIVE")
# Queries of one process share an instance of the file, and a lock of its settings holds until its last connection closes.
_one_query = threading.Lock()
# Two transactions of one process that replace the same day at once would both find no row to delete, and both insert.
_one_publish = threading.Lock()


class DuckDBWarehouse:
    """Publishes into one DuckDB file. It is held from the first statement to `release`: never while rows are fetched.

    `patience` is the maximum seconds to wait for another program that holds it, STOCKPIPE_LOCK_TIMEOUT by default.
    """

    local = True
    prefix = ""

    def __init__(self, settings: Settings, *, patience: float | None = None) -> None:
        self.path = settings.duckdb_path
        self.label = f"DuckDB file {self.path}"
        self._settings = settings
        set_patience = settings.number("STOCKPIPE_LOCK_TIMEOUT")
        self._lock_seconds = set_patience if patience is None else patience
        self._held: duckdb.DuckDBPyConnection | None = None
        self._held_open = contextlib.ExitStack()
        self._prepared = False
        self._readers: dict[str, list[Model]] = {}

    def table(self, dataset: Dataset) -> str:
        """See Warehouse."""
        return bare(self._main(dataset).name)

    def begin(self, run_id: str) -> None:
        """See Warehouse. DuckDB keeps no log of statements."""

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Open the file, or create it, and bring the three tables to their declared shape. The file is held until `release`."""
        log.info("Connecting to %s...", self.label)
        main = self._main(dataset)
        tables = {main: _key(dataset), sql.runs_table(): _RUNS_KEY, sql.rejects_table(): ()}
        try:
            with translated(self.path):
                connection = self._hold()
                log.info("Connected to DuckDB successfully!")
                existing = [look(connection, table) for table in tables]
                connection.execute("BEGIN TRANSACTION")
                for (table, key), stands in zip(tables.items(), existing, strict=True):
                    shape(connection, table, stands, key)
                connection.execute("COMMIT")
                known = [stands.columns for stands in existing]
                tell_of_coarse_columns(main, known[0])
                self._readers[dataset.name] = [view for view in views(dataset, main) if view.kept]
                log.info("Table %s already exists" if known[0] else "Table %s created", self.table(dataset))
                if not all(known):
                    self._make_views(connection, views(dataset, main))
        except BaseException:
            self.close()
            raise
        self._prepared = True

    def obstacles(self, datasets: Iterable[Dataset]) -> dict[str, tuple[str, str]]:
        """What would keep a run's rows out of the tables of datasets that are there, and out of its own, with the remedy.

        The first for each table, by its quoted name. The file is only read. NotThere when it does not exist.
        """
        tables = {self._main(dataset): _key(dataset) for dataset in datasets}
        with translated(self.path), self._open(read_only=True) as connection:
            found = {
                table.name: first_obstacle(connection, table, key)
                for table, key in (tables | {sql.runs_table(): _RUNS_KEY, sql.rejects_table(): ()}).items()
            }
        return {name: obstacle for name, obstacle in found.items() if obstacle}

    def history(self, partition: Partition) -> History:
        """See Warehouse. Where nothing was prepared, as in a dry run, no file is created."""
        statement, values = before_sql(sql.runs_table(), partition, "?")
        try:
            with translated(self.path):
                if self._prepared:
                    return History.from_rows(self._hold().execute(statement, values).fetchall(), partition.ds)
                with self._open(read_only=True) as connection:
                    return History.from_rows(connection.execute(statement, values).fetchall(), partition.ds)
        except NotThere:
            if self._prepared:
                raise
            return History()

    def count(self, partition: Partition) -> int:
        """See Warehouse."""
        with translated(self.path):
            return _count(self._hold(), self._main(partition.part.dataset), partition)

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """See Warehouse. DuckDB lets one process write at a time; another run is waited for, then named."""
        main, runs, rejects = self._main(delivery.dataset), sql.runs_table(), sql.rejects_table()
        needed = 2 * sum(path.stat().st_size for path in delivery.parquet)
        try:
            with _one_publish, translated(self.path, needed), interruptible(connection := self._hold()):
                stale = kept.stale(connection, self._readers.get(delivery.dataset.name, ()))
                connection.execute("BEGIN TRANSACTION")
                overruled = _WRITERS[delivery.dataset.kind.write](connection, main, delivery)
                for rows in delivery.rejects:
                    _insert(connection, rejects, rows)
                records = delivery.ended(overruled)
                _insert(connection, runs, [record.row() for record in [*records, *delivery.left_out]])
                kept.let_go(connection, stale)
                committing.set()
                connection.execute("COMMIT")
        except BaseException:
            self.close()
            raise
        log.info("Ingested batch 1 (%s records)", f"{delivery.rows:,}")
        return records

    def rehearse(self, delivery: Delivery) -> None:
        """See Warehouse. The list is merged in a transaction that is undone; a table that is not there yet is not made."""
        main = self._main(delivery.dataset)
        if delivery.dataset.kind.write != "merge" or not self.path.exists():
            return
        try:
            with _one_publish, translated(self.path), interruptible(connection := self._hold()):
                if {column.name.upper() for column in main.columns} <= look(connection, main).columns.keys():
                    connection.execute("BEGIN TRANSACTION")
                    merge_versions(connection, main, delivery)
        finally:
            self.close()

    def write_records(self, records: list[RunRecord]) -> None:
        """See Warehouse. A full disk has no room for a log beside the file; inside it there is what a failed commit took."""
        with translated(self.path):
            try:
                self._write_records(records)
            except duckdb.Error as error:
                if not no_room(error):
                    raise
                self.close()
                self._hold({**_LIMITS, **_WITHOUT_LOG})
                self._write_records(records)

    def _write_records(self, records: list[RunRecord]) -> None:
        runs = sql.runs_table()
        if not self._prepared:
            shape(self._hold(), runs, look(self._hold(), runs), _RUNS_KEY)
        _insert(self._hold(), runs, [record.row() for record in records])

    def script(self, delivery: Delivery) -> list[str]:
        """See Warehouse."""
        main, runs, rejects = self._main(delivery.dataset), sql.runs_table(), sql.rejects_table()
        if delivery.dataset.kind.write == "merge":
            return merge_script(main, delivery, _insert_values(runs))
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
        statement = must_be_one_statement(text)
        with _one_query:
            return self._read(statement, shut=True)

    def fetch(self, text: str, *, ours: bool = False) -> duckdb.DuckDBPyConnection:
        """See Warehouse. The file is attached to an engine in memory for as long as the statement takes."""
        select = text if ours else the_select(text)
        self.close()
        return copied(select, self.path, self._lock_seconds, shut=not ours)

    def scan(self, *texts: str, heavy: bool = False) -> list[QueryResult]:
        """See Warehouse."""
        self.close()
        if not heavy:
            with self._open(read_only=True) as connection:
                return [derived.rows_of(connection, text) for text in texts]
        return derived.scanned(texts, self.path, self._lock_seconds)

    def replace(self, replacement: Replacement) -> None:
        """See Warehouse. One process writes at a time, so that nobody can come between the look and the writing."""
        try:
            with _one_publish, translated(self.path), interruptible(connection := self._hold()):
                if derived.replace(connection, replacement, _insert):
                    self._make_views(connection, replacement.views)
        finally:
            self.close()

    def keep(self, views: Sequence[Model]) -> None:
        """See Warehouse."""
        self.close()
        if not self.path.exists():
            return
        try:
            with _one_publish, translated(self.path), interruptible(connection := self._hold(kept.LIMITS)):
                for table, rows in kept.keep(connection, views):
                    log.info("Worked out table %s (%s rows)", table, f"{rows:,}")
        finally:
            self.close()

    def export(self, dataset: Dataset, ds: date, parts: list[Part], target: Path) -> int:
        """See Warehouse."""
        main = self._main(dataset)
        where = f"WHERE {sql.where_exported(ds, parts)}"
        columns = sql.column_list(main.columns)
        copied = self._read(
            f"COPY (SELECT {columns} FROM {main.name} {where} ORDER BY {sql.export_order(dataset)}) TO {literal(str(target))} (FORMAT parquet)"
        )
        return int(copied.rows[0][0])

    def compact(self, datasets: Sequence[Dataset]) -> Compacted:
        """See Warehouse. All tables of the file, since it is written anew as a whole."""
        orders = {self.table(dataset).upper(): sql.compact_order_of_years(dataset) for dataset in datasets}
        orders |= {RUNS_TABLE: '"RUN_ID", "DS"', REJECTS_TABLE: '"RUN_ID"'}
        self.close()
        if not self.path.exists():
            raise no_file(self.path)
        needed = self.path.stat().st_size
        with (
            _one_publish,
            translated(self.path, needed),
            self._open(limits=LIMITS_OF_COMPACT) as connection,
            interruptible(connection),
        ):
            if not look(connection, sql.runs_table()).columns:
                raise WarehouseError(
                    f"{self.path} has no table {RUNS_TABLE}: stockpipe has loaded nothing into it.",
                    hint="Nothing was changed. Name stockpipe's file in STOCKPIPE_DUCKDB_PATH.",
                )
            return compact(connection, self.path, orders)

    def release(self) -> None:
        """See Warehouse."""
        self.close()

    def close(self) -> None:
        """See Warehouse. What was not committed is undone."""
        if self._held is not None:
            held, self._held = self._held, None
            # On a full disk any of them may fail: the error that led here is the one to tell.
            with contextlib.suppress(duckdb.Error):
                held.rollback()
            with contextlib.suppress(duckdb.Error):
                self._held_open.close()

    def _read(self, text: str, *, shut: bool = False) -> QueryResult:
        """What a statement gives over the file, opened for reading only; `shut` when the statement is not our own."""
        self.close()
        with self._open_shut() if shut else self._open(read_only=True) as connection:
            try:
                if shut:
                    connection.execute(LOCK)
                with interruptible(connection):
                    asked = asked_exactly(connection, text)
                    cursor = connection.execute(asked.statement)
                    parts = iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), [])
                    rows = [asked.read(row) for part in parts for row in part]
                names = [column[0] for column in cursor.description or ()]
                return QueryResult(names, rows, documents=asked.documents)
            except duckdb.Error as error:
                raise refused(error) from error

    def _hold(self, limits: Limits = _LIMITS) -> duckdb.DuckDBPyConnection:
        """The connection that is kept until `close`."""
        if self._held is None:
            self._held = self._held_open.enter_context(self._open(limits=limits))
        return self._held

    def _make_views(self, connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
        """Beside a new or newly adopted table only; what has the name already stays as it is."""
        for view in models:
            if error := self._make_view(connection, view):
                level = logging.DEBUG if view.joins else logging.INFO
                log.log(level, "View %s was not made (%s); stockpipe schema --views prints it.", view.name, error)

    def _make_view(self, connection: duckdb.DuckDBPyConnection, view: Model) -> Exception | None:
        """Make a view and the tables that it needs, or say why it cannot be made; then nothing of it is left."""
        try:
            missing = [table for table in view.needs if not look(connection, table).columns]
            needed = [statement for table in missing for statement in duckdb_create(table)]
            connection.begin()  # behind the looks: one that finds nothing would spoil it
            for statement in (*needed, *duckdb_view(view, "CREATE VIEW")):
                connection.execute(statement)
            connection.commit()
        except duckdb.Error as error:
            with contextlib.suppress(duckdb.Error):
                connection.rollback()
            if no_room(error):
                raise
            return error
        except WarehouseError as error:  # a broken view has the name of the table
            return error
        return None

    def _main(self, dataset: Dataset) -> sql.Table:
        return sql.dataset_table(dataset, self._settings)

    def _open(
        self, *, read_only: bool = False, limits: Limits | None = None
    ) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return open_patiently(self.path, self._lock_seconds, read_only=read_only, limits=limits)

    def _open_shut(self) -> duckdb.DuckDBPyConnection:
        return patiently(self.path, self._lock_seconds, lambda: open_shut(self.path, SHUT))


def _key(dataset: Dataset) -> tuple[str, ...]:
    """What tells the rows of a dataset's table apart."""
    return (dataset.day.name, *(division.column for division in dataset.divisions), *dataset.row_key)


def _replace(connection: duckdb.DuckDBPyConnection, table: sql.Table, delivery: Delivery) -> list[str]:
    """Put a delivery's rows in the place of those that its partitions had."""
    for days in delivery.by_part:
        connection.execute(*sql.delete_days(table, [one.partition for one in days], "?"))
    connection.execute(_insert_parquet(table), [[str(path) for path in delivery.parquet]])
    for days in delivery.by_part:
        counts = sql.count_days(table, [one.partition for one in days], "?")
        require_counts(days, dict(connection.execute(*counts).fetchall()))
    return []


_WRITERS = {"replace": _replace, "merge": merge_versions}


def _count(connection: duckdb.DuckDBPyConnection, table: sql.Table, partition: Partition) -> int:
    is_merged = partition.part.dataset.kind.write == "merge"
    values = [] if is_merged else list(partition.values.values())
    statement = sql.count_known(table, partition) if is_merged else sql.count_partition(table, partition, "?")
    found = connection.execute(statement, values).fetchone()
    return int(found[0]) if found else 0


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
