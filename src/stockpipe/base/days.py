"""Days, times of day and durations as people write them: one form each, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from stockpipe.base.text import quoted
from stockpipe.errors import UsageError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def read_day(text: str) -> date:
    """The day of YYYY-MM-DD; UsageError for anything else, such as 20260206 or 2026-W06-5, which Python reads too."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{quoted(text)} is not a date.", hint="Write it as YYYY-MM-DD, such as 2026-02-07.")


def not_in_future(word: str, day: date, today: date) -> date:
    """The day that was given as `word`, such as --since; UsageError where it lies behind today."""
    if day > today:
        raise UsageError(f"{word} {day} is in the future.", hint=f"Choose a day up to {today} (today in New York).")
    return day


def nearest_days(days: Iterable[date], wanted: date) -> str:
    """The hint for a day that is not published: the three of the published ones that are nearest to it, oldest first."""
    near = sorted(sorted(days, key=lambda day: (abs((day - wanted).days), day))[:3])
    if len(near) == 1:
        return f"The only one is {near[0]}."
    return f"The nearest are {', '.join(map(str, near))}; stockpipe runs lists all of them."


def time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of HH:MM; UsageError for anything else, such as a time with a zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise UsageError(f"{quoted(text)} is not a time of day.", hint="Write it as HH:MM, such as 04:30.")
    return int(match[1]), int(match[2])


def in_words(seconds: float) -> str:
    """A duration in two figures at most: `48 s`, `1 min 40 s`, `12 min`, `3 h 20 min`, `4 d 6 h`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        figures = ((minutes, "min"), (rest, "s"))
    elif seconds < 48 * 3600:
        hours, minutes = divmod(round(seconds / 60), 60)
        figures = ((hours, "h"), (minutes, "min"))
    else:
        days, hours = divmod(round(seconds / 3600), 24)
        figures = ((days, "d"), (hours, "h"))
    return " ".join(f"{number} {unit}" for number, unit in figures if number) or "0 s"
