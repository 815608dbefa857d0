"""Snowflake as the warehouse, through its own Python connector.

A day is: connect, DESCRIBE the tables (no warehouse wakes for that), and, once the day is fetched and checked, PUT of
the Parquet files, BEGIN, an update of the fence row, DELETE, COPY, the records, COMMIT. No DDL stands between BEGIN
and COMMIT, because every DDL statement of the service commits the open transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import ConfigError, NotThere, StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Delivery, History, QueryResult, require_count
from stockpipe.warehouse.dialect import (
    TableOptions,
    duckdb_text,
    duckdb_type,
    snowflake_create,
    snowflake_type,
    snowflake_view,
)
from stockpipe.warehouse.history import before_sql
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.snowflake.export import day_sql
from stockpipe.warehouse.snowflake.fence import Fence, told_if_slow
from stockpipe.warehouse.snowflake.parameters import time_limits
from stockpipe.warehouse.snowflake.privileges import lacking, or_granted, stored_role, unseen, wanted_privilege
from stockpipe.warehouse.snowflake.reading import first_word, must_only_read
from stockpipe.warehouse.snowflake.refusals import SESSION_GONE, of_statement
from stockpipe.warehouse.snowflake.session import error_text, open_session, session_plan
from stockpipe.warehouse.snowflake.shape import must_take_rows

log = logging.getLogger(__name__)

_DOES_NOT_EXIST = 2003
_INSUFFICIENT = 3001
_NO_WAREHOUSE = 606
_LAST_WORDS = 60
_SUSPENDED = " A warehouse that is suspended starts by itself only after ALTER WAREHOUSE ... SET AUTO_RESUME = TRUE."
_UNPUBLISHED = "Nothing of this run was published; check the role's privileges."
_UNANSWERED = (
    "Nothing was changed. Check the SQL (stockpipe schema prints tables and columns) and what the role may read."
)


class SnowflakeWarehouse:
    """Publishes into one Snowflake schema, in one session."""

    local = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run_id = ""
        self._load_method = settings.load_method
        self._database = sql.identifier(settings.require("SNOWFLAKE_DATABASE"), "SNOWFLAKE_DATABASE")
        self._schema = sql.identifier(settings.require("SNOWFLAKE_SCHEMA"), "SNOWFLAKE_SCHEMA")
        self._options = TableOptions.of(settings)
        self._sign_in = session_plan(settings)
        self._deadline = time.monotonic() + settings.number("STOCKPIPE_DEADLINE", least=1)
        self._prefix = f"{self._database}.{self._schema}."
        self._fence = Fence(self._prefix, self._options)
        self.label = f"Snowflake {settings.require('SNOWFLAKE_ACCOUNT')}, {self._prefix.rstrip('.')}"
        self._connection: Any = None

    def table(self, dataset: Dataset) -> str:
        """See Warehouse."""
        return sql.dataset_table(dataset, self._settings).name.strip('"')

    def begin(self, run_id: str) -> None:
        """See Warehouse. The run's id is the query tag of its statements."""
        self._run_id, self._sign_in = run_id, session_plan(self._settings, run_id)
        if self._connection is not None:
            self._run(f"ALTER SESSION SET QUERY_TAG = 'stockpipe {run_id}'")

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Sign in, and bring the tables to their declared shape. Only metadata statements: no warehouse wakes."""
        self._connect()
        main = self._main(dataset)
        made = self._shape(main, cluster=True)
        log.info("Table %s created" if made else "Table %s already exists", self.table(dataset))
        first = self._shape(sql.runs_table(self._prefix))
        self._shape(sql.rejects_table(self._prefix))
        self._make_fence()
        if made or first:
            self._make_views(views(dataset, main))

    def history(self, partition: Partition) -> History:
        """See Warehouse. `prepare` has seen to it that the table is there: one that is not to be seen is no empty history."""
        rows = self._run(*before_sql(sql.runs_table(self._prefix), partition, "%s"))
        return History.from_rows(rows, partition.ds)

    def count(self, partition: Partition) -> int:
        """See Warehouse."""
        statement = sql.count_partition(self._main(partition.part.dataset), partition, "%s")
        return int(self._run(statement, list(partition.values.values()))[0][0])

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """See Warehouse. When the connection is lost at COMMIT, the run record tells whether it took effect."""
        stage = self._stage(delivery) if self._load_method == "copy" else ""
        committing = False
        try:
            self._replace_rows(delivery, stage)
            records = delivery.ended()
            for statement, values in self._recording(delivery, records):
                self._run(statement, values)
            committing = True
            self._run("COMMIT")
        except WarehouseError as error:
            if committing and self._committed(delivery):
                return records
            self._roll_back()
            raise error
        except BaseException:
            self._roll_back()
            raise
        return records

    def write_records(self, records: list[RunRecord]) -> None:
        """See Warehouse. In a new session where the one that failed has ended."""
        if self._connection is None:
            return
        try:
            self._insert_records(records)
        except WarehouseError as error:
            if _errno(error) not in SESSION_GONE:
                raise
            self.close()
            self._connect()
            self._insert_records(records)

    def _insert_records(self, records: list[RunRecord]) -> None:
        runs = sql.runs_table(self._prefix)
        for statement, values in self._inserts(runs, [record.row() for record in records]):
            self._run(statement, values)

    def script(self, delivery: Delivery) -> list[str]:
        """See Warehouse."""
        stage = f"@{self._stage_name}" if self._load_method == "copy" else ""
        put = [f"PUT 'file://.../*.parquet' {stage} AUTO_COMPRESS=FALSE OVERWRITE=TRUE"] if stage else []
        return [
            *put,
            "BEGIN",
            self._fence.update,
            *dict.fromkeys(_shortened(statement) for statement, _ in self._replacing(delivery, stage)),
            *dict.fromkeys(_shortened(statement) for statement, _ in self._recording(delivery, delivery.ended())),
            "COMMIT",
        ]

    def query(self, text: str) -> QueryResult:
        """See Warehouse. Only statements that begin with a reading word are sent, one at a time."""
        must_only_read(text)
        self._connect()
        return self._ask(text, None, _UNANSWERED)

    def export(self, dataset: Dataset, ds: date, parts: list[Part], target: Path) -> int:
        """See Warehouse."""
        from stockpipe.base.engine import open_local

        self._connect()
        main = self._main(dataset)
        rows = self._run(day_sql(main, ds, parts), hint=_UNANSWERED)
        with open_local(target.parent) as local:
            columns = ", ".join(f'"{column.name}" {duckdb_type(column)}' for column in main.columns)
            local.execute(f"CREATE TABLE day ({columns})")
            cells = ", ".join("unnest(?)" for _ in main.columns)
            if rows:
                local.execute(f"INSERT INTO day SELECT {cells}", [list(cell) for cell in zip(*rows, strict=True)])
            local.execute(f"COPY day TO {duckdb_text(str(target))} (FORMAT parquet)")
        return len(rows)

    def release(self) -> None:
        """See Warehouse. A session is kept: signing in takes longer than most statements."""

    def close(self) -> None:
        """See Warehouse."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001 - the work is done; a failing goodbye must not hide that
                log.debug("closing the session failed: %s", error)
            log.info("Snowflake connection closed")

    def _make_fence(self) -> None:
        """The table that publishes wait at, and its row."""
        try:
            self._run(f"DESCRIBE TABLE {self._fence.name}")
        except WarehouseError as error:
            if _errno(error) != _DOES_NOT_EXIST:
                raise
            self._run(self._fence.create)
            self._run(self._fence.fill)

    def _pass_fence(self) -> None:
        """Wait for whoever publishes, until the run's deadline."""
        with told_if_slow(self._left()):
            self._fence.must_hold(self._run(self._fence.update, [self._run_id]))

    def _left(self) -> int:
        """Seconds until the run's deadline, at least one."""
        return max(1, int(self._deadline - time.monotonic()))

    def _make_views(self, models: Iterable[Model]) -> None:
        """Beside a new or newly adopted table only, so that an ordinary day asks nothing; what has the name already stays as it is."""
        for view in models:
            try:
                self._run(snowflake_view(view, "CREATE VIEW"))
            except WarehouseError as error:
                log.info("View %s was not made (%s); stockpipe schema --views prints it.", view.name, error.message)

    @property
    def _stage_name(self) -> str:
        return f'{self._prefix}"STOCKPIPE_{self._run_id}"'

    def _main(self, dataset: Dataset) -> sql.Table:
        return sql.dataset_table(dataset, self._settings, self._prefix)

    def _connect(self) -> None:
        if self._connection is not None:
            return
        log.info("Connecting to Snowflake...")
        self._connection = open_session(self._sign_in)
        log.info("Connected to Snowflake successfully!")
        if not self._connection.database:
            raise self._no_database()

    def _no_database(self) -> ConfigError:
        return ConfigError(
            f"The database {self._database} does not exist, or the role may not use it.",
            hint=f"Check SNOWFLAKE_DATABASE and SNOWFLAKE_ROLE, or make it: stockpipe init --create (CREATE DATABASE {self._database}).",
        )

    def _make(self, statement: str) -> None:
        """Make a table, and its schema where that is missing. Connector 5 does not tell which names the session lacks."""
        try:
            self._run(statement)
        except NotThere:
            try:
                self._run(f"CREATE SCHEMA IF NOT EXISTS {self._prefix.rstrip('.')}")
            except NotThere as error:
                raise self._no_database() from error
            self._run(statement)

    def _stage(self, delivery: Delivery) -> str:
        """Put the Parquet files on a stage that lives as long as the session; returns its name with the @."""
        self._run(f"CREATE TEMPORARY STAGE IF NOT EXISTS {self._stage_name}")
        # Each part has a folder of its own, with as many files as it is large.
        for folder, found in groupby(delivery.parquet, key=lambda path: path.parent):
            names = [path.name for path in found]
            files = f"{folder.as_posix()}/{names[0] if len(names) == 1 else '*.parquet'}".replace("'", "\\'")
            self._run(f"PUT 'file://{files}' @{self._stage_name} AUTO_COMPRESS=FALSE OVERWRITE=TRUE")
        return f"@{self._stage_name}"

    def _replace_rows(self, delivery: Delivery, stage: str) -> None:
        """The transaction up to its records: the partitions are replaced, and counted."""
        main, batches = self._main(delivery.dataset), 0
        self._run("BEGIN")
        self._pass_fence()
        for statement, values in self._replacing(delivery, stage):
            self._run(statement, values)
            if statement.startswith((f"COPY INTO {main.name} ", f"INSERT INTO {main.name} ")):
                batches += 1
                rows = len(values) // len(main.columns) if values else delivery.rows
                log.info("Ingested batch %d (%s records)", batches, f"{rows:,}")
        for one in delivery.publications:
            require_count(one.record.rows_published, self.count(one.partition), one.partition)

    def _replacing(self, delivery: Delivery, stage: str) -> Iterator[tuple[str, list[Any] | None]]:
        """The statements that replace the partitions, with the values to bind."""
        main = self._main(delivery.dataset)
        for one in delivery.publications:
            yield sql.delete_partition(main, one.partition, "%s"), list(one.partition.values.values())
        if stage:
            yield _copy(main, stage), None
        else:
            yield from self._batches(main, delivery)

    def _recording(self, delivery: Delivery, records: list[RunRecord]) -> Iterator[tuple[str, list[Any]]]:
        """The statements that write the rejected rows and the records, with the values to bind."""
        for rows in delivery.rejects:
            yield from self._inserts(sql.rejects_table(self._prefix), rows)
        yield from self._inserts(sql.runs_table(self._prefix), [record.row() for record in records])

    def _batches(self, main: sql.Table, delivery: Delivery) -> Iterator[tuple[str, list[Any]]]:
        """The day's rows as INSERT statements, for accounts that may not stage files."""
        from stockpipe.base.engine import open_local

        cells = ", ".join(
            f'"{column.name}"::VARCHAR' if column.kind in ("timestamp", "json") else f'"{column.name}"'
            for column in main.columns
        )
        with open_local(delivery.parquet[0].parent) as local:
            rows = local.execute(f"SELECT {cells} FROM read_parquet(?)", [[str(path) for path in delivery.parquet]])
            while batch := rows.fetchmany(self._settings.batch_size):
                yield from self._inserts(main, batch)

    def _inserts(self, table: sql.Table, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, list[Any]]]:
        size = self._settings.batch_size
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            yield _insert(table, len(batch)), [cell for row in batch for cell in row]

    def _shape(self, table: sql.Table, *, cluster: bool = False) -> bool:
        """Make the table, or rename, add and widen columns; True when it was made. Each statement is DDL and stands alone."""
        try:
            described = self._run(f"DESCRIBE TABLE {table.name}")
        except WarehouseError as error:
            if _errno(error) != _DOES_NOT_EXIST:
                raise
            self._make(snowflake_create(table, self._options, cluster=cluster))
            return True
        existing = {row[0]: row[1] for row in described}
        missing = sql.missing_columns(table, existing, snowflake_type)
        must_take_rows(table, described)
        for spelled, name in sql.misspelled_columns(table, existing).items():
            self._run(f'ALTER TABLE {table.name} RENAME COLUMN "{spelled}" TO "{name}"')
            log.info('Column "%s" renamed to %s', spelled, name)
            existing[name] = existing.pop(spelled)
        for column in missing:
            self._run(f'ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS "{column.name}" {snowflake_type(column)}')
        for column in table.columns:
            present = sql.width(existing.get(column.name, ""))
            if column.kind == "text" and column.width and present and present < column.width:
                self._run(
                    f'ALTER TABLE {table.name} ALTER COLUMN "{column.name}" SET DATA TYPE {snowflake_type(column)}'
                )
                log.info("Column %s widened from %d to %d characters", column.name, present, column.width)
        return False

    def _committed(self, delivery: Delivery) -> bool:
        """Whether the lost COMMIT took effect: a new session looks for this run's record."""
        log.warning("The connection was lost during COMMIT; finding out whether it took effect.")
        runs = sql.runs_table(self._prefix)
        try:
            self.close()
            self._connect()
            rows = self._run(f'SELECT count(*) FROM {runs.name} WHERE "RUN_ID" = %s', [self._run_id])
        except StockpipeError as error:
            raise WarehouseError(
                f"The connection was lost during COMMIT, and whether the day was published could not be found out ({error.message})",
                hint=f"Look for RUN_ID {self._run_id} in {runs.name}, or run the same command again: that is always safe.",
            ) from error
        return bool(rows[0][0] == len(delivery.publications))

    def _roll_back(self) -> None:
        try:
            self._run("ROLLBACK")
        except StockpipeError as error:
            log.debug("ROLLBACK failed; the service rolls back when the session ends: %s", error)

    def _run(
        self, statement: str, values: Sequence[Any] | None = None, hint: str = _UNPUBLISHED
    ) -> list[tuple[Any, ...]]:
        return self._ask(statement, values, hint).rows

    def _ask(self, statement: str, values: Sequence[Any] | None, hint: str) -> QueryResult:
        """A statement and its rows, of which a long answer's come from a storage of their own."""
        import snowflake.connector

        log.debug("%s", _shortened(statement))
        try:
            cursor = self._connection.cursor().execute(
                statement,
                tuple(values) if values else None,
                # What ends a run, a COMMIT or a record, gets its minute also when the deadline has passed.
                _statement_params=time_limits(max(_LAST_WORDS, self._left()), self._left()),
            )
            return QueryResult(
                [column[0] for column in cursor.description or ()], [tuple(row) for row in cursor.fetchall()]
            )
        except (snowflake.connector.Error, OSError) as error:  # a lost download may be either
            raise self._refused(error, statement, hint) from error

    def _refused(self, error: Any, statement: str, hint: str) -> WarehouseError:
        """What a refused statement means for the user: a missing privilege is named with its GRANT, else `hint` stands."""
        role = stored_role(self._settings.get("SNOWFLAKE_ROLE"), self._connection.role)
        privilege = wanted_privilege(statement, self._prefix.rstrip("."), self._database)
        if error.errno == _INSUFFICIENT and privilege:
            hint = lacking(privilege, role)
        elif error.errno == _DOES_NOT_EXIST and privilege:
            hint = unseen(privilege, role)
        elif error.errno == _NO_WAREHOUSE:
            hint = or_granted("Set SNOWFLAKE_WAREHOUSE", "USAGE ON WAREHOUSE ...", role) + _SUSPENDED
        else:
            hint = of_statement(error.errno, error_text(error)) or hint
        kind = NotThere if error.errno == _DOES_NOT_EXIST else WarehouseError
        return kind(f"Snowflake refused {first_word(statement)}: {error_text(error)}", hint=hint)


def _copy(table: sql.Table, stage: str) -> str:
    cells = ", ".join(
        f'PARSE_JSON($1:"{column.name}"::VARCHAR)'
        if column.kind == "json"
        else f'$1:"{column.name}"::{snowflake_type(column, bare=True)}'
        for column in table.columns
    )
    return (
        f"COPY INTO {table.name} ({sql.column_list(table.columns)}) FROM (SELECT {cells} FROM {stage}) "
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) ON_ERROR = ABORT_STATEMENT"
    )


def _insert(table: sql.Table, rows: int) -> str:
    cells = ", ".join(
        f"PARSE_JSON(column{number})"
        if column.kind == "json"
        else f"column{number}::{snowflake_type(column, bare=True)}"
        for number, column in enumerate(table.columns, start=1)
    )
    marks = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
    return f"INSERT INTO {table.name} ({sql.column_list(table.columns)}) SELECT {cells} FROM VALUES {', '.join([marks] * rows)}"


def _shortened(statement: str) -> str:
    head, values, _ = statement.partition("FROM VALUES ")
    return f"{head}{values}(...)" if values else statement


def _errno(error: WarehouseError) -> int | None:
    return getattr(error.__cause__, "errno", None)
