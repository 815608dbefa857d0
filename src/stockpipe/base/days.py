"""Days and times of day as people write them: one form each, whoever asks."""

from __future__ import annotations

import re
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


def time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of HH:MM; UsageError for anything else, such as a time with a zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise UsageError(f"{quoted(text)} is not a time of day.", hint="Write it as HH:MM, such as 04:30.")
    return int(match[1]), int(match[2])
