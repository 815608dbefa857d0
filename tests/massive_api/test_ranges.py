"""Pages side by side: the ranges are the list, whatever the API's order, and few calls where calls are scarce."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import stockpipe
from conftest import SIDE_BY_SIDE, Serve, flags, many, spread, stock, table, write_listing
from stockpipe.errors import ApiError
from stockpipe.massive.client import Client, Origin
from stockpipe.massive.cuts import CutPlan, pages
from stockpipe.massive.memory import recall
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.massive.pages import Guard, Query
from stockpipe.sandbox import SANDBOX_KEY, Answer, Request, Sandbox
from support import loads
from support.clocks import FakeClock
from support.loads import STOCKS

pytestmark = pytest.mark.slow

Respond = Callable[[Request], Answer]


def bounds(sandbox: Sandbox) -> list[tuple[str | None, str | None]]:
    """The ranges that were asked for, first pages only."""
    queries = [call.query for call in sandbox.calls if "cursor" not in call.query]
    return [(query.get("ticker.gte"), query.get("ticker.lt")) for query in queries]


@pytest.mark.parametrize("calls", ["2", "8"])
def test_the_first_time_letters_cut_the_list_and_then_the_last_day_does(serve: Serve, calls: str) -> None:
    side_by_side = {"STOCKPIPE_PARALLEL_CALLS": calls}
    sandbox = serve(spread(5200))
    stockpipe.load(settings=flags(sandbox, **side_by_side))
    assert sorted(bounds(sandbox)[1:], key=str)[:2] == [("F", "FS"), ("FS", "HL")]
    assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(5200, 5200)]
    sandbox.calls.clear()
    result = stockpipe.load(settings=flags(sandbox, **side_by_side))
    assert (result.rows, result.records[0].pages, len(sandbox.calls)) == (5200, 6, 6)
    assert sorted(bounds(sandbox), key=lambda pair: pair[0] or "") == [
        (None, "E0170"), ("E0170", "J0140"), ("J0140", "O0110"), ("O0110", "T0080"), ("T0080", "Y0050"), ("Y0050", None),
    ]  # fmt: skip


def test_a_list_of_one_page_is_one_call(serve: Serve) -> None:
    sandbox = serve(many(900))
    for _ in range(2):
        assert stockpipe.load(settings=flags(sandbox, **SIDE_BY_SIDE)).records[0].calls == 1


def test_a_key_that_shows_itself_paid_goes_side_by_side_in_this_run_and_in_the_next(serve: Serve) -> None:
    sandbox = serve(spread(10_400))
    auto = flags(sandbox, MASSIVE_PLAN="auto", **SIDE_BY_SIDE)
    assert stockpipe.load(settings=auto).rows == 10_400
    asked = bounds(sandbox)
    # Six pages of a plain walk end within O; the chain goes on to P, and later letters have chains of their own.
    assert asked[0] == (None, None)
    assert min(str(low) for low, _ in asked[1:]) == "P"
    sandbox.calls.clear()
    assert stockpipe.load(settings=auto).rows == 10_400
    assert (None, None) not in bounds(sandbox)
    assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(10_400, 10_400)]


def test_a_delay_that_the_user_set_keeps_the_walk_plain(serve: Serve) -> None:
    sandbox = serve(spread(2600))
    stockpipe.load(settings=flags(sandbox, RATE_LIMIT_DELAY="0.06", **SIDE_BY_SIDE))
    assert len(sandbox.calls) == 3


def load(
    wrap: Callable[[Respond], Respond], rows: list[dict[str, str]], *, falls_back: bool, **settings: str
) -> stockpipe.LoadResult:
    """A load side by side; whether it fell back to the whole list, page by page, is told by the ranges asked for."""
    first_day = not Path("stockpipe.duckdb.state.json").exists()
    with Sandbox(data=write_listing(Path("listing.csv"), rows), wrap=wrap) as sandbox:
        try:
            return loads.load(flags(sandbox, **SIDE_BY_SIDE, **settings))
        finally:
            assert [pair for pair in bounds(sandbox) if pair != (None, None)]
            assert bounds(sandbox).count((None, None)) == first_day + falls_back


def test_an_api_that_ignores_ranges_is_walked_page_by_page(caplog: pytest.LogCaptureFixture) -> None:
    def deaf(respond: Respond) -> Respond:
        def answer(request: Request) -> Answer:
            query = {name: text for name, text in request.query.items() if not name.startswith("ticker.")}
            return respond(Request(request.method, request.path, query, request.headers))

        return answer

    assert load(deaf, spread(2600), falls_back=True).rows == 2600
    assert "Fetching the list again, page by page" in caplog.text
    assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(2600, 2600)]


def listing(
    rows: list[dict[str, str]], order: Callable[[str], str], compare: Callable[[str], str]
) -> Callable[[Respond], Respond]:
    """An API that sorts its list in one order and compares the bounds of a range in another."""
    ranked = [{**row, "active": True} for row in sorted(rows, key=lambda row: order(row["ticker"]))]
    places = {str(row["ticker"]): compare(str(row["ticker"])) for row in ranked}

    def wrap(_: Respond) -> Respond:
        def answer(request: Request) -> Answer:
            query = (
                dict(part.split("=") for part in request.query["cursor"].split("|"))
                if "cursor" in request.query
                else request.query
            )
            low, high, first = query.get("ticker.gte"), query.get("ticker.lt"), int(query.get("at", 0))
            own = [
                row for row in ranked
                if (not low or places[str(row["ticker"])] >= compare(low)) and (not high or places[str(row["ticker"])] < compare(high))
            ]  # fmt: skip
            page = own[first : first + 1000]
            body: dict[str, object] = {"status": "OK", "request_id": "1", "results": page}
            if first + 1000 < len(own):
                kept = {name: text for name, text in query.items() if name.startswith("ticker.")} | {
                    "at": str(first + 1000)
                }
                body["next_url"] = f"{request.path}?cursor=" + "|".join(f"{name}={text}" for name, text in kept.items())
            return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

        return answer

    return wrap


@pytest.mark.parametrize("order", [str, str.upper], ids=["code points", "capitals and small alike"])
def test_any_order_of_small_letters_gives_the_whole_list(order: Callable[[str], str]) -> None:
    preferred = [stock(f"{row['ticker']}p{series}") for row in spread(1300)[::4] for series in "AbC"]
    rows = [*spread(1300), *preferred]
    for _ in range(2):
        assert load(listing(rows, order, order), rows, falls_back=False).rows == 2275
        assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(2275, 2275)]
        Path("stockpipe.duckdb").unlink()


def test_a_list_that_is_not_in_the_order_of_its_tickers_is_walked_page_by_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = spread(2600)
    assert load(listing(rows, lambda ticker: ticker[::-1], str), rows, falls_back=True).rows == 2600
    assert "not in the order of ticker" in caplog.text


def test_a_range_that_fails_for_good_fails_the_run_and_leaves_no_thread() -> None:
    def broken(respond: Respond) -> Respond:
        return lambda request: Answer(500) if request.query.get("ticker.gte") == "TS" else respond(request)

    with pytest.raises(ApiError, match="in 6 tries"):
        load(broken, spread(2600), falls_back=False)
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("fetch-")] == []


def test_a_run_that_waits_for_a_silent_server_in_many_threads_stops_at_once(serve: Serve) -> None:
    settings = flags(serve(spread(2600), latency=20), **SIDE_BY_SIDE)
    recall(Path("stockpipe.duckdb.state.json")).keep()
    remembered = recall(Path("stockpipe.duckdb.state.json"))
    remembered.learn_starts("tickers/stocks/active", ["F", "M"])
    remembered.keep()
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "stockpipe", "run"], env=os.environ | settings, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("Fetching"):
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert (process.returncode, "Stopped on request" in rest, "Traceback" in rest) == (143, True, False)
    assert time.monotonic() - began < 10


def test_a_free_key_gets_few_calls_and_at_most_one_refusal() -> None:
    """Twelve pages: five calls at once, five a minute later, two in the next; found out with one 429."""
    clock = FakeClock()
    with Sandbox(
        data=write_listing(Path("listing.csv"), spread(11_400)), plan="free", monotonic=clock.monotonic
    ) as sandbox:
        pacer = Pacer(Patience(clock, clock.seconds + 7200))
        with Client(Origin(sandbox.url, SANDBOX_KEY), pacer) as client:
            query = Query(STOCKS)
            rows = sum(
                len(page.rows) for _, page in pages(client, query, Guard(50), CutPlan(calls=8, starts=("F", "M")))
            )
        assert rows == 11_400
        assert [call.status for call in sandbox.calls].count(429) == 1
        assert 120 <= clock.seconds - 1000 <= 125


def test_what_is_remembered_of_a_key_is_its_plan_and_not_the_key() -> None:
    path, today = Path("state.json"), date(2026, 2, 7)
    memory = recall(path)
    assert memory.plan("the-secret-key", today) == "auto"
    memory.learn_plan("the-secret-key", "free", today)
    memory.learn_plan("another-key", "paid", today)
    memory.keep()
    again = recall(path)
    assert "secret" not in path.read_text()
    assert again.plan("the-secret-key", date(2026, 2, 13)) == "free"
    assert again.plan("the-secret-key", date(2026, 2, 14)) == "auto"
    assert again.plan("another-key", date(2027, 2, 14)) == "paid"
    assert again.plan("a-third-key", today) == "auto"
    again.learn_plan("another-key", "auto", today)
    assert again.plan("another-key", today) == "auto"


@pytest.mark.parametrize(
    "text",
    [
        "", "not json", "[1]", '{"plans": 3, "ranges": []}', '{"ranges": {"q": ["B", "A"]}}', '{"ranges": {"q": ["A", "A"]}}',
        '{"ranges": {"q": ["a"]}}', '{"ranges": {"q": [1]}}', '{"ranges": {"q": "A"}}', '{"plans": {"x": {"plan": "gold"}}}',
    ],
)  # fmt: skip
def test_a_spoiled_memory_is_no_memory(text: str) -> None:
    Path("state.json").write_text(text)
    memory = recall(Path("state.json"))
    assert memory.starts("q", "[A-Z0-9]+") == ()
    assert memory.plan("key", date(2026, 2, 7)) == "auto"
    memory.learn_starts("q", ["A", "B9"])
    memory.keep()
    assert recall(Path("state.json")).starts("q", "[A-Z0-9]+") == ("A", "B9")


def test_a_memory_that_cannot_be_written_costs_nothing(serve: Serve) -> None:
    Path("folder").mkdir()
    sandbox = serve(spread(2600))
    settings = flags(sandbox, STOCKPIPE_STATE_FILE="folder", **SIDE_BY_SIDE)
    assert stockpipe.load(settings=settings).rows == 2600
    assert len(bounds(sandbox)) > 1
    assert bounds(sandbox).count((None, None)) == 1


def test_a_dry_run_remembers_nothing(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(spread(2600)), **SIDE_BY_SIDE), dry_run=True)
    assert list(Path().glob("*.json")) == []
