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
    assert "No bar was ever loaded of Y.\n" in done.stderr


def test_a_ticker_without_bars_is_told_why() -> None:
    Prices().closes("BACpB", "2024-01-02", 25)
    told = command("prices", "x", "BACPB", "NOPE", "X", "--from", "2024-01-04", *PLACE).stderr
    assert "No bar was ever loaded of x, BACPB, NOPE. Did you mean BACpB or X? Upper and lower case matter.\n" in told
    told = command("prices", "X", "x", "NOPE", "--from", "2024-01-05", "--adjust", "none", *PLACE).stderr
    assert told == (
        "No bars in these days: X (there are bars from 2024-01-02 to 2024-01-04).\n"
        "No bar was ever loaded of x, NOPE. Did you mean X? Upper and lower case matter.\n0 rows, 10 columns\n"
    )


def test_what_was_not_known_of_events_on_a_day_is_told() -> None:
    prices = Prices()
    prices.run("UPDATE SPLITS SET KNOWN_FROM = '2024-01-04'")
    prices.dividends(("X", "2024-01-04", 1.0))
    prices.run("UPDATE DIVIDENDS SET KNOWN_FROM = '2024-01-05'")
    splits = "Prices are not adjusted for splits: none was known on 2024-01-03, as the first load was on 2024-01-04.\n"
    dividends = (
        "Prices are not adjusted for dividends: none was known on 2024-01-03, as the first load was on 2024-01-05.\n"
    )
    asked = ("prices", "X", "--known-on", "2024-01-03", *PLACE)
    told = command(*asked, "--adjust", "total").stderr
    assert (splits in told, dividends in told) == (True, True)
    told = command(*asked).stderr
    assert (splits in told, dividends in told) == (True, False)
    assert "not adjusted for" not in command("prices", "X", "--known-on", "2024-01-04", *PLACE).stderr
    assert "not adjusted for" not in command(*asked, "-q").stderr


def test_bars_that_are_left_out_are_told() -> None:
    prices = Prices()
    prices.closes("GONE", "2024-03-04", 10, 10, 11, 11, 12)
    prices.closes("USED", "2024-03-04", 10, 11)
    prices.master(("B.1", "GONE", "2024-03-01", "2024-03-06"))
    prices.master(("U.1", "USED", "2024-03-01", "2024-03-05"), ("U.2", "USED", "2024-03-05", None))
    asked = ("prices", "GONE", "USED", "--adjust", "none", "--from", "2024-03-01", *PLACE)
    assert command(*asked).stderr.splitlines()[:2] == [
        "GONE: 3 bars from 2024-03-06 to 2024-03-08 left out: no list of these days has GONE, so it is not known whose they are.",
        "USED: 1 bar on 2024-03-04 left out: they are of U.1, and the last bars of USED are not.",
    ]
    assert "left out" not in command(*asked, "-q").stderr
    assert "left out" not in command(*asked[:-2], "--to", "2024-03-05", "--from", "2024-03-05", *PLACE).stderr


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
        (["X", "--known-on", "2999-01-01"], 2, "--known-on 2999-01-01 is in the future.\n       Choose a day up to "),
        (["X", "--from", "2998-01-01", "--to", "2999-01-01"], 2, "--from 2998-01-01 is in the future."),
        (
            ["X", "--from", "2024-02-01", "--known-on", "2024-01-01"],
            2,
            "Nothing of 2024-02-01 was known on 2024-01-01 yet.",
        ),
        (["X;"], 2, "'X;' is not a ticker."),
        (["X", "--adjust", "all"], 2, "'all' is not one of"),
        ([], 2, "Missing argument"),
        (["X", "--out", "no/folder/x.parquet"], 2, "cannot be written"),
        (
            ["X", "--out", "x.csv"],
            2,
            "x.csv is named as another form, and --out writes Parquet.\n       Name it x.parquet; other forms go to ",
        ),
        (["X", "--out", "x.JSON"], 2, "Name it x.parquet"),
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
    assert done.stderr.endswith(" run --duckdb-path other.duckdb --dataset daily_bars.\n")
