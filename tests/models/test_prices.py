"""Adjusted prices: the worked example of AAPL, and what vendors' events have in store. Expected values are written down."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from stockpipe import Reader, errors
from stockpipe.models.prices import Sources, adjustments_sql, bars_sql
from support.clocks import FakeClock
from support.prices import Prices

AAPL = (
    ("AAPL", "2014-06-06", 645.57), ("AAPL", "2014-06-09", 93.70), ("AAPL", "2020-08-06", 455.61),
    ("AAPL", "2020-08-07", 444.45), ("AAPL", "2020-08-28", 499.23), ("AAPL", "2020-08-31", 129.04),
)  # fmt: skip


@pytest.fixture
def prices() -> Prices:
    return Prices()


def apple(prices: Prices) -> Prices:
    """Public closes, splits and the dividend of the worked example."""
    prices.bars(*AAPL)
    prices.splits(("AAPL", "2014-06-09", 1, 7), ("AAPL", "2020-08-31", 1, 4))
    prices.dividends(("AAPL", "2020-08-07", 0.82), adjusted=0.205)
    return prices


def test_the_worked_example_by_splits(prices: Prices) -> None:
    closes = apple(prices).values("AAPL", "CLOSE")
    assert closes == pytest.approx(
        {
            "2014-06-06": 23.056071428571, "2014-06-09": 23.425, "2020-08-06": 113.9025, "2020-08-07": 111.1125,
            "2020-08-28": 124.8075, "2020-08-31": 129.04,
        },
        rel=1e-12,
    )  # fmt: skip
    assert round(closes["2020-08-31"] / closes["2020-08-28"] - 1, 4) == 0.0339
    assert round(closes["2020-08-31"] / closes["2020-08-06"] - 1, 6) == 0.132899
    assert prices.issues("AAPL") == []


def test_the_worked_example_with_dividends(prices: Prices) -> None:
    closes = apple(prices).values("AAPL", "CLOSE", adjust="total")
    assert round(closes["2020-08-31"] / closes["2020-08-06"] - 1, 6) == 0.134941
    assert prices.values("AAPL", "DIVIDEND_FACTOR", adjust="total")["2020-08-06"] == pytest.approx(0.998200, abs=5e-7)
    assert prices.values("AAPL", "DIVIDEND_FACTOR", adjust="total")["2020-08-07"] == 1


def test_raw_prices_stay_as_they_came(prices: Prices) -> None:
    raw = apple(prices).values("AAPL", "CLOSE", adjust="none")
    assert {day: str(close) for day, close in raw.items()}["2014-06-06"].rstrip("0") == "645.57"
    volumes = prices.values("AAPL", "VOLUME")
    assert (volumes["2014-06-06"], volumes["2020-08-31"]) == (pytest.approx(28_000, rel=1e-12), 1000)


def test_a_day_range_does_not_change_a_factor(prices: Prices) -> None:
    some = apple(prices).values("AAPL", "CLOSE", start="2020-08-01", end="2020-08-28")
    assert list(some) == ["2020-08-06", "2020-08-07", "2020-08-28"]
    assert some["2020-08-28"] == pytest.approx(124.8075, rel=1e-12)


def test_a_split_that_is_told_twice_counts_once(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 50, 51)
    prices.splits(("X", "2024-01-03", 1, 2))
    prices.splits(("X", "2024-01-03", 1, 2), kind="stock_dividend")
    assert prices.values("X", "CLOSE")["2024-01-02"] == 50
    assert prices.issues("X") == [("2024-01-03", "split", "told twice", False)]


def test_of_two_ratios_on_a_day_the_one_that_fits_counts(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 50, 51)
    prices.splits(("X", "2024-01-03", 1, 2), ("X", "2024-01-03", 1, 4))
    assert prices.values("X", "CLOSE")["2024-01-02"] == 50
    assert prices.issues("X") == [("2024-01-03", "split", "another split of this day fits better", False)]


def test_a_split_on_a_wrong_date_is_left_out_and_the_right_day_is_named(prices: Prices) -> None:
    """As MA in 2014: told for a day on which nothing moved; the price moved two weeks later."""
    prices.closes("MA", "2014-01-06", *[800.0] * 10, 80.0, 81.0)
    prices.splits(("MA", "2014-01-07", 1, 10))
    assert prices.values("MA", "CLOSE")["2014-01-06"] == 800
    (issue,) = [row for row in prices.desk.price_issues("MA") if row["EVENT"] == "split"]
    assert (issue["ISSUE"], issue["USED"], str(issue["LIKELY_DATE"])) == (
        "wrong date: the price moved so on another day", False, "2014-01-16",
    )  # fmt: skip


def test_a_split_that_no_price_follows_is_left_out(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 101, 102)
    prices.splits(("X", "2024-01-03", 1, 10))
    assert prices.values("X", "CLOSE")["2024-01-02"] == 100
    assert prices.issues("X") == [("2024-01-03", "split", "the price did not move", False)]


def test_a_split_on_a_wild_day_counts_and_is_told(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 1.0, 4.0, 4.1)  # ten for one, and 60 % lost the same day
    prices.splits(("X", "2024-01-03", 10, 1), kind="reverse_split")
    assert prices.values("X", "CLOSE")["2024-01-02"] == pytest.approx(10, rel=1e-12)
    assert prices.issues("X")[:2] == [
        ("2024-01-03", "split", "an unusual move", True),
        ("2024-01-03", "price", "a jump that no event explains", False),
    ]  # one order of a day's issues, whatever the engine's threads do


@pytest.mark.parametrize(("close", "counts"), [(71, True), (139, True), (69, False), (141, False)])
def test_the_price_test_lets_a_close_pass_between_its_bounds(prices: Prices, close: float, counts: bool) -> None:
    prices.closes("X", "2024-01-02", 1000, close, close)
    prices.splits(("X", "2024-01-03", 1, 10))
    assert (("2024-01-03", "split", "an unusual move", True) not in prices.issues("X")) is counts


def test_an_announced_split_changes_nothing_yet(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 101)
    prices.splits(("X", "2024-06-03", 1, 2))
    prices.dividends(("X", "2024-06-03", 1.0))
    assert prices.values("X", "CLOSE", adjust="total") == {"2024-01-02": 100, "2024-01-03": 101}
    assert prices.issues("X") == []


def test_a_reverse_split_that_comes_with_a_new_symbol(prices: Prices) -> None:
    """The event is told under the old symbol, the bars have the new one, and one security has both."""
    prices.closes("OLD", "2024-01-02", 1.0, 1.1)
    prices.closes("NEW", "2024-01-04", 11.5, 11.6)
    prices.splits(("OLD", "2024-01-04", 10, 1), kind="reverse_split")
    prices.master(("OLD.2020", "OLD", "2020-01-01", "2024-01-04"), ("OLD.2020", "NEW", "2024-01-04", None))
    closes = prices.values("NEW", "CLOSE")
    assert closes == pytest.approx({"2024-01-02": 10, "2024-01-03": 11, "2024-01-04": 11.5, "2024-01-05": 11.6})
    assert closes == prices.values("OLD", "CLOSE")
    assert prices.values("NEW", "TICKER")["2024-01-02"] == "OLD"


def test_a_reused_symbol_inherits_nothing(prices: Prices) -> None:
    prices.closes("META", "2022-01-03", 14, 15)  # a fund
    prices.closes("FB", "2022-06-07", 190, 195)
    prices.closes("META", "2022-06-09", 184, 92)
    prices.splits(("META", "2022-06-10", 1, 2))
    prices.master(
        ("META.2021", "META", "2021-06-30", "2022-02-01"),
        ("FB.2012", "FB", "2012-05-18", "2022-06-09"),
        ("FB.2012", "META", "2022-06-09", None),
    )
    assert list(prices.values("META", "CLOSE")) == ["2022-06-07", "2022-06-08", "2022-06-09", "2022-06-10"]
    assert prices.values("META", "CLOSE")["2022-06-07"] == 95
    assert prices.values("META", "CLOSE", end="2022-02-01") == {"2022-01-03": 14, "2022-01-04": 15}


def test_all_dividends_of_a_day_are_one(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 97)
    prices.dividends(("X", "2024-01-03", 1.0))
    prices.dividends(("X", "2024-01-03", 2.0), kind="special")
    assert prices.values("X", "CLOSE", adjust="total")["2024-01-02"] == pytest.approx(97, rel=1e-12)


@pytest.mark.parametrize(
    ("adjusted", "factor"),
    [(1.0, 0.98), (0.5, 0.99)],  # 1.0 per new share is 2.0 per old one; 0.5 on today's shares was 1.0 per old one
)
def test_a_dividend_on_the_day_of_a_split_is_put_on_old_shares(prices: Prices, adjusted: float, factor: float) -> None:
    prices.closes("X", "2024-01-02", 100, 49)
    prices.splits(("X", "2024-01-03", 1, 2))
    prices.dividends(("X", "2024-01-03", 1.0), adjusted=adjusted)
    assert prices.values("X", "DIVIDEND_FACTOR", adjust="total")["2024-01-02"] == pytest.approx(factor, rel=1e-12)
    assert ("2024-01-03", "dividend", "on the day of a split", True) in prices.issues("X")


def test_an_adjusted_amount_of_nothing_tells_nothing(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 49)
    prices.splits(("X", "2024-01-03", 1, 2))
    prices.dividends(("X", "2024-01-03", 1.0), adjusted=0.0)
    assert prices.values("X", "DIVIDEND_FACTOR", adjust="total")["2024-01-02"] == pytest.approx(0.99, rel=1e-12)


def test_a_dividend_on_the_day_of_a_reverse_split_leaves_its_factor(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 1.0, 9.9)
    prices.splits(("X", "2024-01-03", 10, 1), kind="reverse_split")
    prices.dividends(("X", "2024-01-03", 0.01))
    assert prices.values("X", "SPLIT_FACTOR")["2024-01-02"] == pytest.approx(10, rel=1e-12)


@pytest.mark.parametrize(
    ("amount", "currency", "issue", "counts"),
    [
        (0.5, "CNY", "foreign currency", False),
        (100.0, "USD", "not less than the price", False),
        (130.0, "USD", "not less than the price", False),
        (51.0, "USD", "more than half of the price", True),
    ],
)
def test_a_dividend_that_makes_no_sense_is_named(
    prices: Prices, amount: float, currency: str, issue: str, counts: bool
) -> None:
    prices.closes("X", "2024-01-02", 100, 99)
    prices.dividends(("X", "2024-01-03", amount), currency=currency)
    assert ("2024-01-03", "dividend", issue, counts) in prices.issues("X")
    factor = 1 - amount / 100 if counts else 1
    assert prices.values("X", "DIVIDEND_FACTOR", adjust="total")["2024-01-02"] == pytest.approx(factor)


def test_a_dividend_without_a_close_before_it_counts_nothing(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 99)
    prices.dividends(("X", "2024-01-02", 1.0))
    assert prices.issues("X") == [("2024-01-02", "dividend", "no close before it", False)]


def test_a_dividend_whose_close_before_is_weeks_old_is_told(prices: Prices) -> None:
    prices.bars(("X", "2024-01-02", 100), ("X", "2024-02-02", 99))
    prices.dividends(("X", "2024-02-01", 1.0))
    assert prices.issues("X") == [("2024-02-01", "dividend", "the close before it is old", True)]


def test_a_spin_off_is_seen_by_its_jump(prices: Prices) -> None:
    """MO in March 2008: two thirds of the price went with PM, and no event tells of it."""
    prices.closes("MO", "2008-03-27", 73.5, 73.83, 22.2, 22.1)
    (issue,) = prices.issues("MO")
    assert issue == ("2008-03-29", "price", "a jump that no event explains", False)


def test_what_was_known_on_a_day_can_be_asked_again(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 50, 51)
    prices.splits(("X", "2024-01-03", 1, 2), known=("2024-01-04", None))
    prices.splits(("X", "2024-01-03", 1, 3), known=("2024-01-02", "2024-01-04"))
    assert prices.values("X", "SPLIT_FACTOR")["2024-01-02"] == 0.5
    then = prices.values("X", "SPLIT_FACTOR", known_on="2024-01-03")
    assert then == {"2024-01-02": pytest.approx(1 / 3), "2024-01-03": 1}


def test_today_is_a_day_of_which_prices_are_known(prices: Prices) -> None:
    """In New York it may still be yesterday."""
    prices.closes("X", "2024-01-02", 100)
    desk = Reader(prices.settings, FakeClock(moment=datetime(2024, 1, 3, 4, 59, tzinfo=UTC)))
    assert len(desk.prices("X", "2024-01-02", "2030-01-01", known_on="2024-01-02")) == 1
    with pytest.raises(errors.UsageError, match=r"Choose a day up to 2024-01-02 \(today in New York\)"):
        desk.prices("X", known_on="2024-01-03")


def test_that_nothing_was_known_of_events_on_a_day_is_an_issue(prices: Prices) -> None:
    prices.closes("X", "2024-01-02", 100, 50, 51)
    prices.splits(("X", "2024-01-03", 1, 2), known=("2024-01-05", None))
    prices.splits(("Y", "2024-01-03", 1, 2), known=("2024-01-04", "2024-01-06"))
    (_, issue) = prices.desk.price_issues(["X", "Y"], known_on="2024-01-03").rows()
    assert (issue["ASKED"], issue["EVENT"], issue["USED"]) == (None, "split", False)
    assert issue["ISSUE"] == "none was known on 2024-01-03, as the first load was on 2024-01-04"
    assert len(prices.desk.price_issues("X", known_on="2024-01-04")) == 1  # the jump alone


def left_out(prices: Prices, *tickers: str, **how: Any) -> list[tuple[Any, ...]]:
    """Asked ticker, ticker, whose, first and last day, bars."""
    return [(*row[:3], str(row[3]), str(row[4]), row[5]) for row in prices.desk.bars_left_out(tickers, **how).tuples()]


def test_a_security_that_comes_back_to_the_lists_has_no_hole(prices: Prices) -> None:
    """It traded elsewhere meanwhile: the bars are its own, though no list says so (SECURITY_ID is null)."""
    prices.closes("X", "2024-03-04", 20, 20, 10, 10, 5, 5)
    prices.splits(("X", "2024-03-06", 1, 2), ("X", "2024-03-08", 1, 2))
    prices.dividends(("X", "2024-03-07", 1))
    prices.master(("X.1", "X", "2024-03-01", "2024-03-06"), ("X.1", "X", "2024-03-08", None))
    assert prices.values("X", "CLOSE") == {f"2024-03-0{day}": 5 for day in range(4, 10)}
    assert [row["SECURITY_ID"] for row in prices.desk.prices("X")] == ["X.1", "X.1", None, None, "X.1", "X.1"]
    assert prices.values("X", "DIVIDEND_FACTOR", adjust="total")["2024-03-06"] == pytest.approx(0.9)
    assert {series for series, _ in beside(prices)} == {"X.1"}
    assert left_out(prices, "X") == []


def test_a_ticker_that_another_had_meanwhile_has_a_hole_that_is_told(prices: Prices) -> None:
    prices.closes("X", "2024-03-04", 10, 10, 11, 11, 12, 12)
    prices.master(("X.1", "X", "2024-03-01", "2024-03-06"), ("X.1", "X", "2024-03-08", None))
    prices.master(("Y.1", "X", "2024-03-07", "2024-03-08"))
    assert [*prices.values("X", "CLOSE", adjust="none")] == ["2024-03-04", "2024-03-05", "2024-03-08", "2024-03-09"]
    assert left_out(prices, "X", start="2024-03-06", end="2024-03-06") == [
        ("X", "X", None, "2024-03-06", "2024-03-06", 1)
    ]
    assert left_out(prices, "X", start="2024-03-08") == left_out(prices, "NONE") == []
    assert left_out(prices, "X") == [
        ("X", "X", None, "2024-03-06", "2024-03-06", 1),
        ("X", "X", "Y.1", "2024-03-07", "2024-03-07", 1),
    ]


def test_a_security_that_had_another_name_meanwhile_has_no_bars_of_its_old_one(prices: Prices) -> None:
    prices.closes("A", "2024-03-04", 10, 77, 12)
    prices.closes("B", "2024-03-05", 11)
    prices.master(("O.1", "A", "2024-03-01", "2024-03-05"), ("O.1", "B", "2024-03-05", "2024-03-06"))
    prices.master(("O.1", "A", "2024-03-06", None))
    assert prices.values("A", "CLOSE", adjust="none") == {"2024-03-04": 10, "2024-03-05": 11, "2024-03-06": 12}
    assert left_out(prices, "A") == [("A", "A", None, "2024-03-05", "2024-03-05", 1)]


def test_bars_of_another_security_and_of_one_that_left_the_lists_are_told(prices: Prices) -> None:
    prices.closes("META", "2024-03-04", 10, 10, 11)
    prices.closes("GONE", "2024-03-04", 10, 10, 11)
    prices.master(("FUND.1", "META", "2024-03-01", "2024-03-06"), ("FB.1", "META", "2024-03-06", None))
    prices.master(("GONE.1", "GONE", "2024-03-01", "2024-03-05"))
    assert [*prices.values("GONE", "CLOSE", adjust="none")] == ["2024-03-04"]
    assert left_out(prices, "META", "GONE") == [
        ("GONE", "GONE", None, "2024-03-05", "2024-03-06", 2),
        ("META", "META", "FUND.1", "2024-03-04", "2024-03-05", 2),
    ]


def test_without_a_master_no_bar_is_left_out(prices: Prices) -> None:
    prices.closes("X", "2024-03-04", 10, 10)
    assert left_out(prices, "X") == []


def test_bars_are_looked_for_in_upper_and_lower_case(prices: Prices) -> None:
    prices.closes("BACpB", "2024-03-04", 10, 10)
    prices.closes("AAPL", "2024-03-04", 10)
    found = prices.desk.bars_loaded(["bacpb", "AAPL", "NONE"]).tuples()
    assert [(name, str(first), str(last), bars) for name, first, last, bars in found] == [
        ("AAPL", "2024-03-04", "2024-03-04", 1), ("BACpB", "2024-03-04", "2024-03-05", 2),
    ]  # fmt: skip


def test_a_ticker_that_no_list_has_keeps_no_id(prices: Prices) -> None:
    prices.closes("A", "2024-01-02", 10)
    prices.closes("ZVZZT", "2024-01-02", 20)
    prices.master(("A.1999", "A", "1999-11-18", None))
    found = {row["ASKED"]: row["SECURITY_ID"] for row in prices.desk.prices(["A", "ZVZZT", "NONE"], adjust="none")}
    assert found == {"A": "A.1999", "ZVZZT": None}


def test_a_long_chain_keeps_its_digits(prices: Prices) -> None:
    prices.closes("X", "2024-01-01", *(2.0**power for power in range(20, -1, -1)))
    prices.splits(*(("X", f"2024-01-{day:02}", 1.0, 2.0) for day in range(2, 22)))
    closes = prices.values("X", "CLOSE")
    assert len(closes) == 21
    assert all(math.isclose(close, 1.0, rel_tol=1e-12) for close in closes.values())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"tickers": []}, "No ticker is named"),
        ({"tickers": "A'; DROP"}, "is not a ticker"),
        ({"tickers": 5}, "5 is not a ticker"),
        ({"tickers": "A", "adjust": "all"}, "adjust is 'all'"),
        ({"tickers": "A", "start": "2024-02-01", "end": "2024-01-01"}, "2024-02-01 is later than 2024-01-01"),
        ({"tickers": "A", "start": "soon"}, "'soon' is not a date"),
        ({"tickers": "A", "start": "2999-01-01"}, "start 2999-01-01 is in the future. Choose a day up to"),
        ({"tickers": "A", "known_on": "2999-01-01"}, "known_on 2999-01-01 is in the future. Choose a day up to"),
        (
            {"tickers": "A", "start": "2024-02-02", "known_on": "2024-02-01"},
            "Nothing of 2024-02-02 was known on 2024-02-01 yet. Give an earlier start, or a later known_on",
        ),
        ({"tickers": [f"T{n}" for n in range(1001)]}, "1,001 tickers are more than 1,000"),
    ],
)
def test_what_makes_no_sense_is_said(prices: Prices, how: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.UsageError, match=message):
        prices.desk.prices(**how)


def test_a_dataset_that_is_missing_is_named(prices: Prices) -> None:
    prices.closes("A", "2024-01-02", 10)
    prices.run("DROP TABLE SPLITS")
    assert len(prices.desk.prices("A", adjust="none")) == 1
    with pytest.raises(errors.NotThere, match=r"SPLITS. does not exist .* stockpipe\.load\(dataset=.splits.\)"):
        prices.desk.prices("A")


def test_tables_are_looked_for_only_where_one_is_missing(prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look opens the file anew."""
    looks: list[str] = []
    has = Reader.has

    def counted(reader: Reader, table: str) -> bool:
        looks.append(table)
        return has(reader, table)

    monkeypatch.setattr(Reader, "has", counted)
    prices.closes("A", "2024-01-02", 10)
    prices.master()
    desk = prices.desk
    assert (len(desk.prices("A")), len(desk.price_issues("A")), len(desk.bars_left_out("A")), looks) == (1, 0, 0, [])
    prices.run("DROP TABLE SECURITY_HISTORY")
    assert len(desk.prices("A")) == 1
    assert looks == ['"DAILY_BARS"', '"SPLITS"', '"DIVIDENDS"', '"SECURITY_HISTORY"']
    prices.run("DROP TABLE SPLITS")
    with pytest.raises(errors.NotThere, match=r"SPLITS. does not exist .* stockpipe\.load\(dataset=.splits.\)"):
        desk.prices("A")


