"""A schedule of several lists: each at its own times, one fails alone, all share one client and one session."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import Serve, command, flags, many, stock, table
from stockpipe.base.clock import Clock
from stockpipe.datasets import DATASETS, TICKERS
from stockpipe.errors import ApiError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import make_jobs
from stockpipe.sandbox import Answer, Request
from stockpipe.schedule.cron import daily_at
from stockpipe.schedule.daily import Daily, Line
from stockpipe.schedule.due import Due, EachDay, EachSession, Published
from stockpipe.schedule.lists import SharedDesk, lines_of, rule_of
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import published_days
from support.loads import STOCKS, load

NEW_YORK = ZoneInfo("America/New_York")
DAILY = daily_at(4, 30, NEW_YORK)


class Over(BaseException):
    """The end of a test's time."""


class Fast(Clock):
    """A clock that moves when somebody waits, until a moment."""

    def __init__(self, begin: str, end: str) -> None:
        self.moment, self.end = utc(begin), utc(end)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        self.moment += timedelta(seconds=seconds)
        if self.moment > self.end:
            raise Over
        return not stop.is_set()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_each_line_has_its_own_times_and_its_own_failures(caplog: pytest.LogCaptureFixture) -> None:
    clock = Fast("2026-02-06 09:00", "2026-02-07 20:00")
    ends: list[dict[date, datetime]] = [{date(2026, 2, 5): utc("2026-02-05 10:00")} for _ in range(2)]
    loaded: list[tuple[str, str, str]] = []

    def loading(number: int, name: str) -> Line:
        def load(due: Due) -> None:
            loaded.append((f"{clock.now():%d %H:%M}", name, str(due.ds)))
            if name == "bars" and len([one for one in loaded if one[1] == "bars"]) == 1:
                raise ApiError("planned")
            ends[number][due.ds] = clock.now()

        return Line(EachDay(DAILY) if name == "list" else EachSession(time(11)), load, name)

    caplog.set_level("INFO", "stockpipe")
    lines = [loading(0, "list"), loading(1, "bars")]
    with pytest.raises(Over):
        Daily(lines, lambda: list(map(Published, ends)), clock).run()
    assert loaded == [
        ("06 09:30", "list", "2026-02-06"),
        ("07 09:30", "list", "2026-02-07"),
        ("07 16:00", "bars", "2026-02-06"),
        ("07 16:15", "bars", "2026-02-06"),  # the list has its day, and is not asked for again
    ]
    said = [entry.message for entry in caplog.records]
    assert "bars, 2026-02-06 failed (try 1, exit code 5): planned" in said
    assert "Next: bars, 2026-02-06 at 2026-02-07 11:00 America/New_York (16:00 UTC)." in said
    assert "Next: bars, 2026-02-06 again (try 2) at 2026-02-07 11:15 America/New_York (16:15 UTC)." in said


def test_the_kind_of_a_dataset_tells_when_it_is_due() -> None:
    assert rule_of(TICKERS, DAILY) == EachDay(DAILY, dated=True)
    for dataset in DATASETS.values():
        rule = rule_of(dataset, DAILY)
        assert isinstance(rule, EachSession) is (dataset.kind.calendar == "sessions")


def test_the_loads_of_one_moment_share_a_desk_until_one_fails(serve: Serve) -> None:
    coins = [stock(f"X:C{number}USD", market="crypto", locale="global") for number in range(3)]
    env = flags(serve([*many(5), *coins]))
    opened: list[Desk] = []

    def open_desk(stack: ExitStack) -> Desk:
        opened.append(stack.enter_context(Desk(load_settings(env, env={}), Clock())))
        return opened[-1]

    shared = SharedDesk(open_desk)
    published: list[str] = []
    jobs = make_jobs(Clock(), (), {"market": ("stocks", "crypto", "fx")})
    lines = lines_of(jobs, DAILY, shared, Clock(), None, lambda loads: published.append(loads[0].part.label))
    today = Due(date(2026, 2, 6), dated=False)
    lines[0].load(today)
    lines[1].load(today)
    assert (len(opened), published, lines[0].label) == (1, ["stocks", "crypto"], "tickers: stocks")
    with pytest.raises(Exception, match="no row"):
        lines[2].load(today)
    lines[1].load(today)
    shared.close()
    assert len(opened) == 2
    # A list of the present is never labelled with another day.
    assert table("SELECT count(*) FROM TICKERS WHERE DS = '2026-02-06'") == [(0,)]


def test_missed_days_are_loaded_together_and_each_fails_alone(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """As a backfill does: in one transaction, and what fails is retried by itself."""
    bad = {date(2026, 2, 4)}

    def spoiled(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if request.query.get("date") in {str(day) for day in bad}:
                return Answer(400, b'{"status":"ERROR","error":"planned"}')
            return respond(request)

        return answer

    env = flags(serve(many(5), wrap=spoiled))
    load(env, on="2026-02-02")
    shared = SharedDesk(lambda stack: stack.enter_context(Desk(load_settings(env, env={}), Clock())))
    [line] = lines_of(make_jobs(Clock()), DAILY, shared, Clock(), None)
    clock = Fast("2026-02-06 09:00", "2026-02-06 09:10")
    known = [Published({date(2026, 2, 2): utc("2026-02-02 10:00")})]

    def look_up() -> list[Published]:
        with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
            known[0] = Published(published_days(warehouse, [STOCKS]))
        return known

    caplog.set_level("INFO", "stockpipe.schedule")
    with pytest.raises(Over):
        Daily([line], look_up, clock, done=shared.close).run()
    assert table("SELECT DISTINCT DS::VARCHAR FROM TICKERS ORDER BY 1") == [
        ("2026-02-02",), ("2026-02-03",), ("2026-02-05",),
    ]  # fmt: skip
    statuses = "SELECT STATUS, count(DISTINCT RUN_ID), count(*) FROM STOCKPIPE_RUNS WHERE DS > '2026-02-02' GROUP BY 1 ORDER BY 1"
    assert table(statuses) == [("failed", 1, 1), ("published", 1, 2)]
    said = [entry.message for entry in caplog.records]
    assert "3 days are missing, 2026-02-03 to 2026-02-05. Loading their dated records." in said
    assert any(text.startswith("2026-02-04 failed (try 1, exit code 5): The API refused the request") for text in said)


def test_one_entry_of_a_scheduler_loads_several_lists() -> None:
    done = command("schedule", "--install", "cron", "--market", "stocks,crypto", "--market", "fx")
    assert (done.returncode, "--market stocks,crypto,fx --active true" in done.stdout) == (0, True)
    assert "stockpipe-stocks-crypto-fx.log" in done.stdout


def test_a_market_that_does_not_exist_is_refused_at_once() -> None:
    done = command("schedule", "--market", "stocks,bonds", env={"POLYGON_API_KEY": "key"})
    assert (done.returncode, json.dumps("bonds")[1:-1] in done.stderr) == (2, True)
