"""One statement, from its text to its answer."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

from snowflake_gate import parameters, parquet, stages
from snowflake_gate.account import Account
from snowflake_gate.answers import DONE, Answer, Refusal, text, unknown
from snowflake_gate.engine import Engine, has_public
from snowflake_gate.session import Session
from snowflake_gate.statements import NAME, Kind, Statement, how_many
from snowflake_gate.transactions import Transactions

_PREFIX = re.compile(r"\A\d{6} \(\w{5}\): ")  # the connector's own, which fakesnow's errors carry
_CREATE_DATABASE = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?DATABASE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})",
    re.IGNORECASE,
)
_ALLOWLIST = re.compile(r"SYSTEM\$ALLOWLIST(?:_PRIVATELINK)?\(\)", re.IGNORECASE)
_USE_DATABASE = re.compile(r"USE\s+(?:DATABASE\s+)?[\w$\"]+\s*;?\s*$", re.IGNORECASE)


class Runner:
    def __init__(self, engine: Engine, account: Account, transactions: Transactions) -> None:
        self._engine = engine
        self._account = account
        self._transactions = transactions
        self.storage = ""  # host and port, where it is not that of the account
        self.uploaded: list[dict[str, str]] = []  # declared types of Parquet files, where the gate keeps them

    async def run(self, session: Session, body: dict[str, Any], query_id: str) -> Answer:
        async with session.busy:
            self._engine.enter()
            session.query_id = session.connection.query_id = query_id
            session.cancelled = False
            session.last_seen = time.monotonic()
            kept = dict(session.parameters)
            session.parameters |= body.get("parameters") or {}  # for this statement only
            limit = session.seconds("STATEMENT_TIMEOUT_IN_SECONDS")
            session.deadline = time.monotonic() + limit if limit else float("inf")
            try:
                answer = await self._answer(session, body)
            except Refusal as refusal:
                answer = refusal.answer(query_id)
            except Exception as error:  # noqa: BLE001 - never HTTP 500: the connector would retry for minutes
                answer = unknown(error).answer(query_id)
            finally:
                for name in body.get("parameters") or {}:
                    session.parameters.pop(name, None)
                    session.parameters |= {name: kept[name]} if name in kept else {}
                session.last_seen = time.monotonic()
                session.last_query_id = query_id
        return self._completed(session, answer, query_id)

    async def _answer(self, session: Session, body: dict[str, Any]) -> Answer:
        self._refuse_several(session, body["sqlText"])
        statement = Statement.of(parameters.as_read(session.parameters, body["sqlText"]))
        self._refuse_after_abort(session, statement)
        privileges = self._account.privileges
        privileges.check(session, statement, self._account.grant_rows(session.role) if privileges.enforced else [])
        if body.get("describeOnly"):
            return await self._transactions.read(session, body)
        if statement.kind is Kind.DDL:
            await self._transactions.commit(session)
        own = self._account.answer(session, statement.sql) or stages.answer(session, statement.sql, self._engine)
        if own is not None:
            return await self._transactions.read(session, {**body, "sqlText": own, "bindings": None})
        if statement.kind in (Kind.BEGIN, Kind.COMMIT, Kind.ROLLBACK):
            return await self._transaction(session, statement.kind, body)
        sql = self._account.fill_in(session, stages.localized(session, statement.sql))
        sql = _ALLOWLIST.sub(lambda _: text(self._allowlist()), sql)
        if statement.word in ("SELECT", "WITH"):
            sql = parameters.as_answered(session.parameters, sql)
        parameters.refuse_unread(session.parameters, sql)
        body = {**body, "sqlText": sql}
        if self._account.life.needs(statement):
            await self._account.life.use(session)
        if statement.word == "COPY":
            for types in self.uploaded:
                parquet.refuse_misread(statement.sql, types)
        if statement.kind is Kind.DDL:
            answer = await self._transactions.define(session, statement, body)
            if answer["success"]:
                privileges.created(session, statement)
            return self._public(session, statement, answer)
        if statement.kind in (Kind.LOCKING, Kind.ADDING):
            return await self._transactions.write(session, statement, body)
        answer = await self._transactions.read(session, body)
        if statement.word == "PUT" and answer["success"]:
            stages.complete_put(session, statement.sql, answer["data"], self.storage or self._transactions.host)
        return self._public(session, statement, answer)

    def _allowlist(self) -> str:
        """The hosts that a firewall must let through, as JSON."""
        hosts = {"SNOWFLAKE_DEPLOYMENT": self._transactions.host, "STAGE": self.storage or self._transactions.host}
        parts = ((kind, *host.split(":")) for kind, host in hosts.items())
        return json.dumps([{"host": host, "port": int(port), "type": kind} for kind, host, port in parts])

    async def _transaction(self, session: Session, kind: Kind, body: dict[str, Any]) -> Answer:
        if kind is Kind.BEGIN:
            self._transactions.begin(session)
        elif kind is Kind.COMMIT:
            await self._transactions.commit(session)
        else:
            self._transactions.rollback(session)
        return await self._engine.run(session.connection, {**body, "sqlText": DONE}, self._transactions.host)

    @staticmethod
    def _refuse_after_abort(session: Session, statement: Statement) -> None:
        aborted, session.aborted = session.aborted, False
        if aborted and statement.kind is not Kind.ROLLBACK:
            raise Refusal(628, "Transaction was aborted: it was idle and blocked another transaction", "40000")

    @staticmethod
    def _refuse_several(session: Session, sql: str) -> None:
        desired = int(session.parameters.get("MULTI_STATEMENT_COUNT", 1))  # 0: any number
        if desired and (actual := how_many(sql)) != desired:
            raise Refusal(
                8,
                f"Actual statement count {actual} did not match the desired statement count {desired}.",
                "0A000",
            )

    @staticmethod
    def _public(session: Session, statement: Statement, answer: Answer) -> Answer:
        """A new database has a schema PUBLIC, and a session that turns to a database is in it."""
        connection = session.connection
        if not answer["success"]:
            return answer
        if created := _CREATE_DATABASE.match(statement.sql):
            connection.cursor().execute(f"USE DATABASE {created['name']}")
            connection.duck.execute(f'CREATE SCHEMA IF NOT EXISTS {connection.database}."PUBLIC"')
        if (created or _USE_DATABASE.match(statement.sql)) and has_public(connection):
            connection.use_schema("PUBLIC")
        return answer

    @staticmethod
    def _completed(session: Session, answer: Answer, query_id: str) -> Answer:
        connection = session.connection
        answer["data"] = data = answer.get("data") or {}
        data["queryId"] = query_id
        answer["message"] = _PREFIX.sub("", answer.get("message") or "") or None
        if answer["success"]:
            data["finalDatabaseName"] = connection.database if connection.database_set else None
            data["finalSchemaName"] = connection.schema if connection.schema_set else None
            data["finalWarehouseName"] = session.warehouse
            data["finalRoleName"] = session.role
        return answer


def new_query_id() -> str:
    return str(uuid.uuid4())
