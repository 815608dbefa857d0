"""Bars of a day: what is awkward about them arrives as it was sent, and a day that cannot be there is told apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from conftest import flags, table
from stockpipe.base.calendar import last_session
from stockpipe.errors import ApiError, NotYet, OutOfReach
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.sandbox.market import Market
from support.clocks import FakeClock
from support.loads import load

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PATH = "/v2/aggs/grouped/locale/us/market/stocks/"


class Server:
    """The sandbox's API, but for days with a body of their own."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        self.status = 200

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            bodies = self.bodies.get(request.path.removeprefix(PATH))
            if not bodies:
                return respond(request)
            body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            return Answer(self.status, body, {"Content-Type": "application/json"})

        return answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def env(server: Server) -> Iterator[dict[str, str]]:
    with Sandbox(rows=120, wrap=server.wrap, now=lambda: NOW) as sandbox:
        yield flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")


def bars(env: dict[str, str], **how: Any) -> Any:
    return load(env, FakeClock(moment=NOW), dataset="daily_bars", **how)


def body(*rows: str) -> bytes:
    return f'{{"status":"OK","queryCount":{len(rows)},"results":[{",".join(rows)}]}}'.encode()


def test_the_last_session_before_today_is_loaded(env: dict[str, str]) -> None:
    result = bars(env)
    assert (result.records[0].ds, result.records[0].status) == (date(2026, 11, 19), "published")
    assert result.records[0].source.endswith("(dated)")
    assert table("SELECT count(*) = count(DISTINCT ticker), bool_or(ticker = 'NA'), bool_or(ticker = 'NAN'), bool_or(ticker = 'TRUE') FROM daily_bars") == [(True, True, True, True)]  # fmt: skip
    assert bars(env).records[0].status == "unchanged"


def test_values_arrive_as_they_were_sent(env: dict[str, str], server: Server) -> None:
    server.bodies["2026-11-18"] = [
        body(
            '{"T":"NA","v":1.432032e+06,"vw":2.1944,"o":2.21,"c":2.2,"h":2.25,"l":2.14,"t":1549054800000,"n":5577}',
            '{"T":"TRUE","v":171579195.679818,"vw":1e-06,"o":1e-06,"c":0.000001,"h":312402.8732,"l":1e-6,"t":1549054800000,"n":1}',
            '{"T":"na","v":0,"o":27.0653,"c":27.0653,"h":27.0653,"l":27.0653,"t":1549054800000,"otc":true}',
        )
    ]
    bars(env, on="2026-11-18")
    columns = "ticker, open, high, low, close, volume, vwap, transactions, stamp_utc, otc, ds"
    stamp, ds = datetime(2019, 2, 1, 21, 0, tzinfo=UTC).replace(tzinfo=None), date(2026, 11, 18)
    tiny, odd = Decimal("0.000001"), Decimal("27.0653")
    assert table(f"SELECT {columns} FROM daily_bars ORDER BY ticker") == [
        ("NA", Decimal("2.21"), Decimal("2.25"), Decimal("2.14"), Decimal("2.2"), 1432032, Decimal("2.1944"), 5577, stamp, None, ds),
        ("TRUE", tiny, Decimal("312402.8732"), tiny, tiny, Decimal("171579195.679818"), tiny, 1, stamp, None, ds),
        ("na", odd, odd, odd, odd, 0, None, None, stamp, True, ds),
    ]  # fmt: skip


def test_a_symbol_that_comes_twice_is_kept_once(env: dict[str, str], server: Server) -> None:
    one = '{"T":"A","v":1,"o":2,"c":2,"h":2,"l":2,"n":1}'
    two = '{"T":"B","v":1,"o":2,"c":2,"h":2,"l":2}'
    server.bodies["2026-11-18"] = [body(one, one, two, two.replace('"v":1', '"v":9,"n":3'))]
    result = bars(env, on="2026-11-18", force=True)
    assert table("SELECT ticker, volume, transactions FROM daily_bars ORDER BY 1") == [("A", 1, 1), ("B", 9, 3)]
    assert (result.records[0].rows_repeated, result.records[0].rows_rejected) == (1, 1)
    assert "Two different rows for: B" in result.records[0].warnings[0] + result.records[0].warnings[-1]


