"""A Snowflake account: sign-in, what is in use, privileges, tables. Only SELECT, SHOW and DESCRIBE are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any

from stockpipe.doctor.finding import Finding, failed
from stockpipe.doctor.privileges import examine_privileges
from stockpipe.doctor.tables import examine_age, examine_tables, last_day_sql, our_tables
from stockpipe.errors import StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.ddl import FENCE_TABLE, SNOWFLAKE_TYPES
from stockpipe.warehouse.session import error_text, open_session, session_plan
from stockpipe.warehouse.signin import SINGLE_FACTOR

_PLACE = ("SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA")


def examine_account(settings: Settings, today: date) -> Iterator[Finding]:
    """Findings about the account that the settings name; `today` is New York's."""
    prefix = ".".join(sql.identifier(settings.require(name), name) for name in _PLACE) + "."
    plan, tables = session_plan(settings), our_tables(settings, prefix)
    try:
        connection = open_session(plan, warns=False)
    except StockpipeError as error:
        yield failed("sign-in", error)
        yield Finding("SKIP", "warehouse", "role, privileges and tables were not looked at: the sign-in failed")
        return
    with closing(connection):
        ask = _Questions(connection)
        user = plan.arguments.get("user", connection.user)
        role, *places = _in_use(ask, connection)
        if plan.alone:
            yield Finding("WARN", "sign-in", f"as {user}, with a password alone", SINGLE_FACTOR)
        else:
            yield Finding("OK", "sign-in", f"as {user} ({plan.way.lower()})")
        if role:
            yield Finding("OK", "role", str(role))
        else:
            yield Finding("WARN", "role", "the service does not say which one is in use", "Set SNOWFLAKE_ROLE.")
        yield from _places(settings, role, places)
        if None in places[1:]:
            yield Finding("SKIP", "table", "privileges and tables were not looked at: there is no schema to look into")
            return
        described = {table.name: ask.columns(table.name) for table in tables}
        fence = bool(ask.columns(f'{prefix}"{FENCE_TABLE}"'))
        missing = not fence or not all(described.values())
        yield from examine_privileges(ask.rows, str(role), prefix, tables, some_missing=missing)
        yield from examine_tables(tables, lambda table: described[table.name], SNOWFLAKE_TYPES)
        runs = tables[1]
        if described[runs.name] and places[0] is not None:
            yield examine_age(ask.rows(last_day_sql(runs))[0][0], today)


def _in_use(ask: _Questions, connection: Any) -> tuple[Any, ...]:
    """Role, warehouse, database and schema of the session. Connector 5 itself repeats only what it was given."""
    try:
        return ask.rows("SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA()")[0]
    except WarehouseError:
        return connection.role, connection.warehouse, connection.database, connection.schema


def _places(settings: Settings, role: object, places: Sequence[object]) -> Iterator[Finding]:
    """What the session really uses: the service drops a name that the role may not use, without a word."""
    for kind, setting, used in zip(
        ("warehouse", "database", "schema"),
        ("SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA"),
        places,
        strict=True,
    ):
        wanted = settings.get(setting)
        if used is not None:
            yield Finding("OK", kind, str(used))
        elif kind == "schema" and wanted:
            yield Finding("WARN", kind, f"{wanted} is not there, or not for {role}", "The first run makes it where the role may; or: stockpipe init --create")  # fmt: skip
        else:
            text = f"{wanted or 'none set'}: not there, or {role or 'the role'} may not use it"
            grant = f"GRANT USAGE ON {kind.upper()} {wanted or '...'} TO ROLE {role or '...'};"
            remedy = f"Correct {setting}, or have it granted: {grant}"
            if kind == "warehouse" and not role:  # who does not tell the role need not tell the warehouse
                yield Finding("WARN", kind, text, remedy)
            else:
                yield Finding("FAIL", kind, text, remedy, 3 if kind == "database" else 6)


class _Questions:
    """Asks a session; what it refuses is an answer without rows."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. WarehouseError when the statement is refused."""
        import snowflake.connector

        try:
            return [tuple(row) for row in self._connection.cursor().execute(statement).fetchall()]
        except snowflake.connector.Error as error:
            raise WarehouseError(f"Snowflake refused {statement.split(maxsplit=1)[0]}: {error_text(error)}") from error

    def columns(self, name: str) -> dict[str, str]:
        """Columns and types of a table; none when there is no such table for this role."""
        try:
            return {row[0]: row[1] for row in self.rows(f"DESCRIBE TABLE {name}")}
        except StockpipeError:
            return {}
