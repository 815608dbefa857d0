"""Which privilege a refused statement asks for. The table of docs/snowflake.md says the same in words."""

from __future__ import annotations

import re

_NAME = r'(?P<name>(?:"(?:[^"]|"")+"\.?)+)'
# First match counts. On a schema, a database or the account, or on the table that the statement names.
_WANTED = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), privilege)
    for pattern, privilege in (
        (r"CREATE (TRANSIENT )?TABLE", "CREATE TABLE ON SCHEMA {schema}"),
        (r"CREATE (OR REPLACE )?VIEW", "CREATE VIEW ON SCHEMA {schema}"),
        (r"CREATE TEMPORARY STAGE|PUT", "CREATE STAGE ON SCHEMA {schema}"),
        (r"CREATE SCHEMA", "CREATE SCHEMA ON DATABASE {database}"),
        (r"CREATE DATABASE", "CREATE DATABASE ON ACCOUNT"),
        (rf"ALTER TABLE {_NAME}", "OWNERSHIP ON TABLE {name}"),
        (rf"DELETE FROM {_NAME}", "DELETE ON TABLE {name}"),
        (rf"UPDATE {_NAME}", "UPDATE ON TABLE {name}"),
        (rf"(COPY|INSERT) INTO {_NAME}", "INSERT ON TABLE {name}"),
        (rf"DESCRIBE TABLE {_NAME}|SELECT .*? FROM {_NAME.replace('name', 'other')}", "SELECT ON TABLE {name}"),
    )
)


def wanted_privilege(statement: str, schema: str, database: str) -> str | None:
    """What stands between GRANT and TO ROLE, such as `DELETE ON TABLE "DB"."PUBLIC"."TICKERS"`; None when not known.

    `schema` (with its database) and `database` are quoted names.
    """
    for pattern, privilege in _WANTED:
        if found := pattern.match(statement):
            groups = found.groupdict()
            name = groups.get("name") or groups.get("other") or ""
            return privilege.format(schema=schema, database=database, name=name)
    return None
