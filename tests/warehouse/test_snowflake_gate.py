"""The stand-in for Snowflake keeps the service's rules: each one with the real connector."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, Error, ProgrammingError

from snowflake_gate import INSUFFICIENT_PRIVILEGES, SERVICE_DEFAULTS, Refusal, SnowflakeGate, User, Warehouse
from snowflake_gate.locks import LockTable
from snowflake_gate.session import Session

Connect = Callable[..., SnowflakeConnection]


@pytest.fixture
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate(lock_timeout=2.0) as gate:
        yield gate


@pytest.fixture
def connect(gate: SnowflakeGate) -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect(**over: Any) -> SnowflakeConnection:
            quick = {"backoff_policy": lambda: repeat(0.02), "network_timeout": 3}
            connection = snowflake.connector.connect(**gate.connect_kwargs(**quick | over))
            return stack.enter_context(connection)

        yield connect


def sql(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    """Runs them all; the rows of the last one."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


def refused(connection: SnowflakeConnection, statement: str) -> Error:
    with pytest.raises(Error) as error:
        connection.cursor().execute(statement)
    return error.value


@contextmanager
def beside(work: Callable[[], Any]) -> Iterator[Future[Any]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 3
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# What it answers


def test_a_session_knows_where_it_is(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()

    assert sql(connection, "SELECT CURRENT_WAREHOUSE(), CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_SCHEMA()") == [
        ("LOAD_WH", "LOADER_ROLE", "STOCKS", "PUBLIC")
    ]
    assert (connection.warehouse, connection.role) == ("LOAD_WH", "LOADER_ROLE")
    assert connection.session_id == gate.open_sessions[0]
    sql(connection, "USE ROLE SYSADMIN", "USE SECONDARY ROLES NONE", "USE WAREHOUSE LOAD_WH")
    assert connection.role == "SYSADMIN"
    assert refused(connection, "USE WAREHOUSE NOPE").errno == 2043


def test_errors_come_in_the_services_form_and_at_once(connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A VARCHAR(3) NOT NULL, N INT)")

    expected = {
        "SELEC 1": (1003, "42000"),
        "SELECT * FROM NOPE": (2003, "42S02"),
        "SELECT NOPE FROM T": (904, "42000"),
        "CREATE TABLE T (A INT)": (2002, "42710"),
        "INSERT INTO T VALUES (NULL, 1)": (100072, "22000"),
        "INSERT INTO T VALUES ('abcd', 1)": (100078, "22000"),
        "SELECT SYSTEM$NOPE()": (2140, "42601"),
    }
    seen = {}
    for statement in expected:
        error = refused(connection, statement)
        seen[statement] = (error.errno, error.sqlstate)
    assert seen == expected


def test_one_statement_a_request_unless_the_session_wants_more(connect: Connect) -> None:
    connection = connect()
    for several in ("SELECT 1; SELECT 2", "SELECT ';'; -- one\nSELECT 2;"):
        with pytest.raises(ProgrammingError, match="Actual statement count 2 did not match the desired") as error:
            sql(connection, several)
        assert (error.value.errno, error.value.sqlstate) == (8, "0A000")
    assert sql(connection, "SELECT ';' -- ; no second\n;", "ALTER SESSION SET MULTI_STATEMENT_COUNT = 0", "SELECT 3;")


def test_unenforced_keys_null_timestamps_and_merge(connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (K VARCHAR(3) PRIMARY KEY, TS TIMESTAMP_NTZ(9))")
    sql(connection, "INSERT INTO T VALUES ('a', NULL), ('a', NULL)")

    assert sql(connection, "SELECT * FROM T") == [("a", None), ("a", None)]
    merge = "MERGE INTO T USING (SELECT 'b' AS K) AS S ON T.K = S.K WHEN NOT MATCHED THEN INSERT (K) VALUES (S.K)"
    assert sql(connection, "BEGIN", merge) == [(1,)]
    assert sql(connection, "ROLLBACK", "SELECT COUNT(*) FROM T") == [(2,)]


def test_log_tells_statements_sessions_tags_and_times(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect(session_parameters={"QUERY_TAG": "first"})
    sql(connection, "SELECT 1", "ALTER SESSION SET QUERY_TAG='run 7'", "SELECT 2")
    refused(connection, "SELECT * FROM NOPE")

    logged = [entry for entry in gate.log if entry.kind == "query"]
    assert [entry.query_tag for entry in logged] == ["first", "first", "run 7", "run 7"]
    assert [entry.ok for entry in logged] == [True, True, True, False]
    assert all(entry.bytes_in > 0 and entry.milliseconds > 0 for entry in logged)
    assert gate.statements(connection.session_id)[-1] == "SELECT * FROM NOPE"
    assert gate.logins[0].user == "LOADER"


def test_ids_canned_answers_and_grants(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    gate.answer(r"SYSTEM\$WHITELIST", ["host", "port"], [("x.y", 443)])
    sql(connection, "GRANT SELECT, INSERT ON TABLE STOCKS.PUBLIC.T TO ROLE LOADER_ROLE")

    assert sql(connection, "SELECT SYSTEM$WHITELIST()") == [("x.y", 443)]
    assert [row[1:4] for row in sql(connection, "SHOW GRANTS TO ROLE LOADER_ROLE")] == [
        ("SELECT", "TABLE", "STOCKS.PUBLIC.T"),
        ("INSERT", "TABLE", "STOCKS.PUBLIC.T"),
    ]
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    assert sql(connection, "SELECT LAST_QUERY_ID()") == [(cursor.sfqid,)]


def test_missing_schema_and_warehouse(gate: SnowflakeGate, connect: Connect) -> None:
    assert connect(schema="NOPE").schema is None
    without = connect(warehouse=None)
    sql(without, "CREATE TABLE T (A INT)")
    assert refused(without, "INSERT INTO T VALUES (1)").errno == 606
    sql(without, "CREATE DATABASE FRESH")
    assert (without.database, without.schema) == ("FRESH", "PUBLIC")
    assert gate.env(SNOWFLAKE_SCHEMA="X")["SNOWFLAKE_SCHEMA"] == "X"


def test_gates_are_isolated(connect: Connect) -> None:
    sql(connect(), "CREATE TABLE T (A INT)")
    with SnowflakeGate() as other, snowflake.connector.connect(**other.connect_kwargs()) as connection:
        assert refused(connection, "SELECT * FROM T").errno == 2003


def test_a_slow_statement_is_asked_for_again() -> None:
    with (
        SnowflakeGate(patience=0.01) as gate,
        snowflake.connector.connect(**gate.connect_kwargs()) as connection,
    ):
        assert sql(connection, "SELECT COUNT(*) FROM range(20000000) WHERE range % 7 = 1")[0][0] > 0
        assert any(entry.kind == "result" for entry in gate.log)


def test_asynchronous_query(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute_async("SELECT 42")
    assert cursor.sfqid
    cursor.get_results_from_sfqid(cursor.sfqid)
    assert cursor.fetchall() == [(42,)]


def test_heartbeat_and_renewed_tokens(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    rest: Any = connection.rest
    assert rest._heartbeat()["success"]
    gate.expire_tokens()
    assert sql(connection, "SELECT 1") == [(1,)]
    assert [entry.kind for entry in gate.log[-3:]] == ["query", "token", "query"]


# Transactions and locks


def test_ddl_commits_what_is_open(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A INT)", "BEGIN", "INSERT INTO T VALUES (1)", "CREATE TABLE U (A INT)")
    sql(connection, "ROLLBACK")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(1,)]


def test_rollback_and_lost_sessions_leave_nothing(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A INT)", "BEGIN", "INSERT INTO T VALUES (1)", "ROLLBACK")
    sql(connection, "BEGIN", "INSERT INTO T VALUES (2)")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == []
    gate.end_sessions()
    assert refused(connection, "COMMIT").errno == 390111
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == []


def test_without_autocommit_a_write_opens_a_transaction(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect(autocommit=False)
    sql(connection, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == []
    connection.commit()
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(1,)]


def test_a_failed_statement_leaves_the_earlier_ones(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A VARCHAR(2) NOT NULL)", "BEGIN", "INSERT INTO T VALUES ('a')")
    assert refused(connection, "INSERT INTO T VALUES (NULL)").errno == 100072
    assert refused(connection, "INSERT INTO T VALUES ('abc')").errno == 100078
    sql(connection, "COMMIT")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [("a",)]


def test_a_writer_waits_for_the_lock_and_then_sees_what_was_committed(gate: SnowflakeGate, connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)")
    sql(first, "BEGIN", "UPDATE T SET A = A + 10")
    sql(second, "BEGIN", "SELECT * FROM T")
    with beside(lambda: sql(second, "UPDATE T SET A = A + 100", "SELECT * FROM T")) as result:
        until(lambda: gate.waiting)
        assert not result.done()
        sql(first, "COMMIT")
        assert result.result(3) == [(111,)]
    sql(second, "COMMIT")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(111,)]


def test_an_earlier_insert_does_not_stop_the_wait(gate: SnowflakeGate, connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "CREATE TABLE RUNS (A INT)")
    sql(second, "BEGIN", "INSERT INTO RUNS VALUES (2)")
    sql(first, "BEGIN", "UPDATE T SET A = A + 10", "INSERT INTO RUNS VALUES (1)", "COMMIT")
    assert sql(second, "SELECT COUNT(*) FROM RUNS") == [(2,)]
    sql(second, "UPDATE T SET A = A + 100", "COMMIT")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(111,)]
    assert sorted(gate.rows("SELECT * FROM STOCKS.PUBLIC.RUNS")) == [(1,), (2,)]


def test_lock_times_out_with_the_services_error(connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "BEGIN", "DELETE FROM T")
    sql(second, "ALTER SESSION SET LOCK_TIMEOUT = 0")
    error = refused(second, "UPDATE T SET A = 2")
    assert (error.errno, error.sqlstate) == (625, "57014")
    assert "has locked table 'T'" in str(error)


def test_what_matches_nothing_or_only_adds_locks_nothing(gate: SnowflakeGate, connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)")
    for connection in (first, second):  # the trap: two loads of a new day, and no row to fence with
        sql(connection, "BEGIN", "DELETE FROM T WHERE A = 1", "INSERT INTO T VALUES (1)")
    sql(first, "COMMIT")
    sql(second, "COMMIT")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(1,), (1,)]


def test_two_loads_behind_one_fence_never_double_a_day(gate: SnowflakeGate, connect: Connect) -> None:
    sql(connect(), "CREATE TABLE T (DS INT, RUN INT)", "CREATE TABLE FENCE (DS INT, RUN INT)")
    sql(connect(), "INSERT INTO FENCE VALUES (1, 0)")
    start = threading.Barrier(4)

    def load(run: int) -> None:
        connection = connect()
        start.wait()
        for _ in range(3):
            sql(
                connection,
                "BEGIN",
                f"UPDATE FENCE SET RUN = {run} WHERE DS = 1",
                "DELETE FROM T WHERE DS = 1",
            )
            sql(connection, f"INSERT INTO T VALUES (1, {run}), (1, {run})", "COMMIT")

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(load, run) for run in range(4)]:
            future.result()
    rows = gate.rows("SELECT RUN FROM STOCKS.PUBLIC.T")
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_an_idle_blocker_is_aborted() -> None:
    with (
        SnowflakeGate(idle_abort=0.05) as gate,
        snowflake.connector.connect(**gate.connect_kwargs()) as first,
        snowflake.connector.connect(**gate.connect_kwargs()) as second,
    ):
        sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "BEGIN", "UPDATE T SET A = 2")
        sql(second, "UPDATE T SET A = A + 10")
        assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(11,)]
        assert refused(first, "COMMIT").errno == 628


def test_a_waiting_statement_can_be_cancelled(gate: SnowflakeGate, connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "BEGIN", "DELETE FROM T")
    with pytest.raises(ProgrammingError) as error:
        second.cursor().execute("DELETE FROM T", timeout=1)
    assert error.value.errno == 604
    assert not gate.waiting


def test_insert_overwrite_with_nothing_empties_the_table(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)")
    sql(connection, "INSERT OVERWRITE INTO T SELECT * FROM T WHERE A > 1")
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == []


def test_a_qualified_name_is_the_same_table(connect: Connect) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "BEGIN", 'DELETE FROM "PUBLIC"."T"')
    sql(second, "ALTER SESSION SET LOCK_TIMEOUT = 0")
    assert refused(second, "UPDATE stocks.public.t SET A = 2").errno == 625


