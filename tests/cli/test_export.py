"""Which days, and which states of a list, `export` writes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from conftest import Serve, command, flags, stock
from stockpipe.cli import main
from stockpipe.datasets import TICKERS
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import QueryResult
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse
from stockpipe.warehouse.export import published_of_each

DAYS = ("2026-02-05", "2026-02-06", "2026-02-09")
Found = Counter[tuple[str, bool]]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A file with three days of stocks: two listed, one delisted each."""
    settings = {"STOCKPIPE_DUCKDB_PATH": str(tmp_path_factory.mktemp("export") / "x.duckdb")}
    DuckDBWarehouse(load_settings(settings, env={})).prepare(TICKERS, lambda *_: ())
    rows = [(day, ticker, ticker != "C") for day in DAYS for ticker in "ABC"]
    with duckdb.connect(settings["STOCKPIPE_DUCKDB_PATH"]) as connection:
        connection.executemany(
            "INSERT INTO TICKERS (DS, TICKER, NAME, MARKET, ACTIVE) VALUES (?, ?, 'N', 'stocks', ?)", rows
        )
    return settings


def exported(*words: str, env: dict[str, str]) -> Found:
    """How many rows of which day and state were written."""
    done = command("export", "-q", *words, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with duckdb.connect() as connection:
        return Counter(connection.execute(f"SELECT DS::VARCHAR, ACTIVE FROM '{words[0]}'").fetchall())


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl"])
def test_all_days_in_one_file(env: dict[str, str], name: str) -> None:
    found = exported(name, "--all", env=env)
    assert found == {(day, active): 2 if active else 1 for day in DAYS for active in (True, False)}


@pytest.mark.parametrize(
    ("words", "days"),
    [
        (("--from", "2026-02-06"), DAYS[1:]),
        (("--to", "2026-02-06"), DAYS[:2]),
        (("--from", "2026-02-06", "--to", "2026-02-08"), DAYS[1:2]),
        (("--date", "2026-02-05"), DAYS[:1]),
    ],
)
def test_a_range_has_both_of_its_ends(env: dict[str, str], words: tuple[str, ...], days: tuple[str, ...]) -> None:
    assert {day for day, _ in exported("a.parquet", *words, env=env)} == set(days)


@pytest.mark.parametrize(("word", "count"), [("true", {True: 2}), ("FALSE", {False: 1}), ("both", {True: 2, False: 1})])
def test_one_state_of_the_list(env: dict[str, str], word: str, count: dict[bool, int]) -> None:
    found = exported("a.parquet", "--date", DAYS[0], "--active", word, env=env)
    assert found == {(DAYS[0], active): rows for active, rows in count.items()}


@pytest.mark.parametrize(
    ("words", "asked"),
    [([], 1), (["--all"], 1), (["--date", DAYS[0]], 1), (["--active", "true"], 1), (["--date", DAYS[0], "-q"], 0)],
)
def test_the_published_days_are_asked_for_once(
    env: dict[str, str], words: list[str], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    scan = DuckDBWarehouse.scan

    def counted(self: DuckDBWarehouse, *texts: str) -> list[QueryResult]:
        statements.extend(texts)
        return scan(self, *texts)

    monkeypatch.setattr(DuckDBWarehouse, "scan", counted)
    main(["export", "a.csv", *words, "--duckdb-path", env["STOCKPIPE_DUCKDB_PATH"]], standalone_mode=False)
    assert Path("a.csv").exists()
    assert len([sql for sql in statements if sql.startswith('SELECT DISTINCT "DS"')]) == asked


def test_days_are_found_in_a_table_with_types_of_its_own(tmp_path: Path) -> None:
    path = str(tmp_path / "theirs.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(
            "CREATE TABLE TICKERS AS SELECT DATE '2026-01-02' AS DS, 'A' AS TICKER, 'stocks' AS MARKET, 'true' AS ACTIVE"
        )
    warehouse = DuckDBWarehouse(load_settings({"STOCKPIPE_DUCKDB_PATH": path}, env={}))
    listed, delisted = TICKERS.parts({"active": "both"})
    assert published_of_each(warehouse, [listed, delisted]) == {listed: [date(2026, 1, 2)], delisted: []}


def test_a_state_that_a_day_does_not_have_is_told(env: dict[str, str]) -> None:
    with duckdb.connect(env["STOCKPIPE_DUCKDB_PATH"]) as connection:
        connection.execute(
            "INSERT INTO TICKERS (DS, TICKER, NAME, MARKET, ACTIVE) VALUES ('2026-01-02', 'A', 'N', 'stocks', true)"
        )
        connection.execute(
            "INSERT INTO TICKERS (DS, TICKER, NAME, MARKET, ACTIVE) VALUES ('2026-01-02', 'F', 'N', 'fx', true)"
        )
    try:
        told = "Note: stocks, delisted: nothing is published on 2026-01-02, so the file has none of them."
        for words in ((), ("--active", "both")):
            assert told in command("export", "a.csv", "--date", "2026-01-02", *words, env=env).stderr
        assert "Note" not in command("export", "a.csv", "--date", "2026-01-02", "--active", "true", env=env).stderr
        assert "on 1 of these" not in command("export", "a.csv", "--to", "2026-02-05", env=env).stderr
        assert "published on 2026-01-02, so" in command("export", "a.csv", "--to", "2026-02-05", env=env).stderr
        fx = ("export", "a.csv", "--date", "2026-01-02", "--market", "fx")
        assert "Note" not in command(*fx, env=env).stderr
        assert "fx, delisted: nothing is" in command(*fx, "--active", "both", env=env).stderr
    finally:
        with duckdb.connect(env["STOCKPIPE_DUCKDB_PATH"]) as connection:
            connection.execute("DELETE FROM TICKERS WHERE DS = '2026-01-02'")


def test_the_newest_day_where_today_is_not_there_yet(env: dict[str, str]) -> None:
    done = command("export", "a.csv", env=env)
    first, last = done.stderr.splitlines()
    assert (done.returncode, first.endswith("is not published yet; the newest day is 2026-02-09.")) == (0, True)
    assert last == "Wrote 3 rows of stocks 2026-02-09 to a.csv"


def test_days_are_counted(env: dict[str, str]) -> None:
    done = command("export", "a.csv", "--all", env=env)
    assert done.stderr == "Wrote 9 rows of stocks of 3 days, 2026-02-05 to 2026-02-09, to a.csv\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_list_that_was_published_without_a_row_is_a_file_without_one(serve: Serve, form: str) -> None:
    coin = stock("X:BTCUSD", market="crypto", locale="global")
    settings = flags(serve([coin]), STOCKPIPE_DUCKDB_PATH=str(Path("empty.duckdb").absolute()))
    assert command("run", "--market", "crypto", "--active", "both", env=settings).returncode == 0
    done = command("export", f"none.{form}", "--market", "crypto", "--active", "false", env=settings)
    assert (done.returncode, done.stderr.startswith("Wrote 0 rows of crypto, delisted ")) == (0, True)


def test_what_was_known_between_two_loads_is_told_as_sample_data() -> None:
    with Sandbox(rows=40) as sandbox:
        settings = flags(sandbox, STOCKPIPE_DUCKDB_PATH=str(Path("versions.duckdb").absolute()))
        for day in ("2026-02-05", "2026-02-09"):
            assert command("run", "-q", "--dataset", "splits", "--date", day, env=settings).returncode == 0
    for day in ("2026-02-05", "2026-02-07", "2026-02-09"):
        done = command("export", "splits.csv", "--dataset", "splits", "--date", day, env=settings)
        assert "Note: this day is sample data from the sandbox, not the real market." in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--date", "2026-02-05", "--all"), "are different days."),
        (("--from", "2026-02-06", "--to", "2026-02-05"), "--to 2026-02-05 is before --from 2026-02-06."),
        (("--date", "2026-02-07"), "There is no published snapshot of stocks for 2026-02-07.\n       The nearest are 2026-02-05, 2026-02-06, 2026-02-09; "),
        (("--from", "2026-02-10"), "There is no published day of stocks among these.\n       The nearest are 2026-02-05, "),
        (("--to", "2026-02-01"), "The nearest are 2026-02-05, 2026-02-06, 2026-02-09; "),
        (("--from", "yesterday"), "'yesterday' is not a date."),
        (("--market", "crypto"), "There is no published snapshot of crypto for "),
        (("--market", "crypto", "--date", "2026-02-06"), "runs lists the days that exist."),
        (("--dataset", "splits", "--all"), "splits has no snapshot a day"),
    ],
)  # fmt: skip
def test_days_that_cannot_be_had(env: dict[str, str], words: tuple[str, ...], says: str) -> None:
    done = command("export", "none.csv", *words, env=env)
    assert (done.returncode, says in done.stderr, Path("none.csv").exists()) == (2, True, False)