DAYS = [f"2024-03-{day:02}" for day in range(1, 29)]


def beside(prices: Prices) -> dict[tuple[str, str], tuple[str | None, str, float | None, float]]:
    """For each series and ex-date that counts the days and closes of the bars on both sides."""
    columns = '"SERIES", "EX_DATE", "PREV_DS", "FIRST_BAR", "PREV_CLOSE", "FIRST_CLOSE"'
    models = Sources("DAILY_BARS", "SPLITS", "DIVIDENDS", "SECURITY_HISTORY", "BARS")
    prices.master()
    with duckdb.connect(str(prices.path)) as connection:
        connection.execute(f"CREATE OR REPLACE VIEW BARS AS {bars_sql(models)}")
        found = connection.execute(f"SELECT {columns} FROM ({adjustments_sql(models)})").fetchall()
    return {(series, str(day)): (str(before), str(first), *closes) for series, day, before, first, *closes in found}


@pytest.mark.parametrize("seed", range(6))
def test_each_event_is_beside_the_bars_of_its_own_security(prices: Prices, seed: int) -> None:
    """Days without a bar, days on which nobody has one, and names that go to and fro."""
    dice = random.Random(seed)
    sessions = sorted(dice.sample(DAYS, 22))
    bars = [(ticker, day) for ticker in "ABCD" for day in sessions if dice.random() < 0.8]
    closes = {bar: float(dice.randint(50, 59)) for bar in bars}
    prices.bars(*((*bar, close) for bar, close in closes.items()))
    events = {(ticker, day) for ticker in "ABCDE" for day in DAYS if dice.random() < 0.3}
    prices.dividends(*((*event, 0.5) for event in events))
    if named := dice.random() < 0.7:
        # A and B swap their names for some days.
        first, last = sorted(dice.sample(DAYS, 2))
        prices.master(*((f"{one}1", one, DAYS[0], None) for one in "CD"))
        prices.master(("A1", "A", DAYS[0], first), ("B1", "A", first, last), ("A1", "A", last, None))
        prices.master(("B1", "B", DAYS[0], first), ("A1", "B", first, last), ("B1", "B", last, None))

    def security(ticker: str, day: str) -> str:
        swapped = named and ticker in "AB" and first <= day < last
        return f"{'BA'['AB'.index(ticker)] if swapped else ticker}{1 if named else ''}"

    own = {(security(*bar), bar[1]): close for bar, close in closes.items()}
    expected = {}
    for event in events:
        # Of a day without a bar of the ticker it is not known whose it is: these are left to the tests below.
        if event not in closes:
            continue
        series = security(*event)
        before = max((day for one, day in own if one == series and day < event[1]), default=None)
        if before:
            expected[series, event[1]] = (before, event[1], own[series, before], closes[event])
    found = beside(prices)
    assert {key: bar for key, bar in found.items() if key in expected} == expected
    assert len(expected) > 10
    for (series, day), (before, first_bar, *_) in found.items():
        own_days = sorted(day for one, day in own if one == series)
        assert first_bar == min(one for one in own_days if one >= day)
        assert before == max(one for one in own_days if one < day)


