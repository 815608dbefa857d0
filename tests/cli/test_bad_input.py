"""Each foreseeable mistake: one clear message, the exit code of the contract, no traceback, nothing published."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, table
from stockpipe.errors import ConfigError, UsageError, WarehouseError
from stockpipe.warehouse.duckdb.reading import must_only_read

ROOT = Path(__file__).parents[2]
HOLDER = "import duckdb, sys; c = duckdb.connect('stockpipe.duckdb'); print('held', flush=True); sys.stdin.read()"


def refused(code: int, *arguments: str, env: dict[str, str], says: str) -> None:
    done = command(*arguments, env=env)
    assert (done.returncode, "Traceback" in done.stderr, done.stdout) == (code, False, "")
    assert says in done.stderr


def test_a_missing_key() -> None:
    refused(3, "run", env={}, says="POLYGON_API_KEY or MASSIVE_API_KEY is not set")


@pytest.mark.parametrize("key", ["your_massive_api_key_here", "mk_live_xxxxxxxxxxxxxxxx", "<key>"])
def test_a_placeholder_key(key: str) -> None:
    refused(3, "run", env={"POLYGON_API_KEY": key}, says="placeholder")


def test_a_wrong_key_is_not_shown(serve: Serve) -> None:
    env = flags(serve(many(1)), POLYGON_API_KEY="wrong-key-0815")
    done = command("run", "-v", env=env)
    assert (done.returncode, "Unknown API Key" in done.stderr, "wrong-key-0815" in done.stderr) == (4, True, False)


def test_a_day_outside_of_the_plan(serve: Serve) -> None:
    env = flags(serve(many(1), plan="free"))
    refused(4, "run", "--date", "2010-01-04", env=env, says="Your plan doesn't include this data timeframe")


def test_an_unreachable_host() -> None:
    env = {"POLYGON_API_KEY": "a-test-key", "MASSIVE_BASE_URL": "http://127.0.0.1:9", "STOCKPIPE_DEADLINE": "2"}
    refused(5, "run", env=env, says="deadline")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.massive.com",
        "ftp://x",
        "https://user@api.massive.com",
        "https://api.massive.com/v3",
        "nonsense",
        "https://api..massive.com",
        "https://api.m\u00e4ssive.com",
        "https://api massive.com",
        f"https://{'a' * 64}.com",
    ],
)
def test_a_base_url_that_is_no_safe_origin(url: str) -> None:
    refused(3, "run", env={"POLYGON_API_KEY": "a-test-key", "MASSIVE_BASE_URL": url}, says="MASSIVE_BASE_URL")


@pytest.mark.parametrize("name", ['T"', "T; DROP TABLE X", "1T", "A.B", ""])
def test_a_table_name_that_is_none(serve: Serve, name: str) -> None:
    env = flags(serve(many(1)), SNOWFLAKE_TABLE=name)
    done = command("run", env=env)
    assert done.returncode == (3 if name else 0)


@pytest.mark.parametrize(
    ("day", "says"), [("2003-09-09", "outside"), ("2999-01-01", "outside"), ("13.1.2026", "is not a date")]
)
def test_a_date_that_cannot_be(day: str, says: str) -> None:
    refused(2, "run", "--date", day, env={"POLYGON_API_KEY": "a-test-key"}, says=says)


def test_an_unknown_market() -> None:
    refused(
        2, "run", "--market", "bonds", env={"POLYGON_API_KEY": "a-test-key"}, says="stocks, otc, crypto, fx, indices"
    )


def test_a_file_that_is_not_duckdb(serve: Serve) -> None:
    Path("stockpipe.duckdb").write_text("not a database, but long enough to be looked at " * 40)
    refused(6, "run", env=flags(serve(many(1))), says="is not a DuckDB file")


@pytest.mark.parametrize("arguments", [["run"], ["query", "SELECT 1"], ["status"]])
def test_a_folder_as_the_duckdb_file(serve: Serve, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "data").mkdir()
    env = flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH="data")
    says = f"data is a folder.\n       Name a file in STOCKPIPE_DUCKDB_PATH, such as {Path('data/stockpipe.duckdb')}."
    refused(6, *arguments, env=env, says=says)


def test_a_locked_duckdb_file(serve: Serve) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        refused(6, "run", env=flags(serve(many(1)), STOCKPIPE_LOCK_TIMEOUT="0.1"), says=f"(process {process.pid})")
        process.communicate()


def test_a_wait_for_a_locked_duckdb_file_is_told_once(serve: Serve) -> None:
    run = [sys.executable, "-m", "stockpipe", "run"]
    env = os.environ | flags(serve(many(1)), STOCKPIPE_LOCK_TIMEOUT="45")
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with subprocess.Popen(run, env=env, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr
            told = next(line for line in waiting.stderr if "is held by" in line)
            time.sleep(1)
            process.communicate()
            rest = waiting.stderr.read()
    assert told.startswith("stockpipe.duckdb is held by ")
    assert told.endswith(f"(process {process.pid}); waiting for it, up to 45 s.\n")
    assert (waiting.returncode, "is held by" in rest) == (0, False)


def test_a_folder_that_is_not_there(serve: Serve) -> None:
    refused(
        6, "run", env=flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH="nowhere/x.duckdb"), says="cannot be opened or made"
    )


def test_a_folder_that_takes_no_files(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    # Root writes everywhere but into what the kernel shows.
    folder = "/proc" if hasattr(os, "geteuid") and os.geteuid() == 0 else "shut"
    path = f"{folder}/x.duckdb"
    refused(6, "run", env=flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH=path), says="cannot be opened or made")


def test_a_table_whose_columns_clash(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE TICKERS (TICKER VARCHAR, ACTIVE INTEGER, DS DATE)")
        connection.execute("INSERT INTO TICKERS VALUES ('A', 1, '2026-01-01')")
    refused(6, "run", env=flags(serve(many(1))), says='"ACTIVE" of type INTEGER')
    assert table("SELECT * EXCLUDE (DS) FROM TICKERS") == [("A", 1)]


def test_a_data_file_that_cannot_be_served() -> None:
    Path("x.csv").write_text("a,b\n1,2\n")
    refused(3, "sandbox", "--data", "x.csv", env={}, says="it has no column `ticker`")
    Path("README.md").write_text('{"ticker": "A"}\n# Mine\n')
    says = "README.md cannot be served: line 2 is not a JSON object, so it is neither JSON lines nor CSV"
    refused(3, "sandbox", "--data", "README.md", env={}, says=says)
    refused(3, "sandbox", "--data", "none.csv", env={}, says="none.csv cannot be served")


def test_a_query_that_writes(serve: Serve) -> None:
    env = flags(serve(many(2)))
    assert command("run", env=env).returncode == 0
    refused(6, "query", "DELETE FROM TICKERS", env=env, says="query only reads, and DELETE is no reading statement")
    refused(6, "query", "WITH a AS (FROM TICKERS) INSERT INTO TICKERS FROM a", env=env, says="read-only")
    refused(6, "query", "COPY TICKERS TO 'x.csv'", env=env, says="query only reads, and COPY writes files")
    assert table("SELECT count(*) FROM TICKERS") == [(2,)]
    assert not Path("x.csv").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("EXPLAIN ANALYZE COPY T TO 'x.csv'", "COPY writes files"),
        ("explain (analyze, format json) /* */ copy T to 'x.csv'", "COPY writes files"),
        ("WITH a AS (COPY T TO 'x.csv') SELECT 1", "COPY writes files"),
        ("COPY (PIVOT T ON a USING count(*)) TO 'x.csv'", "COPY writes files"),
        ("-- SELECT\n(COPY T TO 'x.csv')", "COPY writes files"),
        ("FROM enable_logging('QueryLog', storage = 'file', storage_path = 'logs')", "ENABLE_LOGGING writes files"),
        ("EXPORT DATABASE 'folder'", "EXPORT is no reading statement"),
        ("IMPORT DATABASE 'folder'", "IMPORT is no reading statement"),
        ("PRAGMA import_database('folder')", "PRAGMA IMPORT_DATABASE is no reading statement"),
        ("ATTACH 'other.duckdb'", "ATTACH is no reading statement"),
        ("EXPLAIN ANALYZE INSTALL json", "INSTALL is no reading statement"),
        ("SET threads = 1", "SET is no reading statement"),
        ("ANALYZE", "ANALYZE is no reading statement"),
        ("Größe", "GRÖSSE is no reading statement"),
    ],
)
def test_a_statement_that_does_not_only_read(text: str, says: str) -> None:
    with pytest.raises(WarehouseError, match=says):
        must_only_read(text)


@pytest.mark.parametrize("text", ["", " -- SELECT 1", "/* nothing */ ; -- at all"])
def test_a_query_without_a_statement(text: str) -> None:
    refused(2, "query", text, env={}, says="There is no statement to run.")


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "SELECT 1; COPY T TO 'x.csv'", ";SELECT 1"])
def test_a_query_of_several_statements(text: str) -> None:
    with pytest.raises(UsageError, match="more than one statement"):
        must_only_read(text)


def test_demo_never_loads_snowflake() -> None:
    refused(3, "demo", "--warehouse", "snowflake", env={}, says="never goes to Snowflake")


def test_a_command_that_is_mistyped() -> None:
    refused(2, "rum", env={}, says="Did you mean 'run'?")


@pytest.mark.parametrize("script", ["script.py", "scheduler.py"])
@pytest.mark.parametrize("package", ["click", "duckdb"])
def test_a_python_without_the_packages_is_told_so(script: str, package: str) -> None:
    program = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_path({str(ROOT / script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"Error: The package {package} is not installed for {sys.executable}.")
    assert "pip install -r requirements.txt" in done.stderr


@pytest.mark.parametrize(
    ("command_and_flag", "says"),
    [
        (("run", "--deadline", "-1"), "--deadline is '-1': it must be a number from 1"),
        (("run", "--requests-per-second", "x"), "--requests-per-second is 'x': it must be a number from "),
        (("run", "--warehouse", "oracle"), "--warehouse is 'oracle': it must be duckdb or snowflake."),
        (("status", "--warehouse", "oracle"), "--warehouse is 'oracle': it must be duckdb or snowflake."),
    ],
)
def test_a_wrong_flag_is_named_as_it_was_written(command_and_flag: tuple[str, ...], says: str) -> None:
    refused(2, *command_and_flag, env={"POLYGON_API_KEY": "a-test-key"}, says=says)


def test_the_same_in_the_environment_or_from_python_is_a_wrong_setting() -> None:
    env = {"POLYGON_API_KEY": "a-test-key", "STOCKPIPE_DEADLINE": "-1"}
    refused(3, "run", env=env, says="STOCKPIPE_DEADLINE is '-1' (from the environment): it must be a number from 1")
    with pytest.raises(ConfigError, match=r"STOCKPIPE_DEADLINE is '-1' \(from the settings of this call\)"):
        stockpipe.load(settings=env)
