"""The least that Snowflake must allow a loader and its readers, as a script with the reason for each statement."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from stockpipe.datasets import DATASETS
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings
from stockpipe.warehouse.dialect import FENCE_TABLE, TableOptions
from stockpipe.warehouse.model import Views
from stockpipe.warehouse.runs import REJECTS_TABLE, RUNS_TABLE
from stockpipe.warehouse.scripts.names import READER_ROLE, Names
from stockpipe.warehouse.scripts.tables import script, snowflake_tables, snowflake_views
from stockpipe.warehouse.snowflake.keys import public_key

log = logging.getLogger(__name__)

Step = tuple[str, str]
"""Why, and the statement."""

_HEAD = """\
-- What stockpipe needs in a Snowflake account, and nothing more. Run it as a user who may use USERADMIN,
-- SYSADMIN and SECURITYADMIN. Running it again changes nothing; objects that exist are left as they are."""

_PLACE_OF_KEY = "<RSA_PUBLIC_KEY>"
_WITHOUT_KEY = "-- Before you run it, put the loader's public key into section 7."
_OWN_KEY = "The public key of the private one that the settings name."
_KEY = """\
==== PUT THE PUBLIC KEY HERE ==== What stands between the BEGIN and END lines of stockpipe.pub, in one line. `stockpipe init`
-- makes a key, and with its .env this script has it here. Without it:
--   openssl genrsa 2048 | openssl pkcs8 -topk8 -v2 aes-256-cbc -inform PEM -out stockpipe.p8
--   openssl rsa -in stockpipe.p8 -pubout -out stockpipe.pub"""
_PRIVILEGES = {
    "replace": ("SELECT, INSERT, DELETE", "A day is deleted, copied in and counted."),
    "merge": (
        "SELECT, INSERT, UPDATE, DELETE",
        "Versions are closed and opened; those of the same day are taken back.",
    ),
}
_HAND_OVER = """\
-- Only a table's owner may add columns to it. To have a table of stockpipe 1 completed, hand it over:
-- GRANT OWNERSHIP ON TABLE {table} TO ROLE {role} COPY CURRENT GRANTS;"""


def grants_script(settings: Settings, views: Views, reader: str = READER_ROLE) -> str:
    """The whole script; ConfigError for a name that cannot be used, a system role among them."""
    names, options = Names.of(settings, reader), TableOptions.of(settings)
    names.must_be_own_roles()
    key = _public_key(settings)
    sections = {
        "1. Roles": _roles(names),
        "2. Warehouse, database and schema": _places(names),
        "3. What the loader may do": _loader(names),
        "4. What the readers may do": _readers(names),
        "5. Tables, which the loader owns": _tables(settings, names, options),
        "6. Tables that were there before, and belong to another role": _adopted(names),
        "7. The service user": _user(names, key),
        "8. Views; a table of stockpipe 1 first needs its new columns, so load a day before": _views(
            settings, names, views
        ),
    }
    parts = [_HEAD if key else f"{_HEAD}\n{_WITHOUT_KEY}"]
    for title, steps in sections.items():
        body = "\n".join(f"-- {why}\n{statement};" if why else f"{statement};" for why, statement in steps)
        parts.append(f"-- {title}\n\n{body}")
    parts.append(_HAND_OVER.format(table=names.prefix + next(iter(names.tables.values())), role=names.role))
    return script(parts)


def _roles(names: Names) -> Iterator[Step]:
    yield "", "USE ROLE USERADMIN"
    yield "What stockpipe signs in with (SNOWFLAKE_ROLE).", f"CREATE ROLE IF NOT EXISTS {names.role}"
    yield "For people and dashboards that read the tables.", f"CREATE ROLE IF NOT EXISTS {names.reader}"
    yield "", "USE ROLE SECURITYADMIN"
    yield "Administrators keep their reach over what the loader owns.", f"GRANT ROLE {names.role} TO ROLE SYSADMIN"
    yield "The same for what readers see.", f"GRANT ROLE {names.reader} TO ROLE SYSADMIN"


def _places(names: Names) -> Iterator[Step]:
    yield "", "USE ROLE SYSADMIN"
    yield (
        "The smallest one does; it wakes when a day is published and sleeps a minute later.",
        f"CREATE WAREHOUSE IF NOT EXISTS {names.warehouse}\n    WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 "
        "AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE",
    )
    yield "Where the data lives.", f"CREATE DATABASE IF NOT EXISTS {names.database}"
    yield "A schema for the tables, so that grants can end there.", f"CREATE SCHEMA IF NOT EXISTS {_schema(names)}"


def _loader(names: Names) -> Iterator[Step]:
    role, schema = names.role, _schema(names)
    yield "", "USE ROLE SECURITYADMIN"
    yield "COPY, DELETE, UPDATE and INSERT compute there.", f"GRANT USAGE ON WAREHOUSE {names.warehouse} TO ROLE {role}"
    yield "To reach the schema.", f"GRANT USAGE ON DATABASE {names.database} TO ROLE {role}"
    yield "To reach what is in it.", f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role}"
    yield "To make a table that is missing; it then owns it.", f"GRANT CREATE TABLE ON SCHEMA {schema} TO ROLE {role}"
    yield "To make the two views beside a new table.", f"GRANT CREATE VIEW ON SCHEMA {schema} TO ROLE {role}"
    yield (
        "A day's file is put on a temporary stage, and that too asks for this; not where STOCKPIPE_LOAD_METHOD is insert.",
        f"GRANT CREATE STAGE ON SCHEMA {schema} TO ROLE {role}",
    )


def _readers(names: Names) -> Iterator[Step]:
    role, schema = names.reader, _schema(names)
    yield (
        "To reach the schema. Readers bring a warehouse of their own.",
        (f"GRANT USAGE ON DATABASE {names.database} TO ROLE {role}"),
    )
    yield "To reach what is in it.", f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role}"
    yield "Tables that the loader makes later.", f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {role}"
    yield "Views that the loader makes later.", f"GRANT SELECT ON FUTURE VIEWS IN SCHEMA {schema} TO ROLE {role}"


def _tables(settings: Settings, names: Names, options: TableOptions) -> Iterator[Step]:
    yield "Who makes an object owns it, and only its owner may add a column to it.", f"USE ROLE {names.role}"
    yield "The fence's row is written by a query.", f"USE WAREHOUSE {names.warehouse}"
    for statement in snowflake_tables(settings, names, options):
        yield "", statement


def _views(settings: Settings, names: Names, views: Views) -> Iterator[Step]:
    yield "The loader owns these too.", f"USE ROLE {names.role}"
    for statement in snowflake_views(settings, names, "CREATE VIEW IF NOT EXISTS", views):
        yield "", statement


def _adopted(names: Names) -> Iterator[Step]:
    """Without effect on the loader's own tables. Publishing a day needs neither TRUNCATE nor OWNERSHIP."""
    wanted = {
        **{names.tables[dataset.name]: _PRIVILEGES[dataset.kind.write] for dataset in DATASETS.values()},
        f'"{RUNS_TABLE}"': ("SELECT, INSERT", "Each run leaves its record and reads earlier ones."),
        f'"{REJECTS_TABLE}"': ("SELECT, INSERT", "Rejected rows are written and shown."),
        f'"{FENCE_TABLE}"': ("SELECT, UPDATE", "Each publish updates its one row."),
    }
    yield "", "USE ROLE SECURITYADMIN"
    for table, (privileges, why) in wanted.items():
        yield why, f"GRANT {privileges} ON TABLE {names.prefix}{table} TO ROLE {names.role}"
    for table in list(wanted)[:-1]:
        yield (
            "Readers, where the table is older than section 4.",
            (f"GRANT SELECT ON TABLE {names.prefix}{table} TO ROLE {names.reader}"),
        )


