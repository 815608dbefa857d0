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
from stockpipe.warehouse.scripts.tables import script, snowflake_models, snowflake_tables, snowflake_views
from stockpipe.warehouse.securities import MASTER_TABLES
from stockpipe.warehouse.snowflake.keys import public_key

log = logging.getLogger(__name__)

Step = tuple[str, str]
"""Why, and the statement."""

_HEAD = """\
-- What stockpipe needs in a Snowflake account, and nothing more. Run it as a user who may use USERADMIN,
-- SYSADMIN and SECURITYADMIN. Running it again changes nothing; objects that exist are left as they are, and
-- nobody else's rights change: what is granted is granted to the roles of section 1, on objects named here."""

_PLACE_OF_KEY = "<RSA_PUBLIC_KEY>"
_WITHOUT_KEY = "-- Before you run it, put the loader's public key into section 7."
_OWN_KEY = "The public key is that of the private one that the settings name."
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
# Ways of signing in that a service user may have without a key; a password is none of them.
_BY_TOKEN = (
    "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER",
    "SNOWFLAKE_OAUTH_CLIENT_ID",
    "SNOWFLAKE_TOKEN",
    "SNOWFLAKE_TOKEN_FILE_PATH",
)
_NO_KEY = """\
It gets no key: the settings sign in with a token or as a workload. A programmatic access token needs a network policy:
-- put the user under one, then ALTER USER ... ADD PROGRAMMATIC ACCESS TOKEN."""
_SERVICE = "TYPE = SERVICE: no password, no browser; and no role but the loader's, not even a secondary one."
_LATER_KEYS = """\
-- A user that existed before keeps its key. To give it this one:
--   ALTER USER {user} SET RSA_PUBLIC_KEY = '{key}';
-- To change the key later, without a moment in which none holds: give the user the new one beside the old one,
--   ALTER USER {user} SET RSA_PUBLIC_KEY_2 = '<the new public key>';
-- give stockpipe the new private key, and when a run has gone well, take the old one away (and next time the other way round):
--   ALTER USER {user} UNSET RSA_PUBLIC_KEY;

-- Worth adding: the user may sign in with its key only.
--   USE ROLE SECURITYADMIN;
--   CREATE AUTHENTICATION POLICY IF NOT EXISTS {prefix}"STOCKPIPE_KEY_PAIR" AUTHENTICATION_METHODS = ('KEYPAIR');
--   ALTER USER {user} SET AUTHENTICATION POLICY {prefix}"STOCKPIPE_KEY_PAIR";"""
_LATER_ADDRESSES = """\
-- Worth adding: the user may sign in from your addresses only (203.0.113.7/32 is a placeholder).
--   USE ROLE SECURITYADMIN;
--   CREATE NETWORK RULE IF NOT EXISTS {prefix}"STOCKPIPE_ADDRESSES" TYPE = IPV4 MODE = INGRESS VALUE_LIST = ('203.0.113.7/32');
--   CREATE NETWORK POLICY IF NOT EXISTS "STOCKPIPE_NETWORK" ALLOWED_NETWORK_RULE_LIST = ('{prefix}"STOCKPIPE_ADDRESSES"');
--   ALTER USER {user} SET NETWORK_POLICY = "STOCKPIPE_NETWORK";"""


def grants_script(settings: Settings, views: Views, reader: str = READER_ROLE, owner: str | None = None) -> str:
    """The whole script; ConfigError for a name that cannot be used, a system role among them.

    `owner` is the role that the tables and views are to belong to; the loader's when None.
    """
    names, options = Names.of(settings, reader, owner), TableOptions.of(settings)
    names.must_be_own_roles()
    has_key, key = _has_key(settings), _public_key(settings)
    sections = {
        "1. Roles": _roles(names),
        "2. Warehouse, database and schema": _places(names, int(settings.number("STOCKPIPE_DEADLINE", least=1))),
        "3. What the loader may do": _loader(names),
        "4. What the readers may do": _readers(names),
        f"5. Tables, which {names.owner} owns": _tables(settings, names, options),
        "6. What loader and readers may do with the tables": _used(names),
        "7. The service user": _user(names, key, has_key=has_key),
        "8. Views; a table of stockpipe 1 first needs its new columns, so load a day before": _views(
            settings, names, views
        ),
    }
    parts = [_HEAD if key or not has_key else f"{_HEAD}\n{_WITHOUT_KEY}"]
    for title, steps in sections.items():
        body = "\n".join(f"-- {why}\n{statement};" if why else f"{statement};" for why, statement in steps)
        parts.append(f"-- {title}\n\n{body}")
    later = [_LATER_KEYS, _LATER_ADDRESSES] if has_key else [_LATER_ADDRESSES]
    parts += [text.format(user=names.user, prefix=names.prefix, key=key or _PLACE_OF_KEY) for text in later]
    return script(parts)


