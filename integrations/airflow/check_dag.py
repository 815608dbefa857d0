"""What can be asked of the DAG's file without running a task: what it imports, which day a moment is, the settings."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime

import stockpipe_daily

HEAVY = {"duckdb", "httpcore2", "snowflake.connector", "stockpipe"}
DAYS = {
    datetime(2026, 2, 6, 9, 30, tzinfo=UTC): date(2026, 2, 6),  # 04:30 in winter
    datetime(2026, 7, 6, 8, 30, tzinfo=UTC): date(2026, 7, 6),  # 04:30 in summer
    datetime(2026, 2, 7, 2, 0, tzinfo=UTC): date(2026, 2, 6),  # by hand, in the evening
    datetime(2026, 2, 6, tzinfo=UTC): date(2026, 2, 6),  # a bare date
}
EXTRA = {"account": "org-acc", "warehouse": "WH", "database": "DB", "role": "R"}
SNOWFLAKE = {
    "POLYGON_API_KEY": "k",
    "MASSIVE_BASE_URL": None,
    "STOCKPIPE_WAREHOUSE": "snowflake",
    "SNOWFLAKE_USER": "me",
    "SNOWFLAKE_PASSWORD": "pw",
    "SNOWFLAKE_SCHEMA": "S",
    "SNOWFLAKE_ACCOUNT": "org-acc",
    "SNOWFLAKE_WAREHOUSE": "WH",
    "SNOWFLAKE_DATABASE": "DB",
    "SNOWFLAKE_ROLE": "R",
}


def same(what: str, found: object, wanted: object) -> None:
    """End the check when something is not as wanted."""
    if found != wanted:
        sys.exit(f"{what}: {found}, wanted {wanted}")


def connect(name: str, **fields: object) -> None:
    """A connection, the way Airflow takes one from the environment."""
    os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(fields)


same("loaded by reading the file", HEAVY & set(sys.modules), set())
same("days", {moment: stockpipe_daily.day_of(moment) for moment in DAYS}, DAYS)
connect("massive_default", conn_type="http", password="k")
connect("snowflake_default", conn_type="snowflake", login="me", password="pw", schema="S", extra=EXTRA)
same("Snowflake", stockpipe_daily.settings(), SNOWFLAKE)
KEY = {"private_key_file": "/keys/stockpipe.p8", "authenticator": "snowflake_jwt"}
connect("snowflake_default", conn_type="snowflake", login="me", password="phrase", schema="S", extra=EXTRA | KEY)
without = {name: text for name, text in SNOWFLAKE.items() if name != "SNOWFLAKE_PASSWORD"}
wanted = {"SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/stockpipe.p8", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "phrase"}
same("key pair", stockpipe_daily.settings(), without | wanted)
os.environ["AIRFLOW_VAR_STOCKPIPE_DUCKDB_PATH"] = "market.duckdb"
same("DuckDB", stockpipe_daily.settings()["STOCKPIPE_WAREHOUSE"], "duckdb")
