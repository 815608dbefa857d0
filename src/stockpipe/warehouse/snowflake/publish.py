"""A day's way into its table: PUT of the Parquet files, then one transaction with the rows and the records.

No DDL stands between BEGIN and COMMIT, because every DDL statement of the service commits the open transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from stockpipe.base.stopping import committing
from stockpipe.datasets import Dataset, Partition
from stockpipe.errors import NotThere, StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Delivery, require_counts
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.snowflake.connection import Connection, number_of
from stockpipe.warehouse.snowflake.fence import Fence, told_if_held
from stockpipe.warehouse.snowflake.merging import create_incoming, incoming, merge_of, merge_versions
from stockpipe.warehouse.snowflake.refusals import INSUFFICIENT
from stockpipe.warehouse.snowflake.statements import Bound, copy_sql, inserts, shortened

log = logging.getLogger(__name__)


class Publisher:
    """Publishes deliveries in a session, each in one transaction behind the fence."""

    def __init__(self, settings: Settings, session: Connection, fence: Fence) -> None:
        self._settings = settings
        self._session = self.session = session
        self._fence = self.fence = fence
        self.stages = settings.load_method == "copy"

    def publish(self, delivery: Delivery) -> list[RunRecord]:
        """See Warehouse. When the connection is lost at COMMIT, the run record tells whether it took effect."""
        stage = self.stage(delivery.parquet) if self.stages else ""
        for statement, values in self._before(delivery, stage):
            self._session.run(statement, values)
        decided = False
        try:
            self._session.run("BEGIN")
            self.pass_fence()
            overruled = self._write(delivery, stage)
            records = delivery.ended(overruled)
            for statement, values in self._recording(delivery, records):
                self._session.run(statement, values)
            decided = True
            committing.set()
            self._session.run("COMMIT")
        except WarehouseError as error:
            if decided and self._committed(delivery):
                return records
            self._session.roll_back()
            raise error
        except BaseException:
            self._session.roll_back()
            raise
        return records

    def write_records(self, records: list[RunRecord]) -> None:
        """Write records alone."""
        runs = sql.runs_table(self._session.prefix)
        for statement, values in self.inserts(runs, [record.row() for record in records]):
            self._session.run(statement, values)

    def script(self, delivery: Delivery) -> list[str]:
        """See Warehouse."""
        stage = f"@{self._stage_name}" if self.stages else ""
        put = [f"PUT 'file://.../*.parquet' {stage} AUTO_COMPRESS=FALSE OVERWRITE=TRUE"] if stage else []
        return [
            *put,
            *dict.fromkeys(shortened(statement) for statement, _ in self._before(delivery, stage)),
            "BEGIN",
            self._fence.update,
            *dict.fromkeys(shortened(statement) for statement, _ in self._writing(delivery, stage)),
            *dict.fromkeys(shortened(statement) for statement, _ in self._recording(delivery, delivery.ended())),
            "COMMIT",
        ]

    def compact(self, dataset: Dataset) -> int | None:
        """Overwrite a table with its own rows in the order of its days, behind the fence; its rows, None where it is not there.

        INSERT OVERWRITE INTO "D"."S"."TICKERS" SELECT * FROM "D"."S"."TICKERS" ORDER BY "DS", "MARKET", "ACTIVE", "TICKER"
        """
        name, run, count = self.main(dataset).name, self._session.run, f"SELECT count(*) FROM {self.main(dataset).name}"
        try:
            run(f"DESCRIBE TABLE {name}")
        except NotThere:
            return None
        run("BEGIN")
        try:
            self.pass_fence()
            before = run(count)
            run(f"INSERT OVERWRITE INTO {name} SELECT * FROM {name} ORDER BY {sql.compact_order(dataset)}")
            if run(count) != before:
                raise WarehouseError(f"The rows of {name} changed in number.", hint="The transaction was rolled back.")
            run("COMMIT")
        except BaseException:
            self._session.roll_back()
            raise
        return int(before[0][0])

    def main(self, dataset: Dataset) -> sql.Table:
        """A dataset's table, with its place."""
        return sql.dataset_table(dataset, self._settings, self._session.prefix)

    def count(self, partition: Partition) -> int:
        """See Warehouse."""
        main = self.main(partition.part.dataset)
        if partition.part.dataset.kind.write == "merge":
            return int(self._session.run(sql.count_known(main, partition))[0][0])
        statement = sql.count_partition(main, partition, "%s")
        return int(self._session.run(statement, list(partition.values.values()))[0][0])

    def _counts(self, partitions: list[Partition]) -> dict[date, int]:
        """How many rows the table has of one part on each of some days."""
        if len(partitions) == 1:
            return {partitions[0].ds: self.count(partitions[0])}
        main = self.main(partitions[0].part.dataset)
        return dict(self._session.run(*sql.count_days(main, partitions, "%s")))

    @property
    def _stage_name(self) -> str:
        return f'{self._session.prefix}"STOCKPIPE_{self._session.run_id}"'

    def stage(self, parquet: Sequence[Path]) -> str:
        """Put the Parquet files on a stage that lives as long as the session; returns its name with the @.

        "" where the role may create none, as some accounts have it though it is temporary: INSERT needs none.
        """
        try:
            self._session.run(f"CREATE TEMPORARY STAGE IF NOT EXISTS {self._stage_name}")
        except WarehouseError as error:
            if number_of(error) != INSUFFICIENT:
                raise
            log.warning("No stage may be created, so the rows go by INSERT, which takes longer. %s", error.hint)
            return ""
        # Each part has a folder of its own, with as many files as it is large.
        for folder, found in groupby(parquet, key=lambda path: path.parent):
            names = [path.name for path in found]
            files = f"{folder.as_posix()}/{names[0] if len(names) == 1 else '*.parquet'}".replace("'", "\\'")
            self._session.run(f"PUT 'file://{files}' @{self._stage_name} AUTO_COMPRESS=FALSE OVERWRITE=TRUE")
        return f"@{self._stage_name}"

    def _before(self, delivery: Delivery, stage: str) -> Iterator[Bound]:
        """What comes before BEGIN: rows that are to be merged go into a table of the session's own, as DDL commits."""
        if delivery.dataset.kind.write == "merge":
            new_rows = incoming(self.main(delivery.dataset))
            yield create_incoming(new_rows), []
            yield from self._filling(new_rows, delivery, stage)

    def _writing(self, delivery: Delivery, stage: str) -> Iterator[Bound]:
        """The statements of the transaction up to its records, as far as they are known before it."""
        main = self.main(delivery.dataset)
        if delivery.dataset.kind.write == "replace":
            yield from self._replacing(delivery, stage)
        else:
            for one in delivery.publications:
                merge = merge_of(main, one.partition, incoming(main))
                yield from (*merge.undo, *merge.steps)

    def _write(self, delivery: Delivery, stage: str) -> list[str]:
        """The transaction up to its records; returns what `force` accepted in it."""
        if delivery.dataset.kind.write == "merge":
            main = self.main(delivery.dataset)
            return merge_versions(self._session.run, main, incoming(main), delivery.publications, force=delivery.force)
        self._replace_rows(delivery, stage)
        return []

    def _replace_rows(self, delivery: Delivery, stage: str) -> None:
        """Replace the partitions, and count them."""
        main, batches = self.main(delivery.dataset), 0
        for statement, values in self._replacing(delivery, stage):
            self._session.run(statement, values)
            if statement.startswith((f"COPY INTO {main.name} ", f"INSERT INTO {main.name} ")):
                batches += 1
                rows = len(values) // len(main.columns) if values else delivery.rows
                log.info("Ingested batch %d (%s records)", batches, f"{rows:,}")
        for days in delivery.by_part:
            require_counts(days, self._counts([one.partition for one in days]))

    def pass_fence(self) -> None:
        """Wait for whoever publishes, until the run's deadline."""
        with told_if_held(self._session.seconds_left):
            self._fence.must_hold(self._session.run(self._fence.update, [self._session.run_id]))

    def _replacing(self, delivery: Delivery, stage: str) -> Iterator[Bound]:
        """The statements that replace the partitions, with the values to bind."""
        main = self.main(delivery.dataset)
        for days in delivery.by_part:
            yield sql.delete_days(main, [one.partition for one in days], "%s")
        yield from self._filling(main, delivery, stage)

    def _filling(self, table: sql.Table, delivery: Delivery, stage: str) -> Iterator[Bound]:
        """The statements that put the delivery's rows into a table."""
        if stage:
            yield copy_sql(table, stage), []
        else:
            yield from self.batches(table, delivery.parquet)

    def _recording(self, delivery: Delivery, records: list[RunRecord]) -> Iterator[Bound]:
        """The statements that write the rejected rows and the records, with the values to bind."""
        for rows in delivery.rejects:
            yield from self.inserts(sql.rejects_table(self._session.prefix), rows)
        rows = [record.row() for record in [*records, *delivery.left_out]]
        yield from self.inserts(sql.runs_table(self._session.prefix), rows)

    def batches(self, main: sql.Table, parquet: Sequence[Path]) -> Iterator[Bound]:
        """The files\' rows as INSERT statements, for accounts that may not stage files."""
        from stockpipe.base.engine import open_local

        cells = ", ".join(
            f'"{column.name}"::VARCHAR' if column.kind in ("timestamp", "json") else f'"{column.name}"'
            for column in main.columns
        )
        with open_local(parquet[0].parent) as local:
            rows = local.execute(f"SELECT {cells} FROM read_parquet(?)", [[str(path) for path in parquet]])
            while batch := rows.fetchmany(self._settings.batch_size):
                yield from self.inserts(main, batch)

    def inserts(self, table: sql.Table, rows: list[tuple[Any, ...]]) -> Iterator[Bound]:
        """Rows as INSERT statements of at most STOCKPIPE_BATCH_SIZE rows each."""
        return inserts(table, rows, self._settings.batch_size)

    def _committed(self, delivery: Delivery) -> bool:
        """Whether the lost COMMIT took effect: a new session looks for this run's record."""
        log.warning("The connection was lost during COMMIT; finding out whether it took effect.")
        session, runs = self._session, sql.runs_table(self._session.prefix)
        try:
            session.close()
            session.open()
            rows = session.run(f'SELECT count(*) FROM {runs.name} WHERE "RUN_ID" = %s', [session.run_id])
        except StockpipeError as error:
            raise WarehouseError(
                f"The connection was lost during COMMIT, and whether the day was published could not be found out ({error.message})",
                hint=f"Look for RUN_ID {session.run_id} in {runs.name}, or run the same command again: that is always safe.",
            ) from error
        return bool(rows[0][0] == len(delivery.publications) + len(delivery.left_out))
