"""A day into a real Snowflake account, in a schema of its own that is dropped again. Skipped unless one is named.

REAL_SNOWFLAKE_ENV is a file like .env with SNOWFLAKE_* of an account where the role may create and drop a schema.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import stockpipe
from conftest import Serve, flags, many, stock
from stockpipe.settings import SETTINGS, Settings, load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake.session import open_session, session_plan

FILE = os.environ.get("REAL_SNOWFLAKE_ENV")
pytestmark = pytest.mark.skipif(not FILE, reason="REAL_SNOWFLAKE_ENV names no file with a real account")


@pytest.fixture
def account() -> Iterator[dict[str, str]]:
    """Settings with a new schema, which goes with the test."""
    schema = f"STOCKPIPE_TEST_{secrets.token_hex(4)}"
    given = load_settings({"SNOWFLAKE_SCHEMA": schema}, env={}, env_file=Path(str(FILE)))
    yield {name: text for name in SETTINGS if name.startswith("SNOWFLAKE_") and (text := given.get(name))}
    with open_session(session_plan(given)) as session:
        session.cursor().execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    warehouse = open_warehouse(settings)
    try:
        return warehouse.query(sql).rows
    finally:
        warehouse.close()


@pytest.mark.parametrize("method", ["copy", "insert"])
def test_a_day_twice_and_its_views(serve: Serve, account: dict[str, str], method: str) -> None:
    listing = [*many(1100), stock("ABRpD", name="Soci\u00e9t\u00e9", listing_tier="gold")]
    given = flags(serve(listing)) | account
    for force in (False, True):
        assert stockpipe.load(settings=given, load_method=method, force=force).rows == 1101
    settings = load_settings(given, env={})
    assert rows(settings, "SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(1101, 1101)]
    assert rows(settings, "SELECT count(*) FROM TICKERS_LATEST") == [(1101,)]
    assert rows(settings, "SELECT STATUS FROM STOCKPIPE_RUNS") == [("published",), ("published",)]
    stamp = "TO_VARCHAR(LAST_UPDATED_UTC, 'YYYY-MM-DD HH24:MI:SS.FF9')"
    assert rows(settings, f"SELECT EXTRA:listing_tier::VARCHAR, {stamp} FROM TICKERS WHERE TICKER = 'ABRpD'") == [
        ("gold", "2026-02-07 07:05:42.818047860")
    ]
