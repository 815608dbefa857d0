"""A Snowflake account: sign-in, what is in use, storage, privileges, tables. Only SELECT, SHOW and DESCRIBE are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from typing import Any

from stockpipe.errors import ConfigError, StockpipeError, UsageError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.compute import examine_compute
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed
from stockpipe.setup.doctor.grants import Grants, bare_name
from stockpipe.setup.doctor.privileges import examine_privileges, needs_of_a_run, not_seen, wanted_on
from stockpipe.setup.doctor.session import Questions
from stockpipe.setup.doctor.storage import examine_storage
from stockpipe.setup.doctor.tables import OurTables, examine_age, examine_tables
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import TableOptions, snowflake_type
from stockpipe.warehouse.history import last_days_sql
from stockpipe.warehouse.needed import check_needed
from stockpipe.warehouse.snowflake.fence import Fence
from stockpipe.warehouse.snowflake.privileges import OWN_ROLE, SYSTEM_ROLES, hidden_schema, or_granted, stored_role
from stockpipe.warehouse.snowflake.session import open_session, session_plan
from stockpipe.warehouse.snowflake.shape import a_view, alterations, is_view, obstacles
from stockpipe.warehouse.snowflake.signin import SINGLE_FACTOR, SignIn

_PLACE = ("SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA")
_OTHERS = "though it sees others of ours"
_LOADED = "though days were loaded into it"


def examine_account(settings: Settings, today: date) -> Iterator[Diagnosis]:
    """Findings about the account that the settings name; `today` is New York's."""
    try:
        OurTables.of(settings)
        TableOptions.of(settings)  # a run refuses what it refuses
    except (ConfigError, UsageError) as error:
        yield failed("table", error)
        yield Diagnosis(
            "SKIP",
            "sign-in",
            "sign-in, role, warehouse, privileges and tables were not looked at: correct the name first",
        )
        return
    try:
        check_needed(settings)
    except ConfigError as error:
        yield failed("settings", error)
        yield Diagnosis("SKIP", "warehouse", "not looked at: settings of the account are missing")
        return
    prefix = ".".join(sql.identifier(settings.require(name), name) for name in _PLACE) + "."
    tables = OurTables.of(settings, prefix)
    try:
        plan = session_plan(settings, reads=True)
        connection = open_session(plan, warns=False)
    except StockpipeError as error:
        yield failed("sign-in", error)
        yield Diagnosis(
            "SKIP",
            "warehouse",
            "role, warehouse, schema, storage, privileges and tables were not looked at: the sign-in failed",
        )
        return
    with closing(connection):
        yield _signed_in(plan, connection)
        yield from _examine_session(Questions(connection, prefix.rstrip(".")), settings, plan, tables, today)


def _examine_session(
    ask: Questions, settings: Settings, plan: SignIn, tables: OurTables, today: date
) -> Iterator[Diagnosis]:
    """What the session uses, and what a run finds there."""
    told, warehouse, database, schema = ask.in_use()
    role = stored_role(settings.get("SNOWFLAKE_ROLE"), told) if told else None
    yield _role(role)
    computes = examine_compute(ask, settings, role, warehouse)
    yield computes
    yield from _place(ask, settings, role, database, schema)
    stages = settings.load_method == "copy"
    if stages:
        yield examine_storage(ask, plan.arguments)
    if not (database and schema):
        what, why = ("privileges", "schema to look into") if database else ("schema, privileges", "database")
        yield Diagnosis("SKIP", "table", f"{what} and tables were not looked at: there is no {why}")
        return
    days, age = _last_days(ask, tables.runs, today, computes=computes.level == "OK")
    yield from _examine_schema(ask, role, tables.in_use(ask.columns, days), days, stages=stages)
    yield from age


def _signed_in(plan: SignIn, connection: Any) -> Diagnosis:
    user = plan.arguments.get("user", connection.user)
    if plan.alone:
        return Diagnosis("WARN", "sign-in", f"as {user}, with a password alone", SINGLE_FACTOR)
    return Diagnosis("OK", "sign-in", f"as {user} ({plan.way.lower()})")


def _role(role: str | None) -> Diagnosis:
    if not role:
        return Diagnosis("WARN", "role", "the service does not say which one is in use", "Set SNOWFLAKE_ROLE.")
    if role in SYSTEM_ROLES:
        return Diagnosis("WARN", "role", f"{role}, a role that every account has", OWN_ROLE)
    return Diagnosis("OK", "role", role)


