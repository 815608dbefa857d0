"""Looking at what was loaded: query, export, runs, rejects; and stopping a run."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from stockpipe.datasets import TICKERS
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse
from stockpipe.warehouse.export import export_day

DAY = "2026-02-06"
SAMPLE = "Note: this day is sample data from the sandbox, not the real market.\n"
ODD = ["ABRpD", "NA", "NAN", "TRUE"]


@pytest.fixture
def day(serve: Serve) -> dict[str, str]:
    """A published day of odd tickers; the settings that it was loaded with."""
    rows = [stock(ticker, name="=HYPERLINK(1)" if ticker == "NA" else f"{ticker}, Inc.") for ticker in ODD]
    settings = flags(serve([*rows, *many(100), stock("ZZ", name="")]))
    stockpipe.load(on=DAY, settings=settings)
    return settings


def test_a_csv_export_keeps_text_and_defuses_formulas(day: dict[str, str]) -> None:
    done = command("export", "day.csv", "--date", DAY, env=day)
    assert (done.returncode, done.stderr) == (0, f"Wrote 104 rows of stocks {DAY} to day.csv\n{SAMPLE}")
    with Path("day.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["TICKER"]: row for row in csv.DictReader(file)}
    assert set(ODD) <= set(rows)
    assert rows["NA"]["NAME"] == "'=HYPERLINK(1)"
    assert (rows["TRUE"]["NAME"], rows["TRUE"]["CIK"], rows["TRUE"]["DS"]) == ("TRUE, Inc.", "0000001234", DAY)
    assert rows["TRUE"]["LAST_UPDATED_UTC"] == "2026-02-07 07:05:42.81804786"


def test_jsonl_and_parquet_exports_keep_text_as_it_is(day: dict[str, str]) -> None:
    assert command("export", "day.jsonl", "--date", DAY, env=day).returncode == 0
    rows = [json.loads(line) for line in Path("day.jsonl").read_text(encoding="utf-8").splitlines()]
    assert next(row for row in rows if row["TICKER"] == "NA")["NAME"] == "=HYPERLINK(1)"
    assert command("export", "day.parquet", "--date", DAY, env=day).returncode == 0
    with duckdb.connect() as connection:
        found = connection.execute("SELECT count(*), max(DS)::VARCHAR FROM 'day.parquet'").fetchall()
    assert found == [(104, DAY)]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_to_standard_output_is_the_file(day: dict[str, str], form: str) -> None:
    assert command("export", "x.txt", "--date", DAY, "--format", form, env=day).returncode == 0
    shown = command("export", "-", "--date", DAY, "--format", form, env=day)
    assert (shown.returncode, shown.stderr) == (0, f"Wrote 104 rows of stocks {DAY} to standard output\n{SAMPLE}")
    assert shown.stdout == Path("x.txt").read_text(encoding="utf-8")
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["day.xlsx"],
            "day.xlsx cannot be exported: its name says no format.\n       End it in .csv, .parquet or .jsonl",
        ),
        (["-"], "Standard output needs a format."),
        (["day.parquet", "--format", "csv"], "--format says csv, and the name day.parquet says parquet."),
        (["."], ". is a folder.\n       Name a file in it, such as day.csv."),
    ],
)
def test_an_export_to_what_cannot_be_is_refused(arguments: list[str], says: str) -> None:
    done = command("export", *arguments)
    assert (done.returncode, done.stdout, list(Path.cwd().iterdir())) == (2, "", [])
    assert says in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_parquet_is_not_written_to_a_terminal() -> None:
    import pty

    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "stockpipe", "export", "-", "--format", "parquet"]
    done = subprocess.run(arguments, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, "Parquet is not for a terminal." in done.stderr) == (2, True)


def on_terminal(*arguments: str) -> bytes:
    """What a command writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "stockpipe", *arguments], stdout=theirs, stderr=subprocess.DEVNULL):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal so
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_a_terminal_gets_no_control_characters(serve: Serve) -> None:
    stockpipe.load(on=DAY, settings=flags(serve([stock("A", name="red \x1b[31m \x9b31m alert")])))
    for form in ("csv", "json", "table"):
        shown = on_terminal("query", "SELECT NAME FROM TICKERS", "--format", form)
        assert b"alert" in shown
        assert not any(sign in shown.decode() for sign in ("\x1b[31m", "\x9b"))  # the table's head has bold type
    for form in ("csv", "jsonl"):
        shown = on_terminal("export", "--date", DAY, "--format", form, "-")
        assert b"alert" in shown
        assert not {"\x1b", "\x9b"} & set(shown.decode())
    assert "\x1b[31m" in command("query", "SELECT NAME FROM TICKERS", "--format", "csv").stdout


