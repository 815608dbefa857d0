"""Short volume, short interest and free float of the synthetic stocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from stockpipe.base.calendar import is_session, last_session
from stockpipe.sandbox.asked import Asked, Reply, read_day
from stockpipe.sandbox.lifetimes import scramble
from stockpipe.sandbox.listing import Listing, Row
from stockpipe.sandbox.market import Market

_VOLUME = Listing(("ticker", "date", "short_volume_ratio"), "ticker.asc", 10, 50_000)
_INTEREST = Listing(("ticker", "settlement_date", "days_to_cover", "avg_daily_volume"), "ticker.asc", 10, 50_000)
_FLOAT = Listing(("ticker", "free_float_percent"), "ticker.asc", 100, 5000)
_FIRST_VOLUME = date(2024, 2, 6)
_PUBLISHED_AFTER = 8  # sessions
_NO_VOLUME = 999.99
_DATES = 12


def short_volume(asked: Asked) -> Reply:
    """The answer to GET /stocks/v1/short-volume; without a date it is that of the last session."""
    text = asked.params.get("date")
    day = read_day(text) if text else date.fromordinal(last_session(asked.today.toordinal() - 1))
    name = f"short volume {asked.within_reach(day)}"
    return _VOLUME.answer(asked, partial(asked.market.remembered, name, partial(_volumes, asked.market, day)), _same)


def short_interest(asked: Asked) -> Reply:
    """The answer to GET /stocks/v1/short-interest: of the last twelve settlement dates that are published."""
    return _INTEREST.answer(
        asked, partial(_interests, asked.market, asked.params.get("settlement_date.gte", "")), _same
    )


def free_float(asked: Asked) -> Reply:
    """The answer to GET /stocks/vX/float."""
    market = asked.market
    return _FLOAT.answer(asked, partial(market.remembered, "float", partial(_floats, market)), _same)


def _same(row: Row, day: int) -> Row:
    del day
    return row


def _volumes(market: Market, on: date, today: int) -> list[Row]:
    day = on.toordinal()
    if on < _FIRST_VOLUME or not is_session(day) or day >= today:
        return []
    rows = [
        _volume(one.symbol_on(day), path.volume, scramble(path.number + day), on) for one, path in market.paths(day)
    ]
    return sorted((row for row in rows if row), key=_ticker)


def _volume(symbol: str, usual: float, dice: int, on: date) -> Row:
    """A row; none for a third of the stocks, which nobody trades off the exchanges that day."""
    if dice % 3 == 0:
        return {}
    carteret, chicago, nyse = (int(usual * (dice >> at & 255) / 2_000) for at in (8, 16, 24))
    exempt = carteret // 500
    short = float(carteret + chicago + nyse)
    total = short + int(usual * (dice >> 32 & 255) / 500) + (0.25 if dice >> 40 & 15 == 0 else 0.0)
    return {
        "ticker": symbol, "date": on.isoformat(), "total_volume": total, "short_volume": short,
        "exempt_volume": float(exempt), "non_exempt_volume": short - exempt,
        "short_volume_ratio": round(100 * short / total, 2) if total else 0.0,
        "nyse_short_volume": nyse, "nyse_short_volume_exempt": 0,
        "nasdaq_carteret_short_volume": carteret, "nasdaq_carteret_short_volume_exempt": exempt,
        "nasdaq_chicago_short_volume": chicago, "nasdaq_chicago_short_volume_exempt": 0,
        "adf_short_volume": 0, "adf_short_volume_exempt": 0,
    }  # fmt: skip


def _interests(market: Market, since: str, today: int) -> list[Row]:
    dates = [day for day in _settlements(today) if date.fromordinal(day).isoformat() >= since]
    lists = [market.remembered("short interest", partial(_interest, market), day) for day in dates]
    return sorted((row for rows in lists for row in rows), key=_ticker)


def _settlements(today: int) -> list[int]:
    """The last settlement dates, middle and end of a month, that were published by an ordinal."""
    found: list[int] = []
    first = date.fromordinal(today).replace(day=1)
    while len(found) < _DATES:
        middle, end = first.replace(day=15), first - timedelta(1)
        found += [
            day for day in (last_session(middle.toordinal()), last_session(end.toordinal())) if _published(day) <= today
        ]
        first = end.replace(day=1)
    return sorted(found)[-_DATES:]


def _published(day: int) -> int:
    for _ in range(_PUBLISHED_AFTER):
        day += 1
        while not is_session(day):
            day += 1
    return day


def _interest(market: Market, day: int) -> list[Row]:
    return sorted(_interest_rows(market, day), key=_ticker)


def _interest_rows(market: Market, day: int) -> Iterator[Row]:
    for one, path in market.paths(day):
        dice = scramble(path.number ^ day * 0x1F3)
        usual = 0 if dice & 63 == 0 else int(path.volume)
        short = int(path.volume * (dice >> 8 & 255) / 40)
        cover = max(round(short / usual, 2), 1.0) if usual else _NO_VOLUME
        yield {
            "ticker": one.symbol_on(day), "settlement_date": date.fromordinal(day).isoformat(), "short_interest": short,
            "avg_daily_volume": usual, "days_to_cover": cover,
        }  # fmt: skip


def _floats(market: Market, today: int) -> list[Row]:
    rows = [
        {
            "ticker": one.symbol_on(today),
            "free_float": 1_000 * (100 + (one.number >> 12 & 0xFFFFF)),
            "effective_date": date.fromordinal(today - 20 - one.number % 90).isoformat(),
            "free_float_percent": round(100 - (one.number >> 32 & 4095) / 100, 2),
        }
        for one, _ in market.paths(today)
        if one.kind in ("CS", "ADRC")
    ]
    return sorted(rows, key=_ticker)


def _ticker(row: Row) -> str:
    return str(row["ticker"])
