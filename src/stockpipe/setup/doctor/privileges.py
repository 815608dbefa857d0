"""What a run needs on each object, which is the table of docs/snowflake.md, and whether the role has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stockpipe.errors import WarehouseError
from stockpipe.setup.doctor.diagnosis import Diagnosis
from stockpipe.setup.doctor.grants import Ask, Grants, bare_name
from stockpipe.setup.doctor.tables import OurTables
from stockpipe.warehouse.dialect import FENCE_TABLE
from stockpipe.warehouse.snowflake.privileges import OWN_ROLE, SYSTEM_ROLES, role_word

_ALL = "stockpipe schema --grants prints all that is needed."
_WITHOUT = {
    "CREATE STAGE": " Without it: STOCKPIPE_LOAD_METHOD=insert.",
    "CREATE VIEW": " Without it a run makes no views, says so, and goes on.",
}


@dataclass(frozen=True)
class Need:
    """What a run needs on one object: its kind, its quoted name, the privileges. Without an `optional` one it goes on."""

    kind: str
    name: str
    privileges: tuple[str, ...]
    optional: bool = False

    @property
    def bare(self) -> str:
        """The name without quotes, as the list of grants is compared."""
        return bare_name(self.name)


def wanted_on(prefix: str, tables: OurTables) -> dict[str, tuple[str, ...]]:
    """The privileges that publishing asks for on each of our tables, by quoted name; the fence is the last."""
    wanted: dict[str, tuple[str, ...]] = {table.name: ("SELECT", "INSERT", "DELETE") for table in tables.datasets}
    wanted |= {table.name: ("SELECT", "INSERT") for table in (tables.runs, tables.rejects)}
    return wanted | {f'{prefix}"{FENCE_TABLE}"': ("SELECT", "UPDATE")}


def not_seen(role: str | None, name: str, privileges: tuple[str, ...], *, others: bool) -> Diagnosis:
    """For a table that the service does not show; where it shows `others` of ours, one may be there and hidden."""
    text = f"{name} is not there, or {role or 'the role'} may not see it"
    if not others:
        return Diagnosis("OK", "table", f"{text}; the first run makes it")
    remedy = _remedy(list(privileges), role, Need("TABLE", name, privileges))
    return Diagnosis("WARN", "table", f"{text}, though it sees others of ours", f"If it is there: {remedy} If not, the next run makes it.")  # fmt: skip


def needs_of_a_run(prefix: str, tables: OurTables, present: set[str], altered: set[str], *, stages: bool) -> list[Need]:
    """What a run will ask for in the schema of `prefix`.

    `present` are the tables that are there, `altered` those it will change; `stages` says that it loads by PUT and COPY.
    """
    wanted = wanted_on(prefix, tables)
    makes = ("CREATE TABLE",) if wanted.keys() - present else ()
    schema = prefix.rstrip(".")
    creates = (*(("CREATE STAGE",) if stages else ()), *makes)
    needs = [Need("SCHEMA", schema, creates)] if creates else []
    # Views are created beside a new table of a dataset, or of the runs.
    if not {table.name for table in (*tables.datasets, tables.runs)} <= present:
        needs.append(Need("SCHEMA", schema, ("CREATE VIEW",), optional=True))
    for name, privileges in wanted.items():
        if name in present:
            needs.append(Need("TABLE", name, (*privileges, *(("OWNERSHIP",) if name in altered else ()))))
    return needs


def examine_privileges(ask: Ask, role: str, needs: list[Need]) -> Iterator[Diagnosis]:
    """One finding for each object of which a run needs something."""
    grants = Grants(ask)
    try:
        grants.read(role)
    except WarehouseError as error:
        yield Diagnosis("WARN", "privileges", f"could not be listed: {error.message}", _ALL)
        return
    if any(_lacking(grants, need) for need in needs):
        grants.read_the_rest()
    for need in needs:
        yield _judged(grants, role, need)


def _lacking(grants: Grants, need: Need) -> list[str]:
    return [privilege for privilege in need.privileges if not grants.allow(privilege, need.bare)]


def _judged(grants: Grants, role: str, need: Need) -> Diagnosis:
    lacking = _lacking(grants, need)
    if not lacking:
        return Diagnosis("OK", "privileges", f"{', '.join(need.privileges)} on {need.bare}")
    names = ", ".join(lacking)
    remedy = _remedy(lacking, role, need)
    if not grants.whole:
        text = f"{names} on {need.bare}: not seen among the grants of {role} and of the roles below it"
        return Diagnosis("WARN", "privileges", text, f"If a run is refused: {remedy}")
    text = f"{role} lacks {names} on {need.bare}"
    if need.optional:
        return Diagnosis("WARN", "privileges", text, remedy)
    return Diagnosis("FAIL", "privileges", text, remedy, 6)


def _remedy(lacking: list[str], role: str | None, need: Need) -> str:
    if role in SYSTEM_ROLES:
        return OWN_ROLE
    return _grant(lacking, role_word(role), need) + "".join(_WITHOUT.get(privilege, "") for privilege in lacking)


def _grant(lacking: list[str], to: str, need: Need) -> str:
    if "OWNERSHIP" in lacking:
        return f"Only its owner may alter a table: GRANT OWNERSHIP ON {need.kind} {need.name} TO ROLE {to} COPY CURRENT GRANTS;"
    return f"GRANT {', '.join(lacking)} ON {need.kind} {need.name} TO ROLE {to};"