def _public_key(settings: Settings) -> str | None:
    """The key of the settings; None where they sign in in another way, or where no key can be read here."""
    if not (settings.get("SNOWFLAKE_PRIVATE_KEY_PATH") or settings.get("SNOWFLAKE_PRIVATE_KEY")):
        return None
    try:
        return public_key(settings)
    except ImportError:
        log.warning("The public key is not in the script: the cryptography package is not installed.")
    except ConfigError as error:
        log.warning("The public key is not in the script: %s", error)
    return None


def _user(names: Names, key: str | None) -> Iterator[Step]:
    yield "", "USE ROLE USERADMIN"
    yield (
        "TYPE = SERVICE: no password, no browser; and no role but the loader's, not even a secondary one.",
        f"CREATE USER IF NOT EXISTS {names.user}\n    TYPE = SERVICE DEFAULT_ROLE = {names.role} "
        f"DEFAULT_SECONDARY_ROLES = () DEFAULT_WAREHOUSE = {names.warehouse}",
    )
    yield "", "USE ROLE SECURITYADMIN"
    yield "What stockpipe signs in as (SNOWFLAKE_USER).", f"GRANT ROLE {names.role} TO USER {names.user}"
    yield _OWN_KEY if key else _KEY, f"ALTER USER {names.user} SET RSA_PUBLIC_KEY = '{key or _PLACE_OF_KEY}'"


def _schema(names: Names) -> str:
    return names.prefix.rstrip(".")
