"""The synthetic market: its size and shape, and that it lives through time."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from stockpipe.sandbox.lifetimes import Security
from stockpipe.sandbox.market import Market

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)  # a Friday
STAMP = re.compile(r"2026-11-20T07:0[56]:\d\d\.\d{0,8}[1-9]Z")


@pytest.fixture(scope="module")
def market() -> Market:
    return Market()


def stocks(market: Market, active: bool = True, on: date | None = None, now: datetime = NOW) -> list[dict[str, object]]:
    return market.rows("stocks", active, on, now)


def tickers(rows: list[dict[str, object]]) -> list[str]:
    return [str(row["ticker"]) for row in rows]


def lacking(rows: list[dict[str, object]], key: str) -> float:
    return sum(key not in row for row in rows) / len(rows)


def without_stamp(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key != "last_updated_utc"} for row in rows]


def test_sizes(market: Market) -> None:
    assert market.label == "synthetic seed=7"
    assert 12_200 < len(stocks(market)) < 12_600
    assert 23_000 < len(stocks(market, active=False)) < 25_500
    sizes = {
        name: tuple(len(market.rows(name, active, None, NOW)) for active in (True, False))
        for name in ("otc", "crypto", "fx", "indices")
    }
    assert sizes == {"otc": (8_000, 4_000), "crypto": (623, 0), "fx": (1_220, 0), "indices": (10_000, 300)}
    assert market.rows("options", True, None, NOW) == []


def test_sizes_of_old_days(market: Market) -> None:
    assert 9_400 < len(stocks(market, on=date(2009, 10, 28))) < 9_520
    assert 9_400 < len(stocks(market, on=date(2010, 6, 1))) < 9_520
    assert stocks(market, on=date(2003, 9, 9)) == []
    assert stocks(market, on=date(2026, 11, 21)) == []
    assert len(stocks(market, on=date(2003, 9, 10))) > 8_000


def test_same_seed_same_rows(market: Market) -> None:
    again = Market(seed=7)
    old = stocks(again, on=date(2014, 5, 6))  # in another order of asking
    assert stocks(again) == stocks(market)
    assert old == stocks(market, on=date(2014, 5, 6))
    assert stocks(market) is stocks(market, now=NOW + timedelta(hours=3))
    early = datetime(2004, 1, 7, 13, tzinfo=UTC)
    assert tickers(stocks(Market(seed=8), now=early)) != tickers(stocks(market, now=early))


def test_the_past_does_not_depend_on_how_far_one_looked(market: Market) -> None:
    then = datetime(2012, 3, 7, 13, tzinfo=UTC)
    young = Market()
    assert stocks(young, now=then) == stocks(market, now=then)
    assert stocks(young, active=False, now=then) == stocks(market, active=False, now=then)


@pytest.mark.parametrize("name", ["stocks", "otc", "crypto", "fx", "indices"])
def test_nightly_lists_are_sorted_without_repeats_and_without_nulls(market: Market, name: str) -> None:
    rows = market.rows(name, True, None, NOW)
    assert all(a < b for a, b in zip(tickers(rows), tickers(rows)[1:], strict=False))
    assert all(value is not None for row in rows for value in row.values())
    assert {row["market"] for row in rows} == {name}
    gone = tickers(market.rows(name, False, None, NOW))
    assert gone == sorted(gone)


def test_build_stamps(market: Market) -> None:
    stamps = [str(row["last_updated_utc"]) for row in stocks(market)]
    assert all(STAMP.fullmatch(stamp) for stamp in stamps)
    assert len({stamp[:19] for stamp in stamps}) == 1
    nanos = [int(stamp[20:-1].ljust(9, "0")) for stamp in stamps]
    assert nanos == sorted(nanos)
    assert 1_000_000 < nanos[-1] - nanos[0] < 3_000_000
    digits = Counter(len(stamp) - 21 for stamp in stamps)
    assert 0.88 < digits[9] / len(stamps) < 0.92
    summer = stocks(market, now=datetime(2026, 7, 8, 6, 4, tzinfo=UTC))
    assert str(summer[0]["last_updated_utc"]).startswith("2026-07-07T06:05:")  # today's is not made yet
    assert all(str(row["last_updated_utc"]) < "2026-11-20T07:07" for row in stocks(market, active=False))


def test_weekend_builds_are_saturdays_but_for_the_stamp(market: Market) -> None:
    saturday, sunday, monday, tuesday = (stocks(market, now=NOW + timedelta(days=days)) for days in (1, 2, 3, 4))
    assert without_stamp(saturday) == without_stamp(sunday) == without_stamp(monday)
    assert saturday[0]["last_updated_utc"] != sunday[0]["last_updated_utc"]
    for old, new in ((stocks(market), saturday), (monday, tuesday)):
        assert 1 <= len(set(tickers(new)) - set(tickers(old))) <= 20
        assert 1 <= len(set(tickers(old)) - set(tickers(new))) <= 20


@pytest.mark.parametrize(
    ("day", "rows", "digest"),
    [
        (date(2012, 11, 1), 9_545, "605c207d0c17402e"),
        (date(2026, 2, 6), 11_949, "5d48d01fd2c8661f"),
    ],
)
def test_a_seed_stays_the_market_that_it_was(market: Market, day: date, rows: int, digest: str) -> None:
    found = stocks(market, on=day)
    text = json.dumps(found, sort_keys=True)
    assert (len(found), hashlib.sha256(text.encode()).hexdigest()[:16]) == (rows, digest)


def test_shares_of_missing_fields(market: Market) -> None:
    rows = stocks(market)
    assert 0.10 < lacking(rows, "cik") < 0.16
    assert 0.15 < lacking(rows, "composite_figi") < 0.20
    assert 0.17 < lacking(rows, "share_class_figi") < 0.22
    assert not any("share_class_figi" in row and "composite_figi" not in row for row in rows)
    assert not any("composite_figi" in row for row in rows if row["type"] in ("PFD", "SP"))
    common = [row for row in rows if row["type"] == "CS"]
    assert 0.17 < lacking(common, "composite_figi") < 0.23
    funds = [row for row in rows if row["type"] == "ETF"]
    assert sum("cik" not in row for row in funds) / sum("cik" not in row for row in rows) > 0.8
    figis = [row[key] for row in rows for key in ("composite_figi", "share_class_figi") if key in row]
    assert len(figis) == len(set(figis))
    assert all(re.fullmatch(r"BBG[0-9A-Z]{9}", str(figi)) for figi in figis)
    assert all(re.fullmatch(r"\d{10}", str(row["cik"])) for row in rows if "cik" in row)
    assert lacking(rows, "type") < 0.001
    assert lacking(market.rows("indices", True, None, NOW), "name") == pytest.approx(0.05, abs=0.01)
    assert sum("name" not in row for row in stocks(market, active=False)) == 10


def test_symbols_and_names_that_break_readers(market: Market) -> None:
    rows = {str(row["ticker"]): row for row in stocks(market)}
    assert {"NA", "NAN", "TRUE", "ON", "E", "T", "V", "TEST", "BCPC", "BCpC"} <= rows.keys()
    for shape in (r"[A-Z]+p[A-Z]", r"[A-Z]+\.U", r"[A-Z]+\.WS", r"[A-Z]+\.A", r"[A-Z]+r", r"[A-Z]{4}W", r"[A-Z]{4}R"):
        assert sum(bool(re.fullmatch(shape, ticker)) for ticker in rows) >= 3, shape
    names = [str(row["name"]) for row in rows.values()]
    assert max(map(len, names)) == 229
    assert 36 < sum(map(len, names)) / len(names) < 43
    assert any(name.startswith("-1x Short") for name in names)
    assert sum("  " in name for name in names) > 20
    assert 3 <= sum(not name.isascii() for name in names) <= 6
    assert {len(ticker) for ticker in rows} == {1, 2, 3, 4, 5, 6, 7}


def renamed(market: Market) -> Security:
    stocks(market)
    used = {*tickers(stocks(market)), *tickers(stocks(market, active=False))}
    return next(one for one in market.securities if one.renames and one.symbol not in used)


def test_a_renamed_symbol_vanishes(market: Market) -> None:
    one = renamed(market)
    change = next(event for event in one.events if event.what == "renamed")
    assert change.old == one.symbol
    before, after = change.day - timedelta(days=1), change.day
    assert one.symbol in tickers(stocks(market, on=before))
    assert one.symbol not in tickers(stocks(market, on=after))
    assert dict(market.truth("stocks", after))[one.id]["ticker"] == change.new


def test_a_symbol_serves_another_company(market: Market) -> None:
    dead = {row["ticker"]: row for row in stocks(market, active=False) if "cik" in row}
    reused = [row for row in stocks(market) if row["ticker"] in dead and "cik" in row]
    assert len(reused) > 100
    assert all(row["cik"] != dead[row["ticker"]]["cik"] for row in reused if row["type"] == "CS")
    often = Counter(tickers(stocks(market, active=False)))
    assert sum(count - 1 for count in often.values()) > 1_000
    assert max(often.values()) >= 3


def test_late_figi(market: Market) -> None:
    stocks(market)
    one, given = next(
        (one, event.day)
        for one in market.securities
        for event in one.events
        if event.what == "figi" and one.id > 30_000
    )
    assert "composite_figi" not in dict(market.truth("stocks", given - timedelta(days=1)))[one.id]
    assert "composite_figi" in dict(market.truth("stocks", given))[one.id]
    assert given > date.fromordinal(one.listed)


def test_old_days_lack_types_and_broken_days_lack_rows(market: Market) -> None:
    assert lacking(stocks(market, on=date(2008, 1, 2)), "type") > 0.6
    assert 0.2 < lacking(stocks(market, on=date(2013, 1, 2)), "type") < 0.6
    assert lacking(stocks(market, on=date(2017, 1, 3)), "type") < 0.001
    whole = len(stocks(market, on=date(2009, 10, 28)))
    assert len(stocks(market, on=date(2009, 10, 29))) / whole == pytest.approx(0.68, abs=0.02)
    for day in (30, 31):
        assert len(stocks(market, on=date(2010, 3, day))) / whole == pytest.approx(0.88, abs=0.02)


@pytest.mark.parametrize("day", [date(2008, 1, 2), date(2025, 6, 1), date(2026, 11, 20)])
def test_dated_records_have_doubles_and_midnight_stamps(market: Market, day: date) -> None:
    rows = stocks(market, on=day)
    twice = [ticker for ticker, count in Counter(tickers(rows)).items() if count > 1]
    assert 2 <= len(twice) <= 4
    assert tickers(rows) == sorted(tickers(rows))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", str(row["last_updated_utc"])) for row in rows)
    pair = [row for row in rows if row["ticker"] == twice[0]]
    assert pair[0] != pair[1]
    assert [row for _, row in market.truth("stocks", day)] == rows


def test_the_other_markets(market: Market) -> None:
    otc = market.rows("otc", True, None, NOW)
    assert {row["primary_exchange"] for row in otc} == {"OTC Link", "Grey Market"}
    assert all(len(str(row["name"])) <= 25 and row["name"] == str(row["name"]).upper() for row in otc)
    assert not set(tickers(otc)) & set(tickers(stocks(market)))
    assert lacking(otc, "cik") == 1.0
    for name, first in (("crypto", "X:"), ("fx", "C:")):
        rows = market.rows(name, True, None, NOW)
        assert all(ticker.startswith(first) for ticker in tickers(rows))
        assert {row["last_updated_utc"] for row in rows} == {"2017-01-01T00:00:00Z"}
        assert {row["locale"] for row in rows} == {"global"}
        assert lacking(rows, "type") == 1.0
        assert lacking(rows, "base_currency_symbol") == 0.0
    assert lacking(market.rows("indices", True, None, NOW), "last_updated_utc") == 1.0


@pytest.mark.parametrize("rows", [0, 5, 20, 1_000, 13_000])
def test_any_number_of_rows(rows: int) -> None:
    small = Market(rows=rows)
    assert len(set(tickers(stocks(small)))) == len(stocks(small)) == rows
    assert len({row["ticker"] for row in stocks(small, on=date(2015, 6, 1))}) == rows