@pytest.mark.parametrize("seed", range(6))
def test_a_hole_is_a_securitys_own_if_it_goes_on_with_its_ticker_and_nobody_bore_it_meanwhile(
    prices: Prices, seed: int
) -> None:
    """Securities that leave the lists, come back, and take each other's names."""
    dice = random.Random(seed)
    day = [f"2024-01-{number:02}" for number in range(1, 32)]
    names = "ABCDEFGHIJKL"
    history: list[tuple[str, str, int, int]] = []
    for security in "12345":
        first = dice.randrange(6)
        while first < 28 and dice.random() < 0.9:
            behind = min(first + dice.randint(1, 5), 30)
            taken = {ticker for _, ticker, since, until in history if since < behind and first < until}
            history.append((security, dice.choice(sorted(set(names) - taken)[:2]), first, behind))
            first = behind + dice.choice((0, 0, 2, 6))
    prices.master(*((security, ticker, day[first], day[behind]) for security, ticker, first, behind in history))
    prices.bars(*((ticker, one, 10.0) for ticker in names for one in day))

    def series(ticker: str, on: int) -> str:
        for security, bearer, first, behind in history:
            if bearer == ticker and first <= on < behind:
                return security
        lists = min(first for _, _, first, _ in history)
        for security, bearer, first, _ in history:
            if bearer == ticker and first == lists and on < lists:
                return security
        before = max(
            (one for one in history if one[1] == ticker and one[3] <= on), key=lambda one: one[3], default=None
        )
        after = min((one for one in history if one[1] == ticker and one[2] > on), key=lambda one: one[2], default=None)
        if before is None or after is None or before[0] != after[0]:
            return ticker
        elsewhere = any(one[0] == before[0] and before[2] < one[2] < after[2] for one in history)
        return ticker if elsewhere else before[0]

    found = {(ticker, str(ds)): one for ticker, ds, one in series_of(prices)}
    assert found == {(ticker, day[on]): series(ticker, on) for ticker in names for on in range(31)}


