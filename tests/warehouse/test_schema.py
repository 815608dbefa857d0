"""stockpipe schema: what it prints is what `run` executes, needs no connection, and works as printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import duckdb
import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa

import stockpipe
from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import DATASETS, TICKERS
from stockpipe.errors import ConfigError, WarehouseError
from stockpipe.models import views
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse.runs import REJECT_COLUMNS, RUN_COLUMNS
from stockpipe.warehouse.scripts import dbt_sources, grants_script, tables_script
from stockpipe.warehouse.securities import MASTER_TABLES
from support.keys import pem, public_pem

pytestmark = pytest.mark.slow

SHAPE = (
    "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index",
    "SELECT table_name, comment FROM duckdb_tables() ORDER BY 1",
    "SELECT view_name, comment, sql FROM duckdb_views() WHERE NOT internal ORDER BY 1",
)
SNOWFLAKE = {"STOCKPIPE_WAREHOUSE": "snowflake"}
PRICES = ("BARS", "ADJUSTMENTS", "ADJUSTMENT_ISSUES", "ADJUSTED_BARS")
"""The views over several datasets."""
OTHERS = [dataset.table for dataset in DATASETS.values() if dataset is not TICKERS]
"""The tables that a run of the tickers does not make."""
MASTER = [table.name.strip('"') for table in MASTER_TABLES]
"""The tables of the security master, which a build makes, with two views."""


@pytest.fixture
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate() as gate:
        gate.roles.update({"USERADMIN", "SECURITYADMIN"})
        yield gate


def settings(**values: str) -> Settings:
    return load_settings(values, env={})


def printed(*arguments: str, **env: str) -> str:
    """What the command writes to stdout; it writes nothing else."""
    done = command("schema", *arguments, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def statements(script: str) -> list[str]:
    """The statements of a printed script, without the comments in front of them."""
    parts = [part.strip() for part in script.split(";\n")]
    return [bare for part in parts if (bare := re.sub(r"\A(--.*\n*)+", "", part).strip())]


def test_in_duckdb_the_printed_sql_makes_what_run_makes(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(3))))
    with duckdb.connect("printed.duckdb") as connection:
        connection.execute(printed())
        connection.execute(printed("--views").replace("OR REPLACE ", ""))
    for question in SHAPE:
        loaded = table(question)
        names = {row[0] for row in loaded}
        assert [row for row in table(question, "printed.duckdb") if row[0] in names] == loaded
    assert len(table(SHAPE[0])) == 18 + 29 + 6 + 18 + 7
    assert [row for row in table(SHAPE[0]) if row[3] is None] == []


@pytest.mark.parametrize("options", [{}, {"STOCKPIPE_TRANSIENT": "true", "STOCKPIPE_RETENTION_DAYS": "0"}])
def test_in_snowflake_the_printed_sql_is_what_run_sends(
    serve: Serve, gate: SnowflakeGate, options: dict[str, str]
) -> None:
    env = gate.env() | options
    stockpipe.load(settings=flags(serve(many(3))) | env)
    made = ("CREATE TABLE", "CREATE TRANSIENT", "CREATE VIEW", 'INSERT INTO "STOCKS"."PUBLIC"."STOCKPIPE_FENCE"')
    sent = [sql for sql in gate.statements() if sql.startswith(made)]
    views = [
        sql.replace("OR REPLACE ", "").replace("\nCOPY GRANTS", "") for sql in statements(printed("--views", **env))
    ]
    others = tuple(f'"STOCKS"."PUBLIC"."{name}' for name in (*OTHERS, *MASTER, *PRICES, "UNIVERSE", "TICKER_MAP"))
    told = [sql for sql in statements(printed(**env)) + views if not any(f" {name}" in sql[:99] for name in others)]
    # The fence comes last, as its row takes a warehouse, which may not start.
    assert sent == sorted(told, key=lambda sql: '"STOCKPIPE_FENCE"' in sql[:99])


def test_without_settings_the_documented_names_stand_in() -> None:
    assert re.findall(r"TABLE IF NOT EXISTS (\S+)", printed("--warehouse", "snowflake")) == [
        '"STOCKPIPE"."MARKET_DATA"."TICKERS"',
        *(f'"STOCKPIPE"."MARKET_DATA"."{name}"' for name in OTHERS),
        '"STOCKPIPE"."MARKET_DATA"."STOCKPIPE_RUNS"',
        '"STOCKPIPE"."MARKET_DATA"."STOCKPIPE_REJECTS"',
        *(f'"STOCKPIPE"."MARKET_DATA"."{name}"' for name in MASTER),
        '"STOCKPIPE"."MARKET_DATA"."STOCKPIPE_FENCE"',
    ]


def test_the_first_lines_of_the_snowflake_table() -> None:
    assert tables_script(settings(**SNOWFLAKE, STOCKPIPE_RETENTION_DAYS="7", SNOWFLAKE_TABLE="t1")).split("\n")[:3] == [
        'CREATE TABLE IF NOT EXISTS "STOCKPIPE"."MARKET_DATA"."T1" (',
        "    \"TICKER\" VARCHAR(20) COMMENT 'Symbol, as the API writes it; case matters (ABRpD).',",
        "    \"NAME\" VARCHAR(500) COMMENT 'Name of the company, fund, pair or index.',",
    ]


@pytest.mark.parametrize(
    ("options", "head", "tail"),
    [
        ({}, "CREATE TABLE", "COMMENT = 'The"),
        ({"STOCKPIPE_TRANSIENT": "TRUE"}, "CREATE TRANSIENT TABLE", "COMMENT = 'The"),
        (
            {"STOCKPIPE_RETENTION_DAYS": "90"},
            "CREATE TABLE",
            "DATA_RETENTION_TIME_IN_DAYS = 90\nCOMMENT",
        ),
    ],
)
def test_transient_and_retention_change_create_table(options: dict[str, str], head: str, tail: str) -> None:
    text = tables_script(settings(**SNOWFLAKE, **options))
    assert text.startswith(head + " ")
    assert tail in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"STOCKPIPE_TRANSIENT": "maybe"}, "STOCKPIPE_TRANSIENT is 'maybe'"),
        ({"STOCKPIPE_RETENTION_DAYS": "91"}, "must be a number from 0 to 90"),
        ({"STOCKPIPE_RETENTION_DAYS": "1.5"}, "must be a whole number from 0 to 90"),
        ({"STOCKPIPE_TRANSIENT": "true", "STOCKPIPE_RETENTION_DAYS": "2"}, "a transient table keeps at most 1 day"),
    ],
)
def test_table_options_that_cannot_be_are_refused_before_sign_in(
    serve: Serve, gate: SnowflakeGate, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        stockpipe.load(settings=flags(serve(many(1))) | gate.env() | options)
    assert gate.logins == []


@pytest.mark.parametrize(
    ("arguments", "env", "code", "message"),
    [
        (["--views", "--dbt"], {}, 2, "--views and --dbt are different files"),
        (["--grants", "--warehouse", "duckdb"], {}, 2, "DuckDB has no roles"),
        (["--reader", "R"], {}, 2, "--reader names a role"),
        (["--dbt", "--owner", "R"], {}, 2, "--owner names a role"),
        (["--grants", "--owner", "sysadmin"], {}, 3, "a role that every account has"),
        (["--warehouse", "oracle"], {}, 2, "--warehouse is 'oracle': it must be duckdb or snowflake"),
        ([], {"SNOWFLAKE_TABLE": "x; DROP"}, 3, "SNOWFLAKE_TABLE is 'x; DROP'"),
        (["--grants"], {"SNOWFLAKE_ROLE": "accountadmin"}, 3, "a role that every account has"),
        (["--grants", "--reader", "PUBLIC"], {}, 3, "a role that every account has"),
    ],
)
def test_what_makes_no_sense_is_named(arguments: list[str], env: dict[str, str], code: int, message: str) -> None:
    done = command("schema", *arguments, env=env)
    assert (done.returncode, done.stdout, message in done.stderr) == (code, "", True)


def test_the_grants_script_runs_twice_and_the_loader_then_loads(serve: Serve, gate: SnowflakeGate) -> None:
    key, later = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    wanted = {"SNOWFLAKE_ROLE": "STOCKPIPE_LOADER", "SNOWFLAKE_WAREHOUSE": "STOCKPIPE_WH", "SNOWFLAKE_DATABASE": "NEW"}
    wanted |= {"SNOWFLAKE_USER": "svc", "SNOWFLAKE_PASSWORD": "", "SNOWFLAKE_PRIVATE_KEY": pem(key)}
    script = printed("--grants", **(gate.env() | wanted))
    administrator = snowflake.connector.connect(**gate.connect_kwargs()).cursor()
    for _ in range(2):
        for statement in statements(script):
            administrator.execute(statement)
        first, gate.users["SVC"].public_keys = gate.users["SVC"].public_keys, [public_pem(later)]
    assert first == [public_pem(later)]  # the second time left a key that was changed meanwhile
    gate.users["SVC"].set_rsa_public_key(public_pem(key))
    assert {"STOCKPIPE_LOADER", "STOCKPIPE_READER"} <= gate.roles
    gate.log.clear()
    result = stockpipe.load(settings=flags(serve(many(7))) | gate.env() | wanted)
    assert (result.rows, [sql for sql in gate.statements() if sql.startswith("CREATE TABLE")]) == (7, [])
    assert gate.rows("SELECT count(*) FROM new.public.tickers_latest") == [(7,)]


@pytest.mark.parametrize("owner", [(), ("--owner", "stockpipe_owner")])
def test_the_script_changes_nothing_for_others_in_a_schema_that_they_use(
    gate: SnowflakeGate, owner: tuple[str, ...]
) -> None:
    """MARKET_DATA.PUBLIC has tables, readers and future grants of others, on the database and beside."""
    theirs = ["GRANT SELECT ON FUTURE TABLES IN DATABASE STOCKS TO ROLE ANALYST", "GRANT USAGE ON SCHEMA STOCKS.PUBLIC TO ROLE ANALYST"]  # fmt: skip
    gate.grants.extend(theirs)
    gate.rows("CREATE TABLE orders (n INT)")
    script = statements(printed("--grants", *owner, **gate.env()))
    administrator = snowflake.connector.connect(**gate.connect_kwargs()).cursor()
    for statement in script:
        if "RSA_PUBLIC_KEY" not in statement:
            administrator.execute(statement)
    ours = {f'"{gate.role}"', '"STOCKPIPE_READER"', *(['"STOCKPIPE_OWNER"'] if owner else [])}
    granted = [statement for statement in gate.grants if statement not in theirs]
    assert gate.grants[:2] == theirs
    assert {found[1] for one in granted if (found := re.search(r" TO ROLE (\S+)$", one))} <= ours | {"SYSADMIN"}
    assert {found[1] for one in granted if (found := re.match(r"GRANT ROLE (\S+) TO", one))} <= ours
    named = [found[1] for one in granted if (found := re.search(r" ON (?:TABLE|VIEW) (\S+) TO", one))]
    assert named
    ours_by_name = (*(dataset.table for dataset in DATASETS.values()), *MASTER, *PRICES, "UNIVERSE", "TICKER_MAP")
    tables = "|".join(("STOCKPIPE", *ours_by_name))
    assert all(re.fullmatch(rf'"STOCKS"\."PUBLIC"\."({tables})(_\w+)?"', name) for name in named)
    assert not [one for one in granted if re.search(r"\b(FUTURE|ALL|OWNERSHIP|MANAGE)\b", one)]
    assert {re.match(r"\w+", one)[0] for one in script} == {"USE", "CREATE", "GRANT", "INSERT"}  # type: ignore[index]
    assert not [one for one in script if one.startswith("CREATE") and " IF NOT EXISTS " not in one]


def test_tables_may_belong_to_a_role_that_does_not_load(serve: Serve, gate: SnowflakeGate) -> None:
    """The loader of such tables has what it needs, enforced, and cannot change their form."""
    script = printed("--grants", "--owner", "stockpipe_owner", **gate.env())
    gate.roles.add("ACCOUNTADMIN")
    administrator = snowflake.connector.connect(**gate.connect_kwargs(role="ACCOUNTADMIN")).cursor()
    gate.enforce_grants()
    for statement in statements(script):
        if "RSA_PUBLIC_KEY" not in statement and not statement.startswith("USE ROLE SECURITYADMIN"):
            administrator.execute(statement.replace("USE ROLE USERADMIN", "USE ROLE ACCOUNTADMIN").replace("USE ROLE SYSADMIN", "USE ROLE ACCOUNTADMIN"))  # fmt: skip
    assert f'GRANT CREATE TABLE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE "{gate.role}"' not in script
    assert stockpipe.load(settings=flags(serve(many(3))) | gate.env()).rows == 3
    gate.rows("ALTER TABLE tickers DROP COLUMN extra")
    with pytest.raises(WarehouseError) as error:
        stockpipe.load(settings=flags(serve(many(3))) | gate.env())
    assert error.value.hint.startswith("Only a table's owner may alter it.")


def test_every_statement_of_a_run_is_covered_by_a_grant(serve: Serve, gate: SnowflakeGate) -> None:
    """Two runs, the first into an empty schema; what each asks for is looked up in the script."""
    for _ in range(2):
        stockpipe.load(settings=flags(serve([*many(9), many(1)[0] | {"ticker": "ZZ", "name": ""}])) | gate.env())
    script = grants_script(load_settings(gate.env(), env={}), views)
    role = f'TO ROLE "{gate.role}"'
    granted = {
        (privilege, found[2])
        for found in re.findall(rf"GRANT ([A-Z, ]+) ON (TABLE|SCHEMA|WAREHOUSE|DATABASE) (\S+) {role}", script)
        for privilege in found[0].split(", ")
    }
    needed = {need for sql in gate.statements() for need in needs(sql)}
    needed -= {("INSERT", '"STOCKS"."PUBLIC"."STOCKPIPE_FENCE"')}  # who has just created the table owns it
    assert needed - granted == set()
    assert ("USAGE", f'"{gate.warehouse}"') in granted
    assert not re.search(r"GRANT (?:[A-Z, ]*)(TRUNCATE|ALL|MODIFY)\b", script)


def needs(sql: str) -> Iterator[tuple[str, str]]:
    """The privileges that a statement asks for, each with its object (Snowflake's documentation of the commands)."""
    schema = r'("STOCKS"\."PUBLIC")\.'
    privileges = {
        rf"CREATE (TABLE|VIEW) (?:IF NOT EXISTS )?{schema}": "CREATE {0}",
        rf"CREATE TEMPORARY (STAGE) IF NOT EXISTS {schema}": "CREATE {0}",
        rf"(DELETE) FROM ({schema}\S+)": "{0}",
        rf"(UPDATE) ({schema}\S+)": "{0}",
        rf"(INSERT) INTO ({schema}\S+)": "{0}",
        rf"COPY (INTO) ({schema}\S+)": "INSERT",
        rf"(?:DELETE|SELECT) .*?(FROM) ({schema}\S+)": "SELECT",
        rf"(UPDATE) ({schema}\"STOCKPIPE_FENCE\")": "SELECT",
        rf"DESCRIBE (TABLE) ({schema}\S+)": "SELECT",
    }
    for pattern, privilege in privileges.items():
        if found := re.match(pattern, sql):
            yield privilege.format(found[1]), found[2]


def test_the_script_makes_a_small_sleeping_warehouse_and_a_service_user() -> None:
    text = printed("--grants", SNOWFLAKE_USER="loader@example.com")
    for part in (
        "WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE STATEMENT_TIMEOUT_IN_SECONDS = 7200;",
        'CREATE USER IF NOT EXISTS "LOADER@EXAMPLE.COM"\n    TYPE = SERVICE DEFAULT_ROLE = "STOCKPIPE_LOADER"',
        "==== PUT THE PUBLIC KEY HERE ====",
        "ALTER USER \"LOADER@EXAMPLE.COM\" SET RSA_PUBLIC_KEY = '<RSA_PUBLIC_KEY>';",
        "\n    RSA_PUBLIC_KEY = '<RSA_PUBLIC_KEY>';",
        "--   ALTER USER \"LOADER@EXAMPLE.COM\" SET RSA_PUBLIC_KEY_2 = '<the new public key>';",
        'GRANT SELECT ON TABLE "STOCKPIPE"."MARKET_DATA"."TICKERS" TO ROLE "STOCKPIPE_READER";',
        'GRANT SELECT ON VIEW "STOCKPIPE"."MARKET_DATA"."TICKERS_LATEST" TO ROLE "STOCKPIPE_READER";',
    ):
        assert part in text
    made = re.findall(r"^CREATE .*", text, re.MULTILINE)
    views_of_versions = [dataset for dataset in DATASETS.values() if dataset.kind.write == "merge"]
    assert len(made) == 12 + len(OTHERS) + len(views_of_versions) + len(MASTER) + 2 + len(PRICES)
    assert [line for line in made if "IF NOT EXISTS" not in line] == []


def test_dbt_sources_describe_every_column() -> None:
    text = printed("--dbt")
    for column in (
        *TICKERS.columns,
        *RUN_COLUMNS,
        *REJECT_COLUMNS,
        *(one for each in MASTER_TABLES for one in each.columns),
    ):
        assert f"          - name: {column.name}\n            description: {json.dumps(column.meaning)}\n" in text
    assert '    schema: "main"\n' in text


def test_dbt_tests_read_the_last_days_and_times_have_no_zone_in_snowflake() -> None:
    """A null day is found in any case; the record of runs is small, and whole."""
    there, here = printed("--dbt", "--warehouse", "snowflake"), printed("--dbt")
    for text in (there, here):
        table = text.partition('- name: "STOCKPIPE_RUNS"')[0]
        assert 'where: "ACTIVE and DS >= current_date - 10"' in table
        assert '- not_null: {"config": {"where": "DS >= current_date - 10"}}' in table
        assert (
            '"config": {"where": "DS >= current_date - 10"}}' in table.partition("accepted_values: ")[2].split("\n")[0]
        )
        day = table.partition("- name: DS\n")[2].split("- name:")[0]
        assert "- not_null\n" in day
        assert (
            "current_date"
            not in text.partition('- name: "STOCKPIPE_RUNS"')[2].partition('- name: "STOCKPIPE_REJECTS"')[0]
        )
    assert set(re.findall(r"as (timestamp\w*)\)", there)) == {"timestamp_ntz"}
    assert set(re.findall(r"as (timestamp\w*)\)", here)) == {"timestamp"}


def test_dbt_sources_name_each_table_and_view_once() -> None:
    names = re.findall(r'^      - name: "(.*)"$', printed("--dbt"), re.MULTILINE)
    assert [name for name in names if names.count(name) > 1] == []
    assert {"BARS", "ADJUSTED_BARS", "SPLITS_CURRENT", "TICKERS_LATEST", "UNIVERSE"} < set(names)


def test_dbt_sources_have_the_views_without_tests_of_their_own() -> None:
    entries = printed("--dbt").split("\n      - name: ")
    latest, changes = (
        next(entry for entry in entries if entry.startswith(f"{name}\n") or entry.startswith(f'"{name}"\n'))
        for name in ("TICKERS_LATEST", "TICKERS_CHANGES")
    )
    assert ("- name: COMPOSITE_FIGI" in latest, "- name: CHANGED_COLUMNS" in changes) == (True, True)
    assert ("data_tests" in latest, "freshness" in changes) == (False, False)


def test_dbt_sources_name_the_place_in_snowflake() -> None:
    text = dbt_sources(settings(**SNOWFLAKE, SNOWFLAKE_DATABASE="market_data", SNOWFLAKE_TABLE='"my tickers"'))
    assert (
        '    database: "MARKET_DATA"\n    schema: "MARKET_DATA"\n'
        "    quoting: {database: true, schema: true, identifier: true}\n"
        '    tables:\n      - name: "my tickers"\n'
    ) in text


OLD = (
    "CREATE TABLE tickers (ticker VARCHAR, name VARCHAR, market VARCHAR, locale VARCHAR, primary_exchange VARCHAR, "
    "type VARCHAR, active BOOLEAN, currency_name VARCHAR, cik VARCHAR, composite_figi VARCHAR, share_class_figi VARCHAR, "
    "last_updated_utc {stamp}, ds DATE)"
)


@pytest.mark.parametrize("stamp", ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS"])
def test_an_old_duckdb_table_is_completed_and_keeps_its_rows(serve: Serve, stamp: str) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(OLD.format(stamp=stamp))
        connection.execute(
            "INSERT INTO tickers (ticker, market, active, ds) VALUES ('OLD', 'stocks', true, '2026-01-01')"
        )
    stockpipe.load(settings=flags(serve(many(1))))
    assert table("SELECT TICKER, EXTRA FROM TICKERS ORDER BY 1") == [("OLD", None), ("T00000", None)]
    assert table("SELECT TICKER, CHANGE FROM TICKERS_CHANGES ORDER BY 1") == [("OLD", "removed"), ("T00000", "added")]


def test_a_clash_of_columns_in_duckdb_is_refused_before_the_fetch(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE tickers (ticker VARCHAR, active VARCHAR, ds DATE)")
    sandbox = serve(many(1))
    with pytest.raises(
        WarehouseError, match='column "ACTIVE" of type VARCHAR where "ACTIVE" BOOLEAN is needed'
    ) as refused:
        stockpipe.load(settings=flags(sandbox))
    assert 'ALTER TABLE "TICKERS" RENAME COLUMN "ACTIVE" TO "OLD_ACTIVE"' in refused.value.hint
    assert (sandbox.calls, table("SELECT table_name FROM duckdb_tables()")) == ([], [("tickers",)])
