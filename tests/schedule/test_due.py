"""What the schedule decides: its regular times, the days that are due, and when a failed one comes again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from stockpipe.base.calendar import Sessions
from stockpipe.errors import AccessError, ApiError, ConfigError, DataCheckError, UsageError, WarehouseError
from stockpipe.schedule.cron import by_cron, daily_at
from stockpipe.schedule.due import EachDay, EachSession, Published, Tries, due_days

NEW_YORK = ZoneInfo("America/New_York")
DAILY = daily_at(4, 30, NEW_YORK)


def utc(text: str) -> datetime:
    """A moment in UTC, written as 2026-03-08 09:30."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def five(moments: object, start: str, count: int = 5) -> list[str]:
    """The next regular times after a moment, as weekday, date and time in UTC."""
    found, moment = [], utc(start)
    for _ in range(count):
        moment = moments.after(moment)  # type: ignore[attr-defined]
        found.append(f"{moment:%a %m-%d %H:%M}")
    return found


def day(number: int) -> int:
    """A day of February 2026 as an ordinal."""
    return date(2026, 2, number).toordinal()


def sessions(now: str, known: Published | None, days_back: int = 7) -> list[tuple[str, bool]]:
    """The trading days that are due, ready at 11:00 New York of the next day; each with whether it was missed."""
    return [(str(day.ds), day.missed) for day in EachSession(time(11)).due(utc(now), known, days_back)]


def test_a_trading_day_is_due_from_eleven_of_the_next_day_on() -> None:
    # Friday 2026-02-06 is ready on Saturday at 11:00, which is 16:00 UTC.
    thursday = published("2026-02-05")
    assert sessions("2026-02-07 15:59", thursday) == []
    assert sessions("2026-02-07 16:00", thursday) == [("2026-02-06", False)]
    friday = published("2026-02-05", "2026-02-06")
    # Nothing new on the weekend, nor on Monday, whose own day is ready on Tuesday.
    for now in ("2026-02-08 16:00", "2026-02-09 16:00", "2026-02-10 15:59"):
        assert sessions(now, friday) == []
    assert sessions("2026-02-10 16:00", friday) == [("2026-02-09", False)]


def test_missed_trading_days_are_due_again_and_a_first_day_is_the_newest() -> None:
    # Presidents' Day, 2026-02-16, has no session.
    assert sessions("2026-02-18 17:00", published("2026-02-12")) == [("2026-02-13", True), ("2026-02-17", False)]
    assert sessions("2026-02-18 17:00", published("2026-02-12"), days_back=0) == [("2026-02-17", False)]
    assert sessions("2026-02-18 17:00", published("2026-02-12"), days_back=3) == [("2026-02-17", False)]
    assert sessions("2026-02-18 17:00", Published()) == [("2026-02-17", False)]
    assert sessions("2026-02-18 17:00", None) == [("2026-02-17", False)]


def test_a_closing_that_a_list_told_of_is_not_due_and_a_holiday_that_it_lacks_is() -> None:
    told = Sessions(((day(2), day(28)),), frozenset({day(13)}))
    known = Published(published("2026-02-12").ends, told)
    # No list names Presidents' Day, 2026-02-16; Friday the 13th is closed.
    assert sessions("2026-02-18 17:00", known) == [("2026-02-16", True), ("2026-02-17", False)]
    assert sessions("2026-02-14 17:00", known) == []


def test_the_next_trading_day_is_told_with_its_moment() -> None:
    rule = EachSession(time(11))
    assert rule.after(utc("2026-02-07 15:59")) == utc("2026-02-07 16:00")
    assert rule.after(utc("2026-02-07 16:00")) == utc("2026-02-10 16:00")
    assert rule.day_at(utc("2026-02-10 16:00")) == date(2026, 2, 9)
    # In summer 11:00 is at 15:00 UTC; after Friday the 13th comes Tuesday the 17th, ready on the 18th.
    assert rule.after(utc("2026-07-01 00:00")) == utc("2026-07-01 15:00")
    assert rule.after(utc("2026-02-14 16:00")) == utc("2026-02-18 16:00")