@pytest.mark.parametrize(
    "name",
    ["\n=1+1", " =1+1", "\t=1+1", "\u00a0=1+1", "\u3000\ufeff@x", "\u200b-1", "\uff1d1+1", "\nplain", "+1", "\x01=1"],
)
def test_whatever_stands_before_a_formula_it_is_none(name: str) -> None:
    assert exported(name) == f"'{name}"


@pytest.mark.parametrize("name", ["Plain", "A=B", " A-B", "1-2", "\u00c4 + Co"])
def test_what_is_no_formula_stays(name: str) -> None:
    assert exported(name) == name


def exported(name: str) -> str:
    """A published name as `export` writes it to a CSV file."""
    settings = load_settings({}, env={})
    warehouse = DuckDBWarehouse(settings)
    warehouse.prepare(TICKERS, lambda *_: ())
    warehouse.release()
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(
            "INSERT INTO TICKERS (DS, TICKER, NAME, MARKET, ACTIVE) VALUES (?, 'A', ?, 'stocks', true)", [DAY, name]
        )
    export_day(warehouse, TICKERS.parts(), date.fromisoformat(DAY), "csv", Path("day.csv"))
    with Path("day.csv").open(newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file))["NAME"]


def test_a_day_that_is_not_there_is_no_empty_file(day: dict[str, str]) -> None:
    done = command("export", "none.csv", "--date", "2026-02-05", env=day)
    assert done.returncode == 2
    assert f"There is no published snapshot of stocks for 2026-02-05.\n       The only one is {DAY}.\n" in done.stderr
    assert not Path("none.csv").exists()


def test_query_takes_json_as_the_other_commands_do(day: dict[str, str]) -> None:
    sql = "SELECT TICKER FROM TICKERS WHERE TICKER = 'NA'"
    assert json.loads(command("query", sql, "--json", env=day).stdout) == [{"ticker": "NA"}]
    assert json.loads(command("query", sql, "--json", "--format", "json", env=day).stdout) == [{"ticker": "NA"}]
    failed = command("query", "DROP TABLE TICKERS", "--json", env=day)
    assert (failed.returncode, json.loads(failed.stdout)["error"]) == (2, "UsageError")
    both = command("query", sql, "--json", "--format", "csv", env=day)
    assert (both.returncode, "--json and --format csv are different forms." in both.stderr) == (2, True)


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT 1 AS a, 2 AS a", {"a": 1, "a_2": 2}),
        ("SELECT 1 AS a, 2 AS a, 3 AS a, 4 AS a_2", {"a": 1, "a_3": 2, "a_4": 3, "a_2": 4}),
        ("SELECT 1 AS a, 2 AS A", {"a": 1, "a_2": 2}),
        ("SELECT x.TICKER, y.TICKER FROM TICKERS x JOIN TICKERS y USING (DS) WHERE x.TICKER = 'NA' AND y.TICKER = 'NAN'", {"ticker": "NA", "ticker_2": "NAN"}),
        ("SELECT MAP {DATE '2026-02-06': [MAP {1: 2}]} AS m", {"m": {"2026-02-06": [{"1": 2}]}}),
    ],
)  # fmt: skip
def test_json_loses_no_column(day: dict[str, str], sql: str, row: dict[str, object]) -> None:
    done = command("query", sql, "--json", env=day)
    assert (done.returncode, json.loads(done.stdout)) == (0, [row])