def _roles(names: Names) -> Iterator[Step]:
    roles = {names.role: "What stockpipe signs in with (SNOWFLAKE_ROLE)."}
    roles[names.reader] = "For people and dashboards that read the tables."
    roles.setdefault(names.owner, "What the tables and views belong to; nobody signs in with it.")
    yield "", "USE ROLE USERADMIN"
    for role, why in roles.items():
        yield why, f"CREATE ROLE IF NOT EXISTS {role}"
    yield "Administrators keep their reach over what these roles own.", "USE ROLE SECURITYADMIN"
    for role in roles:
        yield "", f"GRANT ROLE {role} TO ROLE SYSADMIN"


def _places(names: Names, longest: int) -> Iterator[Step]:
    yield "", "USE ROLE SYSADMIN"
    yield (
        "The smallest one does; it wakes when a day is published and sleeps a minute later. No statement may take longer\n"
        "-- than a run may (STOCKPIPE_DEADLINE).",
        f"CREATE WAREHOUSE IF NOT EXISTS {names.warehouse}\n    WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 "
        f"AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE STATEMENT_TIMEOUT_IN_SECONDS = {longest}",
    )
    yield "Where the data lives.", f"CREATE DATABASE IF NOT EXISTS {names.database}"
    yield "A schema for the tables, so that grants can end there.", f"CREATE SCHEMA IF NOT EXISTS {_schema(names)}"


def _loader(names: Names) -> Iterator[Step]:
    role, owner, schema = names.role, names.owner, _schema(names)
    yield "", "USE ROLE SECURITYADMIN"
    yield "COPY, DELETE, UPDATE and INSERT compute there.", f"GRANT USAGE ON WAREHOUSE {names.warehouse} TO ROLE {role}"
    yield "To reach the schema.", f"GRANT USAGE ON DATABASE {names.database} TO ROLE {role}"
    yield "To reach what is in it.", f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role}"
    yield (
        "A day's file is put on a temporary stage, and some accounts ask for this; not where STOCKPIPE_LOAD_METHOD is insert.",
        f"GRANT CREATE STAGE ON SCHEMA {schema} TO ROLE {role}",
    )
    if owner != role:
        yield "The owner reaches the same place.", f"GRANT USAGE ON WAREHOUSE {names.warehouse} TO ROLE {owner}"
        yield "", f"GRANT USAGE ON DATABASE {names.database} TO ROLE {owner}"
        yield "", f"GRANT USAGE ON SCHEMA {schema} TO ROLE {owner}"
    yield "To make a table that is missing.", f"GRANT CREATE TABLE ON SCHEMA {schema} TO ROLE {owner}"
    yield "To make the views beside a new table.", f"GRANT CREATE VIEW ON SCHEMA {schema} TO ROLE {owner}"


def _readers(names: Names) -> Iterator[Step]:
    """No grant on future tables: one on a schema switches off those of its database, of all roles."""
    role, schema = names.reader, _schema(names)
    yield (
        "To reach the schema. Readers bring a warehouse of their own.",
        f"GRANT USAGE ON DATABASE {names.database} TO ROLE {role}",
    )
    yield (
        "To reach what is in it. What they may read is named in sections 6 and 8: a grant on FUTURE TABLES of a schema would\n"
        "-- switch off the future grants of its database, of all roles. After an update with new tables, run this again.",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role}",
    )


