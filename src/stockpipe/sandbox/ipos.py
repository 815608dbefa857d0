"""Initial public offerings: of stocks that listed since 2008, and of some that are pending or were withdrawn."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import date
from functools import partial

import msgspec

from stockpipe.sandbox.asked import Asked, Reply, read_limit
from stockpipe.sandbox.build import stock_row
from stockpipe.sandbox.cursor import BadCursor
from stockpipe.sandbox.lifetimes import Security, scramble
from stockpipe.sandbox.listing import Row
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.names import company

_FIRST = date(2008, 1, 1).toordinal()
_MOST = 1000
_PLANS = 90


def ipos(asked: Asked) -> Reply:
    """The answer to GET /vX/reference/ipos: sorted by one field, `order` asc or desc, with a cursor of the older kind."""
    params, first = dict(asked.params), 0
    if "cursor" in params:
        params, first = _decode(params["cursor"])
    limit, sort = read_limit(params, 10, _MOST), params.get("sort", "listing_date")
    rows = asked.market.remembered("ipos", partial(_rows, asked.market), asked.today.toordinal())
    wanted = {name: params[name] for name in ("ticker", "ipo_status", "listing_date") if name in params}
    rows = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    rows = sorted(rows, key=lambda row: str(row.get(sort, "")), reverse=params.get("order", "desc") == "desc")
    body: dict[str, object] = {
        "results": rows[first : first + limit],
        "status": "OK",
        "request_id": secrets.token_hex(16),
    }
    if first + limit < len(rows):
        body["next_url"] = f"{asked.base_url}{asked.path}?cursor={_encode(params, first + limit)}"
    return Reply(msgspec.json.encode(body), len(rows[first : first + limit]))


def _rows(market: Market, today: int) -> list[Row]:
    listed = [_of_stock(one, today) for one, _ in market.all_paths(today) if one.listed > _FIRST and one.number % 3 == 0 and one.kind in ("CS", "ADRC", "UNIT")]  # fmt: skip
    return [*listed, *(_planned(market.seed, number, today) for number in range(_PLANS))]


def _of_stock(one: Security, today: int) -> Row:
    number, price = one.number, 5.0 + (one.number >> 20 & 31)
    row = _row(
        str(stock_row(one, one.listed, active=True, build=False).get("name", "")), one.symbol, number, one.listed - 40
    )
    is_new = today - one.listed < 60
    row |= {
        "listing_date": date.fromordinal(one.listed).isoformat(), "ipo_status": "new" if is_new else "history",
        "final_issue_price": price, "primary_exchange": one.exchange, "shares_outstanding": 1000 * (number & 0xFFFF),
        "security_type": "SP" if one.kind == "UNIT" else one.kind, "us_code": f"{number % 10**8:08d}1",
        "isin": f"US{number % 10**9:09d}0",
    }  # fmt: skip
    return row


def _planned(seed: int, number: int, today: int) -> Row:
    """One that has no day yet: pending for some months, then postponed or withdrawn. Its symbol may never list."""
    dice = scramble(seed * 1_009 + number)
    announced = today - (today + dice % 400) % 400
    age = today - announced
    row = _row(company(dice), f"Z{chr(65 + number % 26)}{chr(65 + number // 26)}Q", dice, announced)
    row["ipo_status"] = "rumor" if age < 10 else "pending" if age < 150 else "postponed" if dice & 1 else "withdrawn"
    return row


def _row(issuer: str, ticker: str, number: int, announced: int) -> Row:
    price = 5.0 + (number >> 20 & 31)
    return {
        "ticker": ticker, "issuer_name": issuer or f"{ticker} Holdings", "security_type": "CS", "ipo_status": "pending",
        "announced_date": date.fromordinal(announced).isoformat(), "last_updated": date.fromordinal(announced + 3).isoformat(),
        "currency_code": "USD", "lowest_offer_price": price - 1, "highest_offer_price": price + 1,
        "max_shares_offered": 1000 * (number >> 8 & 4095), "lot_size": 100,
        "total_offer_size": price * 1000 * (number >> 8 & 4095),
        "security_description": "Units 1 Ord Cls A  1/3 War" if number >> 40 & 7 == 0 else "Ordinary Shares",
    }  # fmt: skip


def _encode(params: dict[str, str], place: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([params, place])).decode().rstrip("=")


def _decode(token: str) -> tuple[dict[str, str], int]:
    try:
        return msgspec.json.decode(
            base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=tuple[dict[str, str], int]
        )
    except (binascii.Error, msgspec.MsgspecError):
        raise BadCursor("Failed to parse query parameters from URL: invalid cursor") from None
