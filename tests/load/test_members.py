"""A day of bars beside the list of that day: both sides of each bound, and a day of bars that was cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from conftest import flags, table
from stockpipe.datasets import DATASETS, Part
from stockpipe.errors import DataCheckError
from stockpipe.load.checks import members
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.schedule.backfill import Report, Wanted, backfill
from stockpipe.settings import load_settings
from support.clocks import FakeClock
from support.days import record, staged
from support.loads import load

SESSION, SATURDAY = date(2026, 2, 6), date(2026, 2, 7)


@pytest.mark.parametrize(
    ("bars", "listed", "day", "severity"),
    [
        (800, 1000, SESSION, None), (799, 1000, SESSION, "warn"), (700, 1000, SESSION, "warn"), (699, 1000, SESSION, "refuse"),
        (1500, 1000, SESSION, None), (1, 199, SESSION, None), (1, 200, SESSION, "refuse"), (0, 1000, SATURDAY, None),
    ],
)  # fmt: skip
def test_bars_for_those_that_were_listed(bars: int, listed: int, day: date, severity: str | None) -> None:
    made = Load(Part(DATASETS["daily_bars"]), day, dated=True)
    found = [finding.severity for finding in members(made, staged(bars), record(listed))]
    assert found == ([severity] if severity else [])
    assert list(members(made, staged(bars), None)) == []


NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CUT = r"150 daily bars for 25\d listed stocks of 2026-11-19 \((59|60)%\)"


def cut(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """An API whose days of bars end after 150 rows."""

    def answer(request: Request) -> Answer:
        whole = respond(request)
        if "grouped" not in request.path:
            return whole
        body = json.loads(whole.body)
        body["results"] = body["results"][:150]
        return Answer(200, json.dumps(body).encode(), whole.headers)

    return answer


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    with Sandbox(rows=250, now=lambda: NOW, wrap=cut) as sandbox:
        yield flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")


def test_a_day_of_bars_that_was_cut_is_refused_beside_the_list_of_the_day(env: dict[str, str]) -> None:
    clock = FakeClock(moment=NOW)
    load(env, clock, on="2026-11-19")
    for dry in (True, False):
        with pytest.raises(DataCheckError, match=CUT):
            load(env, clock, dataset="daily_bars", dry_run=dry)
    assert load(env, clock, dataset="daily_bars", force=True).records[0].forced
    assert table("SELECT count(*) FROM daily_bars") == [(150,)]


def test_a_backfill_refuses_it_too_and_the_day_without_a_list_passes(env: dict[str, str]) -> None:
    clock = FakeClock(moment=NOW)
    load(env, clock, on="2026-11-19")
    with Desk(load_settings(env, env={}), clock) as desk:
        bars = Wanted(DATASETS["daily_bars"].parts(), [date(2026, 11, 18), date(2026, 11, 19)])
        report = backfill(desk, [bars], lambda *_: None, Report())
    assert (report.days, [one.ds for one in report.failed], report.codes) == (1, [date(2026, 11, 19)], [7])
    assert re.search(CUT, str(report.failed[0].error))
