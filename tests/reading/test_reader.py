"""`stockpipe.open`: what a reader asks from Python, over days that a load put there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import Serve, flags, stock
from snowflake_gate import SnowflakeGate
from stockpipe import Answer, Reader, errors
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from support.clocks import FakeClock

ONE, TWO, THREE = "2026-02-04", "2026-02-05", "2026-02-06"
META = {"composite_figi": "BBG000MM2P62", "name": "Meta Platforms, Inc."}
LISTS = {
    ONE: [stock("AAPL"), stock("FB", **META), stock("GONE"), stock("OLDN", name="Old Name Inc")],
    TWO: [stock("AAPL"), stock("FB", **META), stock("GONE"), stock("OLDN", name="Old Name Inc")],
    THREE: [
        stock("AAPL"),
        stock("META", **META),
        stock("NEWC", type="ETF"),
        stock("OLDN", name="New Name Inc", primary_exchange="XNYS"),
    ],
}


def load_days(serve: Serve, settings: dict[str, str], days: dict[str, list[dict[str, str]]]) -> None:
    for day, rows in days.items():
        with_limits = flags(serve(rows), STOCKPIPE_MAX_LOSS="99", STOCKPIPE_MAX_GROWTH="900") | settings
        stockpipe.load(date=day, settings=with_limits)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all tests that only read."""
    from conftest import write_listing

    folder = tmp_path_factory.mktemp("reading")
    started: list[Sandbox] = []

    def serve(rows: Any, **options: Any) -> Sandbox:
        sandbox = Sandbox(data=write_listing(folder / f"{len(started)}.csv", rows), **options)
        started.append(sandbox)
        sandbox.start()
        return sandbox

    file = folder / "days.duckdb"
    try:
        load_days(serve, {"STOCKPIPE_DUCKDB_PATH": str(file)}, LISTS)
    finally:
        for sandbox in started:
            sandbox.stop()
    return file


@pytest.fixture
def desk(place: Path) -> Iterator[Reader]:
    with stockpipe.open(place) as desk:
        yield desk


def test_days_tell_what_is_published(desk: Reader) -> None:
    days = desk.days()
    assert [row["DS"].isoformat() for row in days] == [ONE, TWO, THREE]
    assert [(row["ROWS"], row["MARKET"], row["ACTIVE"]) for row in days] == [(4, "stocks", True)] * 3
    assert len(desk.days(market="crypto", active="both")) == 0


@pytest.mark.parametrize("day", [None, THREE, date(2026, 2, 6)])
def test_the_universe_of_a_day_is_its_list(desk: Reader, day: str | date | None) -> None:
    universe = desk.universe(day)
    assert [row["TICKER"] for row in universe.rows()] == ["AAPL", "META", "NEWC", "OLDN"]
    assert universe.columns[:2] == ["TICKER", "NAME"]
    assert universe.types["DS"] == "DATE"


def test_the_universe_of_an_earlier_day_is_as_it_was(desk: Reader) -> None:
    assert [row["TICKER"] for row in desk.universe(ONE)] == ["AAPL", "FB", "GONE", "OLDN"]


def test_changes_tell_new_gone_renamed_and_changed(desk: Reader) -> None:
    names = ("CHANGE", "TICKER", "COLUMN_NAME", "OLD", "NEW")
    assert [tuple(row[name] for name in names) for row in desk.changes()] == [
        ("new", "NEWC", None, None, None),
        ("gone", "GONE", None, None, None),
        ("renamed", "META", "TICKER", "FB", "META"),
        ("changed", "META", "SHARE_CLASS_FIGI", "BBH0000000FB", "BBH00000META"),
        ("changed", "OLDN", "NAME", "Old Name Inc", "New Name Inc"),
        ("changed", "OLDN", "PRIMARY_EXCHANGE", "XNAS", "XNYS"),
    ]
    first = desk.changes(THREE, since=ONE).rows()[0]
    assert (first["DS"], first["PREVIOUS_DS"]) == (date(2026, 2, 6), date(2026, 2, 4))
    assert (first["NAME"], first["TYPE"]) == ("NEWC Incorporated Common Stock", "ETF")
    assert len(desk.changes(TWO)) == 0


