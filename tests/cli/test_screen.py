"""What a person sees on a terminal of 80 and of 120 columns."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

import stockpipe
from conftest import command, flags, many, stock, write_listing
from stockpipe.errors import StockpipeError, UsageError
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse
from stockpipe.warehouse.reading import ask
from support.faults import without_the_sign
from support.terminals import seen

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")]

WIDTHS = pytest.mark.parametrize("columns", [80, 120])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A published day of both states, a failed run with a long message, and a rejected row; the settings to read them."""
    folder = tmp_path_factory.mktemp("screen")
    rows = [*many(98), stock("ABRpD", name="A" * 400), stock("ZZ", name=""), stock("OLD", active="False")]
    with Sandbox(data=write_listing(folder / "listing.csv", rows), wrap=without_the_sign) as sandbox:
        settings = flags(sandbox, STOCKPIPE_DUCKDB_PATH=str(folder / "s.duckdb"))
        stockpipe.load(on="2026-02-06", active="both", settings=settings)
        with pytest.raises(StockpipeError):
            stockpipe.load(on="2026-02-06", settings=settings | {"POLYGON_API_KEY": "wrong-key"})
    return {name: value for name, value in settings.items() if name == "STOCKPIPE_DUCKDB_PATH"}


@WIDTHS
def test_a_table_is_no_wider_than_the_terminal(loaded: dict[str, str], columns: int) -> None:
    for words in (
        ["query", "SELECT * FROM TICKERS LIMIT 5"], ["query", "SELECT * FROM STOCKPIPE_RUNS"],
        ["query", "SUMMARIZE TICKERS"], ["runs"], ["status"], ["config", "--all"], ["rejects"], ["report"], ["changes"],
    ):  # fmt: skip
        shown = seen(*words, columns=columns, env=loaded)
        # What the tests are called by is a long path.
        wide = [line for line in shown.lines if len(line) > columns and sys.executable not in line]
        assert (words, wide) == (words, [])


@pytest.mark.parametrize(("columns", "shown"), [(80, 7), (120, 10)])
def test_a_row_is_one_line_and_what_is_left_out_is_told(loaded: dict[str, str], columns: int, shown: int) -> None:
    found = seen("query", "SELECT * FROM TICKERS WHERE ACTIVE ORDER BY TICKER LIMIT 5", columns=columns, env=loaded)
    assert found.code == 0
    assert len(found.lines) == 8
    assert found.lines[0].split()[:3] == ["TICKER", "NAME", "MARKET"]
    assert found.lines[2].startswith("ABRpD   AAAAAA")
    assert "AAA…" in found.lines[2]
    assert found.lines[7] == f"5 rows, 18 columns ({shown} shown; --format csv shows all)"


def test_a_whole_table_ends_after_forty_rows(loaded: dict[str, str]) -> None:
    first = seen("query", "SELECT TICKER FROM TICKERS ORDER BY 1", env=loaded)
    assert (len(first.lines), first.lines[-1]) == (43, "100 rows (40 shown; --all shows all), 1 column")
    every = seen("query", "SELECT TICKER FROM TICKERS ORDER BY 1", "--all", env=loaded)
    assert (len(every.lines), every.lines[-1]) == (103, "100 rows, 1 column")
    quiet = seen("query", "SELECT TICKER FROM TICKERS ORDER BY 1", "-q", env=loaded)
    assert quiet.lines == first.lines  # a part must not look like the whole
    few = seen("query", "SELECT TICKER FROM TICKERS LIMIT 3", "-q", env=loaded)
    assert len(few.lines) == 5


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT * FROM TICKERS LIMIT 1", "1 row, 18 columns (7 shown; --format csv shows all)"),
        ("SELECT repeat('a', 200) AS A", "1 row, 1 column (long cells are cut; --format csv shows all)"),
        ("SELECT 2 / 3 AS A", "1 row, 1 column (numbers are rounded; --format csv shows all)"),
    ],
)
def test_what_is_left_out_is_told_however_quiet(loaded: dict[str, str], statement: str, told: str) -> None:
    assert seen("query", statement, "-q", env=loaded).lines[-1] == told


def test_what_is_left_out_of_the_gaps_is_told_too(loaded: dict[str, str]) -> None:
    shown = seen("status", "--gaps", columns=45, env=loaded)
    assert "PUBLISHED" not in shown.lines[0]
    assert "5 columns (3 shown; --json shows all)" in shown.lines


def test_headings_are_upper_case(loaded: dict[str, str]) -> None:
    for words in (["datasets"], ["status"], ["status", "--gaps"], ["runs"], ["config"]):
        heading = seen(*words, columns=300, env=loaded).lines[0]
        assert (words, heading) == (words, heading.upper())


def test_what_is_told_of_a_table_is_no_wider_either(loaded: dict[str, str]) -> None:
    shown = seen("query", "SELECT * FROM TICKERS", env=loaded)
    assert shown.lines[-2:] == ["100 rows (40 shown; --all shows all)", "18 columns (7 shown; --format csv shows all)"]
    assert shown.widest == 80


def test_elsewhere_nothing_is_left_out(loaded: dict[str, str]) -> None:
    done = command("query", "SELECT * FROM TICKERS", env=loaded)
    lines = done.stdout.splitlines()
    assert (len(lines), "A" * 400 in done.stdout, done.stderr.splitlines()[0]) == (102, True, "100 rows, 18 columns")
    assert command("query", "SELECT * FROM TICKERS", "-q", env=loaded).stderr == ""