def series_of(prices: Prices) -> list[tuple[Any, ...]]:
    """Ticker, day and series of all bars."""
    bars = bars_sql(Sources('"DAILY_BARS"', '"SPLITS"', '"DIVIDENDS"', '"SECURITY_HISTORY"'))
    with duckdb.connect(str(prices.path), read_only=True) as connection:
        return connection.execute(f'SELECT "TICKER", "DS", "SERIES" FROM ({bars})').fetchall()


def test_an_event_on_a_day_without_a_trade_counts_at_the_next_one(prices: Prices) -> None:
    prices.closes("LIVE", "2024-03-04", 10, 10, 10, 10, 10)
    prices.bars(("THIN", "2024-03-04", 20), ("THIN", "2024-03-07", 10))
    prices.splits(("THIN", "2024-03-06", 1, 2))
    assert prices.values("THIN", "CLOSE") == {"2024-03-04": 10, "2024-03-07": 10}
    assert beside(prices)["THIN", "2024-03-06"] == ("2024-03-04", "2024-03-07", 20, 10)


def test_a_bar_without_a_price_is_none_beside_an_event(prices: Prices) -> None:
    prices.closes("LIVE", "2024-03-04", 10, 10, 10)
    prices.closes("ZERO", "2024-03-04", 20, 0, 10)
    prices.splits(("ZERO", "2024-03-06", 1, 2))
    assert beside(prices)["ZERO", "2024-03-06"] == ("2024-03-04", "2024-03-06", 20, 10)


