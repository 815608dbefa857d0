"""With many bars in a DuckDB file, ADJUSTED_BARS reads factors that are worked out behind each load, and is right at every moment."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import flags, table
from stockpipe.errors import DataCheckError
from stockpipe.models import all_views, keep_factors, price_views
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.dialect import duckdb_view
from stockpipe.warehouse.scripts import tables_script, views_script
from support import loads
from support.master import Place

pytestmark = pytest.mark.slow

DAY, LATER = "2026-02-12", "2026-02-13"
EVENING = datetime(2026, 2, 13, 23, 30, tzinfo=UTC)
DUCK = {"STOCKPIPE_WAREHOUSE": "duckdb"}
FILE = Path("stockpipe.duckdb")
ENOUGH = 1_000_000
MANY = """
CREATE TEMP TABLE wanted AS SELECT CAST({} AS BIGINT) AS bars;
CREATE TEMP TABLE names AS SELECT DISTINCT TICKER FROM DIVIDENDS UNION SELECT min(TICKER) FROM TICKERS;
INSERT INTO DAILY_BARS (TICKER, DS, OPEN, HIGH, LOW, CLOSE, VWAP, VOLUME)
SELECT TICKER, DATE '2003-01-01' + CAST(n AS INTEGER), c, c, c, c, c, 100
FROM (SELECT n, 40 + n % 7 AS c FROM range(2500) AS r(n)) AS closes, names;
INSERT INTO DAILY_BARS (TICKER, DS, OPEN, HIGH, LOW, CLOSE, VWAP, VOLUME)
SELECT 'ZZ' || n % 400, DATE '2003-01-01' + CAST(n // 400 AS INTEGER), 9, 9, 9, 9, 9, 100
FROM range((SELECT bars FROM wanted) - 2500 * (SELECT count(*) FROM names)) AS r(n)
"""
"""Bars from 2003 to 2009, of all tickers with dividends, of one that is listed, and of others."""
SPLIT = """
INSERT INTO DAILY_BARS (TICKER, DS, OPEN, HIGH, LOW, CLOSE, VWAP, VOLUME)
SELECT 'ZZ', DATE '2015-01-01' + CAST(n AS INTEGER), c, c, c, c, c, 100
FROM (SELECT n, CASE WHEN n < 4 THEN 120 ELSE 40 END AS c FROM range(10) AS r(n));
INSERT INTO SPLITS (TICKER, EXECUTION_DATE, SPLIT_FROM, SPLIT_TO, ADJUSTMENT_TYPE, OCCURRENCE, KNOWN_FROM)
VALUES ('ZZ', DATE '2015-01-05', 1, 3, 'forward_split', 1, DATE '2003-09-10')
"""
READS_IT = "SELECT contains(sql, 'ADJUSTMENT_FACTORS') FROM duckdb_views() WHERE view_name = 'ADJUSTED_BARS'"
KEPT = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'ADJUSTMENT_FACTORS'"
COMMENTS = (
    "SELECT comment FROM duckdb_views() WHERE view_name = 'ADJUSTED_BARS' UNION ALL "
    "SELECT string_agg(comment, ',' ORDER BY column_index) FROM duckdb_columns() WHERE table_name = 'ADJUSTED_BARS'"
)
LOADED = ("daily_bars", "splits", "dividends")


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    with Sandbox(rows=60, now=lambda: EVENING) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def loaded(vendor: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a day of bars, splits and dividends, and the stocks of that day."""
    path = tmp_path_factory.mktemp("kept") / "stockpipe.duckdb"
    for name in ("tickers", *LOADED):
        stockpipe.load(name, date=DAY, settings=flags(vendor), duckdb_path=path)
    return path


@pytest.fixture
def many(loaded: Path, vendor: Sandbox) -> Sandbox:
    """The vendor of a file here with a million bars more, in which the factors are kept."""
    shutil.copy(loaded, FILE)
    run(MANY.format(ENOUGH))
    stockpipe.load("daily_bars", date=LATER, settings=flags(vendor))
    return vendor


def run(text: str) -> None:
    with duckdb.connect(str(FILE)) as connection:
        connection.execute(text)


def is_kept() -> tuple[bool, bool]:
    """Whether the view reads the table, and whether the table is there."""
    return bool(table(READS_IT)[0][0]), bool(table(KEPT)[0][0])


def differs() -> int:
    """In how many rows ADJUSTED_BARS is not what it would be without anything kept."""
    (model,) = (view for view in price_views() if view.kept)
    columns = ", ".join(
        f'round("{name}", 9)' for name in ("CLOSE", "VOLUME", "TR_CLOSE", "FORWARD_CLOSE", "SPLIT_FACTOR")
    )
    asked = f'SELECT "SERIES", "DS", "TICKER", {columns} FROM'
    return int(str(table(f"SELECT count(*) FROM ({asked} ADJUSTED_BARS EXCEPT {asked} ({model.select}))")[0][0]))


@pytest.mark.parametrize(("missing", "kept"), [(1, False), (0, True)])
def test_the_factors_are_kept_from_a_million_bars_on(missing: int, kept: bool, loaded: Path, vendor: Sandbox) -> None:
    shutil.copy(loaded, FILE)
    run(MANY.format(f"(SELECT {ENOUGH} - {missing} - count(*) FROM DAILY_BARS)"))
    stockpipe.load("daily_bars", date=DAY, settings=flags(vendor), force=True)
    assert is_kept() == (kept, kept)


@pytest.mark.usefixtures("many")
def test_the_view_shows_the_same_and_has_its_comments(loaded: Path) -> None:
    assert is_kept() == (True, True)
    assert table("SELECT count(*) > 20, bool_and(DIVIDEND_FACTOR > 0) FROM ADJUSTMENT_FACTORS") == [(True, True)]
    assert table("SELECT count(*) > 1000 FROM ADJUSTED_BARS WHERE DIVIDEND_FACTOR < 1") == [(True,)]
    assert differs() == 0
    assert table(COMMENTS) == table(COMMENTS, str(loaded))
    assert "The factors that ADJUSTED_BARS reads" in str(
        table("SELECT comment FROM duckdb_tables() WHERE table_name = 'ADJUSTMENT_FACTORS'")
    )


@pytest.mark.usefixtures("many")
def test_a_security_is_answered_from_its_own_factors_alone() -> None:
    """A part of the statement that is worked out as a whole would be a CTE in DuckDB's plan."""
    assert is_kept() == (True, True)
    plan = str(table("EXPLAIN SELECT * FROM ADJUSTED_BARS WHERE SECURITY_ID = 'X'"))
    assert plan.count("ADJUSTMENT_FACTORS") == 2
    assert "CTE" not in plan


@pytest.mark.parametrize("dataset", LOADED)
def test_a_load_lets_go_of_what_rests_on_it_in_its_own_transaction(dataset: str, many: Sandbox) -> None:
    """`loads.load` is a load without what follows it: a command that was killed right behind the publish."""
    loads.load(flags(many), dataset=dataset, words={}, on=LATER, force=True)
    assert is_kept() == (False, False)
    assert differs() == 0
    stockpipe.load("daily_bars", date=LATER, settings=flags(many), force=True)
    assert is_kept() == (True, True)


def test_a_load_of_something_else_lets_it_be(many: Sandbox) -> None:
    loads.load(flags(many), dataset="tickers", on=LATER)
    assert is_kept() == (True, True)


def test_a_split_that_came_is_in_the_factors_behind_its_load(many: Sandbox) -> None:
    run(SPLIT)
    factors = "SELECT DISTINCT round(1 / SPLIT_FACTOR) FROM ADJUSTED_BARS WHERE TICKER = 'ZZ' ORDER BY 1"
    assert table(factors) == [(1,)]  # what is done behind stockpipe's back is seen with the next load
    stockpipe.load("daily_bars", date=LATER, settings=flags(many), force=True)
    assert table(factors) == [(1,), (3,)]


@pytest.mark.usefixtures("many")
def test_a_build_of_the_master_gives_the_factors_their_new_series() -> None:
    run(
        "INSERT INTO DIVIDENDS (TICKER, EX_DIVIDEND_DATE, CASH_AMOUNT, DISTRIBUTION_TYPE, CURRENCY, OCCURRENCE, KNOWN_FROM) "
        "SELECT min(TICKER), DATE '2005-06-01', 0.5, 'recurring', 'USD', 1, DATE '2003-09-10' FROM TICKERS"
    )
    Place(DUCK).build()
    assert is_kept() == (True, True)
    assert table("SELECT count(SECURITY_ID) > 0 FROM BARS") == [(True,)]
    assert differs() == 0
    ids = "SELECT min(TICKER) || '.20260212' FROM TICKERS"
    found = table(f"SELECT YEAR, FROM_BAR, UNTIL_BAR FROM ADJUSTMENT_FACTORS WHERE SERIES = ({ids}) ORDER BY YEAR")
    assert found == [(year, None, date(2005, 6, 1)) for year in range(2000, 2006)]


@pytest.mark.usefixtures("many")
def test_a_publish_that_is_refused_lets_go_of_nothing() -> None:
    with Sandbox(rows=10, now=lambda: EVENING) as other, pytest.raises(DataCheckError):
        loads.load(flags(other), dataset="splits")
    assert is_kept() == (True, True)


@pytest.mark.usefixtures("many")
def test_the_limits_of_a_file_that_other_code_has_open_are_as_they_were() -> None:
    settings = load_settings(DUCK, env={})
    with duckdb.connect(str(FILE)) as own, closing(open_warehouse(settings)) as warehouse:
        own.execute("SET memory_limit = '777MiB'; SET threads = 2")
        own.execute(";".join(duckdb_view(price_views()[-1], "CREATE OR REPLACE VIEW")))
        keep_factors(warehouse)
        assert own.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchall() == [
            ("777.0 MiB", 2)
        ]
    assert is_kept() == (True, True)


def test_a_view_of_ones_own_stays(many: Sandbox) -> None:
    own = "CREATE OR REPLACE VIEW ADJUSTED_BARS AS SELECT TICKER, DS FROM DAILY_BARS"
    run(own)
    stockpipe.load("daily_bars", date=LATER, settings=flags(many), force=True)
    assert table("SELECT string_agg(column_name) FROM duckdb_columns() WHERE table_name = 'ADJUSTED_BARS'") == [
        ("TICKER,DS",)
    ]


def test_the_printed_views_work_all_out_until_the_next_load(many: Sandbox) -> None:
    run(tables_script(load_settings(DUCK, env={})))
    run(views_script(load_settings(DUCK, env={}), all_views))
    assert is_kept() == (False, True)
    stockpipe.load("splits", settings=flags(many), force=True)
    assert is_kept() == (True, True)


def test_factors_that_cannot_be_worked_out_are_a_warning_and_the_day_is_loaded(
    loaded: Path, vendor: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(loaded, FILE)
    run(MANY.format(ENOUGH))
    run("CREATE VIEW ADJUSTMENT_FACTORS AS SELECT 1 AS mine")
    with caplog.at_level(logging.WARNING):
        result: Any = stockpipe.load("daily_bars", date=LATER, settings=flags(vendor))
    assert result.records[0].status == "published"
    (told,) = (message for message in caplog.messages if "factors of prices were not worked out" in message)
    assert "each question will do it, and be slow" in told
    assert table("SELECT mine FROM ADJUSTMENT_FACTORS") == [(1,)]
    assert differs() == 0