@WIDTHS
def test_run_ids_and_settings_are_never_broken(loaded: dict[str, str], columns: int) -> None:
    run_id = command("query", "SELECT min(RUN_ID) FROM STOCKPIPE_RUNS", "--format", "csv", env=loaded).stdout.split()[1]
    assert run_id in seen("runs", columns=columns, env=loaded).text
    assert run_id in seen("rejects", columns=columns, env=loaded).text
    settings = seen("config", "--all", columns=columns, env=loaded).text
    assert {"SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} <= set(settings.split())
    # Their meaning is not lost either.
    assert "MEANING" in settings.splitlines()[0]


def test_figures_stand_to_the_right(loaded: dict[str, str]) -> None:
    shown = seen("query", "SELECT 5 AS SMALL, 1234567 AS N, 'x' AS T, NULL AS O UNION ALL SELECT 1000, 2, 'yy', NULL ORDER BY 2", env=loaded)  # fmt: skip
    assert shown.lines[:4] == [
        "SMALL        N  T   O",
        "-----  -------  --  -",
        " 1000        2  yy",
        "    5  1234567  x",
    ]


@WIDTHS
def test_the_proposed_query_shows_the_day_that_was_loaded(columns: int) -> None:
    told = command("demo", "--market", "stocks").stderr
    words = shlex.split(next(line for line in told.splitlines() if line.startswith("  Next")))[1:]
    query = words[words.index("query") :]
    shown = seen(*query, columns=columns)
    assert (shown.code, len(shown.lines), shown.widest <= columns) == (0, 9, True)
    assert (shown.lines[0].split()[:3], shown.lines[7][:18]) == (["TICKER", "NAME", "MARKET"], "5 rows, 18 columns")
    day = next(line.split()[1] for line in told.splitlines() if line.startswith("  Day")).rstrip(",")
    found = json.loads(command(*query, "--json").stdout)
    assert [(row["ds"], row["market"]) for row in found] == [(day, "stocks")] * 5


# What is not there


def test_nothing_found_is_said(loaded: dict[str, str]) -> None:
    done = command("rejects", "--run", "20260101T000000000Z-00000000", env=loaded)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No run has the id 20260101T000000000Z-00000000." in done.stderr
    good = "SELECT max(RUN_ID) AS R FROM STOCKPIPE_RUNS"
    run_id = command("query", good, "--format", "csv", env=loaded).stdout.split()[1]
    done = command("rejects", "--run", run_id, env=loaded)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"No rejected rows in run {run_id}.\n")
    done = command("runs", "--market", "crypto", env=loaded)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No recorded run fits these options.\n")
    assert command("runs", "--market", "crypto", "--json", env=loaded).stdout == "[]\n"


# Where the SQL comes from


def test_sql_from_a_file_and_from_standard_input(loaded: dict[str, str]) -> None:
    Path("ask.sql").write_text("-- how many\nSELECT count(*) AS n FROM TICKERS;\n", encoding="utf-8")
    for words in (["ask.sql"], ["--file", "ask.sql"]):
        assert command("query", *words, "--json", env=loaded).stdout == '[\n  {\n    "n": 100\n  }\n]\n'
    for words in (["-"], ["--file", "-"]):
        assert seen("query", *words, env=loaded, typed="SELECT 41 + 1 AS N").lines[2].strip() == "42"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Give the SQL once: as text, or as a file."),
        (["SELECT 1", "--file", "ask.sql"], "Give the SQL once: as text, or as a file."),
        (["--file", "none.sql"], "none.sql cannot be read: No such file or directory."),
        (["none.sql"], "There is no file none.sql."),
        (["latin.sql"], "latin.sql is not text in UTF-8."),
        (["--file", "."], ". cannot be read: Is a directory."),
    ],
)
def test_sql_that_is_not_to_be_had(words: list[str], says: str) -> None:
    Path("latin.sql").write_bytes(b"SELECT '\xe9'")
    done = command("query", *words)
    assert (done.returncode, done.stdout, says in done.stderr) == (2, "", True)


MISTAKES = [
    "SELEC 1",
    "SELECT NONE FROM TICKERS",
    "SELECT * FROM TICKRS",
    "SELECT 'a'::INT",
    "DROP TABLE TICKERS",
    "SELECT none()",
    "SET threads = 1",
    "COPY TICKERS TO 'x.csv'",
    "FROM read_text('x')",
]


@pytest.mark.parametrize("sql", MISTAKES)
def test_a_statement_that_is_mistyped_or_refused_is_usage(loaded: dict[str, str], sql: str) -> None:
    with pytest.raises(UsageError) as error:
        ask(DuckDBWarehouse(load_settings(loaded, env={})), sql)
    assert error.value.exit_code == 2


def test_a_mistyped_statement_proposes_what_there_is(loaded: dict[str, str]) -> None:
    done = command("query", "SELECT * FROM TICKRS", env=loaded)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith(
        ' query "SHOW TABLES" lists the tables, "DESCRIBE TICKERS" the columns of one.'
    )


def test_a_file_that_is_not_there_is_the_warehouse() -> None:
    done = command("query", "SELECT 1")
    assert (done.returncode, "Load a day first" in done.stderr) == (6, True)


def test_a_syntax_error_says_what_to_do_next(loaded: dict[str, str]) -> None:
    done = command("query", "--json", "SELEC 1", env=loaded)
    told = json.loads(done.stdout)
    assert (done.returncode, told["hint"]) == (
        2,
        "Correct the statement where the error points; it is SQL as DuckDB has it.",
    )
