"""The regular times of a schedule, calculated by APScheduler's cron trigger."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stockpipe.errors import ConfigError, UsageError

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = {
    "minute": "minute",
    "hour": "hour",
    "day": "day of the month",
    "month": "month",
    "day_of_week": "day of the week",
}
_HINT = (
    'It has five fields: minute, hour, day of the month, month, day of the week; "30 4 * * 1-5" is 04:30 on weekdays.'
)


class CronMoments:
    """The times of a cron expression in a time zone. Build it with `daily_at` or `by_cron`.

    The trigger reckons on the face of the clock, without a zone: with one, APScheduler 3.11 leaves out the time after
    midnight on the day after clocks went forward, and takes an hour that comes twice for two.
    """

    def __init__(self, trigger: Any, zone: ZoneInfo, text: str) -> None:
        self._trigger = trigger
        self._zone = zone
        self._text = text

    def __str__(self) -> str:
        return self._text

    def after(self, moment: datetime) -> datetime:
        """The first regular time after a moment, in UTC.

        A time that comes twice on the day that clocks go back counts once, the first time. One that is left out in
        spring comes an hour later by the new clock. UsageError when there is no such time any more.
        """
        face = moment.astimezone(self._zone).replace(tzinfo=UTC, fold=0)
        while True:
            face = self._trigger.get_next_fire_time(None, face + timedelta(microseconds=1))
            if face is None:
                raise UsageError(f"There is no such time: {self._text}.", hint=_HINT)
            found: datetime = face.replace(tzinfo=self._zone).astimezone(UTC)
            if found > moment:
                return found


def daily_at(hour: int, minute: int, zone: ZoneInfo) -> CronMoments:
    """Every day at a time of day. ConfigError without APScheduler."""
    trigger = _trigger_class()(hour=hour, minute=minute, timezone=UTC)
    return CronMoments(trigger, zone, f"{hour:02}:{minute:02} {zone.key}")


def by_cron(expression: str, zone: ZoneInfo) -> CronMoments:
    """The times of five cron fields, understood as cron does; UsageError for anything else."""
    make, fields = _trigger_class(), expression.split()
    try:
        if len(fields) != 5:
            raise ValueError(f"it has {len(fields)} fields")
        read = {name: _field(make, name, text) for name, text in zip(_FIELDS, fields, strict=True)}
        if read["day"] != "*" and read["day_of_week"] != "*":
            # cron takes either of them, APScheduler both: what is meant is not to be guessed.
            raise ValueError("it has a day of the month and a day of the week")
    except ValueError as error:
        raise UsageError(f"--cron is {expression!r}: {error}.", hint=_HINT) from None
    return CronMoments(make(**read, timezone=UTC), zone, f'cron "{expression}" {zone.key}')


def _field(make: Any, name: str, text: str) -> str:
    """A cron field as APScheduler wants it; ValueError names the one that cannot be read."""
    try:
        if name == "day_of_week":
            return _weekdays(text)
        make(**{name: text}, timezone=UTC)
    except ValueError as error:
        reason = error if name == "day_of_week" else repr(text)
        raise ValueError(f"its {_FIELDS[name]} cannot be read: {reason}") from None
    return text


def _weekdays(text: str) -> str:
    """A cron field for weekdays as APScheduler wants it: names. Its numbers begin with Monday, cron's with Sunday."""
    if text == "*":
        return text
    days: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        low, _, high = ("0-6" if span == "*" else span).partition("-")
        first, last = _weekday(low), _weekday(high or ("6" if step else low))
        # Sunday may also be 7, so that a week can end with it.
        last = 7 if last == 0 and first > 0 else last
        if first > last or (step and not re.fullmatch("[1-9][0-9]*", step)):
            raise ValueError(f"{part!r} is no range of weekdays")
        days |= {day % 7 for day in range(first, last + 1, int(step) if step else 1)}
    return ",".join(_WEEKDAYS[day] for day in sorted(days))


def _weekday(text: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text not in "01234567" or len(text) != 1:
        raise ValueError(f"{text!r} is no weekday")
    return int(text)


def _trigger_class() -> Any:
    try:
        from apscheduler.triggers.cron import CronTrigger
    except ImportError as error:
        raise ConfigError("APScheduler is not installed.", hint="pip install 'stockpipe[schedule]'") from error
    return CronTrigger
