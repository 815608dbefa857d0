"""Tables written anew: the same rows in the order of their days, in less room; in both warehouses."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import TICKERS
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from support.loads import load
from support.prices import Prices

pytestmark = pytest.mark.slow

DAYS = ("2026-02-05", "2026-02-03", "2026-02-04")
ROWS = "SELECT * FROM TICKERS ORDER BY DS, TICKER"


def test_a_file_is_smaller_in_order_and_has_the_same_rows(serve: Serve) -> None:
    env = flags(serve(many(3000)))
    for day in (*DAYS, DAYS[0]):
        load(env, on=day, force=True)
    path = Path("stockpipe.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT range AS n FROM range(10); COMMENT ON TABLE mine IS 'kept'")
        connection.execute("CREATE VIEW ours AS SELECT n FROM mine")
    path.chmod(0o640)
    before, size = table(ROWS), path.stat().st_size
    done = command("maintain", "--json", env=env)
    told = json.loads(done.stdout)
    assert (done.returncode, told["bytes_before"] >= size, told["bytes_after"]) == (0, True, path.stat().st_size)
    assert path.stat().st_size < size
    counts = [table(f'SELECT count(*) FROM "{name}"')[0][0] for name in told["tables"]]
    assert told["rows"] == sum(int(str(count)) for count in counts)
    assert table(ROWS) == before
    order = table(
        "SELECT DS::VARCHAR FROM TICKERS QUALIFY DS IS DISTINCT FROM lag(DS) OVER (ORDER BY rowid) ORDER BY rowid"
    )
    assert [day for (day,) in order] == sorted(DAYS)
    assert table("SELECT count(*) FROM ours") == [(10,)]
    assert table("SELECT comment FROM duckdb_tables() WHERE table_name = 'mine'") == [("kept",)]
    assert table("SELECT count(*) FROM TICKERS_LATEST") == [(3000,)]
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(Path().glob("*duckdb*")) == [path, Path("stockpipe.duckdb.state.json")]
    # It goes on as before.
    load(env, on="2026-02-06")
    assert table("SELECT count(DISTINCT DS) FROM TICKERS") == [(4,)]


def test_facts_of_days_lie_by_year_and_name_so_that_one_name_is_read_from_few_places() -> None:
    prices = Prices(Path("stockpipe.duckdb"))
    days = ("2024-01-02", "2024-12-30", "2025-01-02", "2025-01-03")
    prices.bars(*((ticker, day, 10.0) for day in reversed(days) for ticker in ("ZZ", "AA")))
    prices.run("CREATE TABLE STOCKPIPE_RUNS (RUN_ID VARCHAR, DS DATE)")  # a file of ours
    assert command("maintain", "--duckdb-path", "stockpipe.duckdb").returncode == 0
    assert table("SELECT DS::VARCHAR, TICKER FROM DAILY_BARS ORDER BY rowid") == [
        ("2024-01-02", "AA"), ("2024-12-30", "AA"), ("2024-01-02", "ZZ"), ("2024-12-30", "ZZ"),
        ("2025-01-02", "AA"), ("2025-01-03", "AA"), ("2025-01-02", "ZZ"), ("2025-01-03", "ZZ"),
    ]  # fmt: skip


def test_a_file_that_is_not_there_is_told() -> None:
    done = command("maintain")
    assert (done.returncode, "There is no DuckDB file" in done.stderr) == (6, True)


def test_in_snowflake_each_table_is_overwritten_behind_the_fence(serve: Serve, gate: SnowflakeGate) -> None:
    env = flags(serve(many(5)), STOCKPIPE_SAMPLE_DATA="true") | gate.env()
    for day in DAYS:
        load(env, on=day)
    before = gate.rows(ROWS)
    assert command("maintain", env=env).returncode == 2  # nobody is there to be asked
    seen = len(gate.log)
    warehouse = open_warehouse(load_settings(env, env={}))
    done = warehouse.compact([TICKERS])
    warehouse.close()
    assert (done.tables, done.rows) == (["TICKERS"], 15)
    assert gate.rows(ROWS) == before
    words = [request.sql.split()[0] for request in list(gate.log)[seen:] if request.sql]
    assert words[words.index("BEGIN") :][:6] == ["BEGIN", "UPDATE", "SELECT", "INSERT", "SELECT", "COMMIT"]


def test_a_dataset_that_does_not_exist_is_refused() -> None:
    assert command("maintain", "--dataset", "no").returncode == 2
