"""A Snowflake account: sign-in, what is in use, privileges, tables. Only SELECT, SHOW and DESCRIBE are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any

from stockpipe.errors import StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed
from stockpipe.setup.doctor.privileges import Need, examine_privileges, needs_of_a_run, not_seen, wanted_on
from stockpipe.setup.doctor.session import Questions
from stockpipe.setup.doctor.tables import OurTables, examine_age, examine_tables, may_alter
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import TableOptions, snowflake_type
from stockpipe.warehouse.history import last_day_sql
from stockpipe.warehouse.snowflake.fence import Fence
from stockpipe.warehouse.snowflake.privileges import OWN_ROLE, SYSTEM_ROLES, or_granted, stored_role
from stockpipe.warehouse.snowflake.session import open_session, session_plan
from stockpipe.warehouse.snowflake.signin import SINGLE_FACTOR, SignIn

_PLACE = ("SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA")


def examine_account(settings: Settings, today: date) -> Iterator[Diagnosis]:
    """Findings about the account that the settings name; `today` is New York's."""
    prefix = ".".join(sql.identifier(settings.require(name), name) for name in _PLACE) + "."
    plan, tables = session_plan(settings), OurTables.of(settings, prefix)
    TableOptions.of(settings)  # a run refuses what it refuses
    stages = settings.load_method == "copy"
    try:
        connection = open_session(plan, warns=False)
    except StockpipeError as error:
        yield failed("sign-in", error)
        yield Diagnosis("SKIP", "warehouse", "role, privileges and tables were not looked at: the sign-in failed")
        return
    with closing(connection):
        ask = Questions(connection)
        yield _signed_in(plan, connection)
        told, *places = ask.in_use()
        role = stored_role(settings.get("SNOWFLAKE_ROLE"), told) if told else None
        yield _role(role)
        yield from _places(settings, role, places)
        warehouse, database, schema = places
        if database and schema:
            yield from _examine_schema(ask, role, prefix, tables, stages=stages)
            yield from _last_day(ask, warehouse, tables.runs, today)
        else:
            yield from _without_schema(ask, role, database, prefix)


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


def _examine_schema(
    ask: Questions, role: str | None, prefix: str, tables: OurTables, *, stages: bool
) -> Iterator[Diagnosis]:
    wanted = wanted_on(prefix, tables)
    described = {name: ask.columns(name) for name in wanted}
    present = {name for name, columns in described.items() if columns}

    def missing(name: str) -> Diagnosis:
        return not_seen(role, name, wanted[name], others=bool(present))

    shapes = list(examine_tables(tables.all, described.__getitem__, snowflake_type, missing))
    # The fence has no form to look at, and before the first run it is not worth a line.
    fence = next(reversed(wanted))
    if present and fence not in present:
        shapes.append(missing(fence))
    if fence in present:
        shapes.extend(_without_row(ask, Fence(prefix, TableOptions())))
    if role:
        altered = {table.name for table in tables.all if may_alter(table, described[table.name], snowflake_type)}
        yield from examine_privileges(ask.rows, role, needs_of_a_run(prefix, tables, present, altered, stages=stages))
    else:
        yield Diagnosis("SKIP", "privileges", "were not looked at: the role is not known")
    yield from shapes


def _without_row(ask: Questions, fence: Fence) -> Iterator[Diagnosis]:
    """A FAIL for a fence that lets everybody through; a count of all rows wakes no warehouse."""
    try:
        fence.must_hold(ask.rows(f"SELECT count(*) FROM {fence.name}"))
    except WarehouseError as error:
        if fence.fill in error.hint:
            yield failed("fence", error)


def _last_day(ask: Questions, warehouse: str | None, runs: sql.Table, today: date) -> Iterator[Diagnosis]:
    if not warehouse:
        yield Diagnosis("SKIP", "last day", "not looked at: there is no warehouse to ask with")
    elif ask.columns(runs.name):
        try:
            yield examine_age(ask.rows(last_day_sql(runs))[0][0], today)
        except WarehouseError as error:
            yield failed("last day", error)


def _without_schema(ask: Questions, role: str | None, database: str | None, prefix: str) -> Iterator[Diagnosis]:
    if database and role:
        name = prefix.rstrip(".").partition(".")[0]
        yield from examine_privileges(ask.rows, role, [Need("DATABASE", name, ("CREATE SCHEMA",))])
    yield Diagnosis("SKIP", "table", "tables were not looked at: there is no schema to look into")


def _places(settings: Settings, role: str | None, places: Sequence[object]) -> Iterator[Diagnosis]:
    """What the session really uses: the service drops a name that the role may not use, without a word."""
    for kind, setting, used in zip(
        ("warehouse", "database", "schema"),
        ("SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA"),
        places,
        strict=True,
    ):
        wanted = settings.get(setting)
        if used is not None:
            yield Diagnosis("OK", kind, str(used))
        elif kind == "schema" and wanted:
            yield Diagnosis("WARN", kind, f"{wanted} is not there, or not for {role}", "The first run makes it where the role may; or: stockpipe init --create")  # fmt: skip
        else:
            text = f"{wanted or 'none set'}: not there, or {role or 'the role'} may not use it"
            remedy = or_granted(f"Correct {setting}", f"USAGE ON {kind.upper()} {wanted or '...'}", role)
            if kind == "warehouse" and not role:  # who does not tell the role need not tell the warehouse
                yield Diagnosis("WARN", kind, text, remedy)
            else:
                yield Diagnosis("FAIL", kind, text, remedy, 3 if kind == "database" else 6)