@pytest.mark.parametrize("empty", ['{"status":"OK","queryCount":0}', '{"status":"OK","results":[]}', '{"status":"OK","results":null}'])  # fmt: skip
def test_no_bars_is_nothing_to_load_on_a_holiday_and_a_fault_on_a_session(
    env: dict[str, str], server: Server, empty: str
) -> None:
    server.bodies["2026-07-03"] = [empty.encode()]  # Independence Day, kept on Friday
    result = bars(env, on="2026-07-03")
    assert (result.records[0].status, result.rows, table("SELECT count(*) FROM daily_bars")) == (
        "nothing",
        0,
        [(0,)],
    )
    assert table("SELECT ds, status FROM stockpipe_runs") == [(date(2026, 7, 3), "nothing")]
    full = body('{"T":"A","v":1,"o":2,"c":2,"h":2,"l":2,"n":1}')
    server.bodies["2026-07-06"] = [empty.encode(), full]
    retried = bars(env, on="2026-07-06")
    assert (retried.rows, retried.records[0].retries) == (1, 1)
    server.bodies["2026-07-07"] = [empty.encode()]
    with pytest.raises(ApiError, match="did not give a usable answer"):
        bars(env, on="2026-07-07")


def test_a_day_that_is_not_over_is_told_apart_from_one_out_of_reach() -> None:
    with Sandbox(rows=20, plan="free", now=lambda: NOW) as sandbox:
        env = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb", MASSIVE_PLAN="free")
        with pytest.raises(NotYet, match="before end of day") as early:
            bars(env, on="2026-11-20")
        assert (early.value.exit_code, early.value.transient) == (5, True)
        with pytest.raises(OutOfReach, match="data timeframe") as late:
            bars(env, on="2020-01-02")
        assert (late.value.exit_code, late.value.transient) == (4, False)
        assert bars(env, on="2026-11-19").records[0].status == "published"


def test_prices_jump_by_the_split_on_its_day() -> None:
    """Every split of the sandbox's market within two years; its price moves by some per cent beside that."""
    market, checked = Market(7, 120), 0
    for security, path in market.all_paths(NOW.date().toordinal()):
        for split in path.splits:
            if date(2024, 11, 21) < date.fromordinal(split.day) < NOW.date() and security.active_on(split.day):
                before = path.close(last_session(split.day - 1))
                assert 0.8 < path.close(split.day) * split.new / (before * split.old) < 1.2
                checked += 1
    assert checked > 5


def test_an_early_pull_is_corrected_by_a_later_one() -> None:
    moment = [datetime(2026, 11, 19, 23, 0, tzinfo=UTC)]
    with Sandbox(rows=120, now=lambda: moment[0]) as sandbox:
        env = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")
        load(env, FakeClock(moment=moment[0]), dataset="daily_bars", on="2026-11-19")
        early = table("SELECT sum(volume) FROM daily_bars")
        moment[0] = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
        assert load(env, FakeClock(moment=moment[0]), dataset="daily_bars").records[0].status == "published"
        assert table("SELECT sum(volume) FROM daily_bars") < early


def test_renames_are_followed_on_the_day() -> None:
    market = Market(7, 120)
    with Sandbox(rows=120, now=lambda: NOW) as sandbox:
        security, day = next(
            (one, day)
            for one in market.securities + [one for one, _ in market.all_paths(NOW.date().toordinal())]
            for day, _ in one.renames or ()
            if day > date(2020, 1, 1).toordinal() and one.active_on(day)
        )
        before, after = symbols(sandbox, last_session(day - 1)), symbols(sandbox, day)
    # A stock that nobody traded has no bar that day; it never has one under another name.
    assert not {security.symbol_on(day)} & before
    assert not {security.symbol_on(day - 1)} & after
    assert {security.symbol_on(day - 1)} & before or {security.symbol_on(day)} & after


def symbols(sandbox: Sandbox, day: int) -> set[str]:
    """Those of the bars of an ordinal."""
    headers = {"authorization": "Bearer sandbox-key"}
    answer = sandbox.app.answer(Request("GET", f"{PATH}{date.fromordinal(day)}", {}, headers))
    return {row["T"] for row in json.loads(answer.body)["results"]}
