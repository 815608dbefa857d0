"""A synthetic Massive universe: deterministic by seed, of the real one's size and shape, alive through time.

The forms follow dumps of the real listing of 2025 and 2026: which fields are absent for which types, odd symbols, the
nightly build's stamps, the dated records' doubles and gaps. Each security has a hidden identity that no answer shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from stockpipe.sandbox import others
from stockpipe.sandbox.lives import FIRST_DAY, Play, Security

_NEW_YORK = ZoneInfo("America/New_York")
_BUILD_TIME = time(2, 5)
# Days on which the real API lacks a part of the market (in hundredths), as users found.
_BROKEN_DAYS = {date(2009, 10, 29): 32, date(2010, 3, 30): 12, date(2010, 3, 31): 12}

Row = dict[str, object]


class Market:
    """The universe of one seed. `rows` makes it have exactly so many active stocks today, for benchmarks."""

    def __init__(self, seed: int = 7, rows: int | None = None) -> None:
        self.label = f"synthetic seed={seed}"
        self._seed, self._wanted = seed, rows
        self._play: Play | None = None
        self._eternal: list[Security] = []
        self._lists: dict[Hashable, list[Row]] = {}

    def securities(self, until: date) -> list[Security]:
        """The hidden truth about stocks: every security listed by a day, with its identity and its events."""
        if self._play is None:
            self._play = Play(self._seed)
        everything = self._play.until(until)
        if self._wanted is not None and not self._eternal:
            self._eternal = self._play.exactly(self._wanted)
        return self._eternal or everything

    def rows(self, market: str, active: bool, on: date | None, now: datetime) -> list[Row]:
        """The rows of a market and state by ticker: of the current nightly build, or the dated records of `on`."""
        build = build_date(now)
        key = (market, active, on, None if on else build)
        if key not in self._lists:
            if len(self._lists) > 40:
                self._lists.clear()
            self._lists[key] = self._make(market, active, on, build)
        return self._lists[key]

    def build_key(self, on: date | None, now: datetime) -> Hashable:
        """What the list depends on: the day asked for, or the current build."""
        return on or ("build", build_date(now))

    def truth(self, on: date) -> list[tuple[int, Row]]:
        """The active stocks of a day, each with its hidden identity; clean, without doubles or gaps."""
        return [(s.true_id, _stock_row(s, on, on)) for s in self.securities(on) if s.lives(on)]

    def _make(self, market: str, active: bool, on: date | None, build: date) -> list[Row]:
        if market != "stocks":
            return others.rows(market, active, on or build, self._seed)
        # The build of a morning shows the state after the last session before it.
        as_of = on or build - timedelta(days=1)
        if active:
            rows = [_stock_row(s, as_of, on) for s in self.securities(as_of) if s.lives(as_of)]
        else:
            rows = [_inactive_row(s) for s in self.securities(as_of) if s.gone(as_of)]
        rows.sort(key=lambda row: str(row["ticker"]))
        if on is None:
            return _stamped(rows, build) if active else rows
        return _spoiled(rows, on) if active else rows


def build_date(now: datetime) -> date:
    """The date of the nightly build that is current at a moment: today's after 02:05 New York, else yesterday's."""
    local = now.astimezone(_NEW_YORK)
    return local.date() if local.time() >= _BUILD_TIME else local.date() - timedelta(days=1)


def _stock_row(security: Security, as_of: date, on: date | None) -> Row:
    row: Row = {"ticker": security.ticker(as_of)}
    if security.name:
        row["name"] = security.name
    row |= {"market": "stocks", "locale": "us", "primary_exchange": security.exchange(as_of)}
    if not _type_unknown(security, as_of):
        row["type"] = security.kind
    row |= {"active": True, "currency_name": "usd"}
    if security.cik:
        row["cik"] = security.cik
    if security.composite_figi and as_of >= security.figi_from:
        row["composite_figi"] = security.composite_figi
        if security.share_class_figi:
            row["share_class_figi"] = security.share_class_figi
    if on:
        row["last_updated_utc"] = f"{on.isoformat()}T00:00:00Z"
    return row


def _type_unknown(security: Security, as_of: date) -> bool:
    """Old records often lack their type: most before 2010, many before 2016."""
    blank = 80 if as_of.year < 2010 else 40 if as_of.year < 2016 else 5 if as_of.year < 2019 else 0
    return security.true_id % 100 < blank


def _inactive_row(security: Security) -> Row:
    last = security.delisted or FIRST_DAY
    row = _stock_row(security, last - timedelta(days=1), last)
    return row | {"active": False, "delisted_utc": f"{last.isoformat()}T00:00:00Z"}


def _stamped(rows: list[Row], build: date) -> list[Row]:
    """The build's stamp on every row: nanoseconds, ascending within about 2 ms, trailing zeros dropped."""
    local = datetime.combine(build, _BUILD_TIME, _NEW_YORK) + timedelta(seconds=_hash(build.isoformat()) % 200)
    second = local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    first = 100_000_000 + _hash(f"ns {build}") % 700_000_000
    for index, row in enumerate(rows):
        digits = f"{first + index * 163 + index * index % 97:09}".rstrip("0")
        row["last_updated_utc"] = f"{second}.{digits}Z"
    return rows


def _spoiled(rows: list[Row], on: date) -> list[Row]:
    """The dated records' own faults: a few tickers twice, and on known days a part of the market missing."""
    missing = _BROKEN_DAYS.get(on, 0)
    kept = [row for row in rows if _hash(f"{row['ticker']} {on}") % 100 >= missing] if missing else rows
    doubled: list[Row] = []
    spots = {_hash(f"double {on} {number}") % max(len(kept), 1) for number in range(3)}
    for index, row in enumerate(kept):
        doubled.append(row)
        if index in spots:
            older = {
                name: value
                for name, value in row.items()
                if name not in ("cik", "type", "composite_figi", "share_class_figi")
            }
            doubled.append(
                older
                | {"name": str(row.get("name", "")).upper() or "UNNAMED", "last_updated_utc": "2011-03-04T00:00:00Z"}
            )
    return doubled


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest())
