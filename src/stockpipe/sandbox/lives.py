"""Listings, delistings, renames, exchange moves and reused tickers since 2003, played session by session."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from stockpipe.sandbox import words

FIRST_DAY = date(2003, 9, 10)

_OLD = date(1990, 1, 1)
_FIRST_LISTED = 8_600
# From a year on: new listings and delistings of one session, on average.
_PACE = {2003: (3.5, 2.9), 2011: (4.2, 3.9), 2016: (4.7, 4.4), 2020: (6.5, 5.3)}
_KINDS = {
    "CS": 44, "ETF": 35, "PFD": 3.4, "WARRANT": 3, "ADRC": 3, "FUND": 3, "UNIT": 1.6, "SP": 1.2, "ETS": 1, "RIGHT": 0.7,
    "ETV": 0.6, "ETN": 0.4,
}  # fmt: skip
_EXCHANGES = {
    "CS": ("XNAS", "XNAS", "XNAS", "XNYS", "XNYS", "XASE"),
    "ETF": ("ARCX", "ARCX", "ARCX", "ARCX", "XNAS", "BATS", "BATS"),
}
# How many in a hundred have no FIGI at all, by type; none of the preferred and structured ones has.
_NO_FIGI = {"CS": 19, "PFD": 100, "SP": 100, "WARRANT": 46, "UNIT": 92, "RIGHT": 86}
# Real symbols that break parsers, and pairs that differ only by case.
_SPECIAL = (
    "NA", "NAN", "TRUE", "ON", "E", "T", "V", "TEST", "BCPC", "BCpC", "TPC", "TpC", "ABRpD", "BFLY.WS", "BRKS.A", "BRKS.B",
    "AACT.U", "MSTr",
)  # fmt: skip
_TEST_SYMBOLS = ("ATEST", "CTEST", "MTEST", "NTEST", "PTEST", "ZTEST")


@dataclass
class Security:
    """One security and its life. `true_id` is its hidden identity: no answer of the sandbox carries it."""

    true_id: int
    kind: str
    name: str
    listed: date
    tickers: list[tuple[date, str]]
    exchanges: list[tuple[date, str]]
    cik: str = ""
    composite_figi: str = ""
    share_class_figi: str = ""
    figi_from: date = _OLD
    delisted: date | None = None
    fixed: bool = field(default=False, repr=False)

    def lives(self, on: date) -> bool:
        """Whether it is listed on a day; on the day of its delisting it no longer is."""
        return self.listed <= on and (self.delisted is None or on < self.delisted)

    def gone(self, on: date) -> bool:
        """Whether it was delisted on or before a day."""
        return self.delisted is not None and self.delisted <= on

    def ticker(self, on: date) -> str:
        """Its symbol on a day."""
        return _at(self.tickers, on)

    def exchange(self, on: date) -> str:
        """Its primary exchange (MIC) on a day."""
        return _at(self.exchanges, on)


def _at(spells: list[tuple[date, str]], on: date) -> str:
    return next((value for since, value in reversed(spells) if since <= on), spells[0][1])


def _sessions() -> Iterator[date]:
    day = FIRST_DAY
    while True:
        if day.weekday() < 5 and (day.month, day.day) not in ((1, 1), (7, 4), (12, 25)):
            yield day
        day += timedelta(days=1)


class Play:
    """The market while it is played. What was played once stays, so a day looks the same whenever it is asked for."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.securities: list[Security] = []
        self._alive: list[Security] = []
        self._taken: set[str] = set(_SPECIAL)
        self._free: deque[tuple[date, str]] = deque()
        self._kinds, self._weights = list(_KINDS), list(_KINDS.values())
        self._sessions = _sessions()
        self._next = next(self._sessions)
        self._open()

    def until(self, day: date) -> list[Security]:
        """Play on to the end of a day; everything that was ever listed up to then."""
        while self._next <= day:
            self._session(self._next)
            self._next = next(self._sessions)
        return self.securities

    def exactly(self, wanted: int) -> list[Security]:
        """The securities of a market with exactly so many actives, none of which ever comes or goes."""
        eternal = self._alive[:wanted]
        for security in eternal:
            security.listed, security.figi_from, security.tickers = _OLD, _OLD, [(_OLD, security.tickers[-1][1])]
        self._kinds, self._weights = ["CS"], [1]
        while len(eternal) < wanted:
            eternal.append(self._list(_OLD))
        return eternal

    def _open(self) -> None:
        """What is listed on the first day, and a few test symbols without a name that were delisted long ago."""
        for number in range(_FIRST_LISTED):
            self._list(_OLD, _SPECIAL[number] if number < len(_SPECIAL) else None)
        for symbol in _TEST_SYMBOLS:
            spells = [(_OLD, symbol)], [(_OLD, "XNYS")]
            self.securities.append(Security(len(self.securities), "CS", "", _OLD, *spells, delisted=date(2008, 5, 6)))

    def _session(self, day: date) -> None:
        """One session: listings, delistings, now and then a rename or a move to another exchange."""
        born, died = next(pace for year, pace in reversed(_PACE.items()) if year <= day.year)
        for _ in range(self._about(born)):
            self._list(day)
        for _ in range(self._about(died)):
            self._delist(day)
        if self.random.random() < 0.7:
            self._rename(day)
        if self.random.random() < 0.35:
            mover = self.random.choice(self._alive)
            mover.exchanges.append((day, self.random.choice(("XNAS", "XNYS", "ARCX", "BATS"))))

    def _about(self, mean: float) -> int:
        low = int(mean * 0.55)
        return self.random.randint(low, int(2 * mean - low + self.random.random()))

    def _list(self, day: date, ticker: str | None = None) -> Security:
        random, number = self.random, len(self.securities)
        kind = "CS" if ticker else random.choices(self._kinds, self._weights)[0]
        security = Security(
            number, kind, words.name(kind, number, random), day,
            [(_OLD, ticker or self._symbol(kind, day))],
            [(_OLD, random.choice(_EXCHANGES.get(kind, ("XNYS", "XNAS"))))],
            cik="" if kind in ("ETF", "ETS") and random.random() < 0.29 else f"{1_000_000 + number * 37 % 1_100_000:010}",
            fixed=ticker is not None,
        )  # fmt: skip
        if random.random() * 100 >= _NO_FIGI.get(kind, 2):
            security.composite_figi = words.figi(number, 0)
            security.share_class_figi = "" if random.random() < 0.02 else words.figi(number, 1)
            if random.random() < 0.2:
                security.figi_from = day + timedelta(days=random.randint(5, 200))
        self.securities.append(security)
        self._alive.append(security)
        return security

    def _symbol(self, kind: str, day: date) -> str:
        """A free symbol; now and then one that another security gave up at least a year ago."""
        waited = bool(self._free) and (day - self._free[0][0]).days > 365
        if kind in ("CS", "ETF") and waited and self.random.random() < 0.35:
            return self._free.popleft()[1]
        while True:
            symbol = self._preferred() if kind == "PFD" and self._alive else words.symbol(kind, self.random)
            if symbol not in self._taken:
                self._taken.add(symbol)
                return symbol

    def _preferred(self) -> str:
        issuer = self.random.choice(self._alive).tickers[-1][1]
        letter = self.random.choice("ABCDEFGHJKLMNPQRSTU")
        plain = issuer.isupper() and issuer.isalpha() and len(issuer) < 5
        return f"{issuer}p{letter}" if plain else words.symbol("UNIT", self.random)

    def _delist(self, day: date) -> None:
        index = self.random.randrange(len(self._alive))
        leaver = self._alive[index]
        if leaver.fixed or leaver.listed >= day:
            return
        self._alive[index] = self._alive[-1]
        self._alive.pop()
        leaver.delisted = day
        self._free.append((day, leaver.tickers[-1][1]))

    def _rename(self, day: date) -> None:
        security = self.random.choice(self._alive)
        if not security.fixed and security.listed < day and security.kind in ("CS", "ETF", "ADRC"):
            self._free.append((day, security.tickers[-1][1]))
            security.tickers.append((day, self._symbol("ADRC", day)))