def test_a_history_follows_a_company_through_its_names(desk: Reader) -> None:
    told = [(row["TICKER"], str(row["FIRST_DS"]), str(row["LAST_DS"]), row["DAYS"]) for row in desk.history("META")]
    assert told == [("FB", ONE, TWO, 2), ("META", THREE, THREE, 1)]
    assert told == [
        (row["TICKER"], str(row["FIRST_DS"]), str(row["LAST_DS"]), row["DAYS"]) for row in desk.history("FB")
    ]
    assert [row["NAME"] for row in desk.history("OLDN")] == ["Old Name Inc", "New Name Inc"]
    assert desk.history("aapl").rows() == []


def test_sql_runs_and_status_answer_too(desk: Reader, place: Path) -> None:
    assert desk.query("SELECT count(*) AS N FROM TICKERS_LATEST").rows() == [{"N": 4}]
    assert [str(row["DS"]) for row in desk.runs(status="published", limit=2)] == [THREE, TWO]
    assert len(desk.runs(date=ONE)) == 1
    clock = FakeClock(moment=datetime(2026, 2, 8, 12, tzinfo=UTC))
    settings = load_settings({"STOCKPIPE_DUCKDB_PATH": str(place)}, env={})
    (status,) = Reader(settings, clock).status().rows()
    assert (status["STATE"], str(status["LAST_DAY"]), str(status["EXPECTED_DAY"])) == ("stale", THREE, "2026-02-08")
    assert (status["ROWS"], status["CHANGE"], status["SAMPLE"], status["AGE_DAYS"]) == (4, 0, True, 2)
    assert "2026-02-08 should be there by now" in status["REASON"]


