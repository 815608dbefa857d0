"""The tables of a Snowflake schema: created, or brought to their declared shape, before anything is fetched for them.

Each statement is DDL or metadata and stands alone: no warehouse wakes for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from stockpipe.errors import NotThere, WarehouseError
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import TableOptions, snowflake_create, snowflake_type, snowflake_view
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.snowflake.connection import DOES_NOT_EXIST, Connection, number_of
from stockpipe.warehouse.snowflake.fence import Fence
from stockpipe.warehouse.snowflake.shape import must_take_rows

log = logging.getLogger(__name__)


class Tables:
    """Makes and completes tables in the schema of a session."""

    def __init__(self, session: Connection, options: TableOptions) -> None:
        self._session = session
        self._options = options

    def shape(self, table: sql.Table, *, cluster: bool = False) -> bool:
        """Make the table, or rename, add and widen columns; True when it was made. WarehouseError where it cannot take our rows."""
        try:
            described = self._session.run(f"DESCRIBE TABLE {table.name}")
        except WarehouseError as error:
            if number_of(error) != DOES_NOT_EXIST:
                raise
            self._make(snowflake_create(table, self._options, cluster=cluster))
            return True
        existing = {row[0]: row[1] for row in described}
        missing = sql.missing_columns(table, existing, snowflake_type)
        must_take_rows(table, described)
        for spelled, name in sql.misspelled_columns(table, existing).items():
            self._alter(table, f'RENAME COLUMN "{spelled}" TO "{name}"')
            log.info('Column "%s" renamed to %s', spelled, name)
            existing[name] = existing.pop(spelled)
        for column in missing:
            self._alter(table, f'ADD COLUMN IF NOT EXISTS "{column.name}" {snowflake_type(column)}')
        self._widen(table, existing)
        return False

    def make_fence(self, fence: Fence) -> None:
        """The table that publishes wait at, and its row."""
        try:
            self._session.run(f"DESCRIBE TABLE {fence.name}")
        except WarehouseError as error:
            if number_of(error) != DOES_NOT_EXIST:
                raise
            self._session.run(fence.create)
            self._session.run(fence.fill)

    def make_views(self, models: Iterable[Model]) -> None:
        """Beside a new or newly adopted table only, so that an ordinary day asks nothing; what has the name already stays as it is."""
        for view in models:
            try:
                self._session.run(snowflake_view(view, "CREATE VIEW"))
            except WarehouseError as error:
                log.info("View %s was not made (%s); stockpipe schema --views prints it.", view.name, error.message)

    def _make(self, statement: str) -> None:
        """Make a table, and its schema where that is missing. Connector 5 does not tell which names the session lacks."""
        try:
            self._session.run(statement)
        except NotThere:
            try:
                self._session.run(f"CREATE SCHEMA IF NOT EXISTS {self._session.schema}")
            except NotThere as error:
                raise self._session.no_database() from error
            self._session.run(statement)

    def _widen(self, table: sql.Table, existing: dict[str, str]) -> None:
        for column in table.columns:
            present = sql.width(existing.get(column.name, ""))
            if column.kind == "text" and column.width and present and present < column.width:
                self._alter(table, f'ALTER COLUMN "{column.name}" SET DATA TYPE {snowflake_type(column)}')
                log.info("Column %s widened from %d to %d characters", column.name, present, column.width)

    def _alter(self, table: sql.Table, change: str) -> None:
        self._session.run(f"ALTER TABLE {table.name} {change}")
