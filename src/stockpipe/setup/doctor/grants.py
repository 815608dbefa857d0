"""What a role may do: its own grants, those of the roles below it, and what the session gets besides.

Every role has what PUBLIC has. The service gives a user all other roles as secondary ones by default, and these allow
everything but CREATE (docs.snowflake.com, "USE SECONDARY ROLES").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from stockpipe.errors import WarehouseError

_MOST_ROLES = 50

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Asks a session; WarehouseError when the question is refused."""


class Grants:
    """The grants that were read so far. `whole` says that none was left out."""

    def __init__(self, ask: Ask) -> None:
        self.whole = True
        self._ask = ask
        # Pairs of a privilege and an object's name without quotes.
        self._own: set[tuple[str, str]] = set()
        self._lent: set[tuple[str, str]] = set()

    def allow(self, privilege: str, bare: str) -> bool:
        """Whether a privilege on an object is among them; who owns an object may do everything with it."""
        wanted = {(privilege, bare), ("OWNERSHIP", bare)}
        return bool(wanted & self._own or (wanted & self._lent and not privilege.startswith("CREATE")))

    def read(self, role: str) -> None:
        """Read what a role has, by itself and by the roles below it. WarehouseError when it may not be listed."""
        escaped = role.replace('"', '""')
        self._own.update(self._of(f'ROLE "{escaped}"'))

    def read_the_rest(self) -> None:
        """Read what is not granted to the role and still allowed in its session."""
        try:
            self.read("PUBLIC")
            # {"roles":"ANALYST,BASE","value":"ALL"}
            active = json.loads(self._ask("SELECT CURRENT_SECONDARY_ROLES()")[0][0])["roles"]
            for name in filter(None, active.split(",")):
                self._lent.update(self._of(f'ROLE "{name}"'))
        except (WarehouseError, ValueError, KeyError, TypeError, IndexError):
            self.whole = False

    def _of(self, first: str) -> Iterator[tuple[str, str]]:
        todo, seen = [first], {first}
        while todo:
            # created_on, privilege, granted_on, name, ...
            for _, privilege, kind, name, *_ in self._listed(todo.pop(), first):
                yield str(privilege), bare_name(str(name))
                below = f"{str(kind).replace('_', ' ')} {_quoted(str(name))}"
                # Who owns a role does not have what the role has.
                if kind not in ("ROLE", "DATABASE_ROLE") or privilege != "USAGE" or below in seen:
                    continue
                if len(seen) == _MOST_ROLES:
                    self.whole = False
                    return
                seen.add(below)
                todo.append(below)

    def _listed(self, role: str, first: str) -> list[tuple[Any, ...]]:
        try:
            return self._ask(f"SHOW GRANTS TO {role}")
        except WarehouseError:
            if role == first:
                raise
            self.whole = False
            return []


def bare_name(name: str) -> str:
    """A name without quotes, as grants are compared."""
    return name.replace('"', "")


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in bare_name(name).split("."))
