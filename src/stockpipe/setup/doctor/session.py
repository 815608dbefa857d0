"""Questions to an open session of Snowflake."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from stockpipe.errors import WarehouseError
from stockpipe.warehouse import QueryResult
from stockpipe.warehouse.snowflake.connection import number_of
from stockpipe.warehouse.snowflake.refusals import DOES_NOT_EXIST
from stockpipe.warehouse.snowflake.session import error_text
from stockpipe.warehouse.snowflake.shape import Described, columns_of, named_views, views_sql


class Questions:
    """Asks a session; nothing that it asks changes anything. `schema` is quoted, with its database."""

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self._described: dict[str, Described] = {}

    def in_use(self) -> tuple[Any, ...]:
        """Role, warehouse, database and schema of the session. Connector 5 itself repeats only what it was given."""
        try:
            return self.rows("SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA()")[0]
        except WarehouseError:
            session = self._connection
            return session.role, session.warehouse, session.database, session.schema

    def ask(self, statement: str, **limits: int) -> QueryResult:
        """An answer; `limits` are session parameters for this statement alone. WarehouseError when it is refused."""
        import snowflake.connector

        try:
            cursor = self._connection.cursor().execute(statement, **({"_statement_params": limits} if limits else {}))
            columns = [column[0] for column in cursor.description or ()]
            return QueryResult(columns, [tuple(row) for row in cursor.fetchall()])
        except (snowflake.connector.Error, OSError) as error:  # a lost download may be either
            raise WarehouseError(f"Snowflake refused {statement.split(maxsplit=1)[0]}: {error_text(error)}") from error

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. WarehouseError when the statement is refused."""
        return self.ask(statement).rows

    def described(self, name: str) -> Described:
        """The rows of DESCRIBE TABLE, asked for once; none when there is no such table or view for this role."""
        if name not in self._described:
            try:
                self._described[name] = self.rows(f"DESCRIBE TABLE {name}")
            except WarehouseError as error:
                if number_of(error) != DOES_NOT_EXIST:
                    raise
                self._described[name] = []
        return self._described[name]

    def columns(self, name: str) -> dict[str, str]:
        """Columns and types of a table; none when there is no such table for this role."""
        return columns_of(self.described(name))

    @cached_property
    def views(self) -> frozenset[str]:
        """The quoted names of the schema's views."""
        answer = self.ask(views_sql(self._schema))
        return named_views(answer.columns, answer.rows)