def test_query_has_three_forms(day: dict[str, str]) -> None:
    sql = "SELECT TICKER, ACTIVE FROM TICKERS WHERE TICKER = 'NA'"
    assert command("query", sql, "--format", "csv", env=day).stdout == "TICKER,ACTIVE\nNA,True\n"
    assert json.loads(command("query", sql, "--format", "json", env=day).stdout) == [{"ticker": "NA", "active": True}]
    assert command("query", sql, env=day).stdout.split()[-2:] == ["NA", "True"]


@pytest.mark.parametrize(
    "text",
    [
        "(SELECT 1) ; -- ';' and COPY in a comment\n;",
        "WITH day AS (SELECT ';é COPY' AS \"COPY\" FROM TICKERS) FROM day",
        "VALUES (1)",
        "TABLE TICKERS",
        "SHOW TABLES",
        "DESCRIBE TICKERS",
        "SUMMARIZE TICKERS",
        "PIVOT TICKERS ON ACTIVE USING count(*)",
        "PRAGMA table_info('TICKERS')",
        "EXPLAIN SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT 'json') (SELECT 1)",
    ],
)
def test_every_way_of_reading_is_a_query(day: dict[str, str], text: str) -> None:
    found = DuckDBWarehouse(load_settings(day)).query(text)
    assert found.rows


def test_data_is_whole_where_the_output_is_not_utf8(day: dict[str, str]) -> None:
    ascii_only = day | {"PYTHONIOENCODING": "ascii"}
    sql = "SELECT chr(233) || chr(26666) AS N"
    assert (
        command("query", sql, "--format", "json", env=ascii_only).stdout
        == '[\n  {\n    "n": "\\u00e9\\u682a"\n  }\n]\n'
    )
    assert command("query", sql, "--format", "json", env=day).stdout == '[\n  {\n    "n": "é株"\n  }\n]\n'
    assert command("query", sql, "--format", "csv", env=ascii_only).stdout == "N\né株\n"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_to_standard_output_is_utf8(serve: Serve, form: str) -> None:
    env = flags(serve([stock("A", name="Nestlé 株")]), PYTHONIOENCODING="ascii")
    assert command("run", env=env).returncode == 0
    assert "Nestlé 株" in command("export", "-", "--format", form, env=env).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands over text, not bytes")
def test_sql_that_the_locale_cannot_read_is_refused() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = command("query", "SELECT 'Nestlé'", env=plain)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no text in this terminal's encoding.\n       Set a UTF-8 locale" in done.stderr


def test_runs_and_rejects_tell_what_happened(day: dict[str, str]) -> None:
    run = json.loads(command("runs", "--json", env=day).stdout)[0]
    assert (run["status"], run["rows_fetched"], run["rows_published"], run["rows_rejected"]) == (
        "published",
        105,
        104,
        1,
    )
    reject = json.loads(command("rejects", "--json", env=day).stdout)[0]
    assert (reject["ticker"], reject["reason"], reject["run_id"]) == ("ZZ", "name is missing", run["run_id"])