# Stages


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Two files of one day: 12,000 rows and 100."""
    select = "SELECT DATE '2026-01-02' AS DS, '{}' || i AS TICKER FROM range({}) AS t(i)"
    for name, rows in (("a", 12_000), ("b", 100)):
        duckdb.execute(f"COPY ({select.format(name, rows)}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
    return tmp_path


COPY_OPTIONS = "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
KEEP = "AUTO_COMPRESS = FALSE OVERWRITE = TRUE"


@pytest.mark.parametrize("stage", ["@S", "@%T", "@PUBLIC.S"])
def test_put_list_copy_remove(gate: SnowflakeGate, connect: Connect, day: Path, stage: str) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (DS DATE, TICKER VARCHAR(10))", "CREATE TEMPORARY STAGE S")
    before = len(gate.statements())
    put = sql(connection, f"PUT 'file://{day}/a.parquet' '{stage}/run1' {KEEP}")
    assert put[0][6] == "UPLOADED"
    assert len(gate.statements()) == before + 1
    assert len(sql(connection, f"PUT file://{day}/*.parquet {stage}/run2/ {KEEP}")) == 2

    assert len(sql(connection, f"LIST {stage}")) == 3
    assert sql(connection, f"COPY INTO T FROM {stage}/run2/ {COPY_OPTIONS} FORCE = FALSE")[0][1] == "LOADED"
    assert gate.rows("SELECT COUNT(*) FROM STOCKS.PUBLIC.T") == [(12_100,)]
    assert len(sql(connection, f"REMOVE {stage}/run2")) == 2
    assert [row[0].endswith("run1/a.parquet") for row in sql(connection, f"LIST {stage}")] == [True]


def test_a_copy_that_does_not_fit_leaves_the_transaction_as_it_was(
    gate: SnowflakeGate, connect: Connect, day: Path
) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (DS DATE, TICKER VARCHAR(3))", "CREATE TEMP STAGE S")
    sql(
        connection,
        f"PUT file://{day}/a.parquet @S {KEEP}",
        "BEGIN",
        "INSERT INTO T VALUES ('2026-01-01', 'x')",
    )
    error = refused(connection, f"COPY INTO T FROM @S {COPY_OPTIONS}")
    assert (error.errno, "is too long and would be truncated" in str(error)) == (100078, True)
    sql(connection, "COMMIT")
    assert gate.rows("SELECT TICKER FROM STOCKS.PUBLIC.T") == [("x",)]


def test_temporary_stages_are_private(connect: Connect, day: Path) -> None:
    first, second = connect(), connect()
    sql(first, "CREATE TEMP STAGE S", f"PUT file://{day}/a.parquet @S {KEEP}")
    assert refused(second, "LIST @S").errno == 2003
    assert sql(second, "CREATE TEMP STAGE S", "LIST @S") == []
    assert len(sql(first, "LIST @S")) == 1
    sql(first, "DROP STAGE S")
    assert refused(first, "LIST @S").errno == 2003


# Sign-in


def login_error(connect: Connect, **over: Any) -> tuple[int, str | None]:
    with pytest.raises(DatabaseError) as error:
        connect(**over)
    return error.value.errno or 0, error.value.sqlstate


@pytest.fixture
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_passwords(gate: SnowflakeGate, connect: Connect) -> None:
    assert login_error(connect, password="wrong")[0] == 390100
    assert login_error(connect, user="nobody")[0] == 390100
    assert login_error(connect, role="NOPE")[0] == 390189
    assert connect(user="loader").role == "LOADER_ROLE"
    assert [(login.ok, login.code) for login in gate.logins[-2:]] == [(False, "390189"), (True, "")]


def test_key_pair(connect: Connect, key: rsa.RSAPrivateKey) -> None:
    asked: dict[str, Any] = {"authenticator": "SNOWFLAKE_JWT", "private_key": key, "password": None}
    assert login_error(connect, **asked)[0] == 390144

    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    sql(connect(), f"ALTER USER LOADER SET RSA_PUBLIC_KEY='{public}'")
    assert sql(connect(**asked), "SELECT CURRENT_USER()") == [("LOADER",)]
    assert login_error(connect, **asked, account="other")[0] == 390144
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert login_error(connect, **asked | {"private_key": other})[0] == 390144


def test_tokens(gate: SnowflakeGate, connect: Connect) -> None:
    gate.users["BOT"] = User("BOT", access_tokens={"pat-1"}, oauth_tokens={"oauth-1"}, expired_tokens={"old"})
    asked = {"user": "BOT", "password": None}

    pat = asked | {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}
    assert sql(connect(**pat, token="pat-1"), "SELECT CURRENT_USER()") == [("BOT",)]
    assert login_error(connect, **pat, token="pat-2")[0] == 394400
    oauth = asked | {"authenticator": "OAUTH"}
    assert sql(connect(**oauth, token="oauth-1"), "SELECT CURRENT_USER()") == [("BOT",)]
    assert login_error(connect, **oauth, token="nope")[0] == 390303
    assert login_error(connect, **oauth, token="old")[0] == 390318


def test_oauth_client_credentials(gate: SnowflakeGate, connect: Connect) -> None:
    gate.oauth_clients["client"] = ("secret", "LOADER")
    connection = connect(
        authenticator="OAUTH_CLIENT_CREDENTIALS",
        password=None,
        oauth_client_id="client",
        oauth_client_secret="secret",
        oauth_token_request_url=f"http://127.0.0.1:{gate.port}/oauth/token-request",
        oauth_scope="session:role:LOADER_ROLE",
    )
    assert sql(connection, "SELECT 1") == [(1,)]


# Faults


def test_a_refused_privilege(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect()
    gate.fault("CREATE TABLE", action=INSUFFICIENT_PRIVILEGES)
    error = refused(connection, "CREATE TABLE T (A INT)")
    assert (error.errno, error.sqlstate) == (3001, "42501")
    assert "Insufficient privileges to operate on schema" in str(error)
    assert sql(connection, "CREATE TABLE T (A INT)")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_connection_drops_once_is_sent_again_and_runs_once(
    gate: SnowflakeGate, connect: Connect, when: Any
) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A INT)", "BEGIN", "INSERT INTO T VALUES (1)")
    gate.fault("^COMMIT", when=when, action="drop")
    sql(connection, "COMMIT")

    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == [(1,)]
    commits = [entry for entry in gate.log if entry.sql == "COMMIT"]
    assert [entry.dropped for entry in commits] == [True, False]
    assert commits[1].repeated == (when == "after")


@pytest.mark.parametrize(("when", "kept"), [("before", []), ("after", [(1,)])])
def test_a_commit_whose_connection_keeps_dropping_fails(
    gate: SnowflakeGate, connect: Connect, when: Any, kept: list[tuple[int]]
) -> None:
    connection = connect(network_timeout=1)
    sql(connection, "CREATE TABLE T (A INT)", "BEGIN", "INSERT INTO T VALUES (1)")
    gate.fault("^COMMIT", when=when, action="drop", times=None)
    refused(connection, "COMMIT")
    gate.clear_faults()
    assert gate.rows("SELECT * FROM STOCKS.PUBLIC.T") == kept


def test_errors_hangs_and_http_errors(gate: SnowflakeGate, connect: Connect) -> None:
    connection = connect(network_timeout=1)
    gate.fault("SELECT 1", action="error")
    assert refused(connection, "SELECT 1").errno == 603
    gate.fault("SELECT 2", action=503)
    assert sql(connection, "SELECT 2") == [(2,)]
    gate.fault("SELECT 3", action="hang", times=None)
    with pytest.raises(Error):
        connect(network_timeout=1, socket_timeout=1).cursor().execute("SELECT 3")


def test_an_upload_that_drops_is_sent_again(gate: SnowflakeGate, connect: Connect, day: Path) -> None:
    connection = connect()
    gate.fault("^upload", action=503)
    sql(connection, "CREATE TEMP STAGE S", f"PUT file://{day}/b.parquet @S {KEEP}")
    assert [entry.ok for entry in gate.log if entry.kind == "upload"] == [False, True]


# What an account or a user has set


def test_a_session_inherits_parameters_and_its_sign_in_goes_before_them(gate: SnowflakeGate, connect: Connect) -> None:
    gate.parameters["AUTOCOMMIT"] = False
    gate.users["LOADER"].parameters["ROWS_PER_RESULTSET"] = 2
    inherits, own = connect(), connect(session_parameters={"AUTOCOMMIT": True, "ROWS_PER_RESULTSET": 0})
    sql(own, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1), (2), (3)")
    sql(inherits, "INSERT INTO T VALUES (4)")
    assert len(sql(inherits, "SELECT A FROM T ORDER BY A -- all")) == 2
    assert len(sql(own, "SELECT A FROM T")) == 3
    sql(inherits, "ALTER SESSION SET ROWS_PER_RESULTSET = 1")
    assert len(sql(inherits, "SELECT A FROM T")) == 1
    assert len(sql(inherits, "ALTER SESSION UNSET ROWS_PER_RESULTSET", "SELECT A FROM T")) == 2


def test_formats_of_the_session_decide_how_a_time_becomes_text(gate: SnowflakeGate, connect: Connect) -> None:
    ask = "SELECT A::VARCHAR, TO_VARCHAR(A), D::VARCHAR, TO_VARCHAR(A, 'YYYY-MM-DD HH24:MI:SS.FF9'), 7::VARCHAR FROM \"T\""
    gate.parameters.update(SERVICE_DEFAULTS)
    connection = connect(session_parameters={"TIMEZONE": "UTC"})
    sql(connection, "CREATE TABLE T (A TIMESTAMP_NTZ(9), D DATE)")
    gate.rows("INSERT INTO T VALUES ('2026-02-07 07:05:42.818047', '2026-02-07')")
    short, long = "2026-02-07 07:05:42.818", "2026-02-07 07:05:42.818047000"
    assert sql(connection, ask) == [(short, short, "2026-02-07", long, "7")]
    sql(connection, "ALTER SESSION SET TIMESTAMP_NTZ_OUTPUT_FORMAT = 'DD.MM.YYYY', DATE_OUTPUT_FORMAT = 'MM/DD/YYYY'")
    assert sql(connection, ask) == [("07.02.2026", "07.02.2026", "02/07/2026", long, "7")]


@pytest.mark.parametrize(
    ("name", "value", "statement", "errno"),
    [
        ("DATE_INPUT_FORMAT", "DD.MM.YYYY", "SELECT * FROM T WHERE D = '2026-02-07'", 100040),
        ("TIMESTAMP_INPUT_FORMAT", "DD.MM.YYYY", "SELECT * FROM T WHERE A > '2026-02-07 01:02'", 100035),
    ],
)
def test_parameters_that_change_how_a_statement_is_read(
    connect: Connect, name: str, value: str, statement: str, errno: int
) -> None:
    connection = connect()
    sql(connection, "CREATE TABLE T (A TIMESTAMP_NTZ, D DATE)", statement)
    assert refused(connect(session_parameters={name: value}), statement).errno == errno


def test_names_in_quotes_may_lose_their_case(connect: Connect) -> None:
    for value, name in (("FALSE", "lower"), ("TRUE", "LOWER")):
        connection = connect(session_parameters={"QUOTED_IDENTIFIERS_IGNORE_CASE": value})
        cursor = connection.cursor()
        cursor.execute('SELECT \'a "b"\' AS "lower"')
        assert ([column.name for column in cursor.description], cursor.fetchall()) == ([name], [('a "b"',)])


def test_what_timestamp_means_and_where_a_day_begins(gate: SnowflakeGate, connect: Connect) -> None:
    gate.parameters["TIMESTAMP_TYPE_MAPPING"] = "TIMESTAMP_LTZ"
    gate.parameters["TIMEZONE"] = "America/New_York"
    sql(connect(), "CREATE TABLE T (A TIMESTAMP)", "INSERT INTO T VALUES ('2026-02-07 20:00:00')")
    assert gate.rows("SELECT A::VARCHAR FROM T") == [("2026-02-08 01:00:00+00",)]


# A warehouse's life


def test_reading_asks_for_a_warehouse_when_the_test_says_so(gate: SnowflakeGate, connect: Connect) -> None:
    sql(connect(), "CREATE TABLE T (A INT)")
    gate.reading_needs_a_warehouse()
    connection = connect(warehouse=None)
    assert sql(connection, "SELECT 1") == [(1,)]
    for statement in ("SELECT * FROM T", "CREATE TABLE U AS SELECT 1 AS A", "INSERT INTO T VALUES (1)"):
        assert refused(connection, statement).errno == 606
    assert [row[0] for row in sql(connection, "DESCRIBE TABLE T")] == ["A"]


def test_a_suspended_a_used_up_and_a_slow_warehouse() -> None:
    with SnowflakeGate(scale=0.01) as gate, snowflake.connector.connect(**gate.connect_kwargs()) as connection:
        write = "INSERT INTO T VALUES (1)"
        sql(connection, "CREATE TABLE T (A INT)", "ALTER WAREHOUSE LOAD_WH SUSPEND", write)
        sql(connection, "ALTER WAREHOUSE LOAD_WH SET AUTO_RESUME = FALSE", "ALTER WAREHOUSE LOAD_WH SUSPEND")
        assert refused(connection, write).errno == 606
        gate.warehouse_states["LOAD_WH"] = Warehouse(monitor="NIGHTLY")
        assert (refused(connection, write).errno, gate.rows("SELECT count(*) FROM T")) == (90073, [(1,)])
        gate.warehouse_states["LOAD_WH"] = Warehouse(slow=5)
        sql(connection, write, "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 2")
        assert refused(connection, write).errno == 630
        gate.warehouse_states["LOAD_WH"] = Warehouse(queue=5)
        sql(connection, "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 9", write)
        sql(connection, "ALTER SESSION SET STATEMENT_QUEUED_TIMEOUT_IN_SECONDS = 2")
        assert refused(connection, write).errno == 630


# Grants


def test_a_role_does_what_it_was_granted(gate: SnowflakeGate, connect: Connect) -> None:
    gate.rows("CREATE TABLE T (A INT)")
    gate.enforce_grants()
    assert connect().schema is None
    admin = connect(role="ACCOUNTADMIN")
    grant = "GRANT USAGE ON {} TO ROLE LOADER_ROLE"
    sql(admin, grant.format("DATABASE STOCKS"), grant.format("SCHEMA STOCKS.PUBLIC"))
    role = connect()
    assert refused(role, "SELECT * FROM T").errno == 2003
    assert refused(role, "CREATE TABLE U (A INT)").errno == 3001
    sql(admin, "GRANT SELECT ON TABLE STOCKS.PUBLIC.T TO ROLE LOADER_ROLE")
    assert sql(role, "WITH c AS (SELECT * FROM T) SELECT * FROM c") == []
    for statement in (
        "INSERT INTO T VALUES (1)",
        "UPDATE T SET A = 1",
        "DELETE FROM T",
        "ALTER TABLE T ADD COLUMN B INT",
    ):
        assert refused(role, statement).errno == 3001
    sql(admin, "GRANT CREATE TABLE ON SCHEMA STOCKS.PUBLIC TO ROLE LOADER_ROLE")
    sql(role, "CREATE TABLE U (A INT)", "INSERT INTO U VALUES (1)", "DELETE FROM U WHERE A = 1")


# Locks of dead clients, and of many


def test_a_dead_clients_transaction_is_held_for_the_services_five_minutes() -> None:
    with SnowflakeGate(scale=0.001, lock_timeout=20.0) as gate:
        first, second = (snowflake.connector.connect(**gate.connect_kwargs()) for _ in range(2))
        sql(first, "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)", "BEGIN", "UPDATE T SET A = 2")
        began = time.monotonic()
        sql(second, "UPDATE T SET A = A + 10")
        assert time.monotonic() - began >= 0.2
        assert gate.rows("SELECT A FROM T") == [(11,)]
        second.close()
        first.close()


def test_twenty_may_wait_and_a_circle_has_a_victim() -> None:
    locks = LockTable(5.0, 300.0)
    one, two = (Session(number, "U", None) for number in (1, 2))
    locks.owners |= {"D.S.A": one, "D.S.B": two}
    locks.waiting |= dict.fromkeys(range(100, 120), "D.S.A")
    with pytest.raises(Refusal, match="exceeds 20"):
        asyncio.run(locks.acquire(two, "D.S.A"))
    locks.waiting = {one.id: "D.S.B"}
    with pytest.raises(Refusal, match="deadlock"):
        asyncio.run(locks.acquire(two, "D.S.A"))


# Files


def test_parquet_is_read_by_another_reader(gate: SnowflakeGate, connect: Connect, tmp_path: Path) -> None:
    gate.read_parquet()
    connection = connect()
    sql(connection, "CREATE TABLE T (A TIMESTAMP_NTZ(9))", "CREATE TEMPORARY STAGE S")
    copy = "COPY INTO T FROM (SELECT $1:A::TIMESTAMP_NTZ(9) FROM @S) FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
    for kind, good in (("TIMESTAMP_NS", True), ("TIMESTAMPTZ", False)):
        path = tmp_path / f"{kind}.parquet"
        duckdb.execute(
            f"COPY (SELECT '2026-02-07 07:05:42.818047'::{kind} AS A) TO '{path.as_posix()}' (FORMAT parquet)"
        )
        sql(connection, f"PUT 'file://{path.as_posix()}' @S AUTO_COMPRESS=FALSE OVERWRITE=TRUE")
        if good:
            sql(connection, copy)
            assert refused(connection, copy.replace("= TRUE)", "= FALSE)")).errno == 100035
        else:
            assert refused(connection, copy).errno == 100035
    assert [str(table.schema.field("A").type) for table in gate.parquet] == ["timestamp[ns]", "timestamp[us, tz=UTC]"]


def test_the_storage_may_have_a_host_of_its_own_that_nobody_reaches(
    gate: SnowflakeGate, connect: Connect, day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect()
    sql(connection, "CREATE TEMPORARY STAGE S")
    put = f"PUT 'file://{(day / 'a.parquet').as_posix()}' @S AUTO_COMPRESS=FALSE OVERWRITE=TRUE"
    assert gate.storage_apart() != f"127.0.0.1:{gate.port}"
    assert sql(connection, put)[0][6] == "UPLOADED"
    gate.storage_apart(reachable=False)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the connector waits between its attempts
    assert refused(connection, put).errno == 253003


def test_a_user_may_be_refused_for_a_reason_of_its_own(gate: SnowflakeGate, connect: Connect) -> None:
    gate.users["LOADER"].refusal = (390101, "User access disabled. Contact your local system administrator.")
    with pytest.raises(DatabaseError) as error:
        connect()
    assert error.value.errno == 390101