def _tables(settings: Settings, names: Names, options: TableOptions) -> Iterator[Step]:
    yield "Who makes an object owns it, and only its owner may add a column to it.", f"USE ROLE {names.owner}"
    yield "The fence's row is written by a query.", f"USE WAREHOUSE {names.warehouse}"
    for statement in snowflake_tables(settings, names, options):
        yield "", statement


def _used(names: Names) -> Iterator[Step]:
    """What the loader's own tables allow anyway is granted for those that belong to another role."""
    wanted = {
        **{names.tables[dataset.name]: _PRIVILEGES[dataset.kind.write] for dataset in DATASETS.values()},
        f'"{RUNS_TABLE}"': ("SELECT, INSERT", "Each run leaves its record and reads earlier ones."),
        f'"{REJECTS_TABLE}"': ("SELECT, INSERT", "Rejected rows are written and shown."),
        **dict.fromkeys(
            (table.name for table in MASTER_TABLES),
            ("SELECT, INSERT, DELETE", "A build of the security master replaces it."),
        ),
        f'"{FENCE_TABLE}"': ("SELECT, UPDATE", "Each publish updates its one row."),
    }
    yield "Neither TRUNCATE nor OWNERSHIP is needed to publish a day.", "USE ROLE SECURITYADMIN"
    for table, (privileges, why) in wanted.items():
        yield why, f"GRANT {privileges} ON TABLE {names.prefix}{table} TO ROLE {names.role}"
    for table in list(wanted)[:-1]:
        yield "", f"GRANT SELECT ON TABLE {names.prefix}{table} TO ROLE {names.reader}"


def _views(settings: Settings, names: Names, views: Views) -> Iterator[Step]:
    yield "They belong to whom the tables belong.", f"USE ROLE {names.owner}"
    for statement in snowflake_views(settings, names, "CREATE VIEW IF NOT EXISTS", views):
        yield "", statement
    yield "", "USE ROLE SECURITYADMIN"
    for view in snowflake_models(settings, names, views):
        yield "", f"GRANT SELECT ON VIEW {view.name} TO ROLE {names.reader}"


def _has_key(settings: Settings) -> bool:
    """Whether the user of the script is to have a public key: always, but where the settings sign in with a token."""
    if given := settings.get("SNOWFLAKE_AUTHENTICATOR"):
        return given.upper() not in (
            "PROGRAMMATIC_ACCESS_TOKEN",
            "OAUTH",
            "OAUTH_CLIENT_CREDENTIALS",
            "WORKLOAD_IDENTITY",
        )
    return _names_key(settings) or not any(settings.get(name) for name in _BY_TOKEN)


def _names_key(settings: Settings) -> bool:
    return any(settings.get(name) for name in ("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY"))


def _public_key(settings: Settings) -> str | None:
    """The key of the settings; None where they sign in in another way, or where no key can be read here."""
    if not (_has_key(settings) and _names_key(settings)):
        return None
    try:
        return public_key(settings)
    except ImportError:
        log.warning("The public key is not in the script: the cryptography package is not installed.")
    except ConfigError as error:
        log.warning("The public key is not in the script: %s", error)
    return None


def _user(names: Names, key: str | None, *, has_key: bool) -> Iterator[Step]:
    clause = f"\n    RSA_PUBLIC_KEY = '{key or _PLACE_OF_KEY}'" if has_key else ""
    proof = _NO_KEY if not has_key else _OWN_KEY if key else _KEY
    yield "", "USE ROLE USERADMIN"
    yield (
        f"{_SERVICE}\n-- {proof}",
        f"CREATE USER IF NOT EXISTS {names.user}\n    TYPE = SERVICE DEFAULT_ROLE = {names.role} "
        f"DEFAULT_SECONDARY_ROLES = () DEFAULT_WAREHOUSE = {names.warehouse}{clause}",
    )
    yield "", "USE ROLE SECURITYADMIN"
    yield "What stockpipe signs in as (SNOWFLAKE_USER).", f"GRANT ROLE {names.role} TO USER {names.user}"


def _schema(names: Names) -> str:
    return names.prefix.rstrip(".")
