"""stockpipe prices, typed as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from conftest import command
from support.prices import Prices

PLACE = ("--duckdb-path", "prices.duckdb")


@pytest.fixture(autouse=True)
def _prices() -> None:
    prices = Prices()
    prices.closes("X", "2024-01-02", 100, 50, 51)
    prices.splits(("X", "2024-01-03", 1, 2))
    prices.splits(("X", "2024-01-03", 1, 2), kind="stock_dividend")


def test_prices_are_a_table_and_doubts_are_told_beside_it() -> None:
    done = command("prices", "X", "Y", *PLACE)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split()[:5] == ["ASKED", "SECURITY_ID", "TICKER", "DS", "OPEN"]
    assert "X 2024-01-03: split: told twice; left out." in done.stderr
    assert "No bars in these days: Y." in done.stderr


def test_prices_in_other_forms() -> None:
    asked = ("prices", "X", "--from", "2024-01-02", "--to", "2024-01-02", *PLACE)
    (row,) = json.loads(command(*asked, "--json").stdout)
    assert (row["close"], row["split_factor"]) == (50, 0.5)
    assert (
        command(*asked, "--format", "csv", "--adjust", "none", "-q")
        .stdout.splitlines()[1]
        .startswith("X,,X,2024-01-02,100")
    )
    done = command(*asked, "--out", "x.parquet")
    assert "Wrote 1 row to x.parquet" in done.stderr
    with duckdb.connect() as engine:
        found = engine.execute("SELECT CLOSE, DS::VARCHAR FROM 'x.parquet'").fetchall()
    assert found == [(50.0, "2024-01-02")]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["X", "--json", "--format", "csv"], 2, "csv and json are different forms."),
        (["X", "--from", "2024-02-01", "--to", "2024-01-01"], 2, "2024-02-01 is later than 2024-01-01."),
        (["X;"], 2, "'X;' is not a ticker."),
        (["X", "--adjust", "all"], 2, "'all' is not one of"),
        ([], 2, "Missing argument"),
        (["X", "--out", "no/folder/x.parquet"], 2, "cannot be written"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], code: int, told: str) -> None:
    done = command("prices", *arguments, *PLACE)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dataset_that_is_missing_is_named() -> None:
    Prices(Path("other.duckdb")).run("DROP TABLE DAILY_BARS")
    done = command("prices", "X", "--duckdb-path", "other.duckdb")
    assert done.returncode == 6
    assert "run --dataset daily_bars" in done.stderr
