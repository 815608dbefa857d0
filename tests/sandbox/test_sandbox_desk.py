"""The sandbox's further answers: as consistent with its market, and as awkward, as the real API is."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stockpipe.base.calendar import last_session
from stockpipe.sandbox import SANDBOX_KEY, Request, Sandbox
from stockpipe.sandbox.app import App
from stockpipe.sandbox.market import Market

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
HEADERS = {"authorization": f"Bearer {SANDBOX_KEY}"}
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/"
MARKET = Market(7, 600)


def ask(path: str, *, now: datetime = NOW, market: Any = MARKET, **query: str) -> Any:
    """The body of an answer."""
    answer = App(market, SANDBOX_KEY, now=lambda: now).answer(Request("GET", path, query, HEADERS))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def whole(path: str, *, now: datetime = NOW, **query: str) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    rows: list[dict[str, Any]] = []
    page = ask(path, now=now, limit="500", **query)
    while True:
        rows += page["results"]
        if "next_url" not in page:
            return rows
        page = ask(path, now=now, cursor=page["next_url"].partition("cursor=")[2])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=60, now=lambda: NOW) as sandbox:
        yield sandbox


def test_the_official_client_reads_what_it_has_calls_for(sandbox: Sandbox) -> None:
    from massive import RESTClient

    client = RESTClient(api_key=SANDBOX_KEY, base=sandbox.url)
    bars = client.get_grouped_daily_aggs("2026-11-19", adjusted=False)
    assert {bar.ticker for bar in bars} >= {"NA", "NAN", "TRUE"}
    assert all(bar.close and bar.open for bar in bars)
    assert len(client.get_ticker_types()) == 25
    assert {place.mic for place in client.get_exchanges()} >= {"XNYS", "XNAS"}
    assert client.get_market_holidays()[0].name == "Thanksgiving"
    assert len(client.get_snapshot_all("stocks")) == 60
    assert sum(1 for _ in client.vx.list_ipos(limit=1000)) > 100


def test_bars_are_of_the_members_of_the_day_and_a_few_strangers() -> None:
    for day in ("2026-11-19", "2012-05-08", "2003-09-10"):
        on = date.fromisoformat(day)
        members = {row["ticker"] for row in MARKET.rows("stocks", True, on, NOW)}
        symbols = [row["T"] for row in ask(GROUPED + day, adjusted="false")["results"]]
        assert len(set(symbols)) == len(symbols)
        assert 2 <= len(set(symbols) - members) <= 4
        assert 0.9 < len(symbols) / len(members) < 1.02


def test_bars_are_odd_in_the_ways_of_their_time() -> None:
    old, new = (ask(GROUPED + day, adjusted="false")["results"] for day in ("2019-02-01", "2026-11-19"))
    assert all(row["v"] == int(row["v"]) for row in old)
    assert any(row["v"] != int(row["v"]) for row in new)
    assert any("n" not in row and "vw" not in row and row["v"] == 0 for row in old)
    answer = App(MARKET, SANDBOX_KEY, now=lambda: NOW).answer(Request("GET", f"{GROUPED}2019-02-01", {}, HEADERS))
    assert b"e+06" in answer.body
    assert {row["t"] for row in new} == {1795122000000}  # 16:00 in New York
    assert all(row["l"] <= min(row["o"], row["c"]) and row["h"] >= max(row["o"], row["c"]) for row in new)


def test_over_the_counter_bars_come_when_asked_for() -> None:
    rows = ask(f"{GROUPED}2026-11-19", include_otc="true")["results"]
    assert any(row.get("otc") for row in rows)
    assert not any("otc" in row for row in ask(f"{GROUPED}2026-11-19")["results"])
    assert not any("otc" in row for row in ask(f"{GROUPED}2020-11-19", include_otc="true")["results"])


def test_a_day_without_bars_has_no_list() -> None:
    for day in ("2026-11-14", "2026-07-03", "2026-11-20", "2026-12-01"):
        assert set(ask(GROUPED + day)) == {"queryCount", "resultsCount", "adjusted", "status", "request_id"}


def test_adjusted_bars_are_the_raw_ones_times_later_splits() -> None:
    raw = {row["T"]: row["c"] for row in ask(f"{GROUPED}2024-05-08", adjusted="false")["results"]}
    adjusted = {row["T"]: row["c"] for row in ask(f"{GROUPED}2024-05-08")["results"]}
    paths = {
        one.symbol_on(date(2024, 5, 8).toordinal()): path for one, path in MARKET.paths(date(2024, 5, 8).toordinal())
    }
    until = NOW.date().toordinal()
    moved = [
        name
        for name in raw
        if name in paths and raw[name] > 1 and paths[name].split_factor(date(2024, 5, 8).toordinal(), until) != 1
    ]
    assert moved
    for name in moved:
        factor = paths[name].split_factor(date(2024, 5, 8).toordinal(), until)
        assert adjusted[name] == pytest.approx(raw[name] * factor, rel=0.02, abs=0.006)


def test_the_same_seed_is_the_same_market() -> None:
    again = Market(7, 600)
    for path in (f"{GROUPED}2026-11-19", "/stocks/v1/splits", "/stocks/v1/dividends", "/stocks/v1/short-interest"):
        assert ask(path, market=again)["results"] == ask(path)["results"]
    assert ask("/stocks/v1/splits", market=Market(8, 600))["results"] != ask("/stocks/v1/splits")["results"]


def test_cursors_are_binary_with_their_equal_signs() -> None:
    page = ask("/stocks/v1/splits", limit="50", sort="ticker.asc")
    token = page["next_url"].partition("cursor=")[2]
    assert token.endswith("=")
    assert "count" not in page
    with pytest.raises(UnicodeDecodeError):
        base64.urlsafe_b64decode(token).decode()
    rows = whole("/stocks/v1/splits", sort="ticker.asc,execution_date.asc")
    assert len({row["id"] for row in rows}) == len(rows)
    assert [row["ticker"] for row in rows] == sorted(row["ticker"] for row in rows)


def test_splits_are_awkward() -> None:
    rows = whole("/stocks/v1/splits", now=NOW)
    assert {row["adjustment_type"] for row in rows} == {"forward_split", "reverse_split", "stock_dividend"}
    pairs = Counter((row["ticker"], row["execution_date"], row["split_to"], row["split_from"]) for row in rows)
    assert 2 in pairs.values()
    today = NOW.date().isoformat()
    assert all(("historical_adjustment_factor" in row) == (row["execution_date"] <= today) for row in rows)
    said = [(split.said, split.day) for _, path in MARKET.all_paths(NOW.date().toordinal()) for split in path.splits]
    assert any(one != other for one, other in said)


def test_a_reverse_split_with_a_new_symbol_is_told_of_the_old_one() -> None:
    rows = {(row["ticker"], row["execution_date"]) for row in whole("/stocks/v1/splits")}
    found = 0
    for one, path in MARKET.all_paths(NOW.date().toordinal()):
        renamed = {day for day, _ in one.renames or ()}
        for split in path.splits:
            if split.day in renamed and one.active_on(split.day):
                assert (one.symbol_on(split.day - 1), date.fromordinal(split.day).isoformat()) in rows
                found += 1
    assert found


def test_dividends_are_awkward() -> None:
    rows = whole("/stocks/v1/dividends")
    assert {row["currency"] for row in rows} == {"USD", "CNY"}
    assert 2 in Counter((row["ticker"], row["ex_dividend_date"]) for row in rows).values()
    assert any("declaration_date" not in row for row in rows)
    today = NOW.date().isoformat()
    ahead = [row for row in rows if row["ex_dividend_date"] > today]
    assert ahead
    assert not any("historical_adjustment_factor" in row for row in ahead)
    assert any("historical_adjustment_factor" not in row for row in rows if row["ex_dividend_date"] <= today)
    assert any(
        row["split_adjusted_cash_amount"] != row["cash_amount"] for row in rows if "split_adjusted_cash_amount" in row
    )


def test_ids_and_factors_are_restated_and_events_stay() -> None:
    def events(now: datetime) -> dict[tuple[Any, ...], tuple[Any, Any]]:
        rows = whole("/stocks/v1/splits", now=now)
        key = ("ticker", "execution_date", "adjustment_type", "split_from", "split_to")
        return {tuple(row[name] for name in key): (row["id"], row.get("historical_adjustment_factor")) for row in rows}

    before, after = events(NOW), events(NOW + timedelta(days=30))
    assert before.keys() <= after.keys()
    new_ids = sum(before[key][0] != after[key][0] for key in before)
    assert 0 < new_ids < len(before) / 4
    assert any(before[key][1] != after[key][1] for key in before)


def test_prices_fall_by_the_dividend_on_its_ex_date() -> None:
    checked = 0
    for one, path in MARKET.all_paths(NOW.date().toordinal()):
        for payout in path.payouts:
            if one.active_on(payout.day) and payout.share > 0.025:
                before = last_session(payout.day - 1)
                assert path.factor(payout.day) / path.factor(before) < 0.98 or any(
                    s.day == payout.day for s in path.splits
                )
                checked += 1
    assert checked


def test_short_interest_is_seen_eight_sessions_after_settlement() -> None:
    def dates(day: str) -> set[str]:
        now = datetime.fromisoformat(f"{day}T15:00:00+00:00")
        return {
            row["settlement_date"]
            for row in whole("/stocks/v1/short-interest", now=now, **{"settlement_date.gte": "2026-10-01"})
        }

    assert dates("2026-10-26") == set()
    assert dates("2026-10-27") == {"2026-10-15"}


def test_a_free_key_sees_two_years_and_no_unfinished_day() -> None:
    app = App(MARKET, SANDBOX_KEY, plan="free", now=lambda: NOW)

    def status(path: str) -> tuple[int, str]:
        answer = app.answer(Request("GET", path, {}, HEADERS))
        return answer.status, json.loads(answer.body).get("message", "")[:20]

    assert status(f"{GROUPED}2026-11-20") == (403, "Attempted to request")
    assert status(f"{GROUPED}2024-11-01") == (403, "Your plan doesn't in")
    assert status("/v2/snapshot/locale/us/markets/stocks/tickers") == (403, "You are not entitled")
    assert status(f"{GROUPED}2026-11-19") == (200, "")


@pytest.mark.parametrize(("plan", "years"), [("free", 2), ("starter", 5), ("developer", 10), ("paid", 23)])
def test_each_plan_has_a_key_and_reaches_so_many_years_back(plan: str, years: int) -> None:
    app = App(MARKET, SANDBOX_KEY, now=lambda: NOW)

    def status(on: date) -> int:
        headers = {"authorization": f"Bearer {SANDBOX_KEY}-{plan}"}
        return app.answer(Request("GET", f"{GROUPED}{on}", {}, headers)).status

    within = NOW.date() - timedelta(days=365 * years - 1)
    assert status(within) == 200
    assert status(within - timedelta(days=3)) == (200 if plan == "paid" else 403)
    assert (
        app.answer(Request("GET", "/stocks/v1/splits", {}, {"authorization": "Bearer sandbox-key-gold"})).status == 401
    )


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"{GROUPED}yesterday", {}),
        (f"{GROUPED}2026-11-19", {"adjusted": "perhaps"}),
        ("/stocks/v1/splits", {"limit": "5001"}),
        ("/stocks/v1/splits", {"sort": "price.asc"}),
        ("/stocks/v1/splits", {"cursor": "bm9uZQ=="}),
        ("/vX/reference/ipos", {"limit": "1001"}),
        ("/vX/reference/ipos", {"cursor": "!"}),
    ],
)
def test_what_the_api_refuses_is_refused(path: str, query: dict[str, str]) -> None:
    answer = App(MARKET, SANDBOX_KEY, now=lambda: NOW).answer(Request("GET", path, query, HEADERS))
    assert (answer.status, json.loads(answer.body)["status"]) == (400, "ERROR")
