"""The regular times of a schedule: cron expressions, calculated by cronsim, which follows Debian's cron."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from stockpipe.errors import UsageError

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_HINT = (
    'It has five fields: minute, hour, day of the month, month, day of the week; "30 4 * * 1-5" is 04:30 on weekdays.'
)
# cron's numbers begin with Sunday = 0, so that a range which ends on a Sunday needs its other number.
_UP_TO_SUNDAY = re.compile(r"\b([1-6]|mon|tue|wed|thu|fri|sat)-(?:0|sun)\b", re.IGNORECASE)


class CronMoments:
    """The times of a cron expression in a time zone. Build it with `daily_at` or `by_cron`.

    Where the clocks change, Debian's cron is the model: a fixed time that is left out in spring comes when the clocks
    have gone forward, one that autumn has twice comes the first time, and `*` in minute or hour counts real hours.
    """

    def __init__(self, expression: str, zone: ZoneInfo, text: str) -> None:
        self._expression = expression
        self._zone = zone
        self._text = text

    def __str__(self) -> str:
        return self._text

    def after(self, moment: datetime) -> datetime:
        """The first regular time after an aware moment, in UTC; UsageError when there is none within 50 years."""
        # In the hour that autumn repeats, cronsim may begin with a time of the first pass.
        for found in CronSim(self._expression, moment.astimezone(self._zone)):
            if (time := found.astimezone(UTC)) > moment:
                return time
        raise UsageError(f"There is no such time: {self._text}.", hint=_HINT)


def daily_at(hour: int, minute: int, zone: ZoneInfo) -> CronMoments:
    """Every day at a time of day: `hour` 0 to 23, `minute` 0 to 59, on the clocks of `zone`."""
    return CronMoments(f"{minute} {hour} * * *", zone, f"{hour:02}:{minute:02} {zone.key}")


def by_cron(expression: str, zone: ZoneInfo) -> CronMoments:
    """The times of five cron fields on the clocks of `zone`; UsageError, which names the field, for anything else."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise UsageError(f"--cron is {expression!r}: it has {len(fields)} fields.", hint=_HINT)
    fields[4] = _UP_TO_SUNDAY.sub(r"\1-7", fields[4])
    for place, (name, text) in enumerate(zip(_FIELDS, expression.split(), strict=True)):
        alone = ["*"] * place + [fields[place]] + ["*"] * (4 - place)
        if not _is_read(" ".join(alone)):
            raise UsageError(f"--cron is {expression!r}: its {name} cannot be read: {text!r}.", hint=_HINT)
    if not _is_read(" ".join(fields)):
        raise UsageError(f'There is no such time: cron "{expression}".', hint=_HINT)
    return CronMoments(" ".join(fields), zone, f'cron "{expression}" {zone.key}')


def _is_read(expression: str) -> bool:
    try:
        CronSim(expression, datetime.now(UTC))
    except (CronSimError, ValueError):  # ValueError: Python reads no number of more than 4,300 digits
        return False
    return True