def test_a_list_without_past_days_is_not_made_up_for() -> None:
    now, known = utc("2026-02-07 09:30"), published("2026-02-03")
    assert [str(day.ds) for day in EachDay(DAILY, dated=False).due(now, known, 7)] == ["2026-02-07"]
    assert len(EachDay(DAILY).due(now, known, 7)) == 4


# --- regular times ---


def test_the_clocks_of_new_york_count_in_spring_and_autumn() -> None:
    assert five(DAILY, "2026-03-06 12:00", 3) == ["Sat 03-07 09:30", "Sun 03-08 08:30", "Mon 03-09 08:30"]
    assert five(DAILY, "2026-10-30 12:00", 3) == ["Sat 10-31 08:30", "Sun 11-01 09:30", "Mon 11-02 09:30"]


def test_a_time_that_spring_leaves_out_comes_when_the_clocks_have_gone_forward() -> None:
    # 02:30 on March 8th is not on the clocks: as with cron it comes at 03:00 EDT, which is 07:00 UTC.
    expected = ["Sat 03-07 07:30", "Sun 03-08 07:00", "Mon 03-09 06:30"]
    assert five(daily_at(2, 30, NEW_YORK), "2026-03-06 12:00", 3) == expected
    assert five(by_cron("30 2 * * *", NEW_YORK), "2026-03-06 12:00", 3) == expected
    # Several times of the hour that is left out are one; 03:00 itself does not come twice.
    assert five(by_cron("0,30 2,3 * * *", NEW_YORK), "2026-03-08 06:59", 3) == [
        "Sun 03-08 07:00", "Sun 03-08 07:30", "Mon 03-09 06:00",
    ]  # fmt: skip


def test_a_time_that_autumn_has_twice_comes_once() -> None:
    # 01:30 on November 1st is at 05:30 UTC and again at 06:30 UTC.
    assert five(daily_at(1, 30, NEW_YORK), "2026-10-30 12:00", 4) == [
        "Sat 10-31 05:30", "Sun 11-01 05:30", "Mon 11-02 06:30", "Tue 11-03 06:30",
    ]  # fmt: skip
    # A start within the second pass does not go back to the first.
    for start in ("2026-11-01 05:30", "2026-11-01 06:10", "2026-11-01 06:30"):
        assert five(daily_at(1, 30, NEW_YORK), start, 1) == ["Mon 11-02 06:30"]


def test_a_step_in_minute_or_hour_counts_real_hours() -> None:
    # 01:00 and 01:30 are there twice on November 1st, 02:00 and 02:30 not at all on March 8th.
    assert five(by_cron("*/30 1-3 * * *", NEW_YORK), "2026-11-01 04:59", 6) == [
        "Sun 11-01 05:00", "Sun 11-01 05:30", "Sun 11-01 06:00", "Sun 11-01 06:30", "Sun 11-01 07:00", "Sun 11-01 07:30",
    ]  # fmt: skip
    assert five(by_cron("*/30 1-3 * * *", NEW_YORK), "2026-03-08 05:59", 5) == [
        "Sun 03-08 06:00", "Sun 03-08 06:30", "Sun 03-08 07:00", "Sun 03-08 07:30", "Mon 03-09 05:00",
    ]  # fmt: skip
    assert five(by_cron("0 * * * *", NEW_YORK), "2026-11-01 04:59", 3) == [
        "Sun 11-01 05:00", "Sun 11-01 06:00", "Sun 11-01 07:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "at", "moment", "expected"),
    [
        # Clocks that go forward at midnight, by half an hour, and not at all.
        ("Africa/Cairo", (0, 30), "2026-04-23 12:00", ["Thu 04-23 22:00", "Fri 04-24 21:30"]),
        ("Australia/Lord_Howe", (2, 15), "2026-10-03 12:00", ["Sat 10-03 15:30", "Sun 10-04 15:15"]),
        ("Asia/Tokyo", (0, 30), "2026-03-08 12:00", ["Sun 03-08 15:30", "Mon 03-09 15:30"]),
    ],
)
def test_other_clocks_change_in_other_ways(zone: str, at: tuple[int, int], moment: str, expected: list[str]) -> None:
    assert five(daily_at(*at, ZoneInfo(zone)), moment, 2) == expected


