"""The smaller lists of a desk: what is awkward about each of them, loaded from the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conftest import flags, table
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import DATASETS
from stockpipe.errors import AccessError, UsageError
from stockpipe.load.loads import make_loads
from stockpipe.sandbox import Answer, Request, Sandbox
from support.clocks import FakeClock
from support.loads import load

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


class Market:
    """A sandbox whose clock, and one answer, a test may set."""

    def __init__(self) -> None:
        self.now = NOON
        self.rows: list[dict[str, Any]] | None = None
        self.sandbox = Sandbox(rows=60, now=lambda: self.now, wrap=self._wrap)

    def _wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if self.rows is None:
                return respond(request)
            body: Any = {"status": "OK", "results": self.rows, "tickers": self.rows}
            text = json.dumps(self.rows if "marketstatus" in request.path else body)
            return Answer(200, text.encode(), {"Content-Type": "application/json", "X-Sandbox": "synthetic seed=7"})

        return answer

    def load(self, dataset: str, **how: Any) -> Any:
        return load(
            flags(self.sandbox, STOCKPIPE_WAREHOUSE="duckdb"), FakeClock(moment=self.now), dataset=dataset, **how
        )


@pytest.fixture
def market() -> Iterator[Market]:
    market = Market()
    with market.sandbox:
        yield market


def test_every_dataset_is_loaded_from_the_sandbox_and_is_the_same_the_second_time(market: Market) -> None:
    for name in DATASETS:
        first = market.load(name).records[0]
        assert (first.status, first.rows_rejected, first.warnings, first.new_fields) == ("published", 0, [], []), name
        assert market.load(name).records[0].status == "unchanged", name


def test_exchange_ids_repeat_and_feeds_have_no_code(market: Market) -> None:
    market.load("exchanges")
    assert table("SELECT count(*), count(DISTINCT mic) FROM exchanges WHERE id = 4") == [(4, 4)]
    assert table("SELECT count(mic) FROM exchanges WHERE type = 'SIP'") == [(0,)]


def test_holidays_are_a_bare_list_with_early_closes_in_utc(market: Market) -> None:
    market.load("market_holidays")
    assert table("SELECT exchange, name, status, open_utc, close_utc FROM market_holidays WHERE holiday_date = '2026-11-27' ORDER BY 1") == [
        (exchange, "Thanksgiving", "early-close", datetime(2026, 11, 27, 14, 30, tzinfo=UTC).replace(tzinfo=None), datetime(2026, 11, 27, 18, tzinfo=UTC).replace(tzinfo=None))
        for exchange in ("NASDAQ", "NYSE")
    ]  # fmt: skip
    # The list gets shorter with each holiday, and longer by a year at once: that is no loss, and no rise.
    market.rows = [{"date": "2026-12-25", "exchange": "NYSE", "name": "Christmas", "status": "closed"}]
    market.now += timedelta(days=7)
    assert market.load("market_holidays").rows == 1


def test_short_interest_without_volume_is_999_99(market: Market) -> None:
    market.load("short_interest")
    assert table("SELECT DISTINCT days_to_cover FROM short_interest WHERE avg_daily_volume = 0") == [(999.99,)]
    assert table("SELECT count(DISTINCT settlement_date) FROM short_interest") == [(3,)]
    market.load("short_interest", words={"since": "all"})
    assert table("SELECT count(DISTINCT settlement_date), count(known_to) FROM short_interest") == [(12, 0)]


def test_an_ipo_may_have_no_listing_date(market: Market) -> None:
    market.load("ipos")
    assert table("SELECT bool_and(listing_date IS NULL) FROM ipos WHERE ipo_status IN ('pending', 'withdrawn', 'rumor')") == [(True,)]  # fmt: skip
    one = {"ticker": "QQQQ", "issuer_name": "Qua", "ipo_status": "pending", "last_updated": "2026-11-01", "us_code": "000123456"}  # fmt: skip
    market.rows = [one]
    market.load("ipos", force=True)
    market.rows = [one | {"last_updated": "2026-11-20"}, one | {"issuer_name": "Another", "ipo_status": "withdrawn"}]
    market.now += timedelta(days=1)
    market.load("ipos")
    current = "SELECT issuer_name, ipo_status, last_updated, us_code, known_from FROM ipos_current ORDER BY 1"
    assert table(current) == [
        ("Another", "withdrawn", date(2026, 11, 1), "000123456", date(2026, 11, 21)),
        ("Qua", "pending", date(2026, 11, 20), "000123456", date(2026, 11, 20)),
    ]


def test_a_row_of_another_day_is_rejected(market: Market) -> None:
    market.rows = [{"ticker": f"T{number}", "date": "2026-11-18" if number == 7 else "2026-11-17", "total_volume": 16264662.5} for number in range(200)]  # fmt: skip
    result = market.load("short_volume", on="2026-11-17")
    assert (result.rows, result.records[0].rows_rejected) == (199, 1)
    assert table("SELECT reason FROM stockpipe_rejects") == [("date is not the day that was asked for",)]
    assert table("SELECT DISTINCT ds, CAST(total_volume AS VARCHAR) FROM short_volume") == [(date(2026, 11, 17), "16264662.500000")]  # fmt: skip


SNAPSHOT = {
    "ticker": "A", "todaysChangePerc": 251999900.0, "updated": 1605195848994246100, "fmv": 20.5,
    "day": {"c": 20.506, "v": 37216, "dv": "37216.0", "new": 1}, "min": {"av": 37216, "t": 1684428600000, "n": 5},
    "prevDay": {"c": 1e-06, "v": 1.5}, "lastTrade": {"c": None, "i": "71675577320245", "t": 1605192894630916600},
}  # fmt: skip
CELLS = "ticker, todays_change_perc, CAST(updated_utc AS VARCHAR), day_close, day_volume_text, minute_utc, previous_close, last_trade_conditions, CAST(extra AS VARCHAR)"


def test_nested_fields_are_found_by_their_path(market: Market) -> None:
    market.rows = [SNAPSHOT, {"ticker": "B", "updated": 0, "lastTrade": {"c": [14, 41]}}]
    market.load("market_snapshot")
    minute = datetime(2023, 5, 18, 16, 50, tzinfo=UTC).replace(tzinfo=None)
    assert table(f"SELECT {CELLS} FROM market_snapshot ORDER BY 1") == [
        ("A", 251999900.0, "2020-11-12 15:44:08.9942461", 20.506, "37216.0", minute, 1e-06, None, '{"day":{"new":1}}'),
        ("B", None, "1970-01-01 00:00:00", None, None, None, None, "[14, 41]", None),
    ]


def test_pulls_of_a_day_replace_each_other_or_stay(market: Market) -> None:
    pulls = "SELECT pulled_utc, count(*) FROM market_snapshot GROUP BY 1 ORDER BY 1"
    first, second, third = (NOON.replace(tzinfo=None) + timedelta(minutes=30 * number) for number in range(3))
    market.load("market_snapshot")
    market.now = NOON + timedelta(minutes=30)
    market.load("market_snapshot")
    assert table(pulls) == [(second, 60)]
    market.now = NOON + timedelta(minutes=60)
    market.load("market_snapshot", words={"keep": "all"})
    assert table(pulls) == [(second, 60), (third, 60)]
    assert first < second


@pytest.mark.parametrize(("hour", "status"), [(8, "nothing"), (10, "published")])
def test_before_four_in_new_york_there_is_nothing_and_that_is_told(market: Market, hour: int, status: str) -> None:
    market.now = NOON.replace(hour=hour, minute=30)
    record = market.load("market_snapshot").records[0]
    assert record.status == status
    assert (record.message is None) == (status == "published")
    assert table("SELECT count(*) FROM market_snapshot") == [(0 if status == "nothing" else 60,)]


def test_the_snapshot_is_not_for_the_free_plan() -> None:
    with Sandbox(rows=10, plan="free", now=lambda: NOON) as sandbox:
        env = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb", MASSIVE_PLAN="free")
        with pytest.raises(AccessError, match="not entitled"):
            load(env, FakeClock(moment=NOON), dataset="market_snapshot")


def test_snowflake_takes_nested_fields_and_pulls(market: Market) -> None:
    market.rows = [SNAPSHOT]
    with SnowflakeGate() as gate:
        env = flags(market.sandbox) | gate.env() | {"STOCKPIPE_SAMPLE_DATA": "true"}
        for minutes in (0, 30):
            clock = FakeClock(moment=NOON + timedelta(minutes=minutes))
            load(env, clock, dataset="market_snapshot", words={"keep": "all"})
        assert gate.rows("SELECT ticker, day_close, count(DISTINCT pulled_utc) FROM market_snapshot GROUP BY 1, 2") == [
            ("A", 20.506, 2)
        ]


@pytest.mark.parametrize(
    ("dataset", "words", "message"),
    [
        ("daily_bars", {"otc": "yes"}, "otc is 'yes', which daily_bars does not know"),
        ("splits", {"since": "2020"}, "since is '2020', which splits does not know"),
        ("splits", {"since": "20200101"}, "since is '20200101', which splits does not know"),
        ("splits", {"since": "2020-W01-1"}, "since is '2020-W01-1', which splits does not know"),
        ("splits", {"otc": "true"}, "The dataset splits has no otc to choose"),
        ("splits", {"keep": "all"}, "Pulls of splits are not kept apart"),
        ("market_snapshot", {"keep": "some"}, "keep is 'some'"),
    ],
)
def test_a_word_that_means_nothing_is_refused(dataset: str, words: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_loads(FakeClock(moment=NOON), dataset, words)


@pytest.mark.parametrize(
    ("dataset", "words", "options"),
    [
        ("daily_bars", {}, (("include_otc", "false"),)),
        ("daily_bars", {"otc": "true"}, (("include_otc", "true"),)),
        ("short_interest", {}, (("settlement_date.gte", "2026-09-21"),)),
        ("short_interest", {"since": "all"}, ()),
        ("dividends", {"since": "2026-01-01"}, (("ex_dividend_date.gte", "2026-01-01"),)),
        ("dividends", {}, ()),
    ],
)
def test_options_of_a_query(dataset: str, words: dict[str, str], options: tuple[tuple[str, str], ...]) -> None:
    [made] = make_loads(FakeClock(moment=NOON), dataset, words)
    assert made.part.options == options
