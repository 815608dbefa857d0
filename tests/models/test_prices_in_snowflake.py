"""Prices and report in Snowflake: the real connector against the local stand-in, and the same answers as over a DuckDB file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import duckdb
import pytest

import stockpipe
from conftest import command, flags
from snowflake_gate import SnowflakeGate
from stockpipe import Answer, Reader
from stockpipe.datasets import DATASETS
from stockpipe.models import Model, views
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import duckdb_view, snowflake_view
from support.master import Place
from support.prices import Prices

pytestmark = pytest.mark.slow

DAY = "2026-02-13"
EVENING = datetime(2026, 2, 13, 23, 30, tzinfo=UTC)
VIEWS = ("BARS", "ADJUSTMENTS", "ADJUSTMENT_ISSUES", "ADJUSTED_BARS")


@pytest.fixture(scope="module")
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate() as gate:
        yield gate


def filled(prices: Prices) -> Prices:
    """One of each kind: the worked example, a split told twice and one on a wrong date, a reverse split with a new symbol, a
    reused symbol, dividends that make no sense, a spin-off."""
    prices.bars(
        ("AAPL", "2020-08-06", 455.61), ("AAPL", "2020-08-07", 444.45), ("AAPL", "2020-08-28", 499.23), ("AAPL", "2020-08-31", 129.04),
        ("META", "2022-01-03", 14), ("FB", "2022-06-08", 190), ("META", "2022-06-09", 184), ("META", "2022-06-10", 92),
    )  # fmt: skip
    prices.closes("MA", "2014-01-06", *[800.0] * 10, 80.0, 81.0)
    prices.closes("OLD", "2024-01-02", 1.0, 1.1)
    prices.closes("NEW", "2024-01-04", 11.5, 11.6)
    prices.closes("MO", "2008-03-27", 73.5, 73.83, 22.2, 22.1)
    prices.closes("TSM", "2024-01-02", 100, 99)
    prices.splits(("AAPL", "2020-08-31", 1, 4), ("META", "2022-06-10", 1, 2), ("MA", "2014-01-07", 1, 10))
    prices.splits(("AAPL", "2020-08-31", 1, 4), kind="stock_dividend")
    prices.splits(("OLD", "2024-01-04", 10, 1), kind="reverse_split")
    prices.dividends(("AAPL", "2020-08-07", 0.82), adjusted=0.205)
    prices.dividends(("TSM", "2024-01-03", 3.0), currency="TWD")
    prices.dividends(("TSM", "2024-01-03", 130.0))
    prices.master(
        ("AAPL.1980", "AAPL", "1980-12-12", None),
        ("META.2021", "META", "2021-06-30", "2022-02-01"),
        ("FB.2012", "FB", "2012-05-18", "2022-06-09"),
        ("FB.2012", "META", "2022-06-09", None),
        ("OLD.2020", "OLD", "2020-01-01", "2024-01-04"),
        ("OLD.2020", "NEW", "2024-01-04", None),
    )
    return prices


@pytest.fixture(scope="module")
def both(gate: SnowflakeGate, tmp_path_factory: pytest.TempPathFactory) -> tuple[Prices, Prices]:
    """The same rows in both warehouses, with the views that a run makes."""
    made = (filled(Prices(tmp_path_factory.mktemp("both") / "prices.duckdb")), filled(Prices(gate=gate)))
    for prices in made:
        found: dict[str, Model] = {}
        for name in ("splits", "dividends", "daily_bars"):
            dataset = DATASETS[name]
            found |= {view.name: view for view in views(dataset, sql.dataset_table(dataset, prices.settings))}
        currents = [view for name, view in found.items() if name.endswith('_CURRENT"')]
        for view in [*currents, *(found[f'"{name}"'] for name in VIEWS)]:
            for statement in [snowflake_view(view, "CREATE VIEW")] if prices.gate else duckdb_view(view, "CREATE VIEW"):
                prices.run(statement)
    return made


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with their numbers to ten digits, in the order of their texts."""
    return sorted(
        (tuple(f"{cell:.10g}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows), key=str
    )


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_gives_the_same_in_both(both: tuple[Prices, Prices], view: str) -> None:
    here, there = ([*prices.desk.query(f"SELECT * FROM {view}").tuples()] for prices in both)
    assert len(here) == {"BARS": 30, "ADJUSTMENTS": 4, "ADJUSTMENT_ISSUES": 6, "ADJUSTED_BARS": 30}[view]
    assert rounded(here) == rounded(there)


@pytest.mark.parametrize("adjust", ["none", "total"])
def test_prices_are_the_same_in_both(both: tuple[Prices, Prices], adjust: Literal["none", "total"]) -> None:
    here, there = (prices.desk.prices(["AAPL", "META", "OLD", "NONE"], adjust=adjust).tuples() for prices in both)
    assert len(here) == 4 + 3 + 4
    assert rounded([*here]) == rounded([*there])


ASKED = ["AAPL", "META", "OLD", "NONE"]
BESIDE: dict[str, Callable[[Reader], Answer]] = {
    "left out": lambda desk: desk.bars_left_out(ASKED),
    "loaded": lambda desk: desk.bars_loaded(["aapl", "META"]),
    "not known": lambda desk: desk.price_issues(ASKED, known_on="2000-01-01"),
}


@pytest.mark.parametrize("question", BESIDE)
def test_what_is_told_beside_prices_is_the_same_in_both(both: tuple[Prices, Prices], question: str) -> None:
    here, there = ([*BESIDE[question](prices.desk).tuples()] for prices in both)
    assert here
    assert rounded(here) == rounded(there)


def test_the_worked_example_comes_out_and_doubts_are_named(both: tuple[Prices, Prices]) -> None:
    there = both[1]
    closes = there.values("AAPL", "CLOSE", adjust="total")
    assert round(closes["2020-08-31"] / closes["2020-08-06"] - 1, 6) == 0.134941
    assert there.issues("AAPL") == [("2020-08-31", "split", "told twice", False)]
    assert there.values("NEW", "TICKER")["2024-01-02"] == "OLD"
    assert list(there.values("META", "CLOSE")) == ["2022-06-08", "2022-06-09", "2022-06-10"]


def filters(plan: Any) -> list[str]:
    """What the scans of a plan filter by."""
    if isinstance(plan, list):
        return [one for part in plan for one in filters(part)]
    own = str(plan.get("extra_info", {}).get("Filters", ""))
    return [*filters(plan["children"]), *([own] if "SCAN" in plan["name"] else [])]


@pytest.mark.parametrize("what", ["\"DS\" = DATE '2022-06-09'", "\"SECURITY_ID\" = 'FB.2012'"])
def test_a_day_or_a_security_is_looked_for_in_the_scan_of_the_bars(both: tuple[Prices, Prices], what: str) -> None:
    """The stand-in explains nothing: the plan is that of DuckDB, of the same SELECT. No window or group stands in the way."""
    with duckdb.connect(str(both[0].path), read_only=True) as file:
        ((_, plan),) = file.execute(f"EXPLAIN (FORMAT json) SELECT * FROM ADJUSTED_BARS WHERE {what}").fetchall()
    column = what.split(maxsplit=1)[0].strip('"')
    assert [one for one in filters(json.loads(plan)) if column in one]


def test_a_desk_in_snowflake_from_its_loads_to_its_report() -> None:
    with SnowflakeGate() as gate, Sandbox(rows=30, now=lambda: EVENING) as vendor:
        settings = flags(vendor) | gate.env()
        for dataset in ("tickers", "daily_bars"):
            stockpipe.load(dataset, date=DAY, settings=settings)
        for dataset in ("splits", "dividends"):
            stockpipe.load(dataset, settings=settings)
        history = [text.split("(")[0].strip() for text in gate.statements() if '"SECURITY_HISTORY"' in text[:80]]
        assert (
            history == ['CREATE TABLE IF NOT EXISTS "STOCKS"."PUBLIC"."SECURITY_HISTORY"'] * 3
        )  # beside each new table
        gate.log.clear()
        stockpipe.load("daily_bars", date=DAY, settings=settings, force=True)
        assert [text for text in gate.statements() if text.startswith(("CREATE TABLE", "CREATE VIEW"))] == []
        before = gate.rows("SELECT count(*), count(SECURITY_ID) FROM BARS")
        assert (before[0][0] > 20, before[0][1]) == (True, 0)
        Place(gate.env(), gate).build()
        assert gate.rows("SELECT count(*) FROM BARS WHERE SECURITY_ID IS NOT NULL")[0][0] > 20
        assert gate.rows("SELECT count(*) FROM ADJUSTED_BARS") == [(before[0][0],)]

        with Reader(load_settings(gate.env(), env={})) as desk:
            row = desk.universe().rows()[0]
        assert row["SECURITY_ID"] == f"{row['TICKER']}.20260213"
        told = json.loads(command("report", "--json", "--out", "day.html", env=gate.env()).stdout)
        assert [*told["listings"]] == ["Movers", "Next splits", "Next dividends"]
