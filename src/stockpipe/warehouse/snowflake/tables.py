"""The tables of a Snowflake schema: created, or brought to their declared shape, before anything is fetched for them.

Each statement is DDL or metadata and stands alone: no warehouse wakes for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Any

from stockpipe.errors import NotThere, WarehouseError
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import TableOptions, snowflake_create, snowflake_view
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.snowflake.connection import Connection, number_of
from stockpipe.warehouse.snowflake.fence import Fence
from stockpipe.warehouse.snowflake.refusals import INSUFFICIENT
from stockpipe.warehouse.snowflake.shape import (
    a_view,
    alterations,
    for_its_owner,
    is_view,
    must_take_rows,
    named_views,
    views_sql,
)

log = logging.getLogger(__name__)


class Tables:
    """Makes and completes tables in the schema of a session."""

    def __init__(self, session: Connection, options: TableOptions) -> None:
        self._session = session
        self._options = options

    def shape(self, table: sql.Table) -> bool:
        """Make the table, or add and widen columns; True when it was made. WarehouseError where it cannot take our rows."""
        described = self._described(table.name)
        if not described:
            self._make(snowflake_create(table, self._options))
            return True
        must_take_rows(table, described, self._views)
        self._alter(alterations(table, described))
        return False

    def _described(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of DESCRIBE TABLE, none where it is not there."""
        try:
            return self._session.run(f"DESCRIBE TABLE {name}")
        except NotThere:
            return []

    @cached_property
    def _views(self) -> frozenset[str]:
        """The schema's views, asked for once, when something of a table's name is there."""
        answer = self._session.ask(views_sql(self._session.schema))
        return named_views(answer.columns, answer.rows)

    def _alter(self, statements: list[str]) -> None:
        for number, statement in enumerate(statements):
            try:
                self._session.run(statement)
            except WarehouseError as error:
                if number_of(error) != INSUFFICIENT:
                    raise
                raise WarehouseError(error.message, hint=for_its_owner(statements[number:])) from error
            log.info("Table completed: %s", statement)

    def make_fence(self, fence: Fence) -> None:
        """The table that publishes wait at, and its row."""
        if not self._described(fence.name):
            self._session.run(fence.create)
            try:
                self._session.run(fence.fill)
            except BaseException:
                # It takes a warehouse to give the table its row, and none to make it or to drop it. A fence without its row
                # would stop every later run.
                with suppress(WarehouseError):
                    self._session.run(f"DROP TABLE IF EXISTS {fence.name}")
                raise
        elif is_view(fence.name, self._views):
            obstacle, remedy = a_view(fence.name)
            raise WarehouseError(obstacle, hint=f"Nothing was changed. {remedy}")

    def make_views(self, models: Iterable[Model]) -> None:
        """Beside a new or newly adopted table only, so that an ordinary day asks nothing; what has the name already stays as it is."""
        for view in models:
            needed = [snowflake_create(table, self._options) for table in view.needs]
            try:
                for statement in (*needed, snowflake_view(view, "CREATE VIEW")):
                    self._session.run(statement)
            except WarehouseError as error:
                level = logging.DEBUG if view.joins else logging.INFO
                log.log(
                    level, "View %s was not made (%s); stockpipe schema --views prints it.", view.name, error.message
                )

    def _make(self, statement: str) -> None:
        """Make a table, and its schema where that is missing. Connector 5 does not tell which names the session lacks."""
        try:
            self._session.run(statement)
        except NotThere:
            self._make_schema()
            try:
                self._session.run(statement)
            except NotThere as error:
                raise self._session.hidden_schema(error, makes=True) from error

    def _make_schema(self) -> None:
        try:
            self._session.run(f"CREATE SCHEMA IF NOT EXISTS {self._session.schema}")
        except NotThere as error:
            raise self._session.no_database() from error
        except WarehouseError as error:
            if number_of(error) != INSUFFICIENT:
                raise
            raise self._session.hidden_schema(error, makes=False) from error
