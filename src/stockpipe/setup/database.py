"""The database and the schema, for a role that may make them."""

from __future__ import annotations

from typing import Any

from stockpipe.base.text import hiding
from stockpipe.errors import WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.needed import check_needed
from stockpipe.warehouse.snowflake.privileges import SYSTEM_ROLES, role_word, stored_role, wanted_privilege
from stockpipe.warehouse.snowflake.session import error_text, open_session, session_plan


def create_place(settings: Settings) -> list[str]:
    """Make the database and the schema of the settings where they are missing; returns the statements.

    Raises ConfigError and AccessError as a sign-in does, and WarehouseError, which names the privilege that is lacking.
    """
    check_needed(settings)
    database = sql.identifier(settings.require("SNOWFLAKE_DATABASE"), "SNOWFLAKE_DATABASE")
    schema = f"{database}.{sql.identifier(settings.require('SNOWFLAKE_SCHEMA'), 'SNOWFLAKE_SCHEMA')}"
    statements = [f"CREATE DATABASE IF NOT EXISTS {database}", f"CREATE SCHEMA IF NOT EXISTS {schema}"]
    plan = session_plan(settings)
    for name in ("database", "schema"):
        plan.arguments.pop(name, None)
    session = open_session(plan)
    try:
        for statement in statements:
            with hiding(lambda: settings.secrets):
                _run(session, statement, schema, database, settings.get("SNOWFLAKE_ROLE"))
    finally:
        session.close()
    return statements


def _run(session: Any, statement: str, schema: str, database: str, given: str | None) -> None:
    import snowflake.connector

    try:
        session.cursor().execute(statement)
    except snowflake.connector.Error as error:
        wanted, role = wanted_privilege(statement, schema, database), stored_role(given, session.role)
        grant = "" if role in SYSTEM_ROLES else f"gives the privilege (GRANT {wanted} TO ROLE {role_word(role)};), or "
        raise WarehouseError(
            f"Snowflake refused {statement}: {error_text(error)}",
            hint=f"An administrator {grant}makes all with the script of: stockpipe schema --grants",
        ) from error
