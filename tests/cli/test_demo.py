"""The demo has a file of its own, and what shows sample data says so."""

from __future__ import annotations

import json
import shlex
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import PROGRAM, Serve, command, flags, many, table
from stockpipe.datasets import TICKERS
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.export import published_in
from stockpipe.warehouse.history import foreign_rows
from support.faults import without_the_sign

pytestmark = pytest.mark.slow

DEMO = ("demo", "--market", "indices")
REAL = {"POLYGON_API_KEY": "x" * 8, "STOCKPIPE_WAREHOUSE": "duckdb"}


def test_the_demo_has_a_file_of_its_own_and_its_next_command_reads_it() -> None:
    done = command(*DEMO)
    assert (done.returncode, Path("stockpipe-demo.duckdb").exists(), Path("stockpipe.duckdb").exists()) == (
        0,
        True,
        False,
    )
    following = next(line for line in done.stderr.splitlines() if line.startswith("  Next "))
    words = shlex.split(following.removeprefix(f"  Next      {PROGRAM}"))
    assert words[words.index("--duckdb-path") + 1] == "stockpipe-demo.duckdb"
    # Where the settings name Snowflake too.
    shown = command(*words, env={"SNOWFLAKE_ACCOUNT": "xy12345"})
    assert (shown.returncode, "TICKER" in shown.stdout) == (0, True)


@pytest.mark.parametrize("known", [True, False])
def test_the_demo_leaves_a_file_with_real_days_alone(serve: Serve, known: bool) -> None:
    if known:
        stockpipe.load(on="2026-02-02", settings=flags(serve(many(30), wrap=without_the_sign)))
    else:
        with duckdb.connect("stockpipe.duckdb") as connection:
            connection.execute("CREATE TABLE TICKERS (TICKER VARCHAR, DS DATE)")
            connection.execute("INSERT INTO TICKERS VALUES ('A', '2026-02-02'), ('B', NULL)")
    before = Path("stockpipe.duckdb").read_bytes()
    done = command(*DEMO, "--duckdb-path", "stockpipe.duckdb", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (7, "DataCheckError")
    assert f"stockpipe.duckdb has {30 if known else 2} rows that are not sample data." in done.stderr
    assert "Fetching" not in done.stderr
    assert Path("stockpipe.duckdb").read_bytes() == before


def test_the_demo_may_be_repeated_and_goes_into_a_new_table_of_a_file_without_rows() -> None:
    with duckdb.connect("mine.duckdb") as connection:
        connection.execute("CREATE TABLE OTHER AS SELECT 1 AS A")
    for _ in range(2):
        assert command(*DEMO, "--duckdb-path", "mine.duckdb").returncode == 0
    assert command(*DEMO, "--date", "2026-02-02", "--duckdb-path", "mine.duckdb").returncode == 0
    assert table("SELECT count(DISTINCT DS), (SELECT count(*) FROM OTHER) FROM TICKERS", "mine.duckdb") == [(2, 1)]


def test_the_demo_loads_a_small_desk_and_asks_it_three_questions() -> None:
    done = command("demo", timeout=240)
    assert done.returncode == 0, done.stderr
    loaded = table("SELECT DISTINCT DATASET FROM STOCKPIPE_RUNS ORDER BY 1", "stockpipe-demo.duckdb")
    assert [name for (name,) in loaded] == [
        "daily_bars", "dividends", "exchanges", "market_holidays", "splits", "ticker_types", "tickers",
    ]  # fmt: skip
    assert table("SELECT count(DISTINCT DS) FROM DAILY_BARS", "stockpipe-demo.duckdb") == [(10,)]
    answers = done.stdout.split("?\n\n")
    assert [answer.count("\n") >= 7 for answer in answers[1:]] == [True] * 3  # a heading, a line, five rows
    assert "Daily bars: 10 sessions with " in done.stderr
    counts = "SELECT (SELECT count(*) FROM TICKERS), (SELECT count(*) FROM DAILY_BARS), (SELECT count(*) FROM SPLITS)"
    before = table(counts, "stockpipe-demo.duckdb")
    again = command("demo", "--json", timeout=240)
    document = json.loads(again.stdout)
    assert (again.returncode, document["status"]) == (0, "unchanged")
    assert {one["exit_code"] for one in document["desk"]} == {0}
    assert {one["status"] for one in document["desk"] if "status" in one} == {"unchanged"}
    assert table(counts, "stockpipe-demo.duckdb") == before


def test_what_shows_the_demo_says_sample_data() -> None:
    assert command(*DEMO).returncode == 0
    place = ("--duckdb-path", "stockpipe-demo.duckdb")
    asked = command("query", "SELECT count(*) AS N FROM TICKERS", "--json", *place)
    assert (list(json.loads(asked.stdout)[0]), "sample data" in asked.stderr) == (["n"], True)
    exported = command("export", "day.csv", "--market", "indices", *place)
    assert "sample data" in exported.stderr.splitlines()[-1]
    status = command("status", *place)
    assert "indices: sample data" in status.stderr
    assert json.loads(command("status", "--json", *place).stdout)["sample"] is True
    assert "sample data" in command("runs", *place).stdout


def test_what_shows_real_days_does_not(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(30), wrap=without_the_sign)))
    shown = [
        command(*words, env=REAL) for words in (("query", "SELECT 1"), ("export", "day.csv"), ("status",), ("runs",))
    ]
    assert [done.stdout + done.stderr for done in shown if "sample" in done.stdout + done.stderr] == []
    assert json.loads(command("status", "--json", env=REAL).stdout)["sample"] is False


def test_a_table_with_a_quote_in_its_name_is_loaded_looked_at_and_exported(serve: Serve) -> None:
    env = flags(serve(many(4))) | {"SNOWFLAKE_TABLE": '"my ""own"" list"'}
    for arguments in (("run",), ("run", "--date", "2026-02-06"), ("backfill", "--last", "2d")):
        done = command(*arguments, env=env)
        assert done.returncode == 0, done.stderr
    assert table('SELECT count(*) FROM "my ""own"" list"') == [(16,)]
    assert command("export", "day.csv", "--date", "2026-02-06", env=env).returncode == 0
    with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
        assert date(2026, 2, 6) in published_in(warehouse, TICKERS.parts())
        assert foreign_rows(warehouse, TICKERS) == 0
    with stockpipe.open(settings=env) as desk:
        assert len(desk.universe("2026-02-06")) == 4


def test_the_next_command_takes_a_table_whose_name_needs_quotes(serve: Serve) -> None:
    done = command("run", env=flags(serve(many(4))) | {"SNOWFLAKE_TABLE": '"my table"'})
    following = next(line for line in done.stderr.splitlines() if line.split()[:1] == ["Next"])
    assert r" FROM \"my table\" WHERE DS='" in following