def test_every_day_of_three_years_comes_once_and_the_leap_day_too() -> None:
    for hour, minute in ((0, 0), (1, 30), (2, 30), (4, 30), (23, 59)):
        moments, moment, days = daily_at(hour, minute, NEW_YORK), utc("2026-12-31 12:00"), []
        for _ in range(1096):
            moment = moments.after(moment)
            days.append(moment.astimezone(NEW_YORK).date())
        assert days == [days[0] + timedelta(days=number) for number in range(1096)]
        assert date(2028, 2, 29) in days


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # cron's weekdays begin with Sunday = 0; 2026-02-07 is a Saturday.
        ("30 4 * * 1-5", ["Mon 02-09 09:30", "Tue 02-10 09:30", "Wed 02-11 09:30", "Thu 02-12 09:30", "Fri 02-13 09:30"]),
        ("30 4 * * 2-6", ["Sat 02-07 09:30", "Tue 02-10 09:30", "Wed 02-11 09:30", "Thu 02-12 09:30", "Fri 02-13 09:30"]),
        ("30 4 * * 0", ["Sun 02-08 09:30", "Sun 02-15 09:30", "Sun 02-22 09:30", "Sun 03-01 09:30", "Sun 03-08 08:30"]),
        ("30 4 * * 7", ["Sun 02-08 09:30", "Sun 02-15 09:30", "Sun 02-22 09:30", "Sun 03-01 09:30", "Sun 03-08 08:30"]),
        ("30 4 * * fri-sun", ["Sat 02-07 09:30", "Sun 02-08 09:30", "Fri 02-13 09:30", "Sat 02-14 09:30", "Sun 02-15 09:30"]),
        ("30 4 * * MON,3", ["Mon 02-09 09:30", "Wed 02-11 09:30", "Mon 02-16 09:30", "Wed 02-18 09:30", "Mon 02-23 09:30"]),
        ("30 4 * * 5-0", ["Sat 02-07 09:30", "Sun 02-08 09:30", "Fri 02-13 09:30", "Sat 02-14 09:30", "Sun 02-15 09:30"]),
        ("30 4 * * Sat-Sun", ["Sat 02-07 09:30", "Sun 02-08 09:30", "Sat 02-14 09:30", "Sun 02-15 09:30", "Sat 02-21 09:30"]),
        ("30 4 * * 0-0", ["Sun 02-08 09:30", "Sun 02-15 09:30", "Sun 02-22 09:30", "Sun 03-01 09:30", "Sun 03-08 08:30"]),
        ("30 4 * * */3", ["Sat 02-07 09:30", "Sun 02-08 09:30", "Wed 02-11 09:30", "Sat 02-14 09:30", "Sun 02-15 09:30"]),
        ("0 5,17 * * *", ["Sat 02-07 10:00", "Sat 02-07 22:00", "Sun 02-08 10:00", "Sun 02-08 22:00", "Mon 02-09 10:00"]),
        # Either of them, when both days are given; both of them, when one begins with a star.
        ("30 4 1 * 1", ["Mon 02-09 09:30", "Mon 02-16 09:30", "Mon 02-23 09:30", "Sun 03-01 09:30", "Mon 03-02 09:30"]),
        ("30 4 */2 * 1", ["Mon 02-09 09:30", "Mon 02-23 09:30", "Mon 03-09 08:30", "Mon 03-23 08:30", "Mon 04-13 08:30"]),
        ("30 4 31 2 1", ["Mon 02-09 09:30", "Mon 02-16 09:30", "Mon 02-23 09:30", "Mon 02-01 09:30", "Mon 02-08 09:30"]),
        ("15 6 29 2 *", ["Tue 02-29 11:15", "Sun 02-29 11:15", "Fri 02-29 11:15", "Wed 02-29 11:15", "Mon 02-29 11:15"]),
    ],
)  # fmt: skip
def test_a_cron_expression_means_what_it_means_to_cron(expression: str, expected: list[str]) -> None:
    assert five(by_cron(expression, NEW_YORK), "2026-02-07 05:00") == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("30 4 * *", "it has 4 fields"),
        ("", "it has 0 fields"),
        ("a b c d e", "its minute cannot be read: 'a'."),
        ("61 4 * * *", "its minute cannot be read: '61'."),
        ("30 24 * * *", "its hour cannot be read: '24'."),
        ("30 4 32 * *", "its day of the month cannot be read: '32'."),
        ("30 4 * 13 *", "its month cannot be read: '13'."),
        ("30 4 * * 2-x", "its day of the week cannot be read: '2-x'."),
        ("30 4 * * 8", "its day of the week cannot be read: '8'."),
        ("30 4 * * 5-1", "its day of the week cannot be read: '5-1'."),
        ("30 4 * * 1/0", "its day of the week cannot be read: '1/0'."),
        ("30 4 * * 1/x", "its day of the week cannot be read: '1/x'."),
        ("30 4 * * x", "its day of the week cannot be read: 'x'."),
        ("30 4 * * 1-x-sun", "its day of the week cannot be read: '1-x-sun'."),
        ("1, 4 * * *", "its minute cannot be read: '1,'."),
        ("30 4-2 * * *", "its hour cannot be read: '4-2'."),
        ("-1 4 * * *", "its minute cannot be read: '-1'."),
        ("30 4 0 * *", "its day of the month cannot be read: '0'."),
        ("30 4 * jam *", "its month cannot be read: 'jam'."),
        ("0 30 4 * * *", "it has 6 fields"),
        ("@daily", "it has 1 fields"),
        ("\u0663 4 * * *", "its minute cannot be read"),
        ("1" * 5000 + " 4 * * *", "its minute cannot be read"),
    ],
)
def test_what_is_no_cron_expression_is_a_usage_error(expression: str, reason: str) -> None:
    with pytest.raises(UsageError, match="--cron is") as caught:
        by_cron(expression, NEW_YORK)
    assert reason in caught.value.message


