"""A warehouse's life: suspended, out of quota, with a queue before it, slow."""

from __future__ import annotations

import re

from snowflake_gate.account_state import Warehouse
from snowflake_gate.answers import Refusal
from snowflake_gate.session import Session
from snowflake_gate.statements import Kind, Statement

_FROM = re.compile(r"\bFROM\s+(?!VALUES\b|@|TABLE\s*\()", re.IGNORECASE)
_NO_WAREHOUSE = (
    "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command."
)


class Warehouses:
    """Those of an account that are not simply ready; and whether reading a table asks for one."""

    def __init__(self) -> None:
        self.states: dict[str, Warehouse] = {}
        self.needed_for_reading = False

    def needs(self, statement: Statement) -> bool:
        """Whether a statement computes."""
        if statement.kind in (Kind.LOCKING, Kind.ADDING):
            return True
        if "GENERATOR(" in statement.sql.upper():
            return True
        if not self.needed_for_reading:
            return False
        if statement.word == "CREATE":
            return bool(re.search(r"\bTABLE\b.*\bAS\s+SELECT\b", statement.sql, re.IGNORECASE | re.DOTALL))
        return statement.word in ("SELECT", "WITH") and bool(_FROM.search(statement.sql))

    async def use(self, session: Session) -> None:
        """Wait as long as the session's warehouse takes, or be refused by it."""
        if session.warehouse is None:
            raise Refusal(606, _NO_WAREHOUSE, "57P03")
        if not (state := self.states.get(session.warehouse)):
            return
        if state.monitor:
            raise Refusal(
                90073,
                f"Warehouse '{session.warehouse}' cannot be resumed because resource monitor '{state.monitor}' has "
                "exceeded its quota.",
                "57014",
            )
        if state.suspended and not state.auto_resume:
            raise Refusal(606, _NO_WAREHOUSE, "57P03")
        state.suspended = False
        await session.pause(state.queue, "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS")
        await session.pause(state.slow)
