"""Questions to an open session of Snowflake."""

from __future__ import annotations

from typing import Any

from stockpipe.errors import WarehouseError
from stockpipe.warehouse.snowflake.session import error_text

_DOES_NOT_EXIST = 2003


class Questions:
    """Asks a session; nothing that it asks changes anything."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._columns: dict[str, dict[str, str]] = {}

    def in_use(self) -> tuple[Any, ...]:
        """Role, warehouse, database and schema of the session. Connector 5 itself repeats only what it was given."""
        try:
            return self.rows("SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA()")[0]
        except WarehouseError:
            session = self._connection
            return session.role, session.warehouse, session.database, session.schema

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. WarehouseError when the statement is refused."""
        import snowflake.connector

        try:
            return [tuple(row) for row in self._connection.cursor().execute(statement).fetchall()]
        except (snowflake.connector.Error, OSError) as error:  # a lost download may be either
            raise WarehouseError(f"Snowflake refused {statement.split(maxsplit=1)[0]}: {error_text(error)}") from error

    def columns(self, name: str) -> dict[str, str]:
        """Columns and types of a table, asked for once; none when there is no such table for this role."""
        if name not in self._columns:
            try:
                self._columns[name] = {row[0]: row[1] for row in self.rows(f"DESCRIBE TABLE {name}")}
            except WarehouseError as error:
                if getattr(error.__cause__, "errno", None) != _DOES_NOT_EXIST:
                    raise
                self._columns[name] = {}
        return self._columns[name]