def test_a_ticker_that_another_bore_for_some_days_has_the_events_of_its_bearer(prices: Prices) -> None:
    prices.closes("SAME", "2024-03-04", 40, 40, 20, 10, 10, 10)
    prices.master(("FIRST", "SAME", "2024-03-01", "2024-03-05"), ("OTHER", "SAME", "2024-03-05", "2024-03-08"))
    prices.master(("FIRST", "SAME", "2024-03-08", None))
    prices.splits(("SAME", "2024-03-06", 1, 2))
    assert {series for series, _ in beside(prices)} == {"OTHER"}


def test_a_split_told_under_the_new_name_on_its_first_day(prices: Prices) -> None:
    prices.closes("LIVE", "2024-03-04", 10, 10, 10, 10)
    prices.closes("OLD", "2024-03-04", 30, 30)
    prices.closes("NEW", "2024-03-06", 10, 10)
    prices.master(("ONE", "OLD", "2024-03-01", "2024-03-06"), ("ONE", "NEW", "2024-03-06", None))
    prices.splits(("NEW", "2024-03-06", 1, 3))
    assert list(prices.values("NEW", "CLOSE").values()) == [10, 10, 10, 10]


def test_events_outside_of_the_loaded_days_count_nothing(prices: Prices) -> None:
    prices.closes("FEW", "2024-03-04", 10, 10, 10)
    prices.splits(("FEW", "2024-02-20", 1, 2), ("FEW", "2024-03-12", 1, 2))
    prices.dividends(("FEW", "2024-03-03", 1), ("FEW", "2024-03-07", 1))
    assert beside(prices) == {}
    assert prices.issues("FEW") == []


