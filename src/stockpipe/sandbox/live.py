"""The market as it trades at a moment, 15 minutes late; nothing before 04:00 in New York."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta

import msgspec

from stockpipe.base.calendar import is_session, last_session
from stockpipe.base.clock import NEW_YORK
from stockpipe.sandbox.asked import Asked, Reply
from stockpipe.sandbox.lifetimes import scramble
from stockpipe.sandbox.paths import Path, rounded
from stockpipe.sandbox.refusals import Refused

_LATE = timedelta(minutes=15)
_FILLS, _OPENS = time(4), time(9, 30)
_NOTHING = {"o": 0, "h": 0, "l": 0, "c": 0, "v": 0, "vw": 0}


def snapshot(asked: Asked) -> Reply:
    """The answer to GET /v2/snapshot/locale/us/markets/stocks/tickers."""
    if asked.plan == "free":
        raise Refused(403, "NOT_AUTHORIZED", message="You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing")  # fmt: skip
    wanted = set(asked.params["tickers"].split(",")) if "tickers" in asked.params else None
    seen = asked.now.astimezone(NEW_YORK) - _LATE
    rows: list[dict[str, object]] = []
    if seen.time() >= _FILLS:
        day = seen.date().toordinal()
        for one, path in asked.market.paths(day):
            symbol = one.symbol_on(day)
            if wanted is None or symbol in wanted:
                rows.append(_row(symbol, path, day, seen))
    body = {"tickers": rows, "status": "OK", "request_id": secrets.token_hex(16), "count": len(rows)}
    return Reply(msgspec.json.encode(body), len(rows))


def _row(symbol: str, path: Path, day: int, seen: datetime) -> dict[str, object]:
    before = path.close(last_session(day - 1))
    row: dict[str, object] = {"ticker": symbol, "todaysChange": 0, "todaysChangePerc": 0, "updated": 0}
    row |= {"day": _NOTHING, "min": {**_NOTHING, "n": 0, "av": 0, "t": 0}, "prevDay": _bar(before, path.volume)}
    share = _share_of_session(seen)
    if not is_session(day) or not share or scramble(path.number + day) & 63 == 0:
        return row
    dice = scramble(path.number + day * 1_441 + seen.hour * 60 + seen.minute)
    price, volume = rounded(path.close(day) * (1 + ((dice & 255) - 128) / 25_600)), round(path.volume * share, 4)
    minute = seen.replace(second=0, microsecond=0)
    row |= {"todaysChange": round(price - before, 6), "todaysChangePerc": round(100 * (price / before - 1), 6)}
    row |= {"updated": int(seen.timestamp()) * 1_000_000_000 + dice % 1_000_000_000}
    row["day"] = {**_bar(price, volume), "dv": str(volume)}
    row["min"] = {**_bar(price, volume / 390), "n": 1 + (dice & 31), "av": int(volume), "dav": str(volume), "t": int(minute.timestamp()) * 1000}  # fmt: skip
    return row


def _share_of_session(seen: datetime) -> float:
    """How much of the day's trading is over."""
    if seen.time() < _OPENS:
        return 0.0
    since = timedelta(hours=seen.hour - 9, minutes=seen.minute - 30)
    return min(1.0, (since + timedelta(minutes=1)) / timedelta(hours=6.5))


def _bar(price: float, volume: float) -> dict[str, float]:
    said = rounded(price)
    return {"o": said, "h": rounded(price * 1.004), "l": rounded(price * 0.996), "c": said, "v": round(volume, 4), "vw": round(price, 4)}  # fmt: skip
