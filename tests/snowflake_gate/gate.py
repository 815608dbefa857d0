"""The gate itself: the paths that the connector calls."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode

from fakesnow.transforms import SERVER_VERSION
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from snowflake_gate import parquet, stages
from snowflake_gate.account import Account
from snowflake_gate.answers import Answer, Refusal, done
from snowflake_gate.engine import Engine
from snowflake_gate.faults import LOST_ROWS, Fault, Faults
from snowflake_gate.locks import LockTable
from snowflake_gate.log import LoggedLogin, LoggedRequest
from snowflake_gate.runner import Runner, new_query_id
from snowflake_gate.session import Session
from snowflake_gate.signin import SignIn, signed_in
from snowflake_gate.transactions import Transactions
from snowflake_gate.wire import inflated, pending, request_id, stored_name, token_of

_REMEMBERED = 1000  # answers kept for requests that come again
_IN_PROGRESS, _ASYNC = "333333", "333334"
_NO_SESSION = Refusal("390111", "Session no longer exists.  New login required to access the service.", "08001")
_EXPIRED = Refusal("390112", "Your session has expired. Please login again.", "08001")
_BAD_MASTER = Refusal("390115", "Master token is invalid. Please login again.", "08001")


class Gate:
    def __init__(
        self, account: Account, *, lock_timeout: float, idle_abort: float, patience: float, scale: float
    ) -> None:
        self.account = account
        self.engine = Engine()
        self.locks = LockTable(lock_timeout, idle_abort * scale)
        self.transactions = Transactions(self.engine, self.locks)
        self.runner = Runner(self.engine, account, self.transactions)
        self.sign_in = SignIn(account.name, account.users)
        self.faults = Faults()
        self.log: list[LoggedRequest] = []
        self.logins: list[LoggedLogin] = []
        self.sessions: dict[str, Session] = {}  # by token
        self.expired: set[str] = set()  # tokens
        self.parquet: list[Any] | None = None  # uploaded files as Arrow reads them, where a test wants them
        self.stopping = asyncio.Event()
        self.drop: Callable[[Request], None] = lambda _: None
        self._scale = scale  # seconds here for one of the service
        self._patience = patience  # the service answers "in progress" after 45 seconds
        self._numbers = itertools.count(1001)
        self._running: OrderedDict[tuple[int, str], asyncio.Task[Answer]] = OrderedDict()
        self._by_query: dict[str, asyncio.Task[Answer]] = {}
        self.app = Starlette(routes=self._routes())

    def _routes(self) -> list[Route]:
        return [
            Route("/session/v1/login-request", self._handler("login", self.login), methods=["POST"]),
            Route("/session", self._handler("session-delete", self.delete_session), methods=["POST"]),
            Route("/session/heartbeat", self._handler("heartbeat", self.heartbeat), methods=["POST"]),
            Route("/session/token-request", self._handler("token", self.renew), methods=["POST"]),
            Route("/queries/v1/query-request", self._handler("query", self.query), methods=["POST"]),
            Route("/queries/v1/abort-request", self._handler("abort", self.abort), methods=["POST"]),
            Route("/queries/{id}/result", self._handler("result", self.result), methods=["GET"]),
            Route("/monitoring/queries/{id}", self._handler("status", self.status), methods=["GET"]),
            Route("/fs_bucket/{path:path}", self._bucket, methods=["PUT", "GET", "HEAD"]),
            Route("/session/authenticator-request", self._handler("sso", self.sso), methods=["POST"]),
            Route("/sso", self._sso_page, methods=["GET"]),
            Route("/oauth/token-request", self._oauth, methods=["POST"]),
            Route("/telemetry/send", self._handler("telemetry", self.accept), methods=["POST"]),
        ]

    def _handler(
        self, kind: str, act: Callable[[Request, dict[str, Any], LoggedRequest], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            raw = await request.body()
            body = json.loads(inflated(raw) or b"{}")
            text = body.get("sqlText", "") if kind == "query" else ""
            entry = LoggedRequest(kind, text, len(raw), request_id=request_id(request))
            self.log.append(entry)
            started = time.perf_counter()
            try:
                return await self._faulty(request, entry, lambda: act(request, body, entry))
            finally:
                entry.milliseconds = (time.perf_counter() - started) * 1000

        return handle

    async def _faulty(self, request: Request, entry: LoggedRequest, act: Callable[[], Awaitable[Answer]]) -> Response:
        what = entry.sql or entry.kind
        if fault := self.faults.take(what, "before"):
            return await self._break(request, entry, fault)
        try:
            answer = await act()
        except Refusal as refusal:
            answer = refusal.answer()
        entry.ok = bool(answer["success"])
        entry.error = "" if entry.ok else f"{answer.get('code')}: {answer.get('message')}"
        if fault := self.faults.take(what, "after"):
            if fault.action == "lost":
                answer["data"]["chunks"] = [LOST_ROWS]
                return JSONResponse(answer)
            return await self._break(request, entry, fault)
        return JSONResponse(answer)

    async def _break(self, request: Request, entry: LoggedRequest, fault: Fault) -> Response:
        if refusal := fault.refusal():
            entry.ok, entry.error = False, f"{refusal.code}: {refusal.message}"
            return JSONResponse(refusal.answer(new_query_id()))
        if fault.action == "end":
            await self.end(self._of(request, entry))
            return JSONResponse(_NO_SESSION.answer())
        if isinstance(fault.action, int):
            return Response(status_code=fault.action)
        if fault.action == "hang":
            await self._hang(request)
        entry.dropped = True
        self.drop(request)
        return Response(status_code=503)

    async def _hang(self, request: Request) -> None:
        while not self.stopping.is_set() and not await request.is_disconnected():
            await asyncio.sleep(0.02)

    async def accept(self, _: Request, __: dict[str, Any], ___: LoggedRequest) -> Answer:
        return done()

    async def login(self, request: Request, body: dict[str, Any], entry: LoggedRequest) -> Answer:
        data, asked = body["data"], request.query_params
        login = LoggedLogin(
            user=str(data.get("LOGIN_NAME")),
            authenticator=str(data.get("AUTHENTICATOR") or "SNOWFLAKE"),
            account=str(data.get("ACCOUNT_NAME")),
            database=asked.get("databaseName"),
            schema=asked.get("schemaName"),
            warehouse=asked.get("warehouse"),
            role=asked.get("roleName"),
            data=data,
        )
        self.logins.append(login)
        try:
            session = self._session(self.sign_in.check(data).name, login)
        except Refusal as refusal:
            login.code = refusal.code
            raise
        login.ok, entry.session = True, session.id
        session.scale = self._scale
        session.inherited = self.account.parameters | self.account.users[session.user].parameters
        session.parameters = session.inherited | (data.get("SESSION_PARAMETERS") or {})
        self.engine.set_up(session.connection, session.parameters.get("TIMEZONE"))
        return signed_in(session, SERVER_VERSION)

    def _session(self, user: str, login: LoggedLogin) -> Session:
        role = stored_name(login.role) or "PUBLIC"
        if login.role and role not in self.account.roles:
            raise Refusal(
                "390189",
                f"Role '{role}' specified in the connect string does not exist or not authorized. "
                "Contact your local system administrator, or attempt to login with another role.",
                "08001",
            )
        warehouse = stored_name(login.warehouse)
        connection = self.engine.connect(stored_name(login.database), stored_name(login.schema))
        known = warehouse if warehouse in self.account.warehouses else None
        self._leave_what_is_not_for(role, connection)
        session = Session(next(self._numbers), user, connection, role, known)
        self.sessions[session.token] = session
        return session

    def _leave_what_is_not_for(self, role: str, connection: Any) -> None:
        """A session gets no database and no schema that its role may not use, without a word."""
        privileges = self.account.privileges
        if privileges.enforced:
            grants = self.account.grant_rows(role)
            database, schema = connection.database, f"{connection.database}.{connection.schema}"
            connection.database_set &= privileges.usable(role, database, grants)
            connection.schema_set &= connection.database_set and privileges.usable(role, schema, grants)

    def _of(self, request: Request, entry: LoggedRequest) -> Session:
        token = token_of(request)
        if token in self.expired:
            raise _EXPIRED
        if token not in self.sessions:
            raise _NO_SESSION
        session = self.sessions[token]
        entry.session, entry.query_tag = session.id, session.query_tag
        return session

    async def query(self, request: Request, body: dict[str, Any], entry: LoggedRequest) -> Answer:
        session = self._of(request, entry)
        entry.query_tag = str((body.get("parameters") or {}).get("QUERY_TAG") or session.query_tag)
        key = (session.id, entry.request_id)
        entry.repeated = key in self._running
        if not entry.repeated:
            query_id = new_query_id()
            task = asyncio.create_task(self.runner.run(session, body, query_id), name=query_id)
            self._running[key] = self._by_query[query_id] = task
            while len(self._running) > _REMEMBERED:
                _, old = self._running.popitem(last=False)
                self._by_query.pop(old.get_name(), None)
        task = self._running[key]
        if body.get("asyncExec"):
            return pending(task, _ASYNC)
        return await self._when_done(task)

    async def _when_done(self, task: asyncio.Task[Answer]) -> Answer:
        await asyncio.wait([task], timeout=self._patience)
        return task.result() if task.done() else pending(task, _IN_PROGRESS)

    async def result(self, request: Request, _: dict[str, Any], entry: LoggedRequest) -> Answer:
        self._of(request, entry)
        if task := self._by_query.get(request.path_params["id"]):
            return await self._when_done(task)
        raise Refusal(709, f"Statement {request.path_params['id']} not found", "02000")

    async def status(self, request: Request, _: dict[str, Any], entry: LoggedRequest) -> Answer:
        self._of(request, entry)
        if not (task := self._by_query.get(request.path_params["id"])):
            return done({"queries": []})
        state = "RUNNING" if not task.done() else "SUCCESS" if task.result()["success"] else "FAILED_WITH_ERROR"
        return done({"queries": [{"id": task.get_name(), "status": state}]})

    async def abort(self, request: Request, body: dict[str, Any], entry: LoggedRequest) -> Answer:
        session = self._of(request, entry)
        task = self._running.get((session.id, str(body.get("requestId"))))
        if task and not task.done():
            session.cancelled = True
            self.locks.wake()
            session.connection.duck.interrupt()
        return done()

    async def heartbeat(self, request: Request, _: dict[str, Any], entry: LoggedRequest) -> Answer:
        self._of(request, entry).last_seen = time.monotonic()
        return done()

    async def renew(self, request: Request, body: dict[str, Any], entry: LoggedRequest) -> Answer:
        master, old = token_of(request), str(body.get("oldSessionToken"))
        session = self.sessions.get(old)
        if session is None or session.master_token != master:
            raise _BAD_MASTER
        entry.session = session.id
        session.token = secrets.token_urlsafe(24)
        self.sessions[session.token] = self.sessions.pop(old)
        tokens = {"sessionToken": session.token, "masterToken": session.master_token, "sessionId": session.id}
        return done({**tokens, "validityInSecondsST": 3600, "validityInSecondsMT": 14400})

    async def delete_session(self, request: Request, _: dict[str, Any], entry: LoggedRequest) -> Answer:
        await self.end(self._of(request, entry))
        return done()

    async def end(self, session: Session) -> None:
        """What is open is rolled back, its locks and temporary stages go."""
        self.sessions.pop(session.token, None)
        session.cancelled = True
        self.locks.wake()
        session.connection.duck.interrupt()
        async with session.busy:
            self.transactions.rollback(session)
            self.engine.enter()
            stages.forget(session, self.engine)
            session.connection.close()

    async def _bucket(self, request: Request) -> Response:
        entry = LoggedRequest("upload" if request.method == "PUT" else "download", request_id=request_id(request))
        content = await request.body()
        entry.bytes_in = len(content)
        self.log.append(entry)
        what = f"{entry.kind} {request.path_params['path']}"
        if fault := self.faults.take(what, "before"):
            return await self._break(request, entry, fault)
        response = await stages.bucket(request)
        if self.parquet is not None and content[:4] == b"PAR1":
            self.parquet.append(parquet.table_of(content))
            self.runner.uploaded.append(parquet.logical_types(content))
        entry.ok = response.status_code == 200
        if fault := self.faults.take(what, "after"):
            return await self._break(request, entry, fault)
        return response

    async def _oauth(self, request: Request) -> Response:
        """An identity provider's token endpoint (client credentials)."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(basic if scheme == "Basic" else "").decode().partition(":")
        client, secret = unquote_plus(client), unquote_plus(secret)  # RFC 6749, 2.3.1; connector 4 sends them plain
        token = self.sign_in.oauth_token(form.get("client_id", client), form.get("client_secret", secret))
        self.log.append(LoggedRequest("oauth", ok=bool(token)))
        if not token:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 600})

    async def sso(self, request: Request, body: dict[str, Any], _: LoggedRequest) -> Answer:
        """Where the browser signs in, and the key that proves later that the same client asked."""
        data, key = body["data"], secrets.token_urlsafe(16)
        asked = {"user": data["LOGIN_NAME"], "key": key, "port": data["BROWSER_MODE_REDIRECT_PORT"]}
        return done({"ssoUrl": f"{request.base_url}sso?{urlencode(asked)}", "proofKey": key})

    async def _sso_page(self, request: Request) -> Response:
        """Whoever opens it is signed in, and sent back to the connector with a token."""
        asked = request.query_params
        token = self.sign_in.browser_token(asked["user"], asked["key"])
        return RedirectResponse(f"http://localhost:{asked['port']}/?token={token}")

    async def close(self) -> None:
        self.stopping.set()
        for session in list(self.sessions.values()):
            await self.end(session)
