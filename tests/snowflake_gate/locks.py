"""Table locks: taken by UPDATE, DELETE and MERGE, held until the transaction ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from snowflake_gate.answers import Refusal
from snowflake_gate.session import Session


class LockTable:
    def __init__(self, timeout: float, idle_abort: float) -> None:
        self.timeout = timeout  # the service's LOCK_TIMEOUT: 12 hours there
        self.idle_abort = idle_abort  # the service aborts an idle transaction that blocks others after 5 minutes
        self.owners: dict[str, Session] = {}
        self.waiting: dict[int, str] = {}  # session id -> table: a test can see that somebody waits
        self.abort: Callable[[Session], None] = lambda _: None
        self._changed = asyncio.Event()

    def holds(self, session: Session, table: str) -> bool:
        return self.owners.get(table) is session

    def blocked(self, session: Session, table: str) -> bool:
        return self.owners.get(table, session) is not session

    async def acquire(self, session: Session, table: str) -> None:
        deadline = time.monotonic() + session.lock_timeout(self.timeout)
        try:
            while self.blocked(session, table):
                self.waiting[session.id] = table
                await self._wait(session, table, deadline)
        finally:
            self.waiting.pop(session.id, None)
        self.owners[table] = session

    async def _wait(self, session: Session, table: str, deadline: float) -> None:
        owner = self.owners[table]
        now = time.monotonic()
        if session.cancelled:
            raise Refusal(604, "SQL execution canceled", "57014")
        if not owner.busy.locked() and now - owner.last_seen >= self.idle_abort:
            self.abort(owner)
            return
        if now >= deadline:
            raise Refusal(
                625,
                f"Statement '{owner.query_id}' has locked table '{table.rpartition('.')[2]}' "
                f"in transaction {owner.id} and this lock has not yet been released.",
                "57014",
            )
        until = min(deadline, max(owner.last_seen + self.idle_abort, now + 0.02))
        try:
            await asyncio.wait_for(self._changed.wait(), until - now)
        except TimeoutError:
            return

    def release(self, session: Session, table: str) -> None:
        if self.holds(session, table):
            del self.owners[table]
            self.wake()

    def release_all(self, session: Session) -> None:
        for table in [table for table, owner in self.owners.items() if owner is session]:
            self.release(session, table)

    def wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
