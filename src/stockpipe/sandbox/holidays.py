"""Holidays and early closes that are ahead: a bare list, one row for each exchange and day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec

from stockpipe.base.calendar import closes_early, is_usual_session
from stockpipe.base.clock import NEW_YORK
from stockpipe.sandbox.asked import Asked, Reply

_AHEAD = 390
_EXCHANGES = ("NYSE", "NASDAQ")
_NAMES = {
    1: "New Years Day", 2: "Washington's Birthday", 3: "Good Friday", 4: "Good Friday", 5: "Memorial Day",
    6: "Juneteenth", 7: "Independence Day", 9: "Labor Day", 11: "Thanksgiving", 12: "Christmas",
}  # fmt: skip
_MIDDLE_OF_JANUARY = 10


def upcoming(asked: Asked) -> Reply:
    """The answer to GET /v1/marketstatus/upcoming. A closing that no rule tells is not announced here."""
    first = asked.today.toordinal()
    rows = [row for day in range(first, first + _AHEAD) for row in _rows(day)]
    return Reply(msgspec.json.encode(rows), len(rows))


def _rows(day: int) -> list[dict[str, str]]:
    on = date.fromordinal(day)
    is_weekday = (day + 6) % 7 < 5
    if not is_weekday or (is_usual_session(day) and not closes_early(day)):
        return []
    name = "Martin Luther King, Jr. Day" if on.month == 1 and on.day > _MIDDLE_OF_JANUARY else _NAMES[on.month]
    row = {"date": on.isoformat(), "name": name, "status": "closed"}
    if is_usual_session(day):
        row |= {"status": "early-close", "open": _moment(on, time(9, 30)), "close": _moment(on, time(13))}
    return [row | {"exchange": exchange} for exchange in _EXCHANGES]


def _moment(on: date, at: time) -> str:
    return datetime.combine(on, at, NEW_YORK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
