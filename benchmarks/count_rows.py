"""How many rows, and how many different tickers, a competitor's DuckDB file has. Usage: count_rows.py DUCKDB_PATH [TABLE]

A process of its own, so that the runner stays small.
"""

from __future__ import annotations

import json
import sys

import duckdb

with duckdb.connect(sys.argv[1], read_only=True) as connection:
    where = "SELECT table_schema, table_name FROM information_schema.tables WHERE lower(table_name) = ?"
    [(schema, table)] = connection.execute(where, [*sys.argv[2:], "tickers"][:1]).fetchall()
    counted = connection.execute(f'SELECT count(*), count(DISTINCT ticker) FROM "{schema}"."{table}"').fetchone()
sys.stdout.write(json.dumps(counted))
