"""The views of prices have one form, whether a security master is built or not. Over DuckDB, and over the stand-in of Snowflake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import command, flags, table
from stockpipe.errors import NotThere
from stockpipe.models import all_views
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse.scripts import tables_script, views_script
from support.master import Place

pytestmark = pytest.mark.slow

READING = Path(__file__).parents[2] / "docs" / "reading.md"
DAY = "2026-02-13"
EVENING = datetime(2026, 2, 13, 23, 30, tzinfo=UTC)
DUCK = {"STOCKPIPE_WAREHOUSE": "duckdb"}
KNOWN = "SELECT count(*), count(SECURITY_ID), count(DISTINCT SERIES), count(*) FILTER (WHERE SERIES = TICKER) FROM BARS"


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    with Sandbox(rows=60, now=lambda: EVENING) as sandbox:
        yield sandbox


def test_bars_that_came_before_the_master_have_ids_as_soon_as_it_is_built(vendor: Sandbox) -> None:
    stockpipe.load("daily_bars", date=DAY, settings=flags(vendor))
    ((bars, ids, series, tickers),) = table(KNOWN)
    assert (ids, series, tickers) == (0, bars, bars)
    # The others wait for the splits and dividends.
    assert table("SELECT view_name FROM duckdb_views() WHERE NOT internal AND view_name ~ 'BAR|ADJ'") == [("BARS",)]
    status = command("master", "status", env=DUCK)
    assert (status.returncode, "No security master is built yet." in status.stderr) == (6, True)
    universe = command("universe", env=DUCK)
    assert (universe.returncode, "No security master is built yet" in universe.stderr) == (6, True)
    with stockpipe.open() as desk:
        some = str(desk.query("SELECT min(TICKER) FROM BARS").tuples()[0][0])
        assert [row["SECURITY_ID"] for row in desk.prices(some, adjust="none")] == [None]
        with pytest.raises(NotThere, match="No security master is built yet"):
            desk.lookup(some)

    stockpipe.load("tickers", date=DAY, settings=flags(vendor))
    before = table("SELECT sql FROM duckdb_views() WHERE view_name = 'BARS'")
    Place(DUCK).build()

    assert table(KNOWN)[0][0] == bars
    assert table("SELECT TICKER FROM BARS WHERE SECURITY_ID IS NULL ORDER BY 1") == [
        ("QMNLw",), ("ZXAB.WD",), ("ZZVOX",),
    ]  # bars that no list has, as the vendor has them  # fmt: skip
    assert table("SELECT sql FROM duckdb_views() WHERE view_name = 'BARS'") == before
    assert table("SELECT count(*) > 0 FROM UNIVERSE") == [(True,)]


def test_splits_alone_leave_no_table_of_the_master(vendor: Sandbox) -> None:
    stockpipe.load("splits", settings=flags(vendor))
    assert table("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'SECUR%'") == []


def test_what_has_the_name_of_the_history_stays_and_the_load_goes_on(vendor: Sandbox) -> None:
    with duckdb.connect("stockpipe.duckdb") as file:
        file.execute(
            "CREATE TABLE gone (a INTEGER); CREATE VIEW SECURITY_HISTORY AS SELECT * FROM gone; DROP TABLE gone"
        )
    assert stockpipe.load("daily_bars", date=DAY, settings=flags(vendor)).rows > 0
    assert table("SELECT view_name FROM duckdb_views() WHERE NOT internal") == [("SECURITY_HISTORY",)]


def test_the_printed_views_are_whole_also_where_no_master_is_built_and_renew_a_bars_of_another_form() -> None:
    with duckdb.connect("stockpipe.duckdb") as file:
        file.execute(tables_script(load_settings(DUCK, env={})))
        file.execute("DROP TABLE SECURITY_HISTORY; DROP TABLE SECURITIES; DROP TABLE SECURITY_LISTS")
        file.execute("CREATE VIEW BARS AS SELECT CAST(NULL AS VARCHAR) AS SECURITY_ID, TICKER, DS FROM DAILY_BARS")
        file.execute("INSERT INTO DAILY_BARS (TICKER, DS, CLOSE) VALUES ('META', DATE '2022-06-09', 184)")
        file.execute(views_script(load_settings(DUCK, env={}), all_views))
        assert file.execute("SELECT SERIES, SECURITY_ID FROM BARS").fetchall() == [("META", None)]
        assert file.execute("SELECT count(*) FROM UNIVERSE").fetchall() == [(0,)]
        file.execute(
            "INSERT INTO SECURITY_HISTORY (SECURITY_ID, TICKER, VALID_FROM) VALUES ('FB.20120518', 'META', DATE '2022-06-09')"
        )
        assert file.execute("SELECT SERIES, SECURITY_ID FROM BARS").fetchall() == [("FB.20120518", "FB.20120518")]


def test_the_copies_of_the_docs_answer_as_the_view_does() -> None:
    with duckdb.connect("stockpipe.duckdb") as file:
        file.execute(tables_script(load_settings(DUCK, env={})))
        file.execute(views_script(load_settings(DUCK, env={}), all_views))
        file.execute("INSERT INTO DAILY_BARS (TICKER, DS, CLOSE) VALUES ('B', '2024-01-03', 2), ('A', '2024-01-02', 1)")
        file.execute("INSERT INTO DAILY_BARS (TICKER, DS, CLOSE) VALUES ('A', '2024-01-03', 3)")
    (block,) = re.findall(
        r"```python\n(with duckdb.connect\(\"panel.duckdb.*?)```", READING.read_text(encoding="utf-8"), re.DOTALL
    )
    for _ in range(2):  # each night anew
        exec(block, {"duckdb": duckdb})  # noqa: S102 - our own page
    closes = "SELECT TICKER, DS::VARCHAR, CLOSE FROM"
    assert table(f"{closes} by_security", "panel.duckdb") == [
        ("A", "2024-01-02", 1),
        ("A", "2024-01-03", 3),
        ("B", "2024-01-03", 2),
    ]
    assert table(f"{closes} by_day WHERE DS = '2024-01-03'", "panel.duckdb") == [
        ("A", "2024-01-03", 3),
        ("B", "2024-01-03", 2),
    ]
