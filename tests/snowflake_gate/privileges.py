"""Grants that are enforced, for the statements that stockpipe sends. Off until a test switches it on.

A role has what was granted to it and what it created; ACCOUNTADMIN has everything. Roles inherit nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp, parse_one

from snowflake_gate.answers import Refusal
from snowflake_gate.session import Session
from snowflake_gate.statements import NAME, Statement, qualified

Row = list[object]  # of SHOW GRANTS: ..., privilege, kind, name, ...
_CREATE = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?(?P<kind>TABLE|VIEW|SCHEMA)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})",
    re.IGNORECASE,
)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+TABLE\s+(?P<name>{NAME})", re.IGNORECASE)
_WANTED = {
    "UPDATE": ("UPDATE", "SELECT"),
    "DELETE": ("DELETE", "SELECT"),
    "INSERT": ("INSERT",),
    "COPY": ("INSERT",),
    "ALTER": ("OWNERSHIP",),
    "DROP": ("OWNERSHIP",),
    "TRUNCATE": ("TRUNCATE",),
}


@dataclass
class Privileges:
    enforced: bool = False
    owners: dict[str, str] = field(default_factory=dict)  # full name -> role

    def check(self, session: Session, statement: Statement, grants: list[Row]) -> None:
        """Refuse what the session's role may not do, in the service's words."""
        if not self.enforced or session.role == "ACCOUNTADMIN":
            return
        for name, wanted in _demands(session, statement):
            self._in_use(session, name, grants)
            held = self._held(session, name, grants)
            if not held:
                raise _unseen("Object", name)
            if wanted and not {"OWNERSHIP", wanted} & held:
                raise _lacking("table", name)
        if found := _CREATE.match(statement.sql):
            self._may_create(session, found["kind"].upper(), _full(session, found["name"], found["kind"]), grants)

    def created(self, session: Session, statement: Statement) -> None:
        """Who creates something owns it."""
        if found := _CREATE.match(statement.sql):
            self.owners.setdefault(_full(session, found["name"], found["kind"]), str(session.role))

    def usable(self, role: str | None, name: str, grants: list[Row]) -> bool:
        """Whether a role may use a database (`D`) or a schema (`D.S`)."""
        owned = self.owners.get(name) == role
        return not self.enforced or role == "ACCOUNTADMIN" or owned or "USAGE" in _granted(name, grants)

    def _in_use(self, session: Session, name: str, grants: list[Row]) -> None:
        database, schema, _ = name.split(".", 2)
        for place in (database, f"{database}.{schema}"):
            if not self.usable(session.role, place, grants):
                raise _unseen("Schema" if "." in place else "Database", place)

    def _held(self, session: Session, name: str, grants: list[Row]) -> set[str]:
        """On a table or a view; a grant on all or future ones of a schema counts for each."""
        held = _granted(name, grants) | (_granted(name.rpartition(".")[0], grants, "TABLE", "VIEW"))
        return held | ({"OWNERSHIP"} if self.owners.get(name) == session.role else set())

    def _may_create(self, session: Session, kind: str, name: str, grants: list[Row]) -> None:
        place = name.rpartition(".")[0]
        parts = place.split(".")
        for used in (parts[0], place):
            if not self.usable(session.role, used, grants):
                raise _unseen("Schema" if "." in used else "Database", used)
        if self.owners.get(place) != session.role and f"CREATE {kind}" not in _granted(place, grants):
            raise _lacking("schema" if kind != "SCHEMA" else "database", place)


def _demands(session: Session, statement: Statement) -> Iterator[tuple[str, str]]:
    """Full names, each with the privilege that it takes: "" for any."""
    if found := _DESCRIBE.match(statement.sql):
        yield _full(session, found["name"]), ""
    elif statement.target and statement.word in _WANTED:
        for privilege in _WANTED[statement.word]:
            yield _full(session, statement.target), privilege
    elif statement.word in ("SELECT", "WITH"):
        tree = parse_one(statement.sql, read="snowflake")
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = ".".join(part.sql(dialect="snowflake") for part in table.parts)
            if name not in own and "INFORMATION_SCHEMA" not in name.upper() and not name.startswith("@"):
                yield _full(session, name), "SELECT"


def _full(session: Session, name: str, kind: str = "TABLE") -> str:
    connection = session.connection
    if kind.upper() == "SCHEMA":
        return qualified(name, None, connection.database).removeprefix(".")
    return qualified(name, connection.database, connection.schema)


def _granted(name: str, grants: list[Row], *kinds: str) -> set[str]:
    """What a role was granted on an object, or on those of some kinds in it."""
    chosen = (row for row in grants if row[3] == name)
    return {str(row[1]) for row in chosen if not kinds or row[2] in kinds}


def _unseen(kind: str, name: str) -> Refusal:
    return Refusal(2003, f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.", "02000")


def _lacking(kind: str, name: str) -> Refusal:
    message = f"SQL access control error:\nInsufficient privileges to operate on {kind} '{name.rpartition('.')[2]}'"
    return Refusal(3001, message, "42501")
