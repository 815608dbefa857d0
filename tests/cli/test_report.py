"""stockpipe report, typed as a user types it, and the page that the schedule leaves after a load."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import PROGRAM, command, flags, stock, write_listing
from stockpipe.cli.report import report_after
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from support.clocks import FakeClock
from support.prices import Prices

pytestmark = pytest.mark.slow

FIRST = [stock("AAPL"), stock("FB", composite_figi="BBG000MM2P62"), *(stock(f"T{n}") for n in range(8))]
SECOND = [stock("AAPL"), stock("META", composite_figi="BBG000MM2P62"), stock("NEW", type="ETF"), *FIRST[2:]]


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with two days, in a folder of its own."""
    folder = tmp_path_factory.mktemp("report")
    for day, rows in (("2026-02-05", FIRST), ("2026-02-06", SECOND)):
        with Sandbox(data=write_listing(folder / f"{day}.csv", rows)) as sandbox:
            settings = flags(sandbox, STOCKPIPE_DUCKDB_PATH=str(folder / "days.duckdb"))
            stockpipe.load(date=day, settings=settings)
    return folder / "days.duckdb"


@pytest.fixture(autouse=True)
def _here(two_days: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPIPE_DUCKDB_PATH", str(two_days))


def test_a_report_is_a_page_and_a_few_lines() -> None:
    done = command("report", "--out", "day.html")
    assert (done.returncode, done.stderr) == (0, f"Wrote day.html, {Path('day.html').stat().st_size / 1000:,.0f} kB.\n")
    told = done.stdout.splitlines()
    assert told[0] == "Sample data from the sandbox, not the real market."
    assert told[1].startswith("2026-02-06: 11 listed stocks; 1 new, 1 renamed, 1 changed since 2026-02-05.")
    assert "  new           NEW" in told
    assert "  renamed       FB to META" in told
    page = Path("day.html").read_text(encoding="utf-8")
    assert "<h1>stocks, 2026-02-06</h1>" in page
    assert "Sample data from the sandbox" in page


def test_a_command_that_the_report_names_leads_to_the_same_file(
    two_days: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STOCKPIPE_DUCKDB_PATH")
    shutil.copy(two_days, "other.duckdb")
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("UPDATE STOCKPIPE_RUNS SET ROWS_REJECTED = 2")
    told = command("report", "--duckdb-path", "other.duckdb").stdout
    [line] = [line for line in told.splitlines() if "2 rows could not be published" in line]
    words = line.split(" rejects ")[1].rstrip(".").split()
    assert words[:2] == ["--duckdb-path", "other.duckdb"]
    assert command("rejects", *words).returncode == 0


def test_where_bars_are_loaded_the_page_has_movers_and_what_comes_next(two_days: Path) -> None:
    shutil.copy(two_days, "prices.duckdb")
    prices = Prices()
    prices.bars(
        ("UP", "2026-02-05", 10), ("DOWN", "2026-02-05", 10), ("CUT", "2026-02-05", 100), ("CHEAP", "2026-02-05", 0.5)
    )
    prices.bars(
        ("UP", "2026-02-06", 12),
        ("DOWN", "2026-02-06", 9),
        ("CUT", "2026-02-06", 50),
        ("CHEAP", "2026-02-06", 5),
        volume=1e6,
    )
    prices.splits(("CUT", "2026-02-06", 1, 2), ("UP", "2026-02-10", 1, 3))
    prices.dividends(("DOWN", "2026-02-09", 0.25), ("UP", "2026-03-09", 1.0))
    document = json.loads(command("report", "--json", "--out", "day.html", "--duckdb-path", "prices.duckdb").stdout)
    assert [(row["Ticker"], row["Move"]) for row in document["listings"]["Movers"]] == [
        ("UP", "+20.0%"),
        ("DOWN", "-10.0%"),
    ]
    assert document["listings"]["Next splits"] == [{"Date": "2026-02-10", "Ticker": "UP", "From": "1", "To": "3"}]
    assert [row["Ticker"] for row in document["listings"]["Next dividends"]] == ["DOWN"]
    assert "<h2>Movers</h2>" in Path("day.html").read_text(encoding="utf-8")


def test_a_past_day_is_reported_as_it_was_then() -> None:
    done = command("report", "--date", "2026-02-05", "--json")
    document = json.loads(done.stdout)
    assert (document["day"], document["previous_day"], document["rows"]) == ("2026-02-05", None, 10)
    assert document["verdict"].startswith("2026-02-05: 10 listed stocks, the first day that is published.")


def test_every_number_of_the_json_is_what_its_sql_gives() -> None:
    document = json.loads(command("report", "--json").stdout)
    assert document["by_type"] == {"2026-02-05": {"CS": 10}, "2026-02-06": {"CS": 10, "ETF": 1}}
    assert document["calendar"] == {"2026-02-05": "published", "2026-02-06": "published"}
    for name, count in (("Changes", 4), ("Exchange by type", 2), ("Universe by type", 3), ("Days", 2)):
        found = command("query", "--json", document["sql"][name])
        assert len(json.loads(found.stdout)) == count, name


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--date", "2026-02-01"], 2, "2026-02-01 is not a published day of stocks."),
        (["--date", "2026-02-01"], 2, f"The nearest are 2026-02-05, 2026-02-06; {PROGRAM} runs lists all of them."),
        (["--date", "soon"], 2, "'soon' is not a date."),
        (["--market", "otc"], 6, "No day of otc is published"),
        (["--market", "otc"], 6, f"Load one first: {PROGRAM} run --market otc.\n"),
        (["--market", "shares"], 2, "market is 'shares'"),
        (["--out", "no/such/folder/day.html"], 2, "cannot be written: No such file or directory."),
        (["--duckdb-path", "nowhere.duckdb"], 6, "No day of stocks is published in DuckDB file nowhere.duckdb yet."),
    ],
)
def test_what_cannot_be_reported_is_said(arguments: list[str], code: int, told: str) -> None:
    done = command("report", *arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--date", "2026-02-05", "--since", "2026-02-06"], 2, "--since 2026-02-06 is not before 2026-02-05."),
        (["--date", "2026-02-07"], 2, f"The nearest are 2026-02-05, 2026-02-06; {PROGRAM} runs lists all of them."),
        (["--market", "otc"], 6, f"Load one first: {PROGRAM} run --market otc.\n"),
    ],
)
def test_changes_that_cannot_be_told_are_said_in_the_command_lines_words(
    arguments: list[str], code: int, told: str
) -> None:
    done = command("changes", *arguments)
    assert (done.returncode, told in done.stderr, "()" in done.stderr) == (code, True, False)


