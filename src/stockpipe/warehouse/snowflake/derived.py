"""Derived tables in Snowflake, replaced whole: PUT of their Parquet files, then one transaction behind the fence.

The statements are the same however much there is to derive: one PUT, and for each table a DELETE and a COPY.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockpipe.warehouse import sql
from stockpipe.warehouse.derived import Replacement, must_still_be, newest
from stockpipe.warehouse.snowflake.publish import Publisher
from stockpipe.warehouse.snowflake.statements import copy_sql
from stockpipe.warehouse.snowflake.tables import Tables


def replace(replacement: Replacement, publisher: Publisher, tables: Tables) -> None:
    """Make what is missing, and replace the tables. SomebodyWasFirst where the log has a newer build."""
    made = [tables.shape(table) for table in (*replacement.tables, replacement.log)]
    if any(made) or replacement.after == 0:
        tables.make_views(replacement.views)
    tables.make_fence(publisher.fence)
    files = list(replacement.files.values())
    stage = publisher.stage(files) if publisher.stages and files else ""
    session = publisher.session
    try:
        session.run("BEGIN")
        publisher.pass_fence()
        must_still_be(session.run(newest(replacement.log)), replacement)
        for table in replacement.tables:
            session.run(f"DELETE FROM {table.name}")
            if file := replacement.files.get(table.name):
                for statement, values in _rows(publisher, table, file, stage):
                    session.run(statement, values)
        for statement, values in publisher.inserts(replacement.log, [replacement.row]):
            session.run(statement, values)
        session.run("COMMIT")
    except BaseException:
        session.roll_back()
        raise


def _rows(publisher: Publisher, table: sql.Table, file: Path, stage: str) -> Iterator[tuple[str, list[Any] | None]]:
    """The statements that bring a file's rows into its table."""
    if stage:
        yield copy_sql(table, f"{stage}/{file.name}"), None
    else:
        yield from publisher.batches(table, [file])
