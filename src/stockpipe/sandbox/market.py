"""A synthetic Massive ticker universe, the same for the same seed, that lives through time."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date, datetime
from threading import RLock

from stockpipe.base.calendar import last_session
from stockpipe.base.clock import NEW_YORK

from .build import (
    Row,
    build_date,
    build_stamps,
    cik,
    dated_stamp,
    inactive_stamp,
    midnight,
    stock_row,
)
from .hard import HardStocks, noisy
from .lifetimes import FIRST_DAY, Security, Stocks, scramble
from .pairs import CONSTANT_STAMP, members, otc_stamp, pair_row
from .paths import Path

MARKETS = ("stocks", "otc", "crypto", "fx", "indices")
_CACHED = 12
# Days whose records are known to be incomplete, and the share of rows that they lack, in percent.
_BROKEN = {date(2009, 10, 29): 32, date(2010, 3, 30): 12, date(2010, 3, 31): 12}

Found = tuple[int, Row]


class Market:
    """The whole universe under one seed. Lists are made when asked for; no row carries its hidden true id.

    `rows` asks for exactly that many active stocks on every day, for benchmarks. `hard` makes stocks whose identity is
    hard to follow (see `hard.py`); then `rows` is about right only. Threads may share one.
    """

    def __init__(self, seed: int = 7, rows: int | None = None, *, hard: bool = False) -> None:
        if rows is not None and rows < 0:
            raise ValueError(f"rows must not be negative: {rows}")
        self.seed = seed
        self._size, self._hard = rows, hard
        self._stocks: Stocks | None = None
        self._lock = RLock()
        self._lists: OrderedDict[Hashable, list[Row]] = OrderedDict()
        self._paths: dict[int, tuple[int, Path]] = {}

    @property
    def label(self) -> str:
        """What the data is, for the records of those who load it."""
        return f"synthetic{' hard' if self._hard else ''} seed={self.seed}"

    @property
    def securities(self) -> list[Security]:
        """The hidden identities of all stocks so far, by true id, each with its `events`.

        It reaches as far as somebody asked for rows; nothing in it changes when it grows, but ends of lives.
        """
        with self._lock:
            return self._lived(FIRST_DAY).securities

    def paths(self, day: int) -> list[tuple[Security, Path]]:
        """The stocks that live on an ordinal, each with its price."""
        with self._lock:
            return self._with_paths(self._chosen(True, day))

    def all_paths(self, day: int) -> list[tuple[Security, Path]]:
        """All stocks that were ever listed up to an ordinal, each with its price."""
        with self._lock:
            return self._with_paths(self._lived(day).securities)

    def _with_paths(self, securities: list[Security]) -> list[tuple[Security, Path]]:
        """Each with its path; made anew when the security was renamed since, as reverse splits come with that."""
        found, paths = [], self._paths
        for one in securities:
            names = len(one.renames) if one.renames else 0
            known = paths.get(one.id)
            if known is None or known[0] != names:
                known = paths[one.id] = (names, Path(one))
            found.append((one, known[1]))
        return found

    def remembered(self, name: str, make: Callable[[int], list[Row]], day: int) -> list[Row]:
        """A further list as of an ordinal; it is made once, and the last ones are kept."""
        return self._kept((name, day), lambda: make(day))

    def build_key(self, on: date | None, now: datetime) -> Hashable:
        """What a list depends on: the asked date, or the build that is the newest at this moment."""
        return (on,) if on is not None else ("build", build_date(now))

    def rows(self, market: str, active: bool, on: date | None, now: datetime) -> list[Row]:
        """The list of one market as the API would give it at `now` (aware), in code point order of the tickers.

        With `on`, the dated records of that day: none before 2003-09-10 and none after today in New York. The same
        arguments within one build give the same list object; nobody may change it.
        """
        if on is not None and not FIRST_DAY <= on.toordinal() <= now.astimezone(NEW_YORK).toordinal():
            return []
        return self._kept(
            (market, active, self.build_key(on, now)),
            lambda: [row for _, row in self._make(market, active, on, build_date(now))],
        )

    def truth(self, market: str, on: date, active: bool = True) -> list[tuple[int, Row]]:
        """(true id, row) of the dated records of a day, in the order of `rows`; doubles bear the same id."""
        if on.toordinal() < FIRST_DAY:
            return []
        with self._lock:
            return self._make(market, active, on, on)

    # ---- making lists ----

    def _kept(self, key: Hashable, make: Callable[[], list[Row]]) -> list[Row]:
        """A list that is made once; the last ones are kept."""
        with self._lock:
            if key in self._lists:
                self._lists.move_to_end(key)
                return self._lists[key]
            # Another list may be made on the way: the dictionary is as it is behind it.
            made = self._lists[key] = make()
            if len(self._lists) > _CACHED:
                self._lists.popitem(last=False)
            return made

    def _make(self, market: str, active: bool, on: date | None, build: date) -> list[Found]:
        if market not in MARKETS:
            return []
        if market != "stocks":
            found = self._pairs(market, active, on, build)
        elif on is None:
            found = self._nightly(active, build)
        else:
            found = self._dated(active, on)
        return found

    def _lived(self, day: int) -> Stocks:
        if self._stocks is None:
            self._stocks = (HardStocks if self._hard else Stocks)(self.seed, self._size)
        self._stocks.advance(day)
        return self._stocks

    def _chosen(self, active: bool, day: int) -> list[Security]:
        everybody = self._lived(day).securities
        if active:
            return [one for one in everybody if one.listed <= day < one.delisted]
        return [one for one in everybody if one.delisted <= day]

    def _nightly(self, active: bool, build: date) -> list[Found]:
        day = last_session(build.toordinal() - 1)
        found = [
            (one.id, row)
            for one in self._chosen(active, day)
            if (row := self._row(one, day, active=active, build=True)) is not None
        ]
        found.sort(key=_order)
        if active:
            for (_, row), stamp in zip(found, build_stamps(build, len(found)), strict=True):
                row["last_updated_utc"] = stamp
        else:
            everybody = self._lived(day).securities
            for true_id, row in found:
                row["last_updated_utc"] = inactive_stamp(everybody[true_id], build.toordinal())
        return found

    def _dated(self, active: bool, on: date) -> list[Found]:
        day = on.toordinal()
        lost = _BROKEN.get(on, 0) if active else 0
        found = []
        for one in self._chosen(active, day):
            if lost and (one.number ^ scramble(day)) % 100 < lost:
                continue
            row = self._row(one, day, active=active, build=False)
            if row is None:
                continue
            row["last_updated_utc"] = dated_stamp(one, day) if active else inactive_stamp(one, day)
            found.append((one.id, row))
        if active:
            found += self._doubles(on)
        found.sort(key=_order)
        return found

    def _row(self, one: Security, day: int, *, active: bool, build: bool) -> Row | None:
        row = stock_row(one, day, active=active, build=build)
        return noisy(one, row, day, self.seed) if self._hard and active else row

    def _doubles(self, on: date) -> list[Found]:
        """Second records of two to four stocks, the same ones all month while they live."""
        everybody = self._lived(on.toordinal()).securities
        month = scramble(on.year * 12 + on.month + self.seed)
        known = bisect_left(everybody, on.replace(day=1).toordinal(), key=lambda one: max(one.listed, FIRST_DAY))
        return [
            (one.id, _double(one, on.toordinal(), at))
            for at, one in enumerate(self._picked(everybody, max(known, 40), month, on.toordinal()))
        ]

    def _picked(self, everybody: list[Security], known: int, month: int, day: int) -> list[Security]:
        wanted, picked, at = 2 + month % 3, dict[int, Security](), 0
        while len(picked) < wanted and at < 500:
            at += 1
            one = everybody[scramble(month + at) % min(known, len(everybody))]
            if one.active_on(day) and one.name is None:
                picked[one.id] = one
        return list(picked.values())

    def _pairs(self, market: str, active: bool, on: date | None, build: date) -> list[Found]:
        day = on.toordinal() if on is not None else last_session(build.toordinal() - 1)
        found = []
        for number, listed, delisted in members(market, self.seed, day):
            if (delisted > day) != active or listed > day:
                continue
            row = pair_row(market, self.seed, number, active=active, delisted=delisted)
            if market == "otc":
                row["last_updated_utc"] = otc_stamp(self.seed, number, until=delisted + 20, day=day)
            elif market != "indices":
                row["last_updated_utc"] = CONSTANT_STAMP
            found.append((number, row))
        found.sort(key=_order)
        return found


def _order(found: Found) -> str:
    return str(found[1]["ticker"])


def _double(one: Security, day: int, at: int) -> Row:
    row = stock_row(one, day, active=True, build=False)
    if at % 2:  # the same stock under another company's number
        row["cik"] = cik(one, 1)
        row["last_updated_utc"] = midnight(day - 251)
        return row
    row.pop("type", None)
    row["name"] = str(row["name"]).upper()
    row["last_updated_utc"] = midnight(max(FIRST_DAY, one.listed, day - 3650))
    return row