def _place(
    ask: Questions, settings: Settings, role: str | None, database: object, schema: object
) -> Iterator[Diagnosis]:
    """What the session really uses: the service drops a name that the role may not use, without a word."""
    if not database:
        wanted = settings.get("SNOWFLAKE_DATABASE")
        remedy = or_granted("Correct SNOWFLAKE_DATABASE", f"USAGE ON DATABASE {wanted}", role)
        yield Diagnosis("FAIL", "database", f"{wanted}: not there, or {role or 'the role'} may not use it", remedy, 3)
        return
    yield Diagnosis("OK", "database", str(database))
    yield Diagnosis("OK", "schema", str(schema)) if schema else _without_schema(ask, settings, role)


def _without_schema(ask: Questions, settings: Settings, role: str | None) -> Diagnosis:
    """A schema that is missing or hidden: the service does not say which, and a run creates it where the role may."""
    database, schema = (sql.identifier(settings.require(name), name) for name in _PLACE)
    text = f"{settings.get('SNOWFLAKE_SCHEMA')} is not there, or not for {role or 'the role'}"
    remedy = hidden_schema(f"{database}.{schema}", role, makes=False)
    if _may_create_a_schema(ask, role, database):
        return Diagnosis("WARN", "schema", f"{text}; if it is not there, the first run makes it", remedy)
    return Diagnosis("FAIL", "schema", text, remedy, 6)


def _may_create_a_schema(ask: Questions, role: str | None, database: str) -> bool:
    """True also where it is not known."""
    grants = Grants(ask.rows)
    try:
        grants.read(role or "PUBLIC")
        grants.read("PUBLIC")
    except WarehouseError:
        return True
    return not role or grants.allow("CREATE SCHEMA", bare_name(database))


def _examine_schema(
    ask: Questions, role: str | None, tables: OurTables, days: Mapping[str, date], *, stages: bool
) -> Iterator[Diagnosis]:
    prefix, wanted = tables.prefix, wanted_on(tables.prefix, tables)
    present = {name for name in wanted if ask.described(name)}
    altered = {table.name: _alterations(ask, table) for table in tables.all if table.name in present}
    hidden = _why_hidden(ask, tables, present, days)

    def missing(name: str) -> Diagnosis:
        return not_seen(role, name, wanted[name], hidden.get(name, ""))

    shapes = list(
        examine_tables(
            tables.all,
            ask.columns,
            snowflake_type,
            missing,
            lambda table: obstacles(table, ask.described(table.name), ask.views),
        )
    )
    fence = Fence(prefix, TableOptions())
    shapes.extend(
        _fence(ask, fence) if fence.name in present else [missing(fence.name)] if fence.name in hidden else []
    )
    if role:
        yield from examine_privileges(ask.rows, role, needs_of_a_run(prefix, tables, present, altered, stages=stages))
    else:
        yield Diagnosis("SKIP", "privileges", "were not looked at: the role is not known")
    yield from shapes


def _alterations(ask: Questions, table: sql.Table) -> list[str]:
    """What a run would alter; nothing where it ends before."""
    described = ask.described(table.name)
    try:
        return [] if any(obstacles(table, described, ask.views)) else alterations(table, described)
    except WarehouseError:
        return []


def _why_hidden(ask: Questions, tables: OurTables, present: set[str], days: Mapping[str, date]) -> dict[str, str]:
    """Why a table that is not seen may be there: days were loaded into it, or other tables of a run are seen.

    A dataset's table that lacks columns is one of stockpipe 1, which had no others.
    """
    hidden = {table.name: _LOADED for name, table in tables.datasets.items() if name in days}
    beside = {tables.runs.name, tables.rejects.name, Fence(tables.prefix, TableOptions()).name}
    complete = any(
        ask.columns(table.name).keys() >= {column.name for column in table.columns}
        for table in tables.datasets.values()
    )
    return hidden | (dict.fromkeys(beside, _OTHERS) if present & beside or complete else {})


def _fence(ask: Questions, fence: Fence) -> Iterator[Diagnosis]:
    """A FAIL for a fence that lets everybody through, or is a view; a count of all rows wakes no warehouse."""
    if is_view(fence.name, ask.views):
        yield Diagnosis("FAIL", "table", *a_view(fence.name), exit_code=6)
        return
    try:
        fence.must_hold(ask.rows(f"SELECT count(*) FROM {fence.name}"))
    except WarehouseError as error:
        if fence.fill in error.hint:
            yield failed("fence", error)


def _last_days(
    ask: Questions, runs: sql.Table, today: date, *, computes: bool
) -> tuple[dict[str, date], list[Diagnosis]]:
    """The last day of each dataset that was published, and the finding about the age of the newest."""
    if not computes:
        return {}, [Diagnosis("SKIP", "last day", "not looked at: there is no warehouse to ask with")]
    if not ask.columns(runs.name):
        return {}, []
    try:
        days = {str(name): day for name, day in ask.rows(last_days_sql(runs))}
    except WarehouseError as error:
        return {}, [failed("last day", error)]
    return days, [examine_age(max(days.values(), default=None), today)]
