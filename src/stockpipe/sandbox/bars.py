"""The bars of a day: members of that day's list, some strangers, and what is awkward about them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from stockpipe.base.calendar import is_session
from stockpipe.base.clock import NEW_YORK
from stockpipe.sandbox.asked import Asked, Reply, read_day
from stockpipe.sandbox.lifetimes import FIRST_DAY, scramble
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.paths import Path, rounded
from stockpipe.sandbox.refusals import NOT_OVER, Refused

GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/"
_FRACTIONS_SINCE = date(2026, 2, 23).toordinal()
_EXPONENTS_UNTIL = date(2021, 1, 1).toordinal()
_OTC_SINCE = date(2021, 12, 31).toordinal()
_CLOSED = time(16, 15)
_SETTLED = time(11, 0)
_LEAST = 0.0001
_STRANGERS = ("ZZVOX", "ZXAB.WD", "QMNLw", "ZVZZT")


def grouped_daily(asked: Asked) -> Reply:
    """The answer to GET /v2/aggs/grouped/locale/us/market/stocks/{day}."""
    day = asked.within_reach(read_day(asked.path.removeprefix(GROUPED)))
    adjusted, with_otc = asked.flag("adjusted", True), asked.flag("include_otc", False)
    if asked.plan == "free" and day >= asked.today:
        raise Refused(403, "NOT_AUTHORIZED", message=NOT_OVER)
    rows = _rows(asked, day.toordinal(), adjusted=adjusted, with_otc=with_otc) if _has_bars(asked, day) else []
    head = f'"queryCount":{len(rows)},"resultsCount":{len(rows)},"adjusted":{str(adjusted).lower()}'
    # A day without bars has no list at all.
    listed = f',"results":[{",".join(rows)}],"count":{len(rows)}' if rows else ""
    text = f'{{{head}{listed},"status":"OK","request_id":"{secrets.token_hex(16)}"}}'
    return Reply(text.encode(), len(rows))


def _has_bars(asked: Asked, day: date) -> bool:
    if not is_session(day.toordinal()) or day.toordinal() < FIRST_DAY or day > asked.today:
        return False
    return day < asked.today or asked.now.astimezone(NEW_YORK).time() >= _CLOSED


def _rows(asked: Asked, day: int, *, adjusted: bool, with_otc: bool) -> list[str]:
    settled = datetime.combine(date.fromordinal(day) + timedelta(1), _SETTLED, NEW_YORK)
    is_early, until = asked.now < settled, asked.today.toordinal()
    stamp = int(datetime.combine(date.fromordinal(day), time(16), NEW_YORK).timestamp()) * 1000
    salt, rows = scramble(day) >> 3, list[str]()
    for security, path in asked.market.paths(day):
        # Some two in a hundred are not traded that day.
        if (security.number ^ salt) % 53:
            symbol = security.symbol_on(day) if security.renames else security.symbol
            later = path.split_factor(day, until) if adjusted and path.splits else 1.0
            rows.append(_bar(symbol, path, day, stamp, later, is_early))
    for at, symbol in enumerate(_STRANGERS[: 2 + day % 3]):
        rows.append(_quiet(symbol, rounded(5.0 + at), stamp))
    if with_otc and day >= _OTC_SINCE:
        rows += _otc(asked.market, day, stamp)
    return rows


def _bar(symbol: str, path: Path, day: int, stamp: int, later: float, is_early: bool) -> str:
    """One bar as JSON. A bar that was asked for early has volume which the vendor takes back later.

    What is adjusted is the bar as it was quoted, times `later`: four for one makes 499.23 into 124.8075.
    """
    dice = scramble(path.number + day * 0x2545F491)
    close = path.price(day, dice)
    if dice >> 40 & 127 == 0:
        return _quiet(symbol, rounded(close) * later, stamp)
    first = close * (1.0 + ((dice >> 10 & 255) - 128) / 12_800)
    high = max(first, close) * (1.0 + (dice >> 18 & 63) / 6_400)
    low = min(first, close) * (1.0 - (dice >> 24 & 63) / 6_400)
    shares = path.volume * (0.5 + (dice >> 30 & 1023) / 1024) / later
    if is_early and dice >> 50 & 7 == 0:
        shares *= 1.03
    parts, least = (100.0, 0.01) if low >= 1.0 else (10_000.0, _LEAST)
    mean = int((high + low + close) / 3 * 10_000.0 + 0.5) / 10_000.0 or _LEAST
    # Rounded by whole numbers: a day has 60,000 of these, and round() takes three times as long.
    first = (int(first * parts + 0.5) / parts or least) * later
    close = (int(close * parts + 0.5) / parts or least) * later
    high = (int(high * parts + 0.5) / parts or least) * later
    low = (int(low * parts + 0.5) / parts or least) * later
    return (
        f'{{"T":"{symbol}","v":{_volume(shares, day, dice)},"vw":{mean * later},"o":{first},"c":{close},'
        f'"h":{high},"l":{low},"t":{stamp},"n":{int(shares) // 90 + 1}}}'
    )


def _quiet(symbol: str, price: float, stamp: int, more: str = "") -> str:
    """A bar without a trade in it: no number of trades, no mean price."""
    return f'{{"T":"{symbol}","v":0,"o":{price},"c":{price},"h":{price},"l":{price},"t":{stamp}{more}}}'


def _volume(shares: float, day: int, dice: int) -> str:
    if day >= _FRACTIONS_SINCE and dice >> 54 & 15:
        return str(round(shares, 6))
    if shares >= 1e6 and day < _EXPONENTS_UNTIL:
        mantissa, _, exponent = f"{int(shares):e}".partition("e")
        return f"{mantissa.rstrip('0')}0e{exponent}" if mantissa.endswith("000000") else f"{mantissa}e{exponent}"
    return str(int(shares))


def _otc(market: Market, day: int, stamp: int) -> Iterator[str]:
    for number, row in market.truth("otc", date.fromordinal(day)):
        dice = scramble(number * 7 + day)
        if dice & 3:
            price = 0.0001 * 10 ** ((scramble(number) & 1023) / 200)
            yield _quiet(str(row["ticker"]), rounded(price * (1 + (dice >> 9 & 63) / 640)), stamp, ',"otc":true')
