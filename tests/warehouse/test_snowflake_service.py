"""A load under rules of the service that the stand-in keeps on demand: enforced grants, Parquet as another reader sees it."""

from __future__ import annotations

import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock
from snowflake_gate import SnowflakeGate


def test_another_reader_finds_in_the_files_what_was_sent(serve: Serve, gate: SnowflakeGate) -> None:
    """DuckDB reads what DuckDB wrote, whatever it is: Arrow says what the service will see."""
    gate.read_parquet()
    stockpipe.load(settings=flags(serve([stock("ABRpD", listing_tier="gold")])) | gate.env())
    (file,), (types,) = gate.parquet, gate.parquet_types
    row = file.drop_columns(["LAST_UPDATED_UTC"]).to_pylist()[0]
    assert (row["TICKER"], row["CIK"], row["ACTIVE"], str(row["EXTRA"])) == (
        "ABRpD", "0000001234", True, '{"listing_tier":"gold"}',
    )  # fmt: skip
    assert file.column("LAST_UPDATED_UTC")[0].value == 1_770_447_942_818_047_860  # ns of 2026-02-07 07:05:42.81804786
    assert types["LAST_UPDATED_UTC"].startswith("INT64 Timestamp(isAdjustedToUTC=false, timeUnit=nanoseconds")
    assert types["DS"] == "INT32 Date"


def test_a_load_needs_no_more_than_it_says_it_needs(serve: Serve, gate: SnowflakeGate) -> None:
    """The privileges of docs/snowflake.md, enforced: enough for a first and a second load, a query and an export."""
    settings = flags(serve(many(3))) | gate.env()
    gate.enforce_grants()
    gate.reading_needs_a_warehouse()
    place = "STOCKS.PUBLIC"
    gate.grants.extend(
        f"GRANT {privileges} TO ROLE {gate.role}"
        for privileges in ("USAGE ON DATABASE STOCKS", f"USAGE ON SCHEMA {place}", f"CREATE TABLE, CREATE VIEW ON SCHEMA {place}")
    )  # fmt: skip
    assert [stockpipe.load(settings=settings, force=True).rows for _ in range(2)] == [3, 3]
    assert command("export", "day.parquet", env=settings).returncode == 0
    assert command("query", "SELECT count(*) FROM TICKERS_LATEST", env=settings).returncode == 0


def test_a_schema_that_the_role_may_not_use_is_not_taken_for_an_empty_one(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(3))) | gate.env()
    stockpipe.load(settings=settings)
    gate.enforce_grants()
    gate.grants.append(f"GRANT USAGE ON DATABASE STOCKS TO ROLE {gate.role}")
    with pytest.raises(stockpipe.WarehouseError):
        stockpipe.load(settings=settings)
    assert gate.rows("SELECT count(*) FROM tickers") == [(3,)]
