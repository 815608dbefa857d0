"""One suite for both warehouses. Where they differ, the difference stands below as data, with its reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import TICKERS
from stockpipe.errors import DataCheckError, WarehouseError
from stockpipe.sandbox import Sandbox

DIFFERENCES: dict[str, dict[str, Any]] = {
    "label": {
        "why": "a file and an account are named differently",
        "duckdb": "DuckDB file stockpipe.duckdb",
        "snowflake": 'Snowflake fakesnow, "STOCKS"."PUBLIC"',
    },
    "digits of a second": {
        "why": "COPY of the stand-in rounds to microseconds; the service keeps nanoseconds, as DuckDB does",
        "duckdb": "2026-02-07 07:05:42.818047863",
        "snowflake": "2026-02-07 07:05:42.818048",
    },
    "type of a time": {
        "why": "each has its own name for nanoseconds without a zone",
        "duckdb": "TIMESTAMP_NS",
        "snowflake": "TIMESTAMP_NTZ(9)",
    },
    "type of json": {"why": "each has its own", "duckdb": "JSON", "snowflake": "VARIANT"},
    "type of a whole number": {"why": "Snowflake has only NUMBER", "duckdb": "BIGINT", "snowflake": "NUMBER(38,0)"},
    "type of a fraction": {"why": "each has its own name", "duckdb": "DOUBLE", "snowflake": "FLOAT"},
    "tables": {
        "why": "in Snowflake a second publish waits at a row of its own; a DuckDB file has one writer",
        "duckdb": ["STOCKPIPE_REJECTS", "STOCKPIPE_RUNS", "TICKERS"],
        "snowflake": ["STOCKPIPE_FENCE", "STOCKPIPE_REJECTS", "STOCKPIPE_RUNS", "TICKERS"],
    },
}


@dataclass
class Place:
    """One of the warehouses: settings that load into it, and a way to ask it that is not ours."""

    kind: str
    settings: dict[str, str]
    gate: SnowflakeGate | None = field(default=None)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.gate:
            return self.gate.rows(sql)
        with duckdb.connect("stockpipe.duckdb") as connection:
            return connection.execute(sql).fetchall()

    def __getitem__(self, difference: str) -> Any:
        return DIFFERENCES[difference][self.kind]

    def load(self, sandbox: Sandbox, **how: Any) -> stockpipe.LoadResult:
        return stockpipe.load(settings=flags(sandbox) | self.settings, **how)


@pytest.fixture(params=["duckdb", "snowflake"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "duckdb":
        yield Place("duckdb", {"STOCKPIPE_WAREHOUSE": "duckdb"})
        return
    with SnowflakeGate() as gate:
        yield Place("snowflake", gate.env(), gate)


def test_every_difference_has_a_reason() -> None:
    assert all(entry.keys() == {"why", "duckdb", "snowflake"} and entry["why"] for entry in DIFFERENCES.values())
    assert all(entry["duckdb"] != entry["snowflake"] for entry in DIFFERENCES.values())


def test_a_day_arrives_as_it_was_sent(serve: Serve, place: Place) -> None:
    odd = stock(
        "ABRpD", name='Soci\u00e9t\u00e9, "x" O\'Neil \\ 100%', listing_tier="gold", last_updated_utc="2026-02-07T07:05:42.818047863Z"
    )  # fmt: skip
    result = place.load(serve([odd, stock("ZZ", cik="", composite_figi="")]))
    assert (result.rows, result.table, result.target) == (2, "TICKERS", place["label"])
    assert place.rows(
        "SELECT ticker, name, cik, composite_figi, active, CAST(extra AS VARCHAR), CAST(last_updated_utc AS VARCHAR) FROM tickers ORDER BY 1"
    ) == [
        ("ABRpD", 'Soci\u00e9t\u00e9, "x" O\'Neil \\ 100%', "0000001234", "BBG0000ABRpD", True, '{"listing_tier":"gold"}', place["digits of a second"]),
        ("ZZ", "ZZ Incorporated Common Stock", None, None, True, None, place["digits of a second"][:20] + "818048" if place.kind == "snowflake" else "2026-02-07 07:05:42.81804786"),
    ]  # fmt: skip


def test_tables_and_columns(serve: Serve, place: Place) -> None:
    place.load(serve(many(1)))
    owned = "table_schema = 'PUBLIC'" if place.gate else "table_schema = 'main'"
    tables = place.rows(
        f"SELECT table_name FROM information_schema.tables WHERE {owned} AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    assert [name.upper() for (name,) in tables] == place["tables"]
    kinds = {
        "text": "VARCHAR", "flag": "BOOLEAN", "date": "DATE", "timestamp": place["type of a time"], "json": place["type of json"],
        "int": place["type of a whole number"], "float": place["type of a fraction"],
    }  # fmt: skip
    described = {row[0]: row[1] for row in place.rows("DESCRIBE TABLE tickers")}
    assert list(described) == [column.name for column in TICKERS.columns]
    for column in TICKERS.columns:
        assert described[column.name].startswith(kinds[column.kind]), column


def test_a_day_loaded_twice_is_the_same_table_and_force_writes_it_anew(serve: Serve, place: Place) -> None:
    sandbox = serve([*many(1100), stock("ZZ", name="")])
    for how in ({}, {}, {"force": True}):
        assert place.load(sandbox, **how).rows == 1100
    assert place.rows("SELECT count(*), count(DISTINCT ticker) FROM tickers") == [(1100, 1100)]
    statuses = "SELECT status, rows_published, rows_rejected FROM stockpipe_runs ORDER BY run_id"
    assert place.rows(statuses) == [("published", 1100, 1), ("unchanged", 1100, 1), ("published", 1100, 1)]
    assert place.rows("SELECT DISTINCT ticker, reason FROM stockpipe_rejects") == [("ZZ", "name is missing")]


def test_only_the_loaded_slice_is_replaced(serve: Serve, place: Place) -> None:
    place.load(serve(many(30)))
    place.load(serve([stock("X:BTCUSD", market="crypto")]), market="crypto")
    place.load(serve([*many(30)[1:], stock("NEW")]))
    assert place.rows("SELECT market, count(*) FROM tickers GROUP BY 1 ORDER BY 1") == [("crypto", 1), ("stocks", 30)]
    assert place.rows("SELECT ticker FROM tickers WHERE ticker IN ('T00000', 'NEW')") == [("NEW",)]


def test_listed_and_delisted_are_published_together(serve: Serve, place: Place) -> None:
    rows = [
        *many(3),
        stock("GONE", active="False", delisted_utc="2020-03-02T00:00:00Z"),
        stock("T00000", active="False"),
    ]
    result = place.load(serve(rows), active="both")
    assert (result.rows, len(result.records)) == (5, 2)
    assert place.rows("SELECT active, count(*) FROM tickers GROUP BY 1 ORDER BY 1") == [(False, 2), (True, 3)]
    assert place.rows("SELECT count(DISTINCT run_id), count(*) FROM stockpipe_runs") == [(1, 2)]


def test_a_refused_day_leaves_the_published_one(serve: Serve, place: Place) -> None:
    place.load(serve(many(100)))
    with pytest.raises(DataCheckError):
        place.load(serve(many(80)))
    assert place.rows("SELECT count(*) FROM tickers") == [(100,)]
    assert place.rows("SELECT status FROM stockpipe_runs ORDER BY run_id") == [("published",), ("refused",)]
    assert place.load(serve(many(80)), force=True).rows == 80
    assert place.rows("SELECT count(*) FROM tickers") == [(80,)]


def test_a_dry_run_leaves_nothing(serve: Serve, place: Place) -> None:
    result = place.load(serve(many(3)), dry_run=True)
    assert any(statement.startswith("DELETE FROM") for statement in result.sql)
    assert not Path("stockpipe.duckdb").exists()
    if place.gate:
        assert place.rows("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'PUBLIC'") == [(0,)]


def test_a_table_of_the_old_script_is_adopted(serve: Serve, place: Place) -> None:
    place.rows(
        "CREATE TABLE tickers (ticker VARCHAR(20), name VARCHAR(255), market VARCHAR(20), locale VARCHAR(10), "
        "primary_exchange VARCHAR(10), type VARCHAR(10), active BOOLEAN, currency_name VARCHAR(10), cik VARCHAR(20), "
        "composite_figi VARCHAR(20), share_class_figi VARCHAR(20), last_updated_utc TIMESTAMP, ds DATE)"
    )
    place.rows("INSERT INTO tickers (ticker, market, active, ds) VALUES ('OLD', 'stocks', true, '2026-01-01')")
    place.load(serve([stock("GREYF", primary_exchange="Grey Market")]))
    assert place.rows("SELECT ticker, primary_exchange FROM tickers ORDER BY 1") == [
        ("GREYF", "Grey Market"),
        ("OLD", None),
    ]
    assert place.rows("SELECT ticker FROM tickers_latest") == [("GREYF",), ("OLD",)][:1]


def test_a_clash_of_columns_is_refused_before_the_first_call(serve: Serve, place: Place) -> None:
    place.rows("CREATE TABLE tickers (ticker VARCHAR, active VARCHAR, ds DATE)")
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError, match="BOOLEAN is needed") as error:
        place.load(sandbox)
    assert "RENAME COLUMN" in error.value.hint
    assert sandbox.calls == []


@pytest.mark.parametrize("name", ["stocks_of_ours", '"My ""own"" table"'])
def test_the_table_may_have_another_name(serve: Serve, place: Place, name: str) -> None:
    place.settings["SNOWFLAKE_TABLE"] = name
    place.load(serve(many(2)))
    place.load(serve(many(2)))
    assert place.rows(f"SELECT count(*) FROM {name}") == [(2,)]


def test_the_views_show_the_latest_day(serve: Serve, place: Place) -> None:
    place.load(serve(many(3)))
    assert place.rows("SELECT ticker FROM tickers_latest ORDER BY 1") == [("T00000",), ("T00001",), ("T00002",)]
    assert place.rows("SELECT count(*) FROM tickers_changes") == [(0,)]


def test_query_and_export_read_what_was_published(serve: Serve, place: Place) -> None:
    place.load(serve([stock("B"), stock("A", name="=1+1")]))
    asked = command("query", "SELECT TICKER FROM TICKERS ORDER BY 1", "--format", "csv", env=place.settings)
    assert (asked.returncode, asked.stdout) == (0, "TICKER\nA\nB\n")
    refused = command("query", "DELETE FROM TICKERS", env=place.settings)
    assert refused.returncode == 2
    assert "query is read-only; it does not run DELETE" in refused.stderr
    assert command("export", "day.csv", env=place.settings).returncode == 0
    with Path("day.csv").open(encoding="utf-8") as file:
        assert [(row["TICKER"], row["NAME"]) for row in csv.DictReader(file)] == [
            ("A", "'=1+1"),
            ("B", "B Incorporated Common Stock"),
        ]
    missing = command("export", "none.csv", "--date", "2026-01-01", env=place.settings)
    assert (missing.returncode, Path("none.csv").exists()) == (2, False)
