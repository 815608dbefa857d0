"""A day into Snowflake: the real connector over HTTP, against the local stand-in."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
import snowflake.connector

import stockpipe
from conftest import Serve, command, flags, many, stock
from snowflake_gate import INSUFFICIENT_PRIVILEGES, SnowflakeGate
from stockpipe.datasets import TICKERS
from stockpipe.errors import AccessError, ConfigError, UsageError, WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake.privileges import lacking, or_granted, stored_role
from stockpipe.warehouse.snowflake.session import open_session, session_plan

pytestmark = pytest.mark.slow

# A load into tables that are there, whatever the number of rows.
STEADY = [
    "DESCRIBE", "SHOW", "DESCRIBE", "DESCRIBE", "DESCRIBE", "SELECT", "CREATE", "PUT", "BEGIN", "UPDATE", "DELETE", "COPY",
    "SELECT", "INSERT", "COMMIT",
]  # fmt: skip

NO_WAREHOUSE = (606, "No active warehouse selected in the current session.", "57P03")


def words(gate: SnowflakeGate) -> list[str]:
    """The first word of each statement since the log was cleared.

    Without the question for role and warehouse, which wakes nothing: connector 4 tells both, and 5 does not.
    """
    asked = [statement for statement in gate.statements() if statement != "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()"]
    return [statement.split()[0].upper() for statement in asked]


def test_a_day_arrives_whole_and_a_second_load_is_the_same_table(serve: Serve, gate: SnowflakeGate) -> None:
    rows = [
        *many(1100),
        stock("ABRpD", name='Soci\u00e9t\u00e9, "x" O\'Neil', listing_tier="gold"),
        stock("ZZ", name=""),
    ]
    settings = flags(serve(rows)) | gate.env()
    for _ in range(2):
        result = stockpipe.load(settings=settings)
        assert (result.rows, result.table, result.records[0].rows_rejected) == (1101, "TICKERS", 1)
    assert gate.rows("SELECT count(*), count(DISTINCT ticker) FROM tickers") == [(1101, 1101)]
    assert gate.rows("SELECT name, extra, cik FROM tickers WHERE ticker = 'ABRpD'") == [
        ('Soci\u00e9t\u00e9, "x" O\'Neil', '{"listing_tier":"gold"}', "0000001234")
    ]
    assert gate.rows("SELECT status, rows_published, rows_rejected FROM stockpipe_runs ORDER BY run_id") == [
        ("published", 1101, 1),
        ("unchanged", 1101, 1),
    ]
    assert gate.rows("SELECT DISTINCT ticker, reason FROM stockpipe_rejects") == [("ZZ", "name is missing")]


@pytest.mark.parametrize("count", [10, 3000])
def test_a_day_is_a_fixed_number_of_statements_and_no_ddl_stands_in_the_transaction(
    serve: Serve, gate: SnowflakeGate, count: int
) -> None:
    settings = flags(serve(many(count))) | gate.env()
    stockpipe.load(settings=settings)
    gate.log.clear()
    stockpipe.load(settings=settings, force=True)
    assert words(gate) == STEADY


def test_an_unchanged_day_costs_three_small_statements(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(10))) | gate.env()
    stockpipe.load(settings=settings)
    gate.log.clear()
    result = stockpipe.load(settings=settings)
    assert result.records[0].status == "unchanged"
    assert words(gate) == ["DESCRIBE", "SHOW", "DESCRIBE", "DESCRIBE", "DESCRIBE", "SELECT", "SELECT", "INSERT"]
    assert {entry.query_tag for entry in gate.log if entry.kind == "query"} == {f"stockpipe {result.run_id}"}


def test_the_insert_method_loads_the_same_in_batches(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve([*many(24), stock("X", tier="a")]), STOCKPIPE_BATCH_SIZE="10") | gate.env()
    assert command("run", env=settings | {"STOCKPIPE_LOAD_METHOD": "insert"}).returncode == 0
    assert gate.rows("SELECT count(*), count(extra), max(last_updated_utc)::VARCHAR FROM tickers") == [
        (25, 1, "2026-02-07 07:05:42.818047")
    ]
    assert [word for word in words(gate) if word in ("PUT", "COPY")] == []
    assert len([sql for sql in gate.statements() if sql.startswith('INSERT INTO "STOCKS"."PUBLIC"."TICKERS"')]) == 3


@pytest.mark.parametrize(
    ("method", "dry_run", "lines"),
    [
        ("insert", False, ["1 (10 records)", "2 (10 records)", "3 (5 records)"]),
        ("copy", False, ["1 (25 records)"]),
        ("insert", True, []),
        ("copy", True, []),
    ],
)
def test_the_log_tells_of_each_batch_that_is_ingested(
    serve: Serve, gate: SnowflakeGate, caplog: pytest.LogCaptureFixture, method: str, dry_run: bool, lines: list[str]
) -> None:
    settings = flags(serve([*many(24), stock("ZZ"), stock("ZZZ", name="")]), STOCKPIPE_BATCH_SIZE="10") | gate.env()
    with caplog.at_level("INFO"):
        stockpipe.load(settings=settings, load_method=method, dry_run=dry_run)
    said = [message.removeprefix("Ingested batch ") for message in caplog.messages if "Ingested batch" in message]
    assert said == lines


OLD_COLUMNS = {
    "ticker": "VARCHAR(20)", "name": "VARCHAR(500)", "market": "VARCHAR(50)", "locale": "VARCHAR(10)",
    "primary_exchange": "VARCHAR(10)", "type": "VARCHAR(20)", "active": "BOOLEAN", "currency_name": "VARCHAR(50)",
    "cik": "VARCHAR(20)", "composite_figi": "VARCHAR(50)", "share_class_figi": "VARCHAR(50)",
    "last_updated_utc": "TIMESTAMP", "ds": "DATE",
}  # fmt: skip


def old_table(gate: SnowflakeGate, quote: str = "", **types: str) -> None:
    """The table as version 1 made it, with a row."""
    columns = ", ".join(f"{quote}{name}{quote} {kind}" for name, kind in (OLD_COLUMNS | types).items())
    names = ", ".join(f"{quote}{name}{quote}" for name in ("ticker", "market", "active", "last_updated_utc", "ds"))
    gate.rows(f"CREATE TABLE tickers ({columns})")
    gate.rows(f"INSERT INTO tickers ({names}) VALUES ('OLD', 'otc', true, '2026-01-01 02:03:04', '2026-01-01')")


@pytest.mark.parametrize(
    ("types", "says", "remedy"),
    [
        (
            {"REGION": "VARCHAR NOT NULL"},
            '"REGION" that is NOT NULL and has no default',
            'ALTER COLUMN "REGION" DROP NOT NULL',
        ),
        ({"cik": "VARCHAR NOT NULL"}, '"CIK" as NOT NULL', 'ALTER COLUMN "CIK" DROP NOT NULL'),
    ],
)
def test_a_column_that_our_rows_leave_empty_is_refused_before_the_first_call(
    serve: Serve, gate: SnowflakeGate, types: dict[str, str], says: str, remedy: str
) -> None:
    columns = OLD_COLUMNS | {"REGION": "VARCHAR DEFAULT 'us' NOT NULL"} | types
    gate.rows(f"CREATE TABLE tickers ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError) as caught:
        stockpipe.load(settings=flags(sandbox) | gate.env())
    assert says in caught.value.message
    assert remedy in caught.value.hint
    assert sandbox.calls == []


@pytest.mark.parametrize("stamp", ["TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "DATETIME"])
def test_a_table_of_the_old_script_is_completed_and_widened(serve: Serve, gate: SnowflakeGate, stamp: str) -> None:
    """Whatever the account made of TIMESTAMP; columns that are added have their comments."""
    old_table(gate, last_updated_utc=stamp)
    rows = [stock("GREYF", market="otc", primary_exchange="Grey Market")]
    stockpipe.load(market="otc", settings=flags(serve(rows)) | gate.env())
    utc = "substr(last_updated_utc::VARCHAR, 1, 19)"
    assert gate.rows(f"SELECT ticker, primary_exchange, {utc} FROM tickers ORDER BY 1") == [
        ("GREYF", "Grey Market", "2026-02-07 07:05:42"),
        ("OLD", None, "2026-01-01 02:03:04"),
    ]
    names = [column[0] for column in gate.rows("DESCRIBE TABLE tickers")]
    assert names == [column.name for column in TICKERS.columns]
    added = [sql for sql in gate.statements() if " ADD COLUMN " in sql]
    assert len(added) == len(TICKERS.columns) - len(OLD_COLUMNS)
    assert all(" COMMENT '" in sql for sql in added)


def test_columns_in_lower_case_are_renamed_only_by_who_owns_the_table(serve: Serve, gate: SnowflakeGate) -> None:
    """Whoever reads "ticker" in quotes would be broken by a rename that nobody asked for."""
    old_table(gate, '"')
    sandbox = serve(many(3))
    settings = flags(sandbox) | gate.env()
    with pytest.raises(
        WarehouseError, match=r"has columns whose names are not in upper case, .*: ticker, name, "
    ) as error:
        stockpipe.load(settings=settings)
    assert (sandbox.calls, [sql for sql in gate.statements() if sql.startswith("ALTER TABLE")]) == ([], [])
    statements = re.findall(r'ALTER TABLE \S+ RENAME COLUMN "\w+" TO "\w+"', error.value.hint)
    assert len(statements) == 13
    for statement in statements:
        gate.rows(statement)
    assert stockpipe.load(settings=settings).rows == 3


@pytest.mark.parametrize("name", ["tickers", "stockpipe_runs", "stockpipe_rejects", "stockpipe_fence"])
def test_a_view_in_the_place_of_a_table_is_refused_before_the_first_call(
    serve: Serve, gate: SnowflakeGate, name: str
) -> None:
    sandbox = serve(many(3))
    settings = flags(sandbox) | gate.env()
    stockpipe.load(settings=settings)
    gate.rows(f"ALTER TABLE {name} RENAME TO apart")
    gate.rows(f"CREATE VIEW {name} AS SELECT * FROM apart")
    sandbox.calls.clear()
    done = command("run", env=settings)
    assert (done.returncode, sandbox.calls) == (6, [])
    assert f'"STOCKS"."PUBLIC"."{name.upper()}" is a view, and a run writes into a table of this name.' in done.stderr
    seen = command("doctor", env=settings)
    assert (seen.returncode, f'FAIL  table       "STOCKS"."PUBLIC"."{name.upper()}" is a view' in seen.stdout) == (
        6,
        True,
    )


def test_a_table_of_another_owner_is_completed_by_that_owner(serve: Serve, gate: SnowflakeGate) -> None:
    """What the owner has to run stands in the message, all of it, and gives nothing away."""
    old_table(gate)
    gate.fault("^ALTER TABLE", action=INSUFFICIENT_PRIVILEGES, times=None)
    sandbox = serve(many(3))
    settings = flags(sandbox) | gate.env()
    with pytest.raises(WarehouseError, match="Insufficient privileges") as error:
        stockpipe.load(settings=settings)
    assert sandbox.calls == []
    assert error.value.hint.startswith("Only a table's owner may alter it. Have its owner run, once: ALTER TABLE ")
    for statement in error.value.hint.partition("once: ")[2].rstrip(";").split("; ALTER TABLE"):
        gate.rows(f"ALTER TABLE {statement.removeprefix('ALTER TABLE')}")
    assert stockpipe.load(settings=settings).rows == 3


def test_without_a_stage_the_rows_go_by_insert_and_it_is_told(
    serve: Serve, gate: SnowflakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    gate.fault("CREATE TEMPORARY STAGE", action=INSUFFICIENT_PRIVILEGES, times=None)
    settings = flags(serve(many(25)), STOCKPIPE_BATCH_SIZE="10") | gate.env()
    assert stockpipe.load(settings=settings).rows == 25
    assert [word for word in words(gate) if word in ("PUT", "COPY")] == []
    (said,) = [message for message in caplog.messages if message.startswith("No stage may be created")]
    assert 'GRANT CREATE STAGE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE LOADER_ROLE;' in said


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("active", "VARCHAR(5)", 'column "ACTIVE" of type VARCHAR(5) where "ACTIVE" BOOLEAN is needed'),
        ("cik", "INTEGER", 'column "CIK" of type NUMBER(38,0) where "CIK" VARCHAR(20) is needed'),
        ("ds", "TIMESTAMP", 'column "DS" of type TIMESTAMP_NTZ(9) where "DS" DATE is needed'),
        ("last_updated_utc", "VARCHAR(50)", 'type VARCHAR(50) where "LAST_UPDATED_UTC" TIMESTAMP_NTZ(9) is needed'),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_clash_of_columns_is_refused_before_the_fetch(
    serve: Serve, gate: SnowflakeGate, quote: str, name: str, kind: str, message: str
) -> None:
    old_table(gate, quote, active="BOOLEAN")
    gate.rows(f"ALTER TABLE tickers DROP COLUMN {quote}{name}{quote}")
    gate.rows(f"ALTER TABLE tickers ADD COLUMN {quote}{name}{quote} {kind}")
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError) as refused:
        stockpipe.load(settings=flags(sandbox) | gate.env())
    spelled = name if quote else name.upper()
    assert message.replace(f'column "{name.upper()}"', f'column "{spelled}"') in refused.value.message
    mend = f'ALTER TABLE "STOCKS"."PUBLIC"."TICKERS" RENAME COLUMN "{spelled}" TO "OLD_{name.upper()}"'
    assert mend in refused.value.hint
    assert (sandbox.calls, [sql for sql in gate.statements() if sql.startswith("ALTER TABLE")]) == ([], [])
    gate.rows(mend)
    for column in OLD_COLUMNS if quote else ():
        if column != name:
            gate.rows(f'ALTER TABLE tickers RENAME COLUMN "{column}" TO "{column.upper()}"')
    assert stockpipe.load(settings=flags(sandbox) | gate.env()).rows == 3
    assert gate.rows("SELECT count(*) FROM tickers") == [(4,)]


def test_a_wrong_password_is_named_and_never_shown(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(3))) | gate.env() | {"SNOWFLAKE_PASSWORD": "not-the-password"}
    with pytest.raises(AccessError, match="refused the sign-in"):
        stockpipe.load(settings=settings)
    done = command("run", "-v", env={name: text for name, text in settings.items() if text})
    assert done.returncode == 4
    assert "not-the-password" not in done.stdout + done.stderr


def test_a_failing_copy_leaves_the_published_day(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(20))) | gate.env()
    stockpipe.load(settings=settings)
    gate.fault("COPY INTO", when="before", action=(100072, "planned failure", "22000"))
    with pytest.raises(WarehouseError, match="planned failure"):
        stockpipe.load(settings=settings, force=True)
    assert gate.rows("SELECT count(*) FROM tickers") == [(20,)]
    assert gate.rows("SELECT status FROM stockpipe_runs ORDER BY run_id, status") == [("published",), ("failed",)]


@pytest.mark.parametrize("name", ["SNOWFLAKE_USER", "SNOWFLAKE_PASSWORD", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA"])
def test_a_missing_setting_is_named(serve: Serve, gate: SnowflakeGate, name: str) -> None:
    settings = flags(serve(many(1))) | {**gate.env(), name: ""}
    with pytest.raises(ConfigError, match=f"{name} is not set"):
        stockpipe.load(settings=settings)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "SNOWFLAKE_ACCOUNT, SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA and SNOWFLAKE_USER are not set, nor any way to sign in"),
        ({"SNOWFLAKE_USER": "u", "SNOWFLAKE_TOKEN": "t"}, "SNOWFLAKE_ACCOUNT, SNOWFLAKE_DATABASE and SNOWFLAKE_SCHEMA are not set."),
        ({"SNOWFLAKE_OAUTH_CLIENT_ID": "c", "SNOWFLAKE_SCHEMA": "s"}, "SNOWFLAKE_ACCOUNT and SNOWFLAKE_DATABASE are not set."),
        ({"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_SCHEMA": "s", "SNOWFLAKE_USER": "u"}, "SNOWFLAKE_DATABASE is not set, nor any way to sign in"),
    ],
)  # fmt: skip
def test_all_settings_that_are_missing_are_named_at_once(serve: Serve, given: dict[str, str], message: str) -> None:
    sandbox = serve(many(1))
    env = flags(sandbox) | {"STOCKPIPE_WAREHOUSE": "snowflake"} | given
    for arguments in (["run"], ["status"], ["query", "SELECT 1"]):
        done = command(*arguments, env=env)
        assert (done.returncode, message in done.stderr) == (3, True), done.stderr
    assert sandbox.calls == []
    doctor = command("doctor", env=env)
    failed = [line for line in doctor.stdout.splitlines() if line.startswith("FAIL")]
    assert (doctor.returncode, len(failed)) == (3, 1)
    assert failed[0].startswith(f"FAIL  settings    {message}")


def test_query_reads_and_only_reads(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(5))) | gate.env()
    stockpipe.load(settings=settings)
    done = command("query", "SELECT count(*) AS N FROM TICKERS", "--format", "json", env=settings)
    assert done.stdout == '[\n  {\n    "n": 5\n  }\n]\n'
    refused = command("query", "DELETE FROM TICKERS", env=settings)
    assert (refused.returncode, "is read-only" in refused.stderr) == (2, True)
    exported = command("export", "day.csv", env=settings)
    assert exported.returncode == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1; DROP TABLE TICKERS", "There is more than one statement"),
        ("SELECT 1 -- ;\n;/* */DROP TABLE TICKERS;", "There is more than one statement"),
        ("SELECT 'it''s \\'; ' ; DROP TABLE TICKERS", "There is more than one statement"),
        ("SHOW TABLES ->> DROP TABLE TICKERS", "->> hands over to a second statement"),
        ("WITH p AS /* */ procedure () RETURNS INT LANGUAGE SQL AS $$ DROP TABLE TICKERS $$ CALL p()", "AS PROCEDURE"),
        ("SELECT SYSTEM$CANCEL_ALL_QUERIES(123)", "SYSTEM\\$ function may act"),
        ("SELECT system$abort_session/* */ (1)", "SYSTEM\\$ function may act"),
        ("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('d.s.t')", "SYSTEM\\$ function may act"),
        ("SELECT \"SYSTEM$PIPE_FORCE_RESUME\"('p')", "SYSTEM\\$ function may act"),
        ("SELECT SYSTEM$TYPEOF(SYSTEM$WAIT(60))", "SYSTEM\\$ function may act"),
        ("SELECT seq.NEXTVAL", "NEXTVAL takes a number"),
        ('SELECT "Seq" . "NEXTVAL"', "NEXTVAL takes a number"),
        ("SELECT n.nextval FROM t, TABLE(GETNEXTVAL(seq)) n", "NEXTVAL takes a number"),
        ("-- SELECT\n/* SELECT */ DROP TABLE TICKERS", "it does not run DROP"),
        ("// SELECT\n(DROP TABLE TICKERS)", "it does not run DROP"),
        ("-- SELECT 1", "There is no statement to run"),
        ("", "There is no statement to run"),
    ],
)
def test_a_query_that_hides_a_writing_statement_is_not_sent(gate: SnowflakeGate, text: str, why: str) -> None:
    with pytest.raises((UsageError, WarehouseError), match=why):
        open_warehouse(load_settings(gate.env(), env={})).query(text)
    assert gate.logins == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("-- how many\nSELECT 1", [(1,)]),
        ("/* how; many */ // here\n (SELECT 1);\n;", [(1,)]),
        ("SELECT'a; b ->> c'", [("a; b ->> c",)]),
        ('SELECT 2 AS "as procedure ("', [(2,)]),
        ("SELECT 3 AS PROCEDURE -- ; DROP", [(3,)]),
        ("SELECT 'SYSTEM$WAIT(1)' -- SYSTEM$WAIT(1)", [("SYSTEM$WAIT(1)",)]),
        ("SELECT 4 AS NEXTVAL", [(4,)]),
        ('SELECT 5 AS "SYSTEM$WAIT"', [(5,)]),
    ],
)
def test_what_only_looks_like_writing_is_asked(gate: SnowflakeGate, text: str, rows: list[tuple[object]]) -> None:
    with closing(open_warehouse(load_settings(gate.env(), env={}))) as warehouse:
        assert warehouse.query(text).rows == rows


def test_a_session_sends_one_statement_a_request(gate: SnowflakeGate) -> None:
    """Whatever the account allows, and whatever gets past our own look at a query."""
    with open_session(session_plan(load_settings(gate.env(), env={}))) as session:
        session.cursor().execute("CREATE TABLE kept (n INT)")
        with pytest.raises(snowflake.connector.Error, match="Actual statement count 2 did not match"):
            session.cursor().execute("SELECT 1; DROP TABLE kept")
    assert gate.rows("SELECT count(*) FROM kept") == [(0,)]
    assert str(gate.logins[0].data["SESSION_PARAMETERS"]["MULTI_STATEMENT_COUNT"]) == "1"


@pytest.mark.parametrize("asked", ["SELECT 1 AS N", "SELECT count(*) AS N FROM TICKERS"])
def test_rows_that_cannot_be_fetched_are_an_error_of_the_warehouse(
    serve: Serve, gate: SnowflakeGate, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], asked: str
) -> None:
    settings = flags(serve(many(1))) | gate.env()
    stockpipe.load(settings=settings)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the connector waits between ten attempts
    gate.fault("^SELECT", when="after", action="lost")
    with closing(open_warehouse(load_settings(settings, env={}))) as warehouse, pytest.raises(WarehouseError) as error:
        warehouse.query(asked)
    assert error.value.message.startswith("Snowflake refused SELECT: ")
    assert "presigned" not in str(error.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("text", ["SELECT FROM 1", "SELECT no_such_column FROM TICKERS", "SELECT 1 FROM no_such_table"])
def test_a_refused_query_says_nothing_of_publishing(serve: Serve, gate: SnowflakeGate, text: str) -> None:
    settings = flags(serve(many(1))) | gate.env()
    stockpipe.load(settings=settings)
    with closing(open_warehouse(load_settings(settings, env={}))) as warehouse, pytest.raises(WarehouseError) as error:
        warehouse.query(text)
    assert error.value.message.startswith("Snowflake refused SELECT: ")
    assert error.value.hint.startswith("Nothing was changed. Check the SQL")


@pytest.mark.parametrize(
    ("statement", "privilege"),
    [
        ("CREATE TABLE", 'CREATE TABLE ON SCHEMA "STOCKS"."PUBLIC"'),
        ("DELETE FROM", 'DELETE ON TABLE "STOCKS"."PUBLIC"."TICKERS"'),
        ("COPY INTO", 'INSERT ON TABLE "STOCKS"."PUBLIC"."TICKERS"'),
        ("^UPDATE", 'UPDATE ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_FENCE"'),
        ("INSERT INTO.*RUNS", 'INSERT ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_RUNS"'),
        ("DESCRIBE TABLE.*RUNS", 'SELECT ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_RUNS"'),
        ("SELECT.*QUALIFY", 'SELECT ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_RUNS"'),
    ],
)
def test_a_missing_privilege_is_named_with_its_grant(
    serve: Serve, gate: SnowflakeGate, statement: str, privilege: str
) -> None:
    gate.fault(statement, action=INSUFFICIENT_PRIVILEGES)
    with pytest.raises(WarehouseError, match="Insufficient privileges") as error:
        stockpipe.load(settings=flags(serve(many(3))) | gate.env())
    assert f"GRANT {privilege} TO ROLE LOADER_ROLE;" in error.value.hint


def test_a_record_that_the_role_may_not_see_is_no_empty_history(serve: Serve, gate: SnowflakeGate) -> None:
    stockpipe.load(settings=flags(serve(many(100))) | gate.env())
    gate.fault("SELECT.*QUALIFY", action=(2003, "Table 'STOCKPIPE_RUNS' does not exist or not authorized.", "42S02"))
    with pytest.raises(WarehouseError, match="does not exist or not authorized") as error:
        stockpipe.load(settings=flags(serve(many(10))) | gate.env())
    assert error.value.hint == (
        "The role LOADER_ROLE may not see it, or it does not exist. An administrator gives it: "
        'GRANT SELECT ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_RUNS" TO ROLE LOADER_ROLE; '
        "(stockpipe schema --grants prints all that is needed)"
    )
    assert gate.rows("SELECT count(*) FROM tickers") == [(100,)]


@pytest.mark.parametrize(
    ("given", "to"),
    [("loader_role", "LOADER_ROLE"), ('"LOADER_ROLE"', "LOADER_ROLE"), ('"svc-loader"', '"svc-loader"')],
)
def test_a_role_is_written_as_a_statement_takes_it(serve: Serve, gate: SnowflakeGate, given: str, to: str) -> None:
    with open_session(session_plan(load_settings(gate.env(), env={}))) as administrator:
        administrator.cursor().execute(f"CREATE ROLE {to}")
    gate.fault("DELETE FROM", action=INSUFFICIENT_PRIVILEGES)
    with pytest.raises(WarehouseError) as error:
        stockpipe.load(settings=flags(serve(many(3))) | gate.env(SNOWFLAKE_ROLE=given))
    assert f'GRANT DELETE ON TABLE "STOCKS"."PUBLIC"."TICKERS" TO ROLE {to};' in error.value.hint


@pytest.mark.parametrize("given", ["", "accountadmin"])
@pytest.mark.parametrize("refusal", [INSUFFICIENT_PRIVILEGES, NO_WAREHOUSE])
def test_no_grant_goes_to_a_role_that_every_account_has(
    serve: Serve, gate: SnowflakeGate, given: str, refusal: tuple[int, str, str]
) -> None:
    gate.fault("DELETE FROM", action=refusal)
    with pytest.raises(WarehouseError) as error:
        stockpipe.load(settings=flags(serve(many(3))) | gate.env(SNOWFLAKE_ROLE=given))
    assert "Set SNOWFLAKE_ROLE to a role of its own" in error.value.hint
    assert "TO ROLE" not in error.value.hint


def test_a_role_that_is_not_known_is_left_out() -> None:
    assert "GRANT SELECT ON TABLE T TO ROLE ...;" in lacking("SELECT ON TABLE T", stored_role(None, None))
    assert or_granted("Set it", "USAGE ON WAREHOUSE ...", None).endswith("GRANT USAGE ON WAREHOUSE ... TO ROLE ...;")


def test_a_schema_that_may_not_be_made_is_named(serve: Serve, gate: SnowflakeGate) -> None:
    gate.fault("CREATE SCHEMA", action=INSUFFICIENT_PRIVILEGES)
    with pytest.raises(WarehouseError, match='NEW_ONE" does not exist, or the role may not') as error:
        stockpipe.load(settings=flags(serve(many(3))) | gate.env(SNOWFLAKE_SCHEMA="NEW_ONE"))
    assert error.value.hint == (
        'If it is there, the role may not use it: GRANT USAGE ON SCHEMA "STOCKS"."NEW_ONE" TO ROLE LOADER_ROLE; '
        'If it is not, an administrator makes it: CREATE SCHEMA "STOCKS"."NEW_ONE"; (stockpipe schema --grants prints both)'
    )


@pytest.mark.parametrize("may_create", [False, True])
def test_a_schema_that_is_there_and_hidden_asks_for_usage(serve: Serve, gate: SnowflakeGate, may_create: bool) -> None:
    gate.enforce_grants()
    gate.grants.append(f"GRANT USAGE ON DATABASE STOCKS TO ROLE {gate.role}")
    if may_create:
        gate.grants.append(f"GRANT CREATE SCHEMA ON DATABASE STOCKS TO ROLE {gate.role}")
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError) as error:
        stockpipe.load(settings=flags(sandbox) | gate.env())
    assert 'GRANT USAGE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE LOADER_ROLE;' in error.value.hint
    assert "GRANT CREATE SCHEMA" not in error.value.hint
    assert error.value.hint.startswith("It is there" if may_create else "If it is there")
    assert sandbox.calls == []


def test_a_session_without_a_warehouse_is_told_what_to_set(serve: Serve, gate: SnowflakeGate) -> None:
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError, match="SNOWFLAKE_WAREHOUSE is not set") as error:
        stockpipe.load(settings=flags(sandbox) | gate.env(SNOWFLAKE_WAREHOUSE=""))
    assert error.value.hint.startswith("Set SNOWFLAKE_WAREHOUSE")
    assert sandbox.calls == []


def test_a_missing_schema_is_made_and_a_missing_database_is_named(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(3)))
    assert stockpipe.load(settings=settings | gate.env(SNOWFLAKE_SCHEMA="NEW_ONE")).rows == 3
    assert gate.rows("SELECT count(*) FROM new_one.tickers") == [(3,)]
    with pytest.raises(ConfigError, match='The database "NOPE" does not exist') as error:
        stockpipe.load(settings=settings | gate.env(SNOWFLAKE_DATABASE="NOPE"))
    assert "stockpipe init --create" in error.value.hint
