"""A day into Snowflake: the real connector over HTTP, against the local stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock
from snowflake_gate import SnowflakeGate
from stockpipe.errors import AccessError, ConfigError, WarehouseError

# A load into tables that are there, whatever the number of rows.
STEADY = [
    "ALTER", "DESCRIBE", "DESCRIBE", "DESCRIBE", "DESCRIBE", "SELECT", "CREATE", "PUT", "BEGIN", "UPDATE", "DELETE", "COPY",
    "SELECT", "INSERT", "COMMIT",
]  # fmt: skip


@pytest.fixture
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate() as gate:
        yield gate


def words(gate: SnowflakeGate) -> list[str]:
    """The first word of each statement since the log was cleared."""
    return [statement.split()[0].upper() for statement in gate.statements()]


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
    assert words(gate) == ["ALTER", "DESCRIBE", "DESCRIBE", "DESCRIBE", "DESCRIBE", "SELECT", "SELECT", "INSERT"]
    assert {entry.query_tag for entry in gate.log if entry.kind == "query"} == {f"stockpipe {result.run_id}"}


def test_the_insert_method_loads_the_same_in_batches(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve([*many(24), stock("X", tier="a")]), STOCKPIPE_BATCH_SIZE="10") | gate.env()
    stockpipe.load(settings=settings, load_method="insert")
    assert gate.rows("SELECT count(*), count(extra), max(last_updated_utc)::VARCHAR FROM tickers") == [
        (25, 1, "2026-02-07 07:05:42.818047")
    ]
    assert [word for word in words(gate) if word in ("PUT", "COPY")] == []
    assert len([sql for sql in gate.statements() if sql.startswith('INSERT INTO "STOCKS"."PUBLIC"."TICKERS"')]) == 3


def test_a_table_of_the_old_script_is_completed_and_widened(serve: Serve, gate: SnowflakeGate) -> None:
    gate.rows(
        "CREATE TABLE tickers (ticker VARCHAR(20), name VARCHAR(500), market VARCHAR(50), locale VARCHAR(10),"
        " primary_exchange VARCHAR(10), type VARCHAR(20), active BOOLEAN, currency_name VARCHAR(50), cik VARCHAR(20),"
        " composite_figi VARCHAR(50), share_class_figi VARCHAR(50), last_updated_utc TIMESTAMP, ds DATE)"
    )
    gate.rows("INSERT INTO tickers (ticker, market, active, ds) VALUES ('OLD', 'otc', true, '2026-01-01')")
    rows = [stock("GREYF", market="otc", primary_exchange="Grey Market")]
    stockpipe.load(market="otc", settings=flags(serve(rows)) | gate.env())
    assert gate.rows("SELECT ticker, primary_exchange FROM tickers ORDER BY 1") == [
        ("GREYF", "Grey Market"),
        ("OLD", None),
    ]


def test_a_clash_of_columns_is_refused_before_the_fetch(serve: Serve, gate: SnowflakeGate) -> None:
    gate.rows("CREATE TABLE tickers (ticker VARCHAR(20), active VARCHAR(5), ds DATE)")
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError, match=r'column "ACTIVE" of type VARCHAR\(5\) where "ACTIVE" BOOLEAN is needed'):
        stockpipe.load(settings=flags(sandbox) | gate.env())
    assert sandbox.calls == []


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


def test_query_reads_and_only_reads(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(5))) | gate.env()
    stockpipe.load(settings=settings)
    done = command("query", "SELECT count(*) AS N FROM TICKERS", "--format", "json", env=settings)
    assert done.stdout == '[\n  {\n    "N": 5\n  }\n]\n'
    refused = command("query", "DELETE FROM TICKERS", env=settings)
    assert (refused.returncode, "only reads" in refused.stderr) == (6, True)
    exported = command("export", "day.csv", env=settings)
    assert exported.returncode == 0