def test_a_time_that_never_comes_is_a_usage_error() -> None:
    for expression in ("30 4 30 2 *", "30 4 31 4,6 *"):
        with pytest.raises(UsageError, match="There is no such time"):
            by_cron(expression, NEW_YORK).after(utc("2026-02-07 05:00"))


# --- what is due ---


def published(*days: str, hour: str = "09:31") -> Published:
    """Days that were loaded at 04:31 in New York (winter)."""
    return Published({date.fromisoformat(day): utc(f"{day} {hour}") for day in days})


def due(now: str, known: Published | None, days_back: int = 7, moments: object = DAILY) -> list[tuple[str, bool]]:
    """The days that are due, each with whether it is loaded from its dated records."""
    found = due_days(utc(now), moments, known, days_back)  # type: ignore[arg-type]
    return [(str(day.ds), day.dated) for day in found]


def test_today_is_due_from_its_time_until_it_is_loaded() -> None:
    before = published("2026-02-06")
    assert due("2026-02-07 09:29", before) == []
    assert due("2026-02-07 09:30", before) == [("2026-02-07", False)]
    assert due("2026-02-08 04:59", before) == [("2026-02-07", False)]
    assert due("2026-02-07 12:00", published("2026-02-06", "2026-02-07")) == []


def test_a_day_that_was_loaded_before_its_time_is_loaded_again() -> None:
    # At 03:00 somebody ran it by hand; the list may have been the one of the day before.
    early = Published({date(2026, 2, 7): utc("2026-02-07 08:00")})
    assert due("2026-02-07 09:30", early) == [("2026-02-07", False)]


def test_missed_days_come_first_and_from_their_dated_records() -> None:
    known = published("2026-02-02", "2026-02-04")
    assert due("2026-02-07 09:30", known) == [
        ("2026-02-03", True), ("2026-02-05", True), ("2026-02-06", True), ("2026-02-07", False),
    ]  # fmt: skip
    assert due("2026-02-07 05:30", known) == [("2026-02-03", True), ("2026-02-05", True), ("2026-02-06", True)]


def test_only_so_many_days_back() -> None:
    known = published("2026-01-20")
    assert due("2026-02-07 05:30", known, 2) == [("2026-02-05", True), ("2026-02-06", True)]
    assert due("2026-02-07 09:30", known, 0) == [("2026-02-07", False)]
    assert len(due("2026-02-07 05:30", known, 7)) == 7