def unread(*arguments: str, env: dict[str, str]) -> tuple[int, str]:
    """Exit code and stderr of a command whose reader goes away before it says a word."""
    with subprocess.Popen(
        [sys.executable, "-m", "stockpipe", *arguments],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    return process.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE, nor its exit code")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "SELECT * FROM TICKERS"),
        ("query", "SELECT * FROM TICKERS", "--format", "csv"),
        ("query", "SELECT 1"),
        ("rejects",),
        ("runs", "--json"),
        ("export", "-", "--date", DAY, "--format", "csv"),
        ("export", "-", "--date", DAY, "--format", "parquet"),
    ],
)
def test_a_reader_that_goes_away_is_a_quiet_end(
    day: dict[str, str], arguments: tuple[str, ...], unbuffered: str
) -> None:
    assert unread(*arguments, env=day | {"PYTHONUNBUFFERED": unbuffered}) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE, nor its exit code")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_error_is_told_and_keeps_its_code_where_nobody_reads_stdout(day: dict[str, str], unbuffered: str) -> None:
    env = day | {"POLYGON_API_KEY": "", "PYTHONUNBUFFERED": unbuffered}
    code, said = unread("run", "--json", env=env)
    assert (code, said.startswith("Error: POLYGON_API_KEY"), "Traceback" in said) == (3, True, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("asked", [("query", "SELECT 1"), ("export", "-", "--date", DAY, "--format", "csv")])
def test_a_full_disk_under_stdout_is_told_once(day: dict[str, str], asked: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stockpipe", *asked],
            env=os.environ | day,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == "Error: The output cannot be written: No space left on device."
    assert "Exception ignored" not in done.stderr


def test_control_characters_in_api_text_are_shown_escaped(serve: Serve) -> None:
    settings = flags(serve([stock("A", name="red \x1b[31m alert")]))
    stockpipe.load(settings=settings)
    shown = command("query", "SELECT NAME FROM TICKERS", env=settings).stdout
    assert "\x1b" not in shown
    assert "red \\x1b[31m alert" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_so_and_publishes_nothing(serve: Serve, number: signal.Signals, code: int) -> None:
    settings = flags(serve(many(5000), latency=0.3))
    arguments = [sys.executable, "-m", "stockpipe", "run"]
    with subprocess.Popen(arguments, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("Fetching"):
                break
        process.send_signal(number)
        rest = process.stderr.read()
    assert (process.returncode, "Stopped on request" in rest, "Traceback" in rest) == (code, True, False)
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]
    assert table("SELECT STATUS FROM STOCKPIPE_RUNS") == [("interrupted",)]


def test_ctrl_c_is_the_ordinary_end_of_the_sandbox() -> None:
    arguments = [sys.executable, "-m", "stockpipe", "sandbox", "--port", "0"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "end it with Ctrl+C" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert (process.returncode, rest) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor pipes in its file system")
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_follows_a_link_and_keeps_the_mode(day: dict[str, str], form: str) -> None:
    Path("kept").write_text("old")
    Path("kept").chmod(0o600)
    Path(f"day.{form}").symlink_to("kept")
    assert command("export", f"day.{form}", "--date", DAY, env=day).returncode == 0
    assert (Path(f"day.{form}").is_symlink(), stat.S_IMODE(Path("kept").stat().st_mode)) == (True, 0o600)
    assert Path("kept").stat().st_size > 1000
    assert not [path.name for path in Path().iterdir() if path.name.startswith((".", "tmp_"))]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in its file system")
def test_an_export_to_a_pipe_is_read_there(day: dict[str, str]) -> None:
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        done = command("export", "pipe", "--format", "csv", "--date", DAY, env=day)
        found, _ = reader.communicate(timeout=30)
    assert (done.returncode, found.count("\n"), stat.S_ISFIFO(Path("pipe").stat().st_mode)) == (0, 105, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other devices")
def test_an_export_to_devices(day: dict[str, str]) -> None:
    null = command("export", "/dev/null", "--format", "csv", "--date", DAY, env=day)
    shown = command("export", "/dev/stdout", "--format", "csv", "--date", DAY, env=day)
    assert (null.returncode, shown.returncode, shown.stdout.count("\n")) == (0, 0, 105)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sockets in its file system")
def test_an_export_to_a_socket_or_a_full_disk_is_refused(day: dict[str, str]) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        done = command("export", "socket", "--format", "csv", "--date", DAY, env=day)
    says = "Error: socket cannot be written: it is a disk or a socket.\n       Name another file.\n"
    assert (done.returncode, done.stderr, Path("socket").is_socket()) == (2, says, True)
    full = command("export", "/dev/full", "--format", "csv", "--date", DAY, env=day)
    assert (full.returncode, "/dev/full cannot be written: No space left on device." in full.stderr) == (2, True)
