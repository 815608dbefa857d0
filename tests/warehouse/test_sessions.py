"""The trading days from the lists of holidays that are loaded: they come before the rules, and a late closing is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from conftest import command, flags, table
from snowflake_gate import SnowflakeGate
from stockpipe.base.calendar import RULES
from stockpipe.datasets import DATASETS
from stockpipe.errors import ApiError
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.schedule.missing import expected_days, gaps
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.sessions import sessions_from, sessions_of
from support.clocks import FakeClock
from support.loads import load

BARS = DATASETS["daily_bars"]


def november(number: int) -> date:
    return date(2026, 11, number)


LISTS = [(november(2), november(26)), (november(9), november(26)), (november(23), november(30))]


@pytest.mark.parametrize(
    ("nyse", "nasdaq", "day", "is_session"),
    [
        # Thanksgiving, as both say in their newest list before it; no rule closes the 24th.
        ({26: 23}, {26: 23}, 26, False), ({24: 23}, {24: 23}, 24, False),
        # Announced on the day itself.
        ({24: 24}, {24: 24}, 24, False),
        # One exchange trades; a holiday that the newest list has no more; none at all.
        ({26: 23}, {}, 26, True), ({26: 9}, {26: 9}, 26, True), ({}, {}, 26, True),
        # The first list's own day; a weekend; days that no list covers.
        ({2: 2}, {2: 2}, 2, False), ({}, {}, 28, False),
    ],
)  # fmt: skip
def test_a_list_comes_before_the_rules(
    nyse: dict[int, int], nasdaq: dict[int, int], day: int, is_session: bool
) -> None:
    named = [{november(on): november(ds) for on, ds in one.items()} for one in (nyse, nasdaq)]
    found = sessions_from(LISTS, named)
    assert found.is_session(november(day).toordinal()) is is_session
    assert not found.is_session(date(2026, 12, 25).toordinal())
    assert found.is_session(date(2026, 12, 24).toordinal())


def test_no_list_is_the_rules_and_a_known_closing_is_one_whatever_a_list_said() -> None:
    assert sessions_from([], []) == RULES
    told = sessions_from([(date(2025, 1, 2), date(2025, 12, 25))], [{}])
    assert [told.is_session(date(2025, 1, day).toordinal()) for day in (8, 9, 10)] == [True, False, True]
    assert told.last_session(date(2025, 1, 9).toordinal()) == date(2025, 1, 8).toordinal()


# A Monday and the day after it, on which the exchanges are closed at short notice.
MONDAY, TUESDAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC), november(17)
CLOSING = [{"date": "2026-11-17", "exchange": name, "name": "Storm", "status": "closed"} for name in ("NYSE", "NASDAQ")]


def stormy(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """An API that tells of the closing, and has no bars of that day."""

    def answer(request: Request) -> Answer:
        if request.path.endswith("/2026-11-17"):
            return Answer(200, b'{"queryCount":0,"resultsCount":0,"status":"OK"}', {"X-Sandbox": "synthetic seed=7"})
        whole = respond(request)
        if request.path != "/v1/marketstatus/upcoming":
            return whole
        return Answer(200, json.dumps([*CLOSING, *json.loads(whole.body)]).encode(), whole.headers)

    return answer


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    later = MONDAY + timedelta(days=4)
    with Sandbox(rows=30, now=lambda: later, wrap=stormy) as sandbox:
        yield flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb", STOCKPIPE_TORN_PAUSE="0")


def test_a_closing_that_no_rule_tells_is_nothing_to_load_once_it_is_in_a_list(env: dict[str, str]) -> None:
    later = FakeClock(moment=MONDAY + timedelta(days=4))
    with pytest.raises(ApiError):
        load(env, later, dataset="daily_bars", on=TUESDAY)
    load(env, FakeClock(moment=MONDAY), dataset="market_holidays")
    assert load(env, later, dataset="daily_bars", on=TUESDAY).records[0].message == (
        "Nothing to load: 2026-11-17 was no trading day."
    )
    with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
        known = sessions_of(warehouse)
    assert expected_days(BARS, november(16), november(18), calendar=known) == [november(16), november(18)]
    assert expected_days(BARS, november(16), november(18)) == [november(16), TUESDAY, november(18)]
    assert gaps(BARS, {november(16), november(18)}, known) == []
    done = command("backfill", "--dataset", "daily_bars", "--from", "2026-11-16", "--to", "2026-11-18", env=env)
    assert done.returncode == 0
    assert table("SELECT DISTINCT ds FROM daily_bars ORDER BY 1") == [(november(16),), (november(18),)]


def test_snowflake_tells_the_same(env: dict[str, str]) -> None:
    with SnowflakeGate() as gate:
        env = env | gate.env() | {"STOCKPIPE_SAMPLE_DATA": "true", "STOCKPIPE_WAREHOUSE": "snowflake"}
        with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
            assert sessions_of(warehouse) == RULES
            load(env, FakeClock(moment=MONDAY), dataset="market_holidays")
            known = sessions_of(warehouse)
    days = [november(number).toordinal() for number in (16, 17, 18, 26)]
    assert [known.is_session(day) for day in days] == [True, False, True, False]
