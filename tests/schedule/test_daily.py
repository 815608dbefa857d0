"""The schedule left running: weeks on a clock of our own, real HTTP to the sandbox, a real DuckDB file. No real wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from conftest import flags, table
from stockpipe.base.clock import Clock
from stockpipe.datasets import Part
from stockpipe.errors import ApiError, ConfigError, WarehouseError
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.schedule.cron import daily_at
from stockpipe.schedule.daily import Daily, Line
from stockpipe.schedule.due import Due, EachDay, Published
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import published_days
from support.clocks import NEW_YORK, at
from support.loads import DELISTED, load_day, part
from support.metrics import STOCKS, values
from support.receivers import TOKEN, Receiver

DAILY = daily_at(4, 30, NEW_YORK)


class Killed(BaseException):
    """The process is gone, as after SIGKILL: nothing in it can catch this."""


@dataclass
class Life(Clock):
    """A clock that moves when somebody waits, in a machine that sleeps at times and a process that is killed at times."""

    moment: datetime
    naps: list[tuple[datetime, datetime]] = field(default_factory=list)
    kills: list[datetime] = field(default_factory=list)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float, stop: threading.Event) -> bool:
        """Wait. Asleep, the machine's monotonic clock stands still, so the wait goes on when it wakes."""
        end = self.moment + timedelta(seconds=seconds)
        if self.kills and self.kills[0] <= end:
            self.moment = self.kills.pop(0)
            raise Killed
        if self.naps and self.naps[0][0] <= end:
            asleep, awake = self.naps.pop(0)
            end += awake - asleep
        self.seconds += seconds
        self.moment = end
        return not stop.is_set()


@dataclass
class Api:
    """The sandbox, spoiled at times: from the first moment to the second it answers with a status."""

    clock: Life
    faults: list[tuple[datetime, datetime, int]] = field(default_factory=list)

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            for begin, end, status in self.faults:
                if begin <= self.clock.now() < end:
                    return Answer(status, b'{"status":"ERROR","error":"planned"}')
            return respond(request)

        return answer


def live(clock: Life, env: dict[str, str]) -> None:
    """Run the schedule as the command does, until the process is killed."""

    def load(due: Due) -> None:
        clock.moment += timedelta(seconds=1)
        load_day(clock, env, metrics_file=Path("out.prom"), on=due.ds if due.dated else None)

    with pytest.raises(Killed):
        Daily([Line(EachDay(DAILY), load)], lambda: [Published(published(env, part()))], clock).run()


def published(env: dict[str, str], *parts: Part) -> dict[date, datetime]:
    """The days that are published in all of these parts."""
    with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
        return published_days(warehouse, parts)


RUNS = """
SELECT strftime(STARTED_UTC::TIMESTAMP AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York', '%m-%d %H:%M'),
       strftime(DS, '%m-%d'), STATUS, ROWS_PUBLISHED, strftime(BUILD_DATE, '%m-%d') FROM STOCKPIPE_RUNS ORDER BY RUN_ID
"""


