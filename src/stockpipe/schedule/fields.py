"""Cron's five fields as schedulers of a machine want them: on its own clocks for cron, as calendar events for systemd."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from stockpipe.errors import UsageError
from stockpipe.schedule.cron import by_cron

_DAY = 24 * 60
_NAMES = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_ELSEWHERE = "Use --install systemd, which knows time zones, or give the fields in this machine's time zone with --tz."


class Fields:
    """What five cron fields mean: sets of numbers, Sunday is 0. UsageError for what only the foreground understands."""

    def __init__(self, expression: str) -> None:
        by_cron(expression, ZoneInfo("UTC"))  # names the field that cannot be read
        self.text = " ".join(expression.split())
        sim = CronSim(self.text.replace("-0", "-7").upper(), datetime.now(UTC))
        self.minutes, self.hours, self.months = sim.minutes, sim.hours, sim.months
        if not all(isinstance(day, int) and day > 0 for day in sim.days) or not all(
            isinstance(day, int) for day in sim.weekdays
        ):
            raise UsageError(
                f"--cron is {expression!r}: L, W and # are for the schedule in the foreground.",
                hint="Use numbers, lists, ranges and steps, or leave out --install.",
            )
        self.days = sim.days
        self.weekdays = {int(day) % 7 for day in sim.weekdays if isinstance(day, int)}
        self.both = sim.day_and
        """Whether day of the month and day of the week must both hold; else either does."""

    @property
    def every_weekday(self) -> bool:
        """Whether the day of the week says nothing."""
        return len(self.weekdays) == len(_NAMES)

    @property
    def every_date(self) -> bool:
        """Whether day of the month and month say nothing."""
        return (len(self.days), len(self.months)) == (31, 12)


def on_calendar(expression: str, tz: str) -> list[str]:
    """The calendar events of systemd.time(7), any of which starts the unit.

    "30 4 * * 2-6" in New York is ["Tue,Wed,Thu,Fri,Sat *-*-* 04:30:00 America/New_York"].
    """
    fields = Fields(expression)
    time = f"{_two(fields.hours, 24)}:{_two(fields.minutes, 60)}:00 {tz}"
    months, days = _two(fields.months, 12), _two(fields.days, 31)
    # systemd's week begins with Monday.
    names = ",".join(_NAMES[day % 7] for day in range(1, 8) if day % 7 in fields.weekdays)
    week = "" if fields.every_weekday else f"{names} "
    if fields.both or not week:
        return [f"{week}*-{months}-{days} {time}"]
    return [f"{week}*-{months}-* {time}", f"*-{months}-{days} {time}"]


def local_fields(expression: str, minutes: int) -> str:
    """The fields on clocks that are `minutes` ahead of those that they were written for.

    "30 22 * * 1-5", 300 minutes on, is "30 3 * * 2-6". UsageError where no five fields say the same.
    """
    fields = Fields(expression)
    if not minutes:
        return fields.text
    times = {hour * 60 + minute + minutes for hour in fields.hours for minute in fields.minutes}
    clock = {time % _DAY for time in times}
    hours, passed = {time // 60 for time in clock}, {time // _DAY for time in times}
    starts = {time % 60 for time in clock}
    if len(clock) != len(hours) * len(starts):
        raise _no_such_fields(expression)
    if passed == {0} or (fields.every_weekday and fields.every_date):
        days = fields.text.split()[2:]
    elif len(passed) == 1 and fields.every_date:
        days = ["*", "*", _ranges({(day + min(passed)) % 7 for day in fields.weekdays}, 7)]
    else:
        raise _no_such_fields(expression)
    return " ".join((_ranges(starts, 60), _ranges(hours, 24), *days))


def _no_such_fields(expression: str) -> UsageError:
    return UsageError(
        f"--cron is {expression!r}, and on the clocks of this machine that is no set of five fields.", hint=_ELSEWHERE
    )


def _two(numbers: Iterable[int], every: int) -> str:
    """Numbers with two digits and commas, `*` for every one."""
    found = sorted(numbers)
    return "*" if len(found) == every else ",".join(f"{number:02}" for number in found)


def _ranges(numbers: Iterable[int], every: int) -> str:
    """Numbers as cron writes them: {2, 3, 4, 6} is "2-4,6"."""
    found = sorted(numbers)
    if len(found) == every:
        return "*"
    runs: list[list[int]] = []
    for number in found:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
