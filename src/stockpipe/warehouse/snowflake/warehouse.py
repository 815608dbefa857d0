"""Snowflake as the warehouse, through its own Python connector.

A day is: connect, DESCRIBE the tables (no warehouse wakes for that), and, once the day is fetched and checked, PUT of
the Parquet files, BEGIN, an update of the fence row, DELETE, COPY, the records, COMMIT.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stockpipe.base.text import literal
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Compacted, Delivery, History, QueryResult
from stockpipe.warehouse.derived import Replacement
from stockpipe.warehouse.dialect import TableOptions, duckdb_type
from stockpipe.warehouse.history import before_sql
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.names import bare
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.snowflake.connection import Connection, number_of
from stockpipe.warehouse.snowflake.derived import replace
from stockpipe.warehouse.snowflake.export import day_sql
from stockpipe.warehouse.snowflake.fence import Fence
from stockpipe.warehouse.snowflake.publish import Publisher
from stockpipe.warehouse.snowflake.reading import must_only_read
from stockpipe.warehouse.snowflake.refusals import SESSION_GONE
from stockpipe.warehouse.snowflake.tables import Tables

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

_UNANSWERED = (
    "Nothing was changed. Check the SQL (stockpipe schema prints tables and columns) and what the role may read."
)


class SnowflakeWarehouse:
    """Publishes into one Snowflake schema, in one session. Who only `reads` waits less for the service."""

    local = False

    def __init__(self, settings: Settings, *, reads: bool = False) -> None:
        self._settings = settings
        self._session = Connection(settings, reads=reads)
        options = TableOptions.of(settings)
        self._tables = Tables(self._session, options)
        self._fence = Fence(self._session.prefix, options)
        self._publisher = Publisher(settings, self._session, self._fence)
        self.prefix = self._session.prefix
        self.label = f"Snowflake {settings.require('SNOWFLAKE_ACCOUNT')}, {self._session.schema}"

    def table(self, dataset: Dataset) -> str:
        """See Warehouse."""
        return bare(self._publisher.main(dataset).name)

    def begin(self, run_id: str) -> None:
        """See Warehouse. The run's id is the query tag of its statements."""
        self._session.begin(run_id)

    def prepare(self, dataset: Dataset, views: Views) -> None:
        """Sign in, and bring the tables to their declared shape.

        Only metadata statements, for which no warehouse wakes, but for the fence's row at the first time: that comes last,
        since it may fail.
        """
        self._session.open()
        self._session.must_compute()
        main = self._publisher.main(dataset)
        made = self._tables.shape(main)
        log.info("Table %s created" if made else "Table %s already exists", self.table(dataset))
        first = self._tables.shape(sql.runs_table(self._session.prefix))
        self._tables.shape(sql.rejects_table(self._session.prefix))
        if made or first:
            self._tables.make_views(views(dataset, main))
        self._tables.make_fence(self._fence)

    def history(self, partition: Partition) -> History:
        """See Warehouse. `prepare` has seen to it that the table is there: one that is not to be seen is no empty history."""
        rows = self._session.run(*before_sql(sql.runs_table(self._session.prefix), partition, "%s"))
        return History.from_rows(rows, partition.ds)

    def count(self, partition: Partition) -> int:
        """See Warehouse."""
        return self._publisher.count(partition)

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """See Warehouse."""
        return self._publisher.publish(delivery)

    def rehearse(self, delivery: Delivery) -> None:
        """See Warehouse. To ask would wake a warehouse, which costs money."""

    def write_records(self, records: list[RunRecord]) -> None:
        """See Warehouse. In a new session where the one that failed has ended."""
        if not self._session.is_open:
            return
        try:
            self._publisher.write_records(records)
        except WarehouseError as error:
            if number_of(error) not in SESSION_GONE:
                raise
            self._session.close()
            self._session.open()
            self._publisher.write_records(records)

    def script(self, delivery: Delivery) -> list[str]:
        """See Warehouse."""
        return self._publisher.script(delivery)

    def query(self, text: str) -> QueryResult:
        """See Warehouse. Only statements that begin with a reading word are sent, one at a time."""
        must_only_read(text)
        self._session.open()
        return self._session.ask(text, None, _UNANSWERED)

    def fetch(self, text: str, *, ours: bool = False) -> duckdb.DuckDBPyConnection:  # noqa: ARG002 - nothing but the service is reached
        """See Warehouse. Where a time may lack digits, that is a warning."""
        from stockpipe.warehouse.memory import in_memory

        found = self.query(text)
        if found.cut:
            log.warning("%s", found.cut)
        return in_memory(found)

    def scan(self, *texts: str, heavy: bool = False) -> list[QueryResult]:  # noqa: ARG002 - the service has its own bounds
        """See Warehouse."""
        return [self.query(text) for text in texts]

    def replace(self, replacement: Replacement) -> None:
        """See Warehouse."""
        self._session.open()
        replace(replacement, self._publisher, self._tables)

    def keep(self, views: Sequence[Model]) -> None:
        """See Warehouse."""

    def export(self, dataset: Dataset, ds: date, parts: list[Part], target: Path) -> int:
        """See Warehouse."""
        from stockpipe.base.engine import open_local

        self._session.open()
        main = self._publisher.main(dataset)
        rows = self._session.run(day_sql(main, ds, parts), hint=_UNANSWERED)
        with open_local(target.parent) as local:
            columns = ", ".join(f'"{column.name}" {duckdb_type(column)}' for column in main.columns)
            local.execute(f"CREATE TABLE day ({columns})")
            cells = ", ".join("unnest(?)" for _ in main.columns)
            if rows:
                local.execute(f"INSERT INTO day SELECT {cells}", [list(cell) for cell in zip(*rows, strict=True)])
            local.execute(f"COPY day TO {literal(str(target))} (FORMAT parquet)")
        return len(rows)

    def compact(self, datasets: Sequence[Dataset]) -> Compacted:
        """See Warehouse. Tables that do not exist are left out."""
        self._session.open()
        found = {self.table(dataset): self._publisher.compact(dataset) for dataset in datasets}
        return Compacted([name for name, rows in found.items() if rows is not None], sum(filter(None, found.values())))

    def release(self) -> None:
        """See Warehouse. A session is kept: signing in takes longer than most statements."""

    def close(self) -> None:
        """See Warehouse."""
        self._session.close()
