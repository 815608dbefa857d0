"""The service's transaction rules over DuckDB's: READ COMMITTED stands in for snapshots.

A transaction opens underneath only with its first write, after the write has its table's lock, so that
it sees what others committed while it waited. Later statements of a transaction that missed a commit are
given a fresh snapshot by rolling back and playing the writes again, where that gives the same rows; where
it would not (another session added rows to a table that this transaction updated, deleted from or
selected from) the old snapshot stays.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import duckdb
from sqlglot import exp, parse_one

from snowflake_gate.answers import CONFLICT, Answer, Refusal
from snowflake_gate.engine import Engine
from snowflake_gate.locks import LockTable
from snowflake_gate.session import Session, Transaction, Write
from snowflake_gate.statements import Kind, Statement, qualified

_CONFLICT = f"{CONFLICT:06d}"


class Transactions:
    def __init__(self, engine: Engine, locks: LockTable) -> None:
        self._engine = engine
        self._locks = locks
        self._version = 0
        self._changed: Counter[str] = Counter()  # table -> the version that last changed it
        self.host = ""
        locks.abort = self._abort

    def begin(self, session: Session) -> None:
        session.transaction = session.transaction or Transaction()

    async def commit(self, session: Session) -> None:
        transaction, session.transaction = session.transaction, None
        try:
            if transaction and transaction.open:
                await self._commit(session, transaction)
        finally:
            self._locks.release_all(session)

    async def _commit(self, session: Session, transaction: Transaction) -> None:
        try:
            session.connection.duck.commit()
        except duckdb.TransactionException:
            transaction.open = False
            await self._play_again(session, transaction)
            session.connection.duck.commit()
        self.note_change(write.table for write in transaction.writes)

    def note_change(self, tables: Any) -> None:
        self._version += 1
        self._changed.update({table: self._version - self._changed[table] for table in set(tables)})

    def rollback(self, session: Session) -> None:
        transaction, session.transaction = session.transaction, None
        if transaction:
            self._close(session, transaction)
        self._locks.release_all(session)

    def _abort(self, session: Session) -> None:
        self.rollback(session)
        session.aborted = True

    def _close(self, session: Session, transaction: Transaction) -> None:
        if transaction.open:
            transaction.open = False
            session.connection.duck.rollback()

    async def read(self, session: Session, body: dict[str, Any]) -> Answer:
        if session.transaction and session.transaction.open:
            await self._refresh(session, session.transaction)
        return await self._engine.run(session.connection, body, self.host)

    async def define(self, session: Session, statement: Statement, body: dict[str, Any]) -> Answer:
        """DDL: commits what is open, and waits for those who hold the table."""
        await self.commit(session)
        table = self._table(session, statement)
        if statement.target:
            await self._locks.acquire(session, table)
        try:
            answer = await self._insist(session, Transaction(), body)
            self.note_change([table])
        finally:
            self._locks.release_all(session)
        return answer

    async def write(self, session: Session, statement: Statement, body: dict[str, Any]) -> Answer:
        transaction = session.transaction or Transaction()
        if not session.autocommit:
            session.transaction = transaction
        table = self._table(session, statement)
        held = self._locks.holds(session, table)
        try:
            if statement.kind is Kind.LOCKING and await self._touches(session, statement, table):
                await self._locks.acquire(session, table)
            await self._refresh(session, transaction)
            answer = await self._insist(session, transaction, body)
            rows = self._rows(answer)
            if answer["success"] and (value := self._too_long(session, table)) is not None:
                raise Refusal(100078, f"String '{value}' is too long and would be truncated", "22000")
            if not answer["success"] or (statement.word in ("UPDATE", "DELETE", "MERGE") and rows == 0):
                await self._undo(session, transaction, table, held)
            else:
                transaction.writes.append(Write(body, table, statement.repeatable))
        except BaseException:
            await self._undo(session, transaction, table, held)
            raise
        if session.transaction is None:  # autocommit
            session.transaction = transaction
            await self.commit(session)
        return answer

    def _table(self, session: Session, statement: Statement) -> str:
        return qualified(statement.target, session.connection.database, session.connection.schema)

    def _too_long(self, session: Session, table: str) -> str | None:
        return self._engine.too_long(session.connection, table)

    async def _touches(self, session: Session, statement: Statement, table: str) -> bool:
        """Is there a row to change? Only then does the service wait for the table's lock."""
        if not self._locks.blocked(session, table) or not (count := statement.count_sql()):
            return True
        answer = await asyncio.to_thread(lambda: session.connection.cursor().execute(count).fetchall())
        return bool(answer[0][0])

    async def _undo(self, session: Session, transaction: Transaction, table: str, held: bool) -> None:
        """Takes one statement back, and leaves what the transaction did before it."""
        self._close(session, transaction)
        if transaction.writes:
            await self._play_again(session, transaction)
        if not held:
            self._locks.release(session, table)

    async def _refresh(self, session: Session, transaction: Transaction) -> None:
        if transaction.open and transaction.snapshot < self._version and self._repeatable(session, transaction):
            self._close(session, transaction)
        if not transaction.open:
            await self._play_again(session, transaction)

    async def _play_again(self, session: Session, transaction: Transaction) -> None:
        session.connection.duck.begin()
        transaction.open, transaction.snapshot = True, self._version
        for write in transaction.writes:
            answer = await self._engine.run(session.connection, write.body, self.host)
            if not answer["success"]:
                raise Refusal(603, f"the stand-in could not play again: {answer['message']}", "XX000")

    def _repeatable(self, session: Session, transaction: Transaction) -> bool:
        for write in transaction.writes:
            names = {write.table} if write.repeatable else self._names(session, write)
            if not write.repeatable and any(self._changed[name] > transaction.snapshot for name in names):
                return False
        return True

    @staticmethod
    def _names(session: Session, write: Write) -> set[str]:
        connection = session.connection
        tables = parse_one(write.body["sqlText"], read="snowflake").find_all(exp.Table)
        names = {".".join(part.sql(dialect="snowflake") for part in table.parts) for table in tables}
        return {qualified(name, connection.database, connection.schema) for name in names} | {write.table}

    async def _insist(self, session: Session, transaction: Transaction, body: dict[str, Any]) -> Answer:
        """Again while DuckDB sees a conflict that the service would not see."""
        deadline = time.monotonic() + session.lock_timeout(self._locks.timeout)
        while True:
            answer = await self._engine.run(session.connection, body, self.host)
            if answer.get("code") != _CONFLICT:
                return answer
            if session.cancelled or time.monotonic() > deadline:
                raise Refusal(625, f"The table is locked by another transaction ({answer['message']})", "57014")
            was_open = transaction.open
            self._close(session, transaction)
            await asyncio.sleep(0.01)
            if was_open:
                await self._play_again(session, transaction)

    @staticmethod
    def _rows(answer: Answer) -> int:
        data = answer.get("data") or {}
        if data.get("queryResultFormat") != "json" or not data.get("rowset"):
            return -1
        return sum(int(cell or 0) for cell in data["rowset"][0])