def test_bars_before_the_first_list_belong_to_who_had_their_ticker_in_it(prices: Prices) -> None:
    """Years of bars are a backfill of an hour; the lists begin with the first daily run."""
    prices.closes("OLD", "2024-03-04", 40, 40, 20, 20, 20)
    prices.closes("LATER", "2024-03-04", 7, 7, 7, 7, 7)
    prices.splits(("OLD", "2024-03-06", 1, 2))
    prices.dividends(("OLD", "2024-03-05", 4))
    prices.master(("ONE", "OLD", "2024-03-07", "2024-03-08"), ("ONE", "NEW", "2024-03-08", None))
    prices.master(("TWO", "LATER", "2024-03-08", None), ("FIRST", "OTHER", "2024-03-07", None))
    prices.closes("NEW", "2024-03-09", 10)
    prices.splits(("NEW", "2024-03-09", 1, 2))
    assert [(str(row["DS"]), row["SECURITY_ID"], row["CLOSE"]) for row in prices.desk.prices("NEW")] == [
        ("2024-03-04", None, 10), ("2024-03-05", None, 10), ("2024-03-06", None, 10),
        ("2024-03-07", "ONE", 10), ("2024-03-09", "ONE", 10),
    ]  # fmt: skip
    assert prices.values("NEW", "DIVIDEND_FACTOR", adjust="total")["2024-03-04"] == pytest.approx(0.9)
    assert {series for series, _ in beside(prices)} == {"ONE"}
    # A ticker that begins behind the first list inherits nothing.
    assert list(prices.values("LATER", "CLOSE")) == ["2024-03-08"]