def test_a_week_with_failures_a_sleep_and_restarts_publishes_every_day_once(receiver: Receiver) -> None:
    # 2026-03-05 is a Thursday; on Sunday the 8th New York's clocks go forward.
    clock = Life(
        at("2026-03-05 12:00"),
        naps=[(at("2026-03-08 23:10"), at("2026-03-10 09:00"))],
        kills=[at("2026-03-10 20:00"), at("2026-03-12 01:00"), at("2026-03-14 12:00")],
    )
    api = Api(
        clock,
        [
            (at("2026-03-07 04:00"), at("2026-03-07 05:10"), 503),
            (at("2026-03-11 04:00"), at("2026-03-11 23:00"), 401),
        ],
    )
    with Sandbox(now=clock.now, rows=1200, wrap=api.wrap) as sandbox:
        env = flags(sandbox) | {"STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}"}
        live(clock, env)
        clock.moment = at("2026-03-10 21:00")
        live(clock, env)
        clock.moment = at("2026-03-12 10:00")
        live(clock, env)
    assert table(RUNS) == [
        # The first start is after 04:30: the day is loaded at once.
        ("03-05 12:00", "03-05", "published", 1200, "03-05"),
        ("03-06 04:30", "03-06", "published", 1200, "03-06"),
        # The API is down until 05:10: tried again after 15 and 30 minutes.
        ("03-07 04:30", "03-07", "failed", 0, None),
        ("03-07 04:45", "03-07", "failed", 0, None),
        ("03-07 05:15", "03-07", "published", 1200, "03-07"),
        ("03-08 04:30", "03-08", "published", 1200, "03-08"),
        # The machine slept from Sunday night to Tuesday morning. Monday's list is gone, its dated records are not.
        ("03-10 09:00", "03-09", "published", 1200, None),
        ("03-10 09:00", "03-10", "published", 1200, "03-10"),
        # Killed and started again in between. The key is refused all day: that is not retried before the next day.
        ("03-11 04:30", "03-11", "failed", 0, None),
        # Killed before 04:30 and started again at 10:00: the refused day and the missed one.
        ("03-12 10:00", "03-11", "published", 1200, None),
        ("03-12 10:00", "03-12", "published", 1200, "03-12"),
        ("03-13 04:30", "03-13", "published", 1200, "03-13"),
        ("03-14 04:30", "03-14", "published", 1200, "03-14"),
    ]
    days = "SELECT strftime(DS, '%m-%d'), count(*), count(DISTINCT TICKER) FROM TICKERS GROUP BY DS ORDER BY DS"
    assert table(days) == [(f"03-{day:02}", 1200, 1200) for day in range(5, 15)]
    told = [(document["ds"][5:], document["event"], document["exit_code"]) for document in receiver.documents]
    assert told == [
        ("03-07", "failed", 5),
        ("03-07", "failed", 5),
        ("03-07", "recovered", 0),
        ("03-11", "failed", 4),
        ("03-11", "recovered", 0),
    ]
    metrics = values(Path("out.prom").read_text(), STOCKS)
    assert (metrics["exit_status"], metrics["last_success_timestamp_seconds"] // 60 * 60) == (
        0,
        at("2026-03-14 04:30").timestamp(),
    )


# --- the loop alone ---


@dataclass
class Script:
    """A warehouse and an API in a few words: what each load of a day does, in turn; then all is well."""

    clock: Life
    outcomes: list[Exception | None] = field(default_factory=list)
    minutes: int = 0
    loads: list[tuple[str, str]] = field(default_factory=list)
    ends: dict[date, datetime] = field(default_factory=dict)
    unknown: bool = False
    asked: list[str] = field(default_factory=list)

    def load(self, due: Due) -> None:
        started = self.clock.now().astimezone(NEW_YORK)
        self.loads.append((f"{started:%m-%d %H:%M}", f"{due.ds:%m-%d}{' dated' if due.dated else ''}"))
        self.clock.moment += timedelta(minutes=self.minutes)
        if self.outcomes and (error := self.outcomes.pop(0)):
            raise error
        self.ends[due.ds] = self.clock.now()

    def look_up(self) -> Published:
        self.asked.append(f"{self.clock.now().astimezone(NEW_YORK):%m-%d %H:%M}")
        if self.unknown:
            raise WarehouseError("The file is held.")
        return Published(dict(self.ends))

    def live(self, **how: object) -> None:
        """Run the schedule until it is killed."""
        with pytest.raises(Killed):
            Daily([Line(EachDay(DAILY), self.load)], lambda: [self.look_up()], self.clock, **how).run()  # type: ignore[arg-type]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What the schedule said."""
    log = logging.getLogger("stockpipe")
    before = (log.handlers[:], log.level, log.propagate)
    log.handlers[:], log.propagate = [], True
    log.setLevel(logging.INFO)
    yield lambda: [record.getMessage() for record in caplog.records]
    log.handlers[:], log.level, log.propagate = before


def test_missed_days_that_fail_alike_are_told_of_once(said: Callable[[], list[str]]) -> None:
    def catch_up(days: Sequence[date], _: Published) -> dict[date, Exception]:
        return {day: ApiError("down") if day.day == 4 else ConfigError("no key") for day in days}

    line = Line(EachDay(DAILY), lambda _: None, catch_up=catch_up)
    known = Published({date(2026, 2, 1): at("2026-02-01 05:00")})
    with pytest.raises(Killed):
        Daily([line], lambda: [known], Life(at("2026-02-07 12:00"), kills=[at("2026-02-07 12:01")])).run()
    assert said()[:6] == [
        "5 days are missing, 2026-02-02 to 2026-02-06. Loading their dated records.",
        "2026-02-02 to 2026-02-03 (2 days) failed (try 1, exit code 3): no key",
        "2026-02-02 to 2026-02-03 (2 days) are not retried before the next regular time.",
        "2026-02-04 failed (try 1, exit code 5): down",
        "2026-02-05 to 2026-02-06 (2 days) failed (try 1, exit code 3): no key",
        "2026-02-05 to 2026-02-06 (2 days) are not retried before the next regular time.",
    ]


