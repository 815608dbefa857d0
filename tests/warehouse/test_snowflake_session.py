"""The session is ours: nothing that is set on the account or the user changes what is loaded, recorded, exported or shown."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock
from snowflake_gate import SERVICE_DEFAULTS, SnowflakeGate, User
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake.parameters import SETTLED

pytestmark = pytest.mark.slow

MOMENT = "2026-02-07 07:05:42.818048"  # of 42.81804786: the stand-in rounds to microseconds
# Each is what an administrator may have set; all of them differ from what a session is given.
SET_BY_OTHERS: dict[str, object] = {
    "AUTOCOMMIT": False,
    "TRANSACTION_ABORT_ON_ERROR": True,
    "MULTI_STATEMENT_COUNT": 0,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": True,
    "ROWS_PER_RESULTSET": 2,
    "TIMEZONE": "Asia/Tokyo",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ",
    "CLIENT_TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ",
    "DATE_INPUT_FORMAT": "DD.MM.YYYY",
    "TIME_INPUT_FORMAT": "HH12:MI AM",
    "TIMESTAMP_INPUT_FORMAT": "DD.MM.YYYY HH24:MI",
    "DATE_OUTPUT_FORMAT": "MM/DD/YYYY",
    "TIME_OUTPUT_FORMAT": "HH24:MI",
    "TIMESTAMP_OUTPUT_FORMAT": "DD.MM.YYYY",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "DD.MM.YYYY",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "DD.MM.YYYY",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "DD.MM.YYYY",
    "BINARY_INPUT_FORMAT": "BASE64",
    "BINARY_OUTPUT_FORMAT": "BASE64",
    "JSON_INDENT": 2,
    "STRICT_JSON_OUTPUT": True,
    "ERROR_ON_NONDETERMINISTIC_MERGE": False,
    "ERROR_ON_NONDETERMINISTIC_UPDATE": False,
    "STATEMENT_TIMEOUT_IN_SECONDS": 1,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 1,
    "LOCK_TIMEOUT": 1,
    "QUERY_TAG": "theirs",
}


def test_each_settled_parameter_has_a_test() -> None:
    limits = {"STATEMENT_TIMEOUT_IN_SECONDS", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "LOCK_TIMEOUT", "QUERY_TAG"}
    assert {parameter.name for parameter in SETTLED} | limits == set(SET_BY_OTHERS)
    assert [parameter.name for parameter in SETTLED if parameter.value == SET_BY_OTHERS[parameter.name]] == []


def outcome(settings: dict[str, str], gate: SnowflakeGate) -> list[Any]:
    """A published, an unchanged and a failed run; then all that they left, and what people are shown of it."""
    first = stockpipe.load(settings=settings)
    second = stockpipe.load(settings=settings)
    gate.fault("^COPY INTO", action=(100072, "planned failure", "22000"))
    with pytest.raises(stockpipe.WarehouseError, match="planned failure"):
        stockpipe.load(settings=settings, force=True)
    exported = command("export", "day.parquet", env=settings)
    shown = command("query", "--format", "csv", f"SELECT *, LAST_UPDATED_UTC::VARCHAR AS \"shown\" FROM TICKERS WHERE DS > '{'2026-01-01'}' ORDER BY TICKER", env=settings)  # fmt: skip
    return [
        (first.rows, second.records[0].status, exported.returncode, _without_waits(exported.stderr), shown.returncode),
        gate.rows("SELECT * EXCLUDE (ds) FROM tickers ORDER BY ticker"),
        gate.rows("SELECT status, rows_published, active, market FROM stockpipe_runs ORDER BY started_utc"),
        duckdb.execute("SELECT * EXCLUDE (DS) FROM 'day.parquet' ORDER BY TICKER").fetchall(),
        shown.stdout,
    ]


ROWS = [*many(4), stock("ABRpD", listing_tier="gold")]


def test_what_is_set_on_the_account_changes_nothing(serve: Serve) -> None:
    with SnowflakeGate() as plain, SnowflakeGate() as theirs:
        theirs.parameters.update(SET_BY_OTHERS)
        sandbox = serve(ROWS)
        expected, found = (outcome(flags(sandbox) | gate.env(), gate) for gate in (plain, theirs))
    assert found == expected
    assert expected[0] == (5, "unchanged", 0, expected[0][3], 0)
    assert [row[0] for row in expected[2]] == ["published", "unchanged", "failed"]


@pytest.mark.parametrize("name", SET_BY_OTHERS)
def test_each_parameter_of_a_user_is_settled_at_sign_in(gate: SnowflakeGate, name: str) -> None:
    gate.users[gate.user] = User(gate.user, gate.password, parameters={name: SET_BY_OTHERS[name]})
    with closing(open_warehouse(load_settings(gate.env(), env={}))) as warehouse:
        warehouse.begin("run-1")
        warehouse.query("SELECT 1")
        assert gate.parameter(name) != SET_BY_OTHERS[name]


@pytest.mark.parametrize("kind", ["TIMESTAMP_NTZ(9)", "TIMESTAMP_LTZ(9)", "TIMESTAMP_TZ(9)"])
def test_an_export_has_every_digit_of_a_time(serve: Serve, gate: SnowflakeGate, kind: str) -> None:
    gate.parameters.update(SERVICE_DEFAULTS)
    settings = flags(serve(many(1))) | gate.env()
    gate.rows(f"CREATE TABLE tickers (ticker VARCHAR(20), last_updated_utc {kind}, ds DATE)")
    stockpipe.load(settings=settings)
    assert command("export", "day.parquet", env=settings).returncode == 0
    assert duckdb.execute("SELECT LAST_UPDATED_UTC::VARCHAR FROM 'day.parquet'").fetchall() == [(MOMENT,)]


def _without_waits(said: str) -> str:
    """What was said, but for how long a slow machine waited."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith("Waiting for"))