def test_the_file_is_closed_after_every_answer(desk: Reader, place: Path) -> None:
    """A load in another process gets the file while a notebook keeps its reader and its answers."""
    answer, status = desk.universe(), desk.status()
    code = (
        f"import duckdb; duckdb.connect({str(place)!r}).execute('CREATE TABLE OF_A_LOAD (A INT); DROP TABLE OF_A_LOAD')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert (len(answer), len(status)) == (4, 1)


@pytest.mark.parametrize(
    ("ask", "kind", "message", "hint"),
    [
        (lambda desk: desk.universe("2026-02-01"), errors.UsageError, "2026-02-01 is not a published day of stocks.", f"The nearest are {ONE}, {TWO}, {THREE}; days() lists all of them."),
        (lambda desk: desk.query(None), errors.UsageError, "statement is None", "text"),
        (lambda desk: desk.universe("tomorrow"), errors.UsageError, "'tomorrow' is not a date.", "YYYY-MM-DD"),
        (lambda desk: desk.universe(market="shares"), errors.UsageError, "market is 'shares', which tickers does not know.", "Choose from: stocks"),
        (lambda desk: desk.universe(market="otc"), errors.NotThere, "No day of otc is published", 'Load one first: stockpipe.load(market="otc").'),
        (lambda desk: desk.universe(active="both"), errors.NotThere, "No day of stocks, delisted is published", 'Load one first: stockpipe.load(active="both").'),
        (lambda desk: desk.universe(market="otc", active="both"), errors.NotThere, "No day of otc and otc, delisted is published", 'stockpipe.load(market="otc", active="both").'),
        (lambda desk: desk.days("prices"), errors.UsageError, "There is no dataset 'prices'.", "Choose from"),
        (lambda desk: desk.changes(ONE), errors.UsageError, f"There is no published day before {ONE}", "load an earlier one"),
        (lambda desk: desk.changes(TWO, since=THREE), errors.UsageError, f"since {THREE} is not before {TWO}.", "Give the earlier day to since."),
        (lambda desk: desk.changes(ONE, since=ONE), errors.UsageError, f"since {ONE} is not before {ONE}.", ""),
        (lambda desk: desk.prices("AAPL"), errors.NotThere, "DAILY_BARS", 'Load it first: stockpipe.load(dataset="daily_bars").'),
        (lambda desk: desk.lookup("AAPL"), errors.NotThere, "No security master is built yet.", "stockpipe master build"),
        (lambda desk: desk.runs(date="2999-01-01"), errors.UsageError, "date 2999-01-01 is in the future.", "(today in New York)"),
        (lambda desk: desk.history("A'; DROP TABLE TICKERS; --"), errors.UsageError, "is not a ticker", "AAPL"),
        (lambda desk: desk.history(None), errors.UsageError, "None is not a ticker.", "AAPL"),
        (lambda desk: desk.runs(status="ok"), errors.UsageError, "status is 'ok'.", "Choose from: published"),
        (lambda desk: desk.runs(limit=0), errors.UsageError, "limit is 0.", "whole number"),
        (lambda desk: desk.status(by="dawn"), errors.UsageError, "'dawn' is not a time of day.", "HH:MM"),
        (lambda desk: desk.status(by="06:30+00:00"), errors.UsageError, "'06:30+00:00' is not a time of day.", "HH:MM"),
        (lambda desk: desk.status(by=6), errors.UsageError, "by is 6.", "It must be a text."),
        (lambda desk: desk.query("DROP TABLE TICKERS"), errors.UsageError, "gives no table", "Ask with SELECT"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said(
    desk: Reader, ask: Callable[[Reader], Answer], kind: type[errors.StockpipeError], message: str, hint: str
) -> None:
    with pytest.raises(kind) as raised:
        ask(desk)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_a_missing_file_is_told_at_once() -> None:
    with pytest.raises(errors.NotThere, match=r"There is no DuckDB file nowhere\.duckdb"):
        stockpipe.open("nowhere.duckdb")
    assert not Path("nowhere.duckdb").exists()


def test_a_file_without_days_says_to_load_one() -> None:
    duckdb.connect("empty.duckdb").close()
    desk = stockpipe.open("empty.duckdb")
    with pytest.raises(
        errors.NotThere, match=r"No day of stocks is published .* Load one first: stockpipe\.load\(\)\."
    ):
        desk.universe()
    assert len(desk.status()) == 0


def test_lists_of_different_days_are_told(place: Path) -> None:
    with duckdb.connect(str(shutil.copy(place, "apart.duckdb"))) as file:
        file.execute(
            "INSERT INTO STOCKPIPE_RUNS (RUN_ID, DATASET, MARKET, ACTIVE, DS, STATUS, FINISHED_UTC) "
            "VALUES ('later', 'tickers', 'stocks', false, '2026-02-07', 'published', '2026-02-07')"
        )
    both = r"No day is published of both stocks and stocks, delisted .*Load them together: stockpipe.load\(active=\"both\"\)"
    with pytest.raises(errors.NotThere, match=both):
        stockpipe.open("apart.duckdb").universe(active="both")


def test_a_file_of_another_kind_is_told_by_the_argument_that_named_it() -> None:
    Path("notes.txt").write_text("hello")
    Path("folder").mkdir()
    with pytest.raises(errors.WarehouseError, match=r"notes.txt is not a DuckDB file .*Name another file in path\."):
        stockpipe.open("notes.txt").days()
    with pytest.raises(errors.WarehouseError, match=r"folder is a folder\. Name a file in path, such as"):
        stockpipe.open("folder").days()
    with pytest.raises(errors.WarehouseError, match=r"Name another file in STOCKPIPE_DUCKDB_PATH\."):
        stockpipe.open(settings={"STOCKPIPE_DUCKDB_PATH": "notes.txt"}).days()


def test_an_account_is_read_the_same_way(serve: Serve) -> None:
    with SnowflakeGate() as gate:
        load_days(serve, gate.env(), {TWO: LISTS[TWO], THREE: LISTS[THREE]})
        with stockpipe.open(settings=gate.env()) as desk:
            assert [(row["DS"].isoformat(), row["ROWS"]) for row in desk.days()] == [(TWO, 4), (THREE, 4)]
            assert [row["TICKER"] for row in desk.universe(TWO)] == ["AAPL", "FB", "GONE", "OLDN"]
            assert [row["CHANGE"] for row in desk.changes()] == ["new", "gone", "renamed", *["changed"] * 3]
            assert [row["TICKER"] for row in desk.history("FB")] == ["FB", "META"]
            assert desk.query("SELECT count(*) AS N FROM TICKERS").rows() == [{"N": 8}]
            assert len(desk.status()) == 1


def test_a_session_that_is_old_is_opened_anew() -> None:
    with SnowflakeGate() as gate:
        gate.rows("SELECT 1")
        clock = FakeClock()
        with Reader(load_settings(gate.env(), env={}), clock) as desk:
            for minutes, sessions in ((0, 1), (29, 1), (2, 2)):
                clock.sleep(60.0 * minutes, threading.Event())
                desk.query("SELECT 1 AS ONE")
                assert len(gate.logins) == sessions
