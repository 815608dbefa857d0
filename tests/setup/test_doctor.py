"""stockpipe doctor: what it says of a good set-up and of broken ones, and that it only looks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import stockpipe
from conftest import Serve, command, flags, many
from snowflake_gate import SnowflakeGate, User
from stockpipe.base.clock import NEW_YORK, Clock
from stockpipe.models import views
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.settings import load_settings
from stockpipe.setup.doctor import Diagnosis, examine
from stockpipe.warehouse.scripts import grants_script
from support.keys import pem, public_pem

pytestmark = pytest.mark.slow

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def gate() -> Iterator[SnowflakeGate]:
    """An account as the script of `stockpipe schema --grants` leaves it, with a service user and a loaded day."""
    with SnowflakeGate() as gate:
        user = User("BOT")
        user.set_rsa_public_key(public_pem(KEY))
        gate.users["BOT"] = user
        gate.grants.extend(
            re.findall(r"^GRANT .*(?=;$)", grants_script(load_settings(gate.env(), env={}), views), re.MULTILINE)
        )
        yield gate


def account(gate: SnowflakeGate, **changes: str) -> dict[str, str]:
    """Settings that sign in as the service user, with its key."""
    env = {name: text for name, text in gate.env().items() if name != "SNOWFLAKE_PASSWORD"}
    return env | {"SNOWFLAKE_USER": "BOT", "SNOWFLAKE_PRIVATE_KEY": pem(KEY)} | changes


def lines(settings: dict[str, str], clock: Clock | None = None) -> list[str]:
    """All findings but those that are always the same, without ports, times and sizes."""
    found = [
        f for f in examine(load_settings(settings, env={}), clock or Clock()) if f.name not in ("settings", "disk")
    ]
    return [plain(finding) for finding in found]


def plain(finding: Diagnosis) -> str:
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", f"{finding.level} {finding.name}: {finding.text}")
    return re.sub(r"in \d+\.\d\d s", "in a moment", text)


API = [
    "OK API key: 11 characters, from the command line",
    "OK API: http://HOST answered in a moment",
    "OK key: accepted",
    "OK history: reaches back to 2003-09-10",
    "OK plan: paid, as MASSIVE_PLAN says; pages go side by side",
    "OK clock: agrees with the API's",
]
IN_USE = [
    "OK sign-in: as BOT (snowflake_jwt)",
    "OK role: LOADER_ROLE",
    "OK warehouse: LOAD_WH",
    "OK database: STOCKS",
    "OK schema: PUBLIC",
    "OK storage: reached: HOST",
]
GRANTED = [
    "OK privileges: CREATE STAGE on STOCKS.PUBLIC",
    "OK privileges: SELECT, INSERT, DELETE on STOCKS.PUBLIC.TICKERS",
    "OK privileges: SELECT, INSERT on STOCKS.PUBLIC.STOCKPIPE_RUNS",
    "OK privileges: SELECT, INSERT on STOCKS.PUBLIC.STOCKPIPE_REJECTS",
    "OK privileges: SELECT, UPDATE on STOCKS.PUBLIC.STOCKPIPE_FENCE",
]
TABLES = [
    'OK table: "STOCKS"."PUBLIC"."TICKERS": as declared',
    'OK table: "STOCKS"."PUBLIC"."STOCKPIPE_RUNS": as declared',
    'OK table: "STOCKS"."PUBLIC"."STOCKPIPE_REJECTS": as declared',
]


def today() -> str:
    return f"OK last day: {datetime.now(NEW_YORK).date()}, today's"


# A good set-up


def test_a_good_account_and_nothing_is_changed_by_looking(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.log.clear()
    assert lines(settings) == [*API, *IN_USE, *GRANTED, *TABLES, today()]
    assert {statement.split()[0] for statement in gate.statements()} == {"SELECT", "DESCRIBE", "SHOW"}


def test_before_the_first_load(serve: Serve, gate: SnowflakeGate) -> None:
    assert lines(flags(serve(many(4))) | account(gate))[len(API) + len(IN_USE) :] == [
        "OK privileges: CREATE STAGE on STOCKS.PUBLIC",
        "OK privileges: CREATE TABLE on STOCKS.PUBLIC",
        "OK privileges: CREATE VIEW on STOCKS.PUBLIC",
        'OK table: "STOCKS"."PUBLIC"."TICKERS" is not there, or LOADER_ROLE may not see it; the first run makes it',
        'OK table: "STOCKS"."PUBLIC"."STOCKPIPE_RUNS" is not there, or LOADER_ROLE may not see it; the first run makes it',
        'OK table: "STOCKS"."PUBLIC"."STOCKPIPE_REJECTS" is not there, or LOADER_ROLE may not see it; the first run makes it',
    ]
    assert gate.rows("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'PUBLIC'") == [(0,)]


def test_a_duckdb_file_before_and_after_the_first_load(serve: Serve) -> None:
    settings = flags(serve(many(4)))
    first = "OK warehouse: DuckDB file stockpipe.duckdb is not there yet; the first run makes it"
    assert lines(settings) == [*API, first]
    assert list(Path().glob("*.duckdb*")) == []
    stockpipe.load(settings=settings)
    assert lines(settings)[len(API) :] == [
        "OK warehouse: DuckDB file stockpipe.duckdb can be read and written",
        'OK table: "TICKERS": as declared',
        'OK table: "STOCKPIPE_RUNS": as declared',
        'OK table: "STOCKPIPE_REJECTS": as declared',
        today(),
    ]


def test_privileges_by_way_of_another_role_count(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant.replace('TO ROLE "LOADER_ROLE"', 'TO ROLE "BASE"') for grant in gate.grants]
    assert any(line.startswith("FAIL privileges") for line in lines(settings))
    gate.answer(
        'SHOW GRANTS TO ROLE "LOADER_ROLE"',
        ["created_on", "privilege", "granted_on", "name", "granted_to"],
        [["2026-01-01", "USAGE", "DATABASE_ROLE", "STOCKS.LOADERS", "ROLE"]],
    )
    gate.answer(
        'SHOW GRANTS TO DATABASE ROLE "STOCKS"."LOADERS"',
        ["created_on", "privilege", "granted_on", "name", "granted_to"],
        [["2026-01-01", "USAGE", "ROLE", "BASE", "ROLE"], ["2026-01-01", "USAGE", "ROLE", "LOADER_ROLE", "ROLE"]],
    )
    assert lines(settings)[len(API) + len(IN_USE) :] == [*GRANTED, *TABLES, today()]


def test_privileges_of_every_role_count(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant.replace('TO ROLE "LOADER_ROLE"', "TO ROLE PUBLIC") for grant in gate.grants]
    assert lines(settings)[len(API) + len(IN_USE) :] == [*GRANTED, *TABLES, today()]


def test_secondary_roles_lend_all_but_create(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant.replace('TO ROLE "LOADER_ROLE"', 'TO ROLE "BASE"') for grant in gate.grants]
    gate.answer("CURRENT_SECONDARY_ROLES", ["ROLES"], [['{"roles":"ANALYST,BASE","value":"ALL"}']])
    lacking = "WARN privileges: LOADER_ROLE lacks CREATE STAGE on STOCKS.PUBLIC"
    assert lines(settings)[len(API) + len(IN_USE) :] == [lacking, *GRANTED[1:], *TABLES, today()]


# Broken ones


def test_a_role_that_is_only_owned_gives_nothing(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant.replace('TO ROLE "LOADER_ROLE"', 'TO ROLE "BASE"') for grant in gate.grants]
    gate.answer(
        'SHOW GRANTS TO ROLE "LOADER_ROLE"',
        ["created_on", "privilege", "granted_on", "name", "granted_to"],
        [["2026-01-01", "OWNERSHIP", "ROLE", "BASE", "ROLE"]],
    )
    found = lines(settings)[len(API) + len(IN_USE) :]
    assert found[:2] == [
        "WARN privileges: LOADER_ROLE lacks CREATE STAGE on STOCKS.PUBLIC",
        "FAIL privileges: LOADER_ROLE lacks SELECT, INSERT, DELETE on STOCKS.PUBLIC.TICKERS",
    ]


def test_who_may_stage_nothing_needs_no_stage(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate) | {"STOCKPIPE_LOAD_METHOD": "insert"}
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant for grant in gate.grants if "STAGE" not in grant]
    found = [*examine(load_settings(settings, env={}), Clock())]
    assert [finding for finding in found if finding.level == "FAIL"] == []
    assert not any("CREATE STAGE" in finding.text for finding in found)


def test_grants_that_cannot_all_be_read_are_no_failure(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant for grant in gate.grants if "STAGE" not in grant]
    gate.answer("CURRENT_SECONDARY_ROLES", ["ROLES"], [["not what is documented"]])
    found = [*examine(load_settings(settings, env={}), Clock())]
    (warning,) = [finding for finding in found if finding.name == "privileges" and finding.level != "OK"]
    assert (warning.level, warning.text) == (
        "WARN",
        "CREATE STAGE on STOCKS.PUBLIC: not seen among the grants of LOADER_ROLE and of the roles below it",
    )
    assert warning.remedy == (
        'If a run is refused: GRANT CREATE STAGE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE LOADER_ROLE; '
        "Without it a run loads by INSERT, which keeps the warehouse busy for longer, and says so "
        "(STOCKPIPE_LOAD_METHOD=insert does so without the warning)."
    )


def test_a_table_that_is_hidden_from_the_role_is_no_table_to_be_made(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    hidden = (2003, "SQL compilation error:\nTable does not exist or not authorized.", "42S02")
    gate.fault("DESCRIBE TABLE.*(RUNS|FENCE)", action=hidden, times=None)
    found = [*examine(load_settings(settings, env={}), Clock())]
    wrong = [(plain(finding), finding.remedy) for finding in found if finding.level == "WARN"]
    assert wrong == [
        (
            f'WARN table: "STOCKS"."PUBLIC"."{name}" is not there, or LOADER_ROLE may not see it, though it sees others of ours',
            f'If it is there: GRANT {privileges} ON TABLE "STOCKS"."PUBLIC"."{name}" TO ROLE LOADER_ROLE; If not, the next run makes it.',
        )
        for name, privileges in (("STOCKPIPE_RUNS", "SELECT, INSERT"), ("STOCKPIPE_FENCE", "SELECT, UPDATE"))
    ]


def test_a_table_that_has_to_be_altered_asks_for_its_owner(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.rows('ALTER TABLE "STOCKS"."PUBLIC"."TICKERS" DROP COLUMN "EXTRA"')
    found = [*examine(load_settings(settings, env={}), Clock())]
    assert next(plain(finding) for finding in found if finding.name == "table") == (
        'OK table: "STOCKS"."PUBLIC"."TICKERS": the next run adds EXTRA'
    )
    (failure,) = [finding for finding in found if finding.level == "FAIL"]
    assert failure.text == "LOADER_ROLE lacks OWNERSHIP on STOCKS.PUBLIC.TICKERS"
    assert failure.remedy.startswith(
        "Only a table's owner may alter it. Have its owner run, once: "
        'ALTER TABLE "STOCKS"."PUBLIC"."TICKERS" ADD COLUMN IF NOT EXISTS "EXTRA" VARIANT COMMENT \''
    )
    assert "GRANT" not in failure.remedy
    gate.grants.append('GRANT OWNERSHIP ON TABLE "STOCKS"."PUBLIC"."TICKERS" TO ROLE "LOADER_ROLE"')
    assert not [line for line in lines(settings) if line.startswith("FAIL")]


def test_a_schema_that_the_first_run_has_to_make(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate, SNOWFLAKE_SCHEMA="NEW")
    rest = [IN_USE[-1], "SKIP table: privileges and tables were not looked at: there is no schema to look into"]
    place = len(API) + len(IN_USE) - 2
    assert lines(settings)[place:] == ["FAIL schema: NEW is not there, or not for LOADER_ROLE", *rest]
    gate.grants.append('GRANT CREATE SCHEMA ON DATABASE "STOCKS" TO ROLE "LOADER_ROLE"')
    may = "WARN schema: NEW is not there, or not for LOADER_ROLE; if it is not there, the first run makes it"
    assert lines(settings)[place:] == [may, *rest]
    found = [*examine(load_settings(settings, env={}), Clock())]
    (warning,) = [finding for finding in found if finding.name == "schema"]
    assert warning.remedy.startswith(
        'If it is there, the role may not use it: GRANT USAGE ON SCHEMA "STOCKS"."NEW" TO ROLE LOADER_ROLE; If it is not, '
    )


def test_what_the_warehouse_refuses_is_a_finding(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.fault(
        'SELECT "DATASET", max', action=(90073, "Warehouse 'LOAD_WH' cannot be resumed: its quota is used up.", "57014")
    )
    found = lines(settings)
    assert found[-1].startswith("FAIL last day: Snowflake refused SELECT: 090073")
    assert found[:-1] == [*API, *IN_USE, *GRANTED, *TABLES]


def test_a_refused_api_key(serve: Serve) -> None:
    settings = flags(serve(many(4))) | {"POLYGON_API_KEY": "quite-another-key"}
    assert lines(settings)[2] == "FAIL key: The API refused the key (HTTP 401: Unknown API Key)."
    done = command("doctor", env=settings)
    assert done.returncode == 4
    assert "quite-another-key" not in done.stdout + done.stderr


def test_an_api_that_is_not_there() -> None:
    found = [
        *examine(
            load_settings({"POLYGON_API_KEY": "sandbox-key", "MASSIVE_BASE_URL": "http://127.0.0.1:9"}, env={}), Clock()
        )
    ]
    (failure,) = [finding for finding in found if finding.level == "FAIL"]
    assert (failure.name, failure.exit_code) == ("API", 5)
    assert "Connection refused" in failure.text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(429), ["OK API", "WARN key"]),
        (Answer(403, b'{"status":"NOT_AUTHORIZED","message":"Your plan doesn\'t include this data timeframe."}'), ["OK API", "OK key", "WARN history"]),
        (Answer(403, b'{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}'), ["OK API", "FAIL key"]),
        (Answer(500), ["FAIL API"]),
        (Answer(302), ["FAIL API"]),
        (Answer(200, b"<html>"), ["FAIL API"]),
    ],
)  # fmt: skip
def test_what_one_answer_tells(answer: Answer, expected: list[str]) -> None:
    def instead(_: object) -> object:
        def respond(request: Request) -> Answer:
            del request
            return answer

        return respond

    with Sandbox(wrap=instead) as sandbox:  # type: ignore[arg-type]
        found = lines(flags(sandbox))
    assert [line.split(":")[0] for line in found[1 : 1 + len(expected)]] == expected
    assert len(sandbox.calls) == 1


def test_a_clock_that_is_wrong(serve: Serve) -> None:
    class Late(Clock):
        def now(self) -> datetime:
            return datetime.now(UTC) - timedelta(minutes=7)

    assert re.fullmatch(r"WARN clock: 4[12]\d s apart from the API's", lines(flags(serve(many(1))), Late())[5])


def test_a_sign_in_that_is_refused(serve: Serve, gate: SnowflakeGate) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    found = lines(flags(serve(many(1))) | account(gate, SNOWFLAKE_PRIVATE_KEY=pem(other)))[len(API) :]
    assert found[0].startswith("FAIL sign-in: Snowflake refused the sign-in of BOT:")
    assert (
        found[1]
        == "SKIP warehouse: role, warehouse, schema, storage, privileges and tables were not looked at: the sign-in failed"
    )
    broken = lines(flags(serve(many(1))) | account(gate, SNOWFLAKE_PRIVATE_KEY="no key"))[len(API) :]
    assert broken == [
        "FAIL sign-in: The private key of SNOWFLAKE_PRIVATE_KEY is no private key in PEM form.",
        "SKIP warehouse: role, warehouse, schema, storage, privileges and tables were not looked at: the sign-in failed",
    ]


def test_a_password_alone_is_a_warning(serve: Serve, gate: SnowflakeGate) -> None:
    done = command("doctor", env=flags(serve(many(1))) | gate.env())
    assert done.returncode == 0
    assert "WARN  sign-in     as LOADER, with a password alone\n" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("setting", "kind", "code"),
    [("SNOWFLAKE_WAREHOUSE", "WAREHOUSE", 6), ("SNOWFLAKE_DATABASE", "DATABASE", 3)],
)
def test_what_the_session_does_not_get(serve: Serve, gate: SnowflakeGate, setting: str, kind: str, code: int) -> None:
    found = [*examine(load_settings(flags(serve(many(1))) | account(gate, **{setting: "NOPE"}), env={}), Clock())]
    (failure,) = [finding for finding in found if finding.level == "FAIL"]
    assert (failure.text, failure.exit_code) == ("NOPE: not there, or LOADER_ROLE may not use it", code)
    assert f"GRANT USAGE ON {kind} NOPE TO ROLE LOADER_ROLE;" in failure.remedy


def test_a_privilege_that_is_lacking(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(4))) | account(gate)
    stockpipe.load(settings=settings)
    gate.grants[:] = [grant for grant in gate.grants if "DELETE" not in grant]
    found = [*examine(load_settings(settings, env={}), Clock())]
    (failure,) = [finding for finding in found if finding.level == "FAIL"]
    assert failure.text == "LOADER_ROLE lacks SELECT, INSERT, DELETE on STOCKS.PUBLIC.TICKERS"
    assert failure.remedy == 'GRANT SELECT, INSERT, DELETE ON TABLE "STOCKS"."PUBLIC"."TICKERS" TO ROLE LOADER_ROLE;'


@pytest.mark.parametrize(("given", "role"), [("", "PUBLIC"), ("accountadmin", "ACCOUNTADMIN")])
def test_a_role_that_every_account_has_is_granted_nothing(
    serve: Serve, gate: SnowflakeGate, given: str, role: str
) -> None:
    settings = flags(serve(many(4))) | account(gate, SNOWFLAKE_ROLE=given)
    stockpipe.load(settings=settings)
    found = [*examine(load_settings(settings | {"SNOWFLAKE_WAREHOUSE": "NOPE"}, env={}), Clock())]
    wrong = [(plain(finding), finding.remedy) for finding in found if finding.level in ("WARN", "FAIL")]
    own = "Set SNOWFLAKE_ROLE to a role of its own: stockpipe schema --grants prints the script that makes one."
    assert wrong == [
        (f"WARN role: {role}, a role that every account has", own),
        (f"FAIL warehouse: NOPE: not there, or {role} may not use it", f"Correct SNOWFLAKE_WAREHOUSE. {own}"),
        (f"WARN privileges: {role} lacks CREATE STAGE on STOCKS.PUBLIC", own),
        (f"FAIL privileges: {role} lacks SELECT, INSERT, DELETE on STOCKS.PUBLIC.TICKERS", own),
        (f"FAIL privileges: {role} lacks SELECT, INSERT on STOCKS.PUBLIC.STOCKPIPE_RUNS", own),
        (f"FAIL privileges: {role} lacks SELECT, INSERT on STOCKS.PUBLIC.STOCKPIPE_REJECTS", own),
        (f"FAIL privileges: {role} lacks SELECT, UPDATE on STOCKS.PUBLIC.STOCKPIPE_FENCE", own),
    ]


def test_a_role_whose_name_needs_quotes_gets_them(serve: Serve, gate: SnowflakeGate) -> None:
    gate.roles.add("svc-loader")
    settings = flags(serve(many(4))) | account(gate, SNOWFLAKE_ROLE='"svc-loader"')
    stockpipe.load(settings=settings)
    found = [*examine(load_settings(settings | {"SNOWFLAKE_WAREHOUSE": "NOPE"}, env={}), Clock())]
    wrong = [(finding.text, finding.remedy) for finding in found if finding.level == "FAIL"][:2]
    assert wrong == [
        (
            "NOPE: not there, or svc-loader may not use it",
            'Correct SNOWFLAKE_WAREHOUSE, or have it granted: GRANT USAGE ON WAREHOUSE NOPE TO ROLE "svc-loader";',
        ),
        (
            "svc-loader lacks SELECT, INSERT, DELETE on STOCKS.PUBLIC.TICKERS",
            'GRANT SELECT, INSERT, DELETE ON TABLE "STOCKS"."PUBLIC"."TICKERS" TO ROLE "svc-loader";',
        ),
    ]
    gate.grants[:] = [grant.replace('TO ROLE "LOADER_ROLE"', 'TO ROLE "svc-loader"') for grant in gate.grants]
    assert lines(settings)[len(API) + len(IN_USE) :] == [*GRANTED, *TABLES, today()]


def test_a_table_of_another_form(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE tickers (ticker VARCHAR, active VARCHAR, ds DATE)")
    done = command("doctor", env=flags(serve(many(1))))
    assert done.returncode == 6
    assert (
        'FAIL  table       "TICKERS" has a column "ACTIVE" of type VARCHAR where "ACTIVE" BOOLEAN is needed.'
        in done.stdout
    )
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("ALTER TABLE tickers DROP COLUMN active")
    assert (
        'OK    table       "TICKERS": the next run adds NAME, MARKET'
        in command("doctor", env=flags(serve(many(1)))).stdout
    )


def test_an_old_last_day(serve: Serve) -> None:
    settings = flags(serve(many(1)))
    stockpipe.load(settings=settings)
    day = (datetime.now(NEW_YORK) - timedelta(days=8)).date()
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("UPDATE stockpipe_runs SET ds = ?", [day])
    assert lines(settings)[-1] == f"WARN last day: {day}, 8 days old; 5 weekdays not loaded"


def test_a_settings_file_that_others_can_read() -> None:
    Path(".env").write_text("POLYGON_API_KEY=sandbox-key\nMASSIVE_BASE_URL=http://127.0.0.1:9\n")
    Path(".env").chmod(0o644)
    done = command("doctor")
    assert "WARN  settings    .env holds secrets and can be read by other users of this machine.\n" in done.stdout
    assert "                  chmod 600 .env\n" in done.stdout
    assert done.stderr == ""


def test_json_is_one_document() -> None:
    done = command("doctor", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"]) == (3, 3)
    assert document["findings"][1]["level"] == "FAIL"
    assert document["findings"][2] == {
        "level": "SKIP",
        "name": "API",
        "text": "not asked, nor key, history, plan and clock looked at: POLYGON_API_KEY or MASSIVE_API_KEY is not set (the Massive API key).",
        "remedy": "",
        "exit_code": 0,
    }
