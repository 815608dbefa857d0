"""The gate as a fixture: a server on a free loopback port for as long as the `with` block lasts."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from snowflake.connector._utils import _TrackedQueryCancellationTimer
from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from snowflake_gate.account import Account, Canned
from snowflake_gate.account_state import Warehouse
from snowflake_gate.answers import table_sql
from snowflake_gate.faults import Action, Fault, When
from snowflake_gate.gate import Gate
from snowflake_gate.log import LoggedLogin, LoggedRequest
from snowflake_gate.users import User

T = TypeVar("T")
_START = 10.0
_NOBODY = "127.0.0.1:9"


class SnowflakeGate:
    """`with SnowflakeGate() as gate: snowflake.connector.connect(**gate.connect_kwargs())`."""

    account = "fakesnow"
    user = "LOADER"
    password = "correct horse"
    warehouse = "LOAD_WH"
    role = "LOADER_ROLE"

    def __init__(
        self,
        *,
        database: str = "STOCKS",
        schema: str = "PUBLIC",
        databases: Mapping[str, Iterable[str]] | None = None,  # what exists; default: database and schema
        lock_timeout: float = 5.0,
        idle_abort: float = 300.0,
        patience: float = 45.0,
        scale: float = 1.0,  # seconds here for one of the service: for idle_abort and what a session sets
        port: int = 0,
    ) -> None:
        self.database, self.schema, self.port = database, schema, port
        self.users = {self.user: User(self.user, self.password)}
        self._account = Account(
            self.account, self.users, {self.role, "PUBLIC", "SYSADMIN", "ACCOUNTADMIN"}, {self.warehouse}
        )
        self._options = {"lock_timeout": lock_timeout, "idle_abort": idle_abort, "patience": patience, "scale": scale}
        self._databases = {database: [schema]} if databases is None else databases
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._ready = threading.Event()
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="snowflake-gate", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START) or self._failed:
            raise RuntimeError("the Snowflake gate did not start") from self._failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end_the_connectors_timers()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START)
        self.gate.engine.close()

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._failed = error
            self._ready.set()

    async def _main(self) -> None:
        self.gate = Gate(self._account, **self._options)
        self.gate.drop = self._drop
        self._loop = asyncio.get_running_loop()
        listener = socket.create_server(("127.0.0.1", self.port))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a statement
        self.port = listener.getsockname()[1]
        storage = socket.create_server(("127.0.0.1", 0))
        self._storage = f"127.0.0.1:{storage.getsockname()[1]}"
        self.gate.transactions.host = f"127.0.0.1:{self.port}"
        self._admin = self.gate.engine.connect()
        self._create_databases()
        config = uvicorn.Config(
            self.gate.app,
            http=self._protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        serving = asyncio.create_task(self._server.serve(sockets=[listener, storage]))
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        self._stop = asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await self.gate.close()
        serving.cancel()  # its loop looks up ten times a second only
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()
        storage.close()
        for transport in self._transports.values():
            transport.abort()

    def _create_databases(self) -> None:
        for database, schemas in self._databases.items():
            self._admin.cursor().execute(f"CREATE DATABASE {database}")
            for schema in {"PUBLIC", *schemas}:
                self._admin.cursor().execute(f"CREATE SCHEMA IF NOT EXISTS {database}.{schema}")
        self._admin = self.gate.engine.connect(self.database, self.schema)

    def _protocol(self) -> type[H11Protocol]:
        """uvicorn's own, which also tells who is connected: a fault cuts the connection there."""
        transports = self._transports

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                transports[transport.get_extra_info("peername")[:2]] = transport

        return Protocol

    def _drop(self, request: Request) -> None:
        if request.client and (transport := self._transports.get((request.client.host, request.client.port))):
            transport.abort()

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START)

    def connect_kwargs(self, **over: Any) -> dict[str, Any]:
        """For `snowflake.connector.connect`; a value None takes the argument away."""
        session_parameters = {
            "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False,
            **over.pop("session_parameters", {}),
        }
        kwargs = {
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "account": self.account,
            "user": self.user,
            "password": self.password,
            "warehouse": self.warehouse,
            "role": self.role,
            "database": self.database,
            "schema": self.schema,
            "session_parameters": session_parameters,
            "login_timeout": 5,
            "network_timeout": 20,
            **over,
        }
        return {name: value for name, value in kwargs.items() if value is not None}

    def env(self, **over: str) -> dict[str, str]:
        """For the product's settings."""
        names = (
            "host",
            "port",
            "protocol",
            "account",
            "user",
            "password",
            "warehouse",
            "role",
            "database",
            "schema",
        )
        kwargs = self.connect_kwargs()
        account = {f"SNOWFLAKE_{name.upper()}": str(kwargs[name]) for name in names}
        # What the tests load comes from the sandbox.
        return account | {"STOCKPIPE_SAMPLE_DATA": "true"} | over

    @property
    def log(self) -> list[LoggedRequest]:
        return self.gate.log

    @property
    def logins(self) -> list[LoggedLogin]:
        return self.gate.logins

    @property
    def grants(self) -> list[str]:
        return self._account.grants

    @property
    def roles(self) -> set[str]:
        return self._account.roles

    @property
    def warehouses(self) -> set[str]:
        return self._account.warehouses

    @property
    def parameters(self) -> dict[str, Any]:
        """What is set on the account; sessions that begin afterwards inherit it."""
        return self._account.parameters

    def parameter(self, name: str) -> object:
        """What the newest session has set or inherited."""
        return list(self.gate.sessions.values())[-1].parameters.get(name)

    @property
    def warehouse_states(self) -> dict[str, Warehouse]:
        """Warehouses that are not simply ready, by name."""
        return self._account.life.states

    def reading_needs_a_warehouse(self) -> None:
        """As in the service: SELECT on a table and CREATE TABLE ... AS SELECT ask for one."""
        self._account.life.needed_for_reading = True

    def enforce_grants(self) -> None:
        """A role may only do what it was granted, from here on; in the database of the gate it owns nothing yet."""
        privileges = self._account.privileges
        privileges.enforced = True
        for database, schemas in self._databases.items():
            for name in (database, *(f"{database}.{schema}" for schema in {"PUBLIC", *schemas})):
                privileges.owners.setdefault(name, "SYSADMIN")

    def read_parquet(self) -> None:
        """Uploaded files are read by Arrow too: `parquet` has them, and a COPY that misreads one is refused."""
        self.gate.parquet = []

    @property
    def parquet(self) -> list[Any]:
        """The uploaded Parquet files as tables of Arrow, since `read_parquet`."""
        return self.gate.parquet or []

    @property
    def parquet_types(self) -> list[dict[str, str]]:
        """The types that those files declare, by column."""
        return self.gate.runner.uploaded

    def storage_apart(self, *, reachable: bool = True) -> str:
        """The stages' storage has a host of its own, as a firewall sees it; returns that host."""
        self.gate.runner.storage = self._storage if reachable else _NOBODY
        return self.gate.runner.storage

    @property
    def oauth_clients(self) -> dict[str, tuple[str, str]]:
        return self.gate.sign_in.oauth_clients

    @property
    def waiting(self) -> dict[int, str]:
        """Who waits for a lock: session id -> table."""
        return dict(self.gate.locks.waiting)

    @property
    def open_sessions(self) -> list[int]:
        return [session.id for session in list(self.gate.sessions.values())]

    def statements(self, session: int | None = None) -> list[str]:
        """The SQL that reached the gate, in order; what the connector sent again is there once."""
        return [
            entry.sql
            for entry in list(self.log)
            if entry.kind == "query" and not entry.repeated and session in (None, entry.session)
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks the store itself, past sign-in, log, locks and faults: only what is committed."""
        return list(self._admin.cursor().execute(sql).fetchall())

    def fault(self, match: str, *, when: When = "before", action: Action = "error", times: int | None = 1) -> Fault:
        """`match` is searched in the SQL, or in `login`, `session-delete`, `upload <path>`, ..."""
        return self.gate.faults.add(match, when, action, times)

    def clear_faults(self) -> None:
        self.gate.faults.planned.clear()

    def answer(self, match: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A canned result for statements that the stand-in cannot run (SHOW ..., SYSTEM$...)."""
        canned = Canned(re.compile(match, re.IGNORECASE), table_sql(columns, rows))
        self._account.canned.append(canned)

    def end_sessions(self) -> None:
        """What the service does to sessions whose client is gone, at once: roll back, free the locks."""
        for session in list(self.gate.sessions.values()):
            self._in_loop(self.gate.end(session))

    def expire_tokens(self) -> None:
        """Every session token runs out: clients have to renew them with the master token."""
        self.gate.expired |= set(self.gate.sessions)


def _end_the_connectors_timers() -> None:
    """A statement that failed leaves a timer behind that asks for an abort: while we still listen."""
    for thread in threading.enumerate():
        if isinstance(thread, _TrackedQueryCancellationTimer):
            thread.cancel()
            thread.join(1)
