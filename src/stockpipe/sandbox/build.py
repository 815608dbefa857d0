"""When a nightly build is made, how it stamps its rows, and what one stock row looks like."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product

from stockpipe.base.clock import NEW_YORK

from .lifetimes import Security, scramble
from .names import BRANDS, called_name, security_name

Row = dict[str, object]

_SPREAD = 1_900_000  # nanoseconds between the first and the last row of a build
_BLANK_UNTIL = (date(2010, 1, 1).toordinal(), date(2016, 10, 1).toordinal())
_NANO_SINCE = date(2025, 7, 1).toordinal()
_KEPT_SINCE = date(2022, 6, 1).toordinal()  # who was delisted earlier has mostly lost its FIGI
_CIK_SPACE = 2_099_863
_FIGI_SPACE = 31**6
_FIGI_LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
_FIGI_THREES = tuple(map("".join, product(_FIGI_LETTERS, repeat=3)))
_SHARE_KEPT_BACK = 22  # of 1024 securities with a composite FIGI, those without a share class one
_NO_CIK = {"ETF": 330, "ETS": 620, "CS": 3, "UNIT": 30, "RIGHT": 20, "ETV": 30}  # of 1024


@lru_cache(maxsize=4096)
def build_moment(day: date) -> datetime:
    """When the build of this date is made, in UTC: 02:05 and some seconds in New York."""
    local = datetime.combine(day, time(2, 5), NEW_YORK).astimezone(UTC)
    return local + timedelta(seconds=scramble(day.toordinal()) % 60)


def build_date(now: datetime) -> date:
    """The date of the newest build at this moment (an aware datetime)."""
    today = now.astimezone(NEW_YORK).date()
    return today if now >= build_moment(today) else today - timedelta(days=1)


def build_stamps(day: date, count: int) -> list[str]:
    """`count` ascending stamps of one build: one second, some 2 ms apart at most, trailing zeros dropped."""
    second = build_moment(day).strftime("%Y-%m-%dT%H:%M:%S.")
    first = 1_000_000 + scramble(day.toordinal() + 77) % 990_000_000
    step = max(1, _SPREAD // max(1, count))
    return [f"{second}{first + at * _SPREAD // count + at * 7919 % step:09d}".rstrip("0") + "Z" for at in range(count)]


def midnight(day: int) -> str:
    """The stamp of an ordinal's midnight, `2022-04-27T00:00:00Z`."""
    return date.fromordinal(day).isoformat() + "T00:00:00Z"


def figi(number: int) -> str:
    """`BBG` and nine characters, another for every whole number from 0 to 900 millions."""
    number = (number * 514_229_771 + 91_193) % _FIGI_SPACE
    return f"BBG00{number & 1}{_FIGI_THREES[number // 29_791]}{_FIGI_THREES[number % 29_791]}"


def stock_row(security: Security, day: int, *, active: bool, build: bool) -> Row:
    """The row of one stock as known on an ordinal, without its stamp; keys that are unknown are absent.

    `build` says that the row is of a nightly build, whose types are complete but for a few that are new.
    """
    number, kind = security.number, security.kind
    row: Row = {"ticker": security.symbol_on(day) if security.renames else security.symbol}
    name = security.name
    if name is None:
        name = _name(security, day)
    if name:
        row["name"] = name
    row["market"] = "stocks"
    row["locale"] = "us"
    row["primary_exchange"] = security.exchange_on(day) if security.moves else security.exchange
    if _has_type(security, day, build):
        row["type"] = kind
    row["active"] = active
    row["currency_name"] = "usd"
    if number >> 52 & 1023 >= _NO_CIK.get(kind, 0) and name:
        row["cik"] = cik(security)
    if security.figi_day <= day and (active or _kept_figi(security)):
        figis = _figis(security, day)
        row["composite_figi"] = figi(figis)
        if number >> 30 & 1023 >= _SHARE_KEPT_BACK:
            row["share_class_figi"] = figi(figis + 1)
    if not active:
        row["delisted_utc"] = midnight(security.delisted)
    return row


def cik(security: Security, other: int = 0) -> str:
    """The issuer's number at the SEC, ten digits; `other` = 1 gives a wrong one. Funds of one brand share theirs."""
    fund = security.kind in ("ETF", "ETS", "ETV", "ETN")
    issuer = 1_000_000 + security.number % len(BRANDS) if fund and security.name is None else security.issuer
    return f"{((issuer + other * 500_000) * 15_485_863 + 700_001) % _CIK_SPACE:010d}"


def _figis(security: Security, day: int) -> int:
    """The number of the composite FIGI; the share class one has the next."""
    return next((number for since, number in reversed(security.refigied or ()) if since <= day), 2 * security.id)


def _name(security: Security, day: int) -> str:
    called = next((name for since, name in reversed(security.called or ()) if since <= day), None)
    if called:
        return called_name(security.kind, security.number, called)
    number = security.number
    brand = security.kind in ("ETF", "ETS", "ETV", "ETN")
    issuer = number % len(BRANDS) if brand else number if security.issuer == security.id else scramble(security.issuer)
    if security.renames and number >> 40 & 1 and security.renames[0][0] <= day:
        number = issuer = scramble(number)
    return security_name(security.kind, number, issuer)


def _has_type(security: Security, day: int, build: bool) -> bool:
    dice = security.number >> 11 & 1023
    if build:
        return dice > 4 or day > security.listed + 2
    if dice >= 770:
        return True
    start, end = _BLANK_UNTIL
    if security.listed >= end:
        return True
    return day >= start + (end - start) * dice // 770


def _kept_figi(security: Security) -> bool:
    return security.delisted > _KEPT_SINCE or security.number >> 16 & 1023 < 150


def inactive_stamp(security: Security, day: int) -> str:
    """When the row of a delisted stock was last written: at most some weeks after its end, never after `day`."""
    written = min(security.delisted + 1 + (security.number >> 8 & 31), day)
    if written < _NANO_SINCE:
        return midnight(written)
    moment = build_moment(date.fromordinal(security.delisted + 1)).strftime("%Y-%m-%dT%H:%M:%S.")
    return f"{moment}{1 + security.number % 999_999_998:09d}".rstrip("0") + "Z"


def dated_stamp(security: Security, day: int) -> str:
    """The midnight stamp of a dated record: the end of its validity so far, for old days often some weeks after."""
    shift = security.number >> 9 & 63
    if shift > 25:
        return midnight(day)
    return midnight(day + shift if day < _NANO_SINCE else day - shift)