def test_nothing_was_missed_before_the_first_published_day() -> None:
    assert due("2026-02-07 09:30", published()) == [("2026-02-07", False)]
    assert due("2026-02-07 09:30", published("2026-02-06", "2026-02-07")) == []


def test_a_day_without_a_regular_time_is_not_missed() -> None:
    weekdays = by_cron("30 4 * * 1-5", NEW_YORK)
    # February 7th and 8th are a Saturday and a Sunday.
    assert due("2026-02-09 09:30", published("2026-02-05"), moments=weekdays) == [
        ("2026-02-06", True), ("2026-02-09", False),
    ]  # fmt: skip


def test_with_two_times_a_day_the_later_one_loads_again() -> None:
    twice = by_cron("0 5,17 * * *", NEW_YORK)
    known = published("2026-02-07", hour="10:01")
    assert due("2026-02-07 12:00", known, moments=twice) == []
    assert due("2026-02-07 22:00", known, moments=twice) == [("2026-02-07", False)]


def test_a_time_in_another_zone_belongs_to_the_day_in_new_york() -> None:
    tokyo = daily_at(18, 0, ZoneInfo("Asia/Tokyo"))
    assert due("2026-02-07 09:00", published("2026-02-06"), moments=tokyo) == [("2026-02-07", False)]


def test_when_the_warehouse_cannot_be_asked_only_today_is_due() -> None:
    assert due("2026-02-07 09:30", None) == [("2026-02-07", False)]
    assert due("2026-02-07 09:00", None) == []


def test_across_both_clock_changes_each_day_is_due_once() -> None:
    assert due("2026-03-08 08:30", published("2026-03-07")) == [("2026-03-08", False)]
    assert due("2026-03-08 08:29", published("2026-03-07")) == []
    assert due("2026-11-01 09:29", published("2026-10-31", hour="08:31")) == []
    assert due("2026-11-01 09:30", published("2026-10-31", hour="08:31")) == [("2026-11-01", False)]
    assert due("2028-02-29 09:30", published("2028-02-27")) == [("2028-02-28", True), ("2028-02-29", False)]
    assert due("2028-03-01 09:30", published("2028-02-28")) == [("2028-02-29", True), ("2028-03-01", False)]


# --- trying again ---

DAY = date(2026, 2, 7)
DOWN = ApiError("down")


def test_the_gaps_grow_and_end() -> None:
    tries, now = Tries(), utc("2026-02-07 09:30")
    found = [tries.failed(DAY, now, DOWN) for _ in range(5)]
    assert found == [utc(f"2026-02-07 {text}") for text in ("09:45", "10:00", "10:30", "11:30")] + [None]
    assert (tries.next, tries.may(DAY, utc("2026-02-07 23:00"))) == (None, False)
    tries.renew()
    assert (tries.may(DAY, now), tries.number(DAY)) == (True, 1)


def test_a_day_waits_for_its_gap_and_others_do_not() -> None:
    tries = Tries()
    tries.failed(DAY, utc("2026-02-07 09:30"), DOWN)
    assert not tries.may(DAY, utc("2026-02-07 09:44"))
    assert tries.may(DAY, utc("2026-02-07 09:45"))
    assert tries.may(date(2026, 2, 6), utc("2026-02-07 09:30"))
    assert (tries.next, tries.number(DAY)) == ((utc("2026-02-07 09:45"), DAY), 2)
    tries.succeeded(DAY)
    assert (tries.next, tries.number(DAY)) == (None, 1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ApiError("down"), True),
        (WarehouseError("held"), True),
        (RuntimeError("a bug"), True),
        (DataCheckError("old", checks=["stale"]), True),
        (DataCheckError("torn and old", checks=["torn", "stale"]), True),
        (DataCheckError("small", checks=["volume"]), False),
        (DataCheckError("small and old", checks=["volume", "stale"]), False),
        (DataCheckError("unnamed"), False),
        (AccessError("key"), False),
        (ConfigError("setting"), False),
        (UsageError("word"), False),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(error: Exception, expected: bool) -> None:
    assert (Tries().failed(DAY, utc("2026-02-07 09:30"), error) is not None) is expected
