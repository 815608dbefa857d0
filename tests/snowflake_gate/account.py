"""What the service knows besides data: users, roles, warehouses, grants; statements answered from that."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from snowflake_gate.account_state import Warehouse
from snowflake_gate.answers import DONE, Refusal, table_sql, text
from snowflake_gate.privileges import Privileges
from snowflake_gate.session import Session
from snowflake_gate.statements import NAME, qualified
from snowflake_gate.users import User
from snowflake_gate.warehouses import Warehouses

_GRANT = re.compile(
    rf"GRANT\s+(?P<what>.+?)\s+ON\s+(?P<future>FUTURE\s+|ALL\s+)?(?P<kind>[A-Z]+)\s+(?P<in>IN\s+\w+\s+)?"
    rf"(?P<name>{NAME})\s+TO\s+(?:ROLE\s+)?(?P<role>{NAME})",
    re.IGNORECASE | re.DOTALL,
)
_GRANT_ROLE = re.compile(rf"GRANT\s+ROLE\s+(?P<name>{NAME})\s+TO\s+ROLE\s+(?P<role>{NAME})", re.IGNORECASE)
_GRANT_COLUMNS = [
    "created_on",
    "privilege",
    "granted_on",
    "name",
    "granted_to",
    "grantee_name",
    "grant_option",
    "granted_by",
]
_SET = re.compile(r"([A-Z_]+)\s*=\s*('(?:[^']|'')*'|[^\s,;]+)", re.IGNORECASE)
_FUNCTIONS = re.compile(
    r"\b(CURRENT_WAREHOUSE|CURRENT_ROLE|CURRENT_USER|CURRENT_ACCOUNT|CURRENT_SECONDARY_ROLES|CURRENT_SESSION|CURRENT_REGION"
    r"|CURRENT_DATABASE|CURRENT_SCHEMA|LAST_QUERY_ID|CURRENT_TRANSACTION)\s*\(\s*\)",
    re.IGNORECASE,
)
_MISSING = "SQL compilation error:\nObject does not exist, or operation cannot be performed."


@dataclass
class Canned:
    match: re.Pattern[str]
    sql: str


@dataclass
class Account:
    name: str
    users: dict[str, User]
    roles: set[str]
    warehouses: set[str]
    grants: list[str] = field(default_factory=list)  # the statements, as they came
    canned: list[Canned] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)  # which sessions inherit
    life: Warehouses = field(default_factory=Warehouses)
    privileges: Privileges = field(default_factory=Privileges)

    def answer(self, session: Session, sql: str) -> str | None:
        """SQL that gives the answer, for a statement that fakesnow does not know; None for all others."""
        for canned in self.canned:
            if canned.match.search(sql):
                return canned.sql
        for pattern, act in _STATEMENTS:
            if found := pattern.match(sql):
                return act(self, session, found)
        return None

    def fill_in(self, session: Session, sql: str) -> str:
        """Context functions, as literals."""
        return _FUNCTIONS.sub(lambda found: self._value(session, found[1].upper()), sql) if "(" in sql else sql

    def _value(self, session: Session, function: str) -> str:
        connection = session.connection
        values = {
            "CURRENT_WAREHOUSE": session.warehouse,
            "CURRENT_ROLE": session.role,
            "CURRENT_USER": session.user,
            "CURRENT_ACCOUNT": self.name.upper(),
            "CURRENT_SECONDARY_ROLES": '{"roles":"","value":""}',
            "CURRENT_SESSION": str(session.id),
            "CURRENT_REGION": "LOCAL",
            "CURRENT_DATABASE": connection.database if connection.database_set else None,
            "CURRENT_SCHEMA": connection.schema if connection.schema_set else None,
            "LAST_QUERY_ID": session.last_query_id or None,
            "CURRENT_TRANSACTION": str(session.id) if session.transaction else None,
        }
        return text(values[function])

    def grant_rows(self, role: str | None = None) -> list[list[object]]:
        """As SHOW GRANTS TO ROLE lists them: a line for each privilege, names without needless quotes."""
        rows: list[list[object]] = []
        for grant in self.grants:
            if found := _GRANT.match(grant):
                kind = found["kind"].upper().removesuffix("S") if found["future"] else found["kind"].upper()
                granted = [(what.strip().upper(), kind) for what in found["what"].split(",")]
            elif found := _GRANT_ROLE.match(grant):
                granted = [("USAGE", "ROLE")]
            else:
                continue
            name, grantee = (qualified(found[part], None, None).strip(".") for part in ("name", "role"))
            if role in (None, grantee):
                rows += [
                    ["2026-01-01 00:00:00", what, kind, name, "ROLE", grantee, "false", "SECURITYADMIN"]
                    for what, kind in granted
                ]
        return rows


def _alter_session(_: Account, session: Session, found: re.Match[str]) -> str:
    for name, value in _SET.findall(found["rest"]):
        plain = value[1:-1].replace("''", "'") if value.startswith("'") else value
        session.parameters[name.upper()] = plain
    return DONE


def _unset_session(_: Account, session: Session, found: re.Match[str]) -> str:
    for name in re.findall(r"\w+", found["rest"]):
        session.parameters.pop(name.upper(), None)
        session.parameters |= {key: value for key, value in session.inherited.items() if key == name.upper()}
    return DONE


def _plain(found: re.Match[str]) -> str:
    return qualified(found["name"], None, None).strip(".")


def _use_role(account: Account, session: Session, found: re.Match[str]) -> str:
    if _plain(found) not in account.roles:
        raise Refusal(2043, _MISSING, "02000")
    session.role = _plain(found)
    return DONE


def _use_warehouse(account: Account, session: Session, found: re.Match[str]) -> str:
    if _plain(found) not in account.warehouses:
        raise Refusal(2043, _MISSING, "02000")
    session.warehouse = _plain(found)
    return DONE


def _grant(account: Account, _: Session, found: re.Match[str]) -> str:
    account.grants.append(found[0])
    return DONE


def _create(account: Account, session: Session, found: re.Match[str]) -> str:
    name, kind = _plain(found), found["kind"].upper()
    if kind == "WAREHOUSE":
        account.warehouses.add(name)
        session.warehouse = name
    elif kind == "ROLE":
        account.roles.add(name)
    elif name not in account.users:  # IF NOT EXISTS leaves one that is there as it is
        account.users[name] = User(name)
        _set_key(account.users[name], found["rest"])
    return DONE


def _alter(account: Account, _: Session, found: re.Match[str]) -> str:
    name, kind = _plain(found), found["kind"].upper()
    known = {"WAREHOUSE": account.warehouses, "ROLE": account.roles, "USER": set(account.users)}[kind]
    if name not in known:
        raise Refusal(
            2003,
            f"SQL compilation error:\n{kind.title()} '{name}' does not exist or not authorized.",
            "02000",
        )
    if kind == "USER":
        _set_key(account.users[name], found["rest"])
    if kind == "WAREHOUSE":
        account.life.states.setdefault(name, Warehouse()).alter(found["rest"])
    return DONE


def _set_key(user: User, rest: str) -> None:
    if key := re.search(r"RSA_PUBLIC_KEY\s*=\s*'([^']+)'", rest, re.IGNORECASE):
        user.set_rsa_public_key(key[1])


def _show_grants(account: Account, _: Session, found: re.Match[str]) -> str:
    role = re.search(rf"TO\s+(?:DATABASE\s+)?ROLE\s+(?P<name>{NAME})", found["rest"], re.IGNORECASE)
    return table_sql(_GRANT_COLUMNS, account.grant_rows(_plain(role) if role else None))


def _nothing(_: Account, __: Session, ___: re.Match[str]) -> str:
    return DONE


_Act = Callable[[Account, Session, "re.Match[str]"], str]
_OBJECT = rf"(?P<kind>WAREHOUSE|ROLE|USER)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<name>{NAME})(?P<rest>.*)"
_STATEMENTS: list[tuple[re.Pattern[str], _Act]] = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), act)
    for pattern, act in (
        (r"ALTER\s+SESSION\s+SET\s+(?P<rest>.*)", _alter_session),
        (r"ALTER\s+SESSION\s+UNSET\s+(?P<rest>.*)", _unset_session),
        (r"USE\s+SECONDARY\s+ROLES?\b.*", _nothing),
        (rf"USE\s+ROLE\s+(?P<name>{NAME})", _use_role),
        (rf"USE\s+WAREHOUSE\s+(?P<name>{NAME})", _use_warehouse),
        (r"(?:GRANT|REVOKE)\s.*", _grant),
        (rf"CREATE\s+(?:OR\s+REPLACE\s+)?{_OBJECT}", _create),
        (rf"ALTER\s+{_OBJECT}", _alter),
        (rf"DROP\s+{_OBJECT}", _nothing),
        (r"SHOW\s+GRANTS\b(?P<rest>.*)", _show_grants),
    )
]
