"""Which privilege a refused statement asks for, and who may be given it. docs/snowflake.md says the same in words."""

from __future__ import annotations

import re

from stockpipe.base.text import in_quotes

SYSTEM_ROLES = ("ACCOUNTADMIN", "ORGADMIN", "GLOBALORGADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC")
"""Roles that every account has. A grant to PUBLIC is one to every user, and the others are not for a service."""

OWN_ROLE = "Set SNOWFLAKE_ROLE to a role of its own: stockpipe schema --grants prints the script that makes one."

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
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


def stored_role(given: str | None, told: str | None) -> str | None:
    """The name of a session's role as the service keeps it, None where it is not known.

    `given` is the setting, `told` what the session says: with connector 5 only what it was given.
    """
    if given:
        return _bare(given) if given.startswith('"') else given.upper()
    return _bare(told) if told else None


def role_word(role: str | None) -> str:
    """A role's stored name as a statement takes it: in quotes where it needs them, dots where it is not known."""
    if not role:
        return "..."
    return role if _PLAIN.fullmatch(role) else in_quotes(role)


def or_granted(advice: str, privilege: str, role: str | None) -> str:
    """The advice plus the GRANT that would do instead; for a system role, the advice to use a role of its own."""
    if role in SYSTEM_ROLES:
        return f"{advice}. {OWN_ROLE}"
    return f"{advice}, or have it granted: GRANT {privilege} TO ROLE {role_word(role)};"


def does_not_resume(warehouse: str, role: str | None) -> str:
    """What to do about a warehouse that is there, suspended, and does not start by itself."""
    word = role_word(warehouse)
    text = (
        f"The warehouse {warehouse} is suspended and does not start by itself. Its owner runs: "
        f"ALTER WAREHOUSE {word} SET AUTO_RESUME = TRUE;"
    )
    if role in SYSTEM_ROLES:
        return f"{text} {OWN_ROLE}"
    grant = f"GRANT OPERATE ON WAREHOUSE {word} TO ROLE {role_word(role)};"
    return f"{text} Or let the loader start it: {grant} ALTER WAREHOUSE {word} RESUME;"


def hidden_schema(schema: str, role: str | None, *, makes: bool) -> str:
    """What to do about a schema that is not there for a role: USAGE comes first, as it may well be there.

    `schema` is quoted; `makes` says that the role may create one, and could not: so it is there.
    """
    if role in SYSTEM_ROLES:
        return OWN_ROLE
    usage = f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role_word(role)};"
    if makes:
        return f"It is there, and the role may not use it. An administrator gives it: {usage}"
    return (
        f"If it is there, the role may not use it: {usage} If it is not, an administrator makes it: CREATE SCHEMA {schema}; "
        "(stockpipe schema --grants prints both)"
    )


def lacking(privilege: str, role: str | None) -> str:
    """That a role lacks a privilege, and how it comes to it."""
    return f"The role {role or 'of the session'} lacks a privilege. {_remedy(privilege, role)}"


def unseen(privilege: str, role: str | None) -> str:
    """Hint for "does not exist", which Snowflake also answers when the role may not see the object."""
    return f"The role {role or 'of the session'} may not see it, or it does not exist. {_remedy(privilege, role)}"


def _remedy(privilege: str, role: str | None) -> str:
    if role in SYSTEM_ROLES:
        return OWN_ROLE
    return f"An administrator gives it: GRANT {privilege} TO ROLE {role_word(role)}; (stockpipe schema --grants prints all that is needed)"


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
