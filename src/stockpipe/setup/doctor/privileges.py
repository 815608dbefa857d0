"""What a run needs on each object, which is the table of docs/snowflake.md, and whether the role has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from stockpipe.errors import WarehouseError
from stockpipe.setup.doctor.diagnosis import Diagnosis
from stockpipe.setup.doctor.grants import Ask, Grants, bare_name
from stockpipe.setup.doctor.tables import OurTables
from stockpipe.warehouse.dialect import FENCE_TABLE
from stockpipe.warehouse.snowflake.privileges import OWN_ROLE, SYSTEM_ROLES, role_word
from stockpipe.warehouse.snowflake.shape import for_its_owner

_ALL = "stockpipe schema --grants prints all that is needed."
_WITHOUT = {
    "CREATE STAGE": " Without it a run loads by INSERT, which keeps the warehouse busy for longer, and says so "
    "(STOCKPIPE_LOAD_METHOD=insert does so without the warning).",
    "CREATE VIEW": " Without it a run makes no views, says so, and goes on.",
}


@dataclass(frozen=True)
class Need:
    """What a run needs on one object: its kind, its quoted name, the privileges. Without an `optional` one it goes on.

    `alterations` are the statements for which it would have to own a table.
    """

    kind: str
    name: str
    privileges: tuple[str, ...]
    optional: bool = False
    alterations: tuple[str, ...] = ()

    @property
    def bare(self) -> str:
        """The name without quotes, as the list of grants is compared."""
        return bare_name(self.name)


def wanted_on(prefix: str, tables: OurTables) -> dict[str, tuple[str, ...]]:
    """The privileges that publishing asks for on each of our tables, by quoted name; the fence is the last."""
    wanted: dict[str, tuple[str, ...]] = {
        table.name: ("SELECT", "INSERT", "DELETE", *(("UPDATE",) if table.has_versions else ()))
        for table in tables.datasets.values()
    }
    wanted |= {table.name: ("SELECT", "INSERT") for table in (tables.runs, tables.rejects)}
    return wanted | {f'{prefix}"{FENCE_TABLE}"': ("SELECT", "UPDATE")}


def not_seen(role: str | None, name: str, privileges: tuple[str, ...], why: str = "") -> Diagnosis:
    """For a table that the service does not show; `why` says why it may be there all the same, and hidden."""
    text = f"{name} is not there, or {role or 'the role'} may not see it"
    if not why:
        return Diagnosis("OK", "table", f"{text}; the first run makes it")
    remedy = _remedy(list(privileges), role, Need("TABLE", name, privileges))
    return Diagnosis("WARN", "table", f"{text}, {why}", f"If it is there: {remedy} If not, the next run makes it.")


def needs_of_a_run(
    prefix: str, tables: OurTables, present: set[str], altered: Mapping[str, list[str]], *, stages: bool
) -> Iterator[Need]:
    """What a run will ask for in the schema of `prefix`.

    `present` are the tables that are there, `altered` the statements with which it completes one of them; `stages` says
    that it loads by PUT and COPY.
    """
    wanted, schema = wanted_on(prefix, tables), prefix.rstrip(".")
    if stages:
        yield Need("SCHEMA", schema, ("CREATE STAGE",), optional=True)
    if wanted.keys() - present:
        yield Need("SCHEMA", schema, ("CREATE TABLE",))
    # Views are created beside a new table of a dataset, or of the runs.
    if not {table.name for table in (*tables.datasets.values(), tables.runs)} <= present:
        yield Need("SCHEMA", schema, ("CREATE VIEW",), optional=True)
    for name, privileges in wanted.items():
        if name in present:
            statements = tuple(altered.get(name, ()))
            owned = ("OWNERSHIP",) if statements else ()
            yield Need("TABLE", name, (*privileges, *owned), alterations=statements)


def examine_privileges(ask: Ask, role: str, needs: Iterable[Need]) -> Iterator[Diagnosis]:
    """One finding for each object of which a run needs something."""
    grants, needs = Grants(ask), list(needs)
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
    granted = [privilege for privilege in lacking if privilege != "OWNERSHIP"]
    owner = for_its_owner(need.alterations) if len(granted) < len(lacking) else ""
    grant = f"GRANT {', '.join(granted)} ON {need.kind} {need.name} TO ROLE {role_word(role)};" if granted else ""
    return " ".join(filter(None, (owner, grant))) + "".join(_WITHOUT.get(privilege, "") for privilege in lacking)
