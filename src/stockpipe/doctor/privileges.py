"""The privileges of a role, its own and those of the roles that were granted to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stockpipe.doctor.finding import Finding
from stockpipe.errors import WarehouseError
from stockpipe.warehouse import sql
from stockpipe.warehouse.ddl import FENCE_TABLE

_MOST_ROLES = 50
_PUBLISH = ("SELECT", "INSERT", "DELETE")
_RECORD = ("SELECT", "INSERT")
_FENCE = ("SELECT", "UPDATE")

Ask = Callable[[str], list[tuple[Any, ...]]]
Grants = set[tuple[str, str]]
"""Privilege, and the name of the object without quotes."""


def examine_privileges(
    ask: Ask, role: str, prefix: str, tables: list[sql.Table], *, some_missing: bool
) -> Iterator[Finding]:
    """One finding for each object of which a run needs something. `prefix` is database and schema with a dot behind."""
    try:
        grants = _grants(ask, role)
    except WarehouseError as error:
        yield Finding("WARN", "privileges", f"could not be listed: {error.message}", "stockpipe schema --grants prints what is needed.")  # fmt: skip
        return
    schema = prefix.rstrip(".")
    wanted = ["CREATE STAGE", *(["CREATE TABLE"] if some_missing else [])]
    yield _judged(grants, role, "SCHEMA", schema, wanted)
    if some_missing:
        return
    needs = zip((*(table.name for table in tables), f'{prefix}"{FENCE_TABLE}"'), (_PUBLISH, _RECORD, _RECORD, _FENCE), strict=True)  # fmt: skip
    for name, privileges in needs:
        yield _judged(grants, role, "TABLE", name, list(privileges))


def _judged(grants: Grants, role: str, kind: str, name: str, wanted: list[str]) -> Finding:
    bare = name.replace('"', "")
    owned = ("OWNERSHIP", bare) in grants
    lacking = [privilege for privilege in wanted if not owned and (privilege, bare) not in grants]
    what = f"{', '.join(wanted)} on {bare}"
    if not lacking:
        return Finding("OK", "privileges", what)
    grant = f"GRANT {', '.join(lacking)} ON {kind} {name} TO ROLE {role};"
    return Finding("FAIL", "privileges", f"{role} lacks {', '.join(lacking)} on {bare}", grant, 6)


def _grants(ask: Ask, role: str) -> Grants:
    """What a role may do, by itself and by the roles and database roles below it."""
    grants: Grants = set()
    todo, seen = [f'ROLE "{role}"'], set[str]()
    while todo and len(seen) < _MOST_ROLES:
        asked = todo.pop()
        seen.add(asked)
        # created_on, privilege, granted_on, name, ...
        for _, privilege, granted_on, name, *_ in ask(f"SHOW GRANTS TO {asked}"):
            bare = str(name).replace('"', "")
            grants.add((str(privilege), bare))
            if granted_on in ("ROLE", "DATABASE_ROLE"):
                quoted = ".".join(f'"{part}"' for part in bare.split("."))
                todo += {f"{str(granted_on).replace('_', ' ')} {quoted}"} - seen
    return grants