def test_the_schedule_leaves_the_page_of_each_day(two_days: Path) -> None:
    settings = load_settings({"STOCKPIPE_DUCKDB_PATH": str(two_days)}, env={})
    clock = FakeClock(moment=datetime(2026, 2, 6, 12, tzinfo=UTC))
    for day in (date(2026, 2, 5), date(2026, 2, 6)):
        report_after(settings, clock, day, "stocks", Path("reports"))
    assert sorted(path.name for path in Path("reports").iterdir()) == [
        "stocks-2026-02-05.html", "stocks-2026-02-06.html", "stocks.html",
    ]  # fmt: skip
    assert Path("reports/stocks.html").read_bytes() == Path("reports/stocks-2026-02-06.html").read_bytes()


def test_a_report_that_fails_is_a_warning_and_no_failed_load(two_days: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = load_settings({"STOCKPIPE_DUCKDB_PATH": str(two_days)}, env={})
    with caplog.at_level(logging.WARNING):
        report_after(settings, FakeClock(), date(2026, 2, 1), "stocks", Path("reports"))
    assert "The report of 2026-02-01 was not written: 2026-02-01 is not a published day" in caplog.text


def test_an_entry_of_another_scheduler_has_no_report() -> None:
    done = command("schedule", "--install", "cron", "--report", "reports")
    assert done.returncode == 2
    assert "--report is for the schedule in the foreground." in done.stderr