def test_it_says_what_comes_next_and_when(said: Callable[[], list[str]]) -> None:
    script = Script(
        Life(at("2026-02-06 12:00"), kills=[at("2026-02-08 12:00")]), [None, ApiError("down"), ConfigError("no key")]
    )
    script.live()
    assert said() == [
        "Next: 2026-02-07 at 04:30 America/New_York (09:30 UTC).",
        "2026-02-07 failed (try 1, exit code 5): down",
        "Next: 2026-02-07 again (try 2) at 2026-02-07 04:45 America/New_York (09:45 UTC).",
        "2026-02-07 failed (try 2, exit code 3): no key",
        "2026-02-07 is not retried before the next regular time.",
        "Next: 2026-02-08 at 04:30 America/New_York (09:30 UTC).",
        "2026-02-07 is missing. Loading its dated records.",
        "Next: 2026-02-09 at 04:30 America/New_York (09:30 UTC).",
    ]


def test_a_day_that_fails_all_day_is_tried_five_times_and_made_up_for_the_next_morning() -> None:
    script = Script(Life(at("2026-02-06 12:00"), kills=[at("2026-02-08 12:00")]), [None, *[ApiError("down")] * 5])
    script.live()
    assert script.loads == [
        ("02-06 12:00", "02-06"),
        ("02-07 04:30", "02-07"), ("02-07 04:45", "02-07"), ("02-07 05:15", "02-07"), ("02-07 06:15", "02-07"), ("02-07 08:15", "02-07"),
        ("02-08 04:30", "02-07 dated"), ("02-08 04:30", "02-08"),
    ]  # fmt: skip


def test_a_failing_day_of_the_past_does_not_hold_up_today() -> None:
    script = Script(Life(at("2026-02-07 12:00"), kills=[at("2026-02-07 23:00")]), [ApiError("down")])
    script.ends = {date(2026, 2, 5): at("2026-02-05 04:31")}
    script.live()
    assert script.loads == [("02-07 12:00", "02-06 dated"), ("02-07 12:00", "02-07"), ("02-07 12:15", "02-06 dated")]


def test_a_try_that_falls_into_the_next_day_takes_the_dated_records() -> None:
    script = Script(Life(at("2026-02-07 23:50"), kills=[at("2026-02-08 04:00")]), [ApiError("down")])
    script.ends = {date(2026, 2, 6): at("2026-02-06 04:31")}
    script.live()
    assert script.loads == [("02-07 23:50", "02-07"), ("02-08 00:05", "02-07 dated")]


def test_loads_never_overlap_and_a_time_that_comes_during_one_is_kept() -> None:
    script = Script(Life(at("2026-02-07 04:20"), kills=[at("2026-02-07 12:00")]), minutes=30)
    script.ends = {date(2026, 2, 5): at("2026-02-05 04:31")}
    script.live()
    # 04:30 came while the missed day was loaded, from 04:20 to 04:50.
    assert script.loads == [("02-07 04:20", "02-06 dated"), ("02-07 04:50", "02-07")]


def test_it_sees_at_once_that_the_machine_slept_and_says_how_late_it_is(said: Callable[[], list[str]]) -> None:
    nap = (at("2026-02-07 02:00"), at("2026-02-07 09:17"))
    script = Script(Life(at("2026-02-06 12:00"), naps=[nap], kills=[at("2026-02-07 23:00")]))
    script.live()
    [first, (woke, day)] = script.loads
    assert (first, day) == (("02-06 12:00", "02-06"), "02-07")
    assert woke == "02-07 09:17"
    assert (
        "It is 4:47:00 after 2026-02-07 04:30 America/New_York (09:30 UTC): the machine slept, or the load before took so long."
        in said()
    )


