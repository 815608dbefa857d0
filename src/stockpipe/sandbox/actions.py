"""Splits and dividends as the vendor tells them: restated with every build, and not always right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import partial
from itertools import groupby

from stockpipe.base.calendar import last_session
from stockpipe.sandbox.asked import Asked, Reply
from stockpipe.sandbox.lifetimes import Security, scramble
from stockpipe.sandbox.listing import Listing, Row
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.paths import Path, Payout, Split

_SPLITS = Listing(("ticker", "execution_date", "adjustment_type"), "execution_date.desc", 100, 5000)
_DIVIDENDS = Listing(("ticker", "ex_dividend_date", "frequency", "distribution_type"), "ticker.asc", 100, 5000)
_ANNOUNCED = 20
_DECLARED = 45
_ONE_YEAR = 365
_YUAN = 7.1
# What is kept from the caller: how the vendor would make the row's id.
_SEED = "_seed"


def splits(asked: Asked) -> Reply:
    """The answer to GET /stocks/v1/splits."""
    market = asked.market
    return _SPLITS.answer(asked, partial(market.remembered, "splits", partial(_split_rows, market)), _sent)


def dividends(asked: Asked) -> Reply:
    """The answer to GET /stocks/v1/dividends."""
    market = asked.market
    return _DIVIDENDS.answer(asked, partial(market.remembered, "dividends", partial(_dividend_rows, market)), _sent)


def _sent(row: Row, day: int) -> Row:
    """A row with its id: some ids are made anew every forty days, though nothing else has changed."""
    seed = str(row[_SEED])
    dice = scramble(int.from_bytes(seed.encode()[-8:]))
    build = (day + dice % 40) // 40 if dice >> 8 & 7 == 0 else 0
    digest = hashlib.sha256(f"{seed} {build}".encode()).hexdigest()
    return {"id": f"{'P' if dice & 15 == 0 else 'E'}{digest}"} | {k: v for k, v in row.items() if k != _SEED}


def _split_rows(market: Market, today: int) -> list[Row]:
    """All splits that are known on an ordinal, by ticker and date; announced ones have no factor yet."""
    found: list[Row] = []
    for one, path in market.all_paths(today):
        for split in path.splits:
            if split.day < one.delisted and split.said <= today + _ANNOUNCED and split.day - _ANNOUNCED <= today:
                found += _told(one, split, market.seed)
    found.sort(key=lambda row: (row["ticker"], row["execution_date"], row["adjustment_type"]))
    for _, chain in groupby(found, key=lambda row: row["ticker"]):
        _add_split_factors(list(chain), date.fromordinal(today).isoformat())
    return found


def _told(one: Security, split: Split, seed: int) -> list[Row]:
    """The rows of a split: two for one that the vendor calls a reorganisation."""
    # With a new symbol, the event is told of the old one.
    symbol = one.symbol_on(split.day - 1)
    row: Row = {
        "execution_date": date.fromordinal(split.said).isoformat(),
        "split_from": split.old,
        "split_to": split.new,
        "ticker": symbol,
        "adjustment_type": split.kind,
        _SEED: f"split {seed} {one.id} {split.day}",
    }
    if not split.doubled:
        return [row]
    return [row, row | {"adjustment_type": "stock_dividend", _SEED: f"{row[_SEED]} again"}]


def _add_split_factors(chain: list[Row], today: str) -> None:
    """Each factor is the product of its own split and all later ones of the ticker; some come out as 0."""
    factor = 1.0
    for row in reversed(chain):
        if str(row["execution_date"]) > today:
            continue
        factor *= float(str(row["split_from"])) / float(str(row["split_to"]))
        row["historical_adjustment_factor"] = round(factor, 6)


def _dividend_rows(market: Market, today: int) -> list[Row]:
    """All dividends that are known on an ordinal, by ticker and date."""
    found: list[Row] = []
    for one, path in market.all_paths(today):
        for payout in path.payouts:
            far = one.kind == "PFD" and one.number & 31 == 0
            if payout.day < one.delisted and payout.day <= today + (4 * _ONE_YEAR if far else _DECLARED):
                found.append(_paid(one, path, payout, market.seed, today))
    found.sort(key=lambda row: (row["ticker"], row["ex_dividend_date"], row["distribution_type"]))
    for _, chain in groupby(found, key=lambda row: row["ticker"]):
        _add_dividend_factors(list(chain))
    return found


def _paid(one: Security, path: Path, payout: Payout, seed: int, today: int) -> Row:
    day = payout.day
    before = path.close(last_session(day - 1)) if day <= today + _DECLARED else path.base
    rate = _YUAN if payout.currency == "CNY" else 1.0
    amount = max(round((payout.said_share or payout.share) * before * rate, 4), 0.0001)
    row: Row = {
        "ticker": one.symbol_on(day),
        "record_date": date.fromordinal(day + 1).isoformat(),
        "pay_date": date.fromordinal(day + 14).isoformat(),
    }
    if date.fromordinal(day).year >= 2010 or one.number & 3:
        row["declaration_date"] = date.fromordinal(day - 25).isoformat()
    row |= {
        "ex_dividend_date": date.fromordinal(day).isoformat(),
        "frequency": payout.frequency,
        "cash_amount": amount,
        "currency": payout.currency,
        "distribution_type": payout.kind,
        _SEED: f"dividend {seed} {one.id} {day} {payout.kind}",
    }
    if day <= today and one.number >> 50 & 15:
        row["_factor"] = 1.0 - amount / before
        row["split_adjusted_cash_amount"] = round(amount * path.split_factor(day, today), 6)
    return row


def _add_dividend_factors(chain: Iterable[Row]) -> None:
    """Each factor is the product of its own dividend and all later ones of the ticker that have a price."""
    factor = 1.0
    for row in reversed(list(chain)):
        own = row.pop("_factor", None)
        if isinstance(own, float):
            factor *= own
            row["historical_adjustment_factor"] = round(factor, 6)
