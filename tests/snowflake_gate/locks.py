"""Table locks: taken by UPDATE, DELETE and MERGE, held until the transaction ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from snowflake_gate.answers import Refusal
from snowflake_gate.session import Session

_MOST_WAITERS = 20


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
        self._refuse_hopeless(session, table)
        try:
            while self.blocked(session, table):
                self.waiting[session.id] = table
                await self._wait(session, table, deadline)
        finally:
            self.waiting.pop(session.id, None)
        self.owners[table] = session

    def _refuse_hopeless(self, session: Session, table: str) -> None:
        """The service lets 20 wait for a lock, and ends the statement that closes a circle of waiters."""
        if not self.blocked(session, table):
            return
        name = table.rpartition(".")[2]
        if list(self.waiting.values()).count(table) >= _MOST_WAITERS:
            raise Refusal(
                625, f"The number of waiters for the lock on table '{name}' exceeds {_MOST_WAITERS}.", "57014"
            )
        owner: Session | None = self.owners[table]
        while owner and owner.id in self.waiting:
            owner = self.owners.get(self.waiting[owner.id])
            if owner is session:
                raise Refusal(625, f"Waiting for table '{name}' would be a deadlock. [stand-in]", "57014")

    async def _wait(self, session: Session, table: str, deadline: float) -> None:
        owner = self.owners[table]
        now = time.monotonic()
        session.refuse_when_ended()
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
        until = min(deadline, session.deadline, max(owner.last_seen + self.idle_abort, now + 0.02))
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