def test_a_clock_that_is_set_back_loads_no_day_twice() -> None:
    class SetBack(Life):
        done = False

        def sleep(self, seconds: float, stop: threading.Event) -> bool:
            if self.moment > at("2026-02-07 05:00") and not self.done:
                self.done, self.moment = True, at("2026-02-07 03:00")
            return super().sleep(seconds, stop)

    script = Script(SetBack(at("2026-02-06 12:00"), kills=[at("2026-02-08 12:00")]))
    script.live()
    assert script.loads == [("02-06 12:00", "02-06"), ("02-07 04:30", "02-07"), ("02-08 04:30", "02-08")]


def test_what_is_published_is_asked_only_when_it_is_not_known() -> None:
    """In Snowflake the question wakes a warehouse. Known: what was there at the start, and what was loaded since."""
    script = Script(Life(at("2026-02-06 12:00"), kills=[at("2026-02-10 12:00")]), [None, None, ApiError("down"), None])
    script.live(asks_rarely=True)
    assert script.loads == [
        ("02-06 12:00", "02-06"), ("02-07 04:30", "02-07"), ("02-08 04:30", "02-08"), ("02-08 04:45", "02-08"),
        ("02-09 04:30", "02-09"), ("02-10 04:30", "02-10"),
    ]  # fmt: skip
    assert script.asked == ["02-06 12:00", "02-08 04:45"]  # at the start, and after a failure
    asks_always = Script(Life(at("2026-02-06 12:00"), kills=[at("2026-02-08 12:00")]))
    asks_always.live()
    assert asks_always.asked == ["02-06 12:00", "02-07 04:30", "02-08 04:30"]


def test_a_day_that_seems_to_be_missing_is_asked_about_before_it_is_loaded() -> None:
    """The machine slept through two days, and somebody else loaded them meanwhile."""
    script = Script(
        Life(at("2026-02-06 12:00"), [(at("2026-02-06 20:00"), at("2026-02-09 05:00"))], [at("2026-02-09 12:00")])
    )
    plain = script.look_up

    def with_another(*_: object) -> Published:
        if script.clock.now() > at("2026-02-08 00:00"):
            script.ends |= {date(2026, 2, day): at(f"2026-02-0{day} 09:00") for day in (7, 8)}
        return plain()

    script.look_up = with_another  # type: ignore[method-assign]
    script.live(asks_rarely=True)
    assert script.asked == ["02-06 12:00", "02-09 05:00"]
    assert script.loads == [("02-06 12:00", "02-06"), ("02-09 05:00", "02-09")]


def test_a_warehouse_that_cannot_be_asked_is_no_reason_to_stop(said: Callable[[], list[str]]) -> None:
    script = Script(
        Life(at("2026-02-07 04:00"), kills=[at("2026-02-07 12:00")]), [WarehouseError("held")], unknown=True
    )
    script.live()
    assert script.loads == [("02-07 04:30", "02-07"), ("02-07 04:45", "02-07")]
    assert said()[0] == "What is published could not be looked up: The file is held."


def test_a_defect_of_ours_does_not_end_the_schedule(said: Callable[[], list[str]]) -> None:
    script = Script(Life(at("2026-02-07 04:00"), kills=[at("2026-02-07 12:00")]), [ZeroDivisionError("a bug\x1b")])
    script.live()
    assert script.loads == [("02-07 04:30", "02-07"), ("02-07 04:45", "02-07")]
    assert "2026-02-07 failed (try 1): unexpected ZeroDivisionError: a bug\\x1b" in said()


def test_both_states_must_be_there_for_a_day_to_be_published() -> None:
    with Sandbox(rows=50) as sandbox:
        env = flags(sandbox)
        load_day(Clock(), env, {"active": "both"}, on="2026-02-05")
        load_day(Clock(), env, {"active": "true"}, on="2026-02-06")
    assert (sorted(published(env, part(), DELISTED)), sorted(published(env, part()))) == (
        [date(2026, 2, 5)],
        [date(2026, 2, 5), date(2026, 2, 6)],
    )
    assert published(env, part("crypto")) == {}


def test_a_warehouse_without_any_table_has_nothing_published() -> None:
    import duckdb

    env = {"STOCKPIPE_DUCKDB_PATH": "new.duckdb"}
    assert published(env, part()) == {}
    duckdb.connect("new.duckdb").close()
    assert published(env, part()) == {}
