"""The hidden life of every synthetic stock: listed, renamed, moved, given a FIGI, delisted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from random import Random
from typing import NamedTuple

from stockpipe.base.calendar import is_usual_session

from .symbols import Symbols

FIRST_DAY = date(2003, 9, 10).toordinal()
NEVER = 10_000_000
_MASK = (1 << 64) - 1


class Event(NamedTuple):
    """One thing that happened to a security: `what` is listed, renamed, moved, figi or delisted."""

    what: str
    day: date
    old: str | None = None
    new: str | None = None


@dataclass(slots=True)
class Security:
    """One security under its hidden identity `id`; days are proleptic ordinals, `delisted` is NEVER while it trades."""

    id: int
    kind: str
    number: int
    symbol: str
    exchange: str
    issuer: int
    listed: int
    figi_day: int
    name: str | None = None
    delisted: int = NEVER
    renames: list[tuple[int, str]] | None = field(default=None, repr=False)
    moves: list[tuple[int, str]] | None = field(default=None, repr=False)
    # Of a harder market only: the issuer's name since a day, new FIGIs since a day, and days away.
    called: list[tuple[int, str]] | None = field(default=None, repr=False)
    refigied: list[tuple[int, int]] | None = field(default=None, repr=False)
    away: tuple[int, int] | None = None

    def symbol_on(self, day: int) -> str:
        """The ticker on this day."""
        return _latest(self.symbol, self.renames, day)

    def exchange_on(self, day: int) -> str:
        """The primary exchange on this day."""
        return _latest(self.exchange, self.moves, day)

    def active_on(self, day: int) -> bool:
        """Whether it was listed and not yet delisted."""
        return self.listed <= day < self.delisted

    @property
    def events(self) -> list[Event]:
        """Its life so far, oldest first. A life that began before 2003-09-10 is listed on that day."""
        found = [Event("listed", date.fromordinal(self.listed), None, self.symbol)]
        found += _steps("renamed", self.symbol, self.renames)
        found += _steps("moved", self.exchange, self.moves)
        if self.listed < self.figi_day < self.delisted and self.figi_day != NEVER:
            found.append(Event("figi", date.fromordinal(self.figi_day)))
        if self.delisted != NEVER:
            found.append(Event("delisted", date.fromordinal(self.delisted), self.symbol_on(self.delisted)))
        return sorted(found, key=lambda event: event.day)


def _latest(first: str, steps: list[tuple[int, str]] | None, day: int) -> str:
    if steps:
        for since, value in steps:
            if since <= day:
                first = value
    return first


def _steps(what: str, old: str, steps: list[tuple[int, str]] | None) -> list[Event]:
    found = []
    for day, new in steps or ():
        found.append(Event(what, date.fromordinal(day), old, new))
        old = new
    return found


def scramble(number: int) -> int:
    """A 64-bit hash of a whole number, the same on every machine."""
    number = (number * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & _MASK
    number = (number ^ number >> 29) * 0xBF58476D1CE4E5B9 & _MASK
    return number ^ number >> 32


# ---- the mix ----------------------------------------------------------------------------------------------------

KINDS = ("CS", "ETF", "PFD", "WARRANT", "ADRC", "FUND", "UNIT", "SP", "ETS", "RIGHT", "ETV", "ETN")
_SHARE_2003 = (0.71, 0.02, 0.065, 0.025, 0.055, 0.075, 0.012, 0.028, 0.0, 0.005, 0.003, 0.002)
_SHARE_2026 = (0.421, 0.393, 0.0345, 0.0335, 0.0303, 0.0275, 0.0205, 0.0126, 0.0096, 0.0076, 0.0066, 0.004)
_LAST_MIX = date(2026, 6, 12).toordinal()
_SIZES = (
    (date(2003, 9, 10).toordinal(), 8_700),
    (date(2009, 7, 1).toordinal(), 9_460),
    (date(2010, 12, 31).toordinal(), 9_475),
    (date(2016, 1, 1).toordinal(), 9_700),
    (date(2021, 1, 1).toordinal(), 10_450),
    (date(2025, 9, 11).toordinal(), 11_725),
    (date(2026, 11, 20).toordinal(), 12_400),
)
_BUSY_SINCE = date(2021, 1, 1).toordinal()
_VENUES: dict[str, tuple[tuple[str, int], ...]] = {
    "CS": (("XNAS", 80), ("XNYS", 42), ("XASE", 6)),
    "ETF": (("ARCX", 66), ("BATS", 33), ("XNAS", 29)),
    "PFD": (("XNYS", 106), ("XNAS", 17), ("XASE", 5)),
    "WARRANT": (("XNAS", 109), ("XNYS", 13), ("XASE", 6)),
    "ADRC": (("XNAS", 74), ("XNYS", 52), ("XASE", 2)),
    "FUND": (("XNYS", 116), ("XNAS", 7), ("XASE", 5)),
    "UNIT": (("XNAS", 112), ("XNYS", 13), ("XASE", 3)),
    "SP": (("XNYS", 80), ("XNAS", 48)),
    "ETS": (("BATS", 64), ("ARCX", 48), ("XNAS", 16)),
    "RIGHT": (("XNAS", 119), ("XNYS", 9)),
    "ETV": (("ARCX", 90), ("BATS", 28), ("XNAS", 10)),
    "ETN": (("ARCX", 100), ("BATS", 22), ("XNAS", 6)),
}
_EXCHANGES = {kind: tuple(mic for mic, n in shares for _ in range(n)) for kind, shares in _VENUES.items()}
_CHILDREN = frozenset({"PFD", "WARRANT", "UNIT", "RIGHT"})
_SERIES = tuple(f"p{letter}" for letter in "DABCEFGHIJKLMN")
_ENDINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # on Nasdaq, elsewhere
    "PFD": (("P", "O", "N", "M", "L"), _SERIES),
    "WARRANT": (("W",), (".WS",)),
    "UNIT": (("U",), (".U",)),
    "RIGHT": (("R",), ("r",)),
}
# Of 128: symbols of one, two, three letters; the rest has four.
_LENGTHS = {"CS": (0, 6, 54), "ADRC": (0, 6, 50), "FUND": (0, 4, 118), "ETF": (0, 0, 5), "ETV": (0, 0, 40)}
_NO_FIGI = {"PFD": 1024, "SP": 1024, "CS": 175, "WARRANT": 440, "UNIT": 915, "RIGHT": 850, "ETF": 1}

# symbol, kind, exchange, listed, name: rows that break careless readers.
_ODD: tuple[tuple[str, str, str, date, str], ...] = (
    ("E", "ADRC", "XNYS", date(2003, 9, 10), "Ervanta S.p.A. American Depositary Shares"),
    ("T", "CS", "XNYS", date(2003, 9, 10), "Telvoria Inc."),
    ("V", "CS", "XNYS", date(2008, 3, 19), "Vesperline Inc."),
    ("ON", "CS", "XNAS", date(2003, 9, 10), "Onvarra Semiconductor Corporation Common Stock"),
    ("NA", "CS", "XNAS", date(2022, 7, 12), "Narvik Lamps Inc. Class A Ordinary Shares"),
    ("NAN", "FUND", "XNYS", date(2003, 9, 10), "Nurevant New York Quality Municipal Income Fund"),
    ("TRUE", "CS", "XNAS", date(2014, 5, 16), "TruWagon, Inc. Common Stock"),
    ("TEST", "ETF", "ARCX", date(2025, 3, 11), "Yieldora Test Track Option Income ETF"),
    ("BCPC", "CS", "XNAS", date(2003, 9, 10), "Balquist Chemical Corp Common Stock"),
    ("BCpC", "PFD", "XNYS", date(2003, 9, 10), "Brenwick Corporation 6.625% Notes, Series C"),
    ("TPC", "CS", "XNYS", date(2003, 9, 10), "Tuborvane Construction Corporation"),
    ("TpC", "PFD", "XNYS", date(2020, 2, 18), "Telvoria Inc. Depositary Shares, Series C Preferred Stock"),
    ("SVQX", "ETF", "BATS", date(2022, 3, 30), "-1x Short Quarrel Volatility Futures ETF"),
    ("DYQL", "ETF", "XNAS", date(2024, 8, 8), "Quillmont\u00a0Dynamic Opportunities ETF"),
    ("LNQD", "ADRC", "XNYS", date(2012, 11, 8), "Terravenida Agr\u00adcola S.A. American Depositary Shares"),
    ("LOQA", "ADRC", "XNYS", date(2017, 11, 1), "Cementos Peñaluz Sociedad Anónima ADS"),
    ("VLQR", "ADRC", "XNYS", date(2013, 9, 18), "Aerovolar Compañía de Aviación, S.A.B. de C.V. ADS"),
    (
        "KMQpL",
        "PFD",
        "XNYS",
        date(2017, 8, 16),
        "Kimbrel Realty Corporation Class L Depositary Shares, each of which represents a one-one thousandth fractional "
        "interest of a share of 5.125% Class L Cumulative Redeemable Preferred Stock, liquidation preference $25,000.00 per sha",
    ),
)
_TESTS = ("ATEST", "ATEST.A", "ATEST.B", "ATEST.C", "NTEST", "NTEST.A", "NTEST.B", "NTEST.C", "ZTEST", "ZTEST.A")


def _wanted(day: int) -> float:
    for (start, low), (end, high) in pairwise(_SIZES):
        if day < end:
            return low + (high - low) * (day - start) / (end - start)
    end, high = _SIZES[-1]
    return high + (day - end) * 1.5


class Stocks:
    """All stocks since 2003-09-10, extended day by day as far as somebody looks; the past never changes by it."""

    def __init__(self, seed: int, rows: int | None) -> None:
        self.securities: list[Security] = []
        self._rows = rows
        self._salt = scramble(seed) & 0xFFFFFFFFFFFF
        self._random = Random(f"stocks {seed}")
        self._next = self._random.random
        self._symbols = Symbols(self._salt, self._next)
        self._living: list[Security] = []
        self._counts = dict.fromkeys(KINDS, 0)
        self._kept = 0
        self._day = FIRST_DAY
        self._add_odd()
        self._found(8_700 if rows is None else rows - self._kept)

    def advance(self, day: int) -> None:
        """Live until this ordinal, inclusive."""
        while self._day < day:
            self._day += 1
            # Without the closings that no rule tells: a seed stays the market that it always was.
            if is_usual_session(self._day):
                self._session(self._day)

    # ---- the first day ----

    def _add_odd(self) -> None:
        for symbol, kind, exchange, listed, name in _ODD[: self._rows]:
            since = FIRST_DAY if self._rows is not None else listed.toordinal()
            self._kept += 1
            self._enter(kind, symbol, exchange, len(self.securities), since, name)
        for at, symbol in enumerate(_TESTS):
            gone = date(2010 + at, 1 + at, 12).toordinal()
            self._enter("CS", symbol, "XASE" if symbol[0] == "A" else "XNYS", len(self.securities), gone, "")
            self.securities[-1].delisted = gone

    def _found(self, number: int) -> None:
        shares = self._shares(FIRST_DAY)
        for kind, share in zip(KINDS[1:], shares[1:], strict=True):
            self._counts[kind] = int(share * number)
        self._counts["CS"] = number - sum(self._counts.values())
        for kind in KINDS:  # companies first: the children need parents
            for _ in range(self._counts[kind]):
                self._living.append(self._birth(kind, FIRST_DAY))

    def _shares(self, day: int) -> list[float]:
        if self._rows is not None:
            return list(_SHARE_2026)
        gone = min(1.0, (day - FIRST_DAY) / (_LAST_MIX - FIRST_DAY))
        return [old + (new - old) * gone for old, new in zip(_SHARE_2003, _SHARE_2026, strict=True)]

    # ---- one session ----

    def _session(self, day: int) -> None:
        adds, removes = self._traffic(day)
        for _ in range(removes):
            self._death(day)
        self._change(day)
        total = len(self._living) + adds
        counts = self._counts
        missing = [share * total - counts[kind] for kind, share in zip(KINDS, self._shares(day), strict=True)]
        for _ in range(adds):
            at = missing.index(max(missing))
            missing[at] -= 1.0
            kind = KINDS[at]
            counts[kind] += 1
            self._living.append(self._birth(kind, day))

    def _traffic(self, day: int) -> tuple[int, int]:
        chance = self._next
        busy = day >= _BUSY_SINCE
        adds = 5 + int(chance() * chance() * 11.99) if busy else 2 + int(chance() * 4.6)
        if self._rows is not None:
            return (adds, adds) if adds < len(self._living) else (0, 0)
        lack = _wanted(day) - len(self._living) - self._kept
        removes = adds - round(lack * 0.15 + (chance() - 0.5) * 4)
        return adds, min(max(removes, 1), 14 if busy else 8)

    def _death(self, day: int) -> None:
        living = self._living
        at = int(self._next() * len(living))
        security = living[at]
        living[at] = living[-1]
        living.pop()
        security.delisted = day
        self._counts[security.kind] -= 1
        self._symbols.release(security.symbol_on(day), day)

    def _change(self, day: int) -> None:
        if not self._living:
            return
        scale = 1.0 if day >= _BUSY_SINCE else 0.45
        chance = self._next()
        for limit in (0.5, 0.2, 0.05):
            if chance < limit * scale:
                self._rename(day)
        if self._next() < 0.45 * scale:
            self._move(day)

    def _rename(self, day: int) -> None:
        security = self._living[int(self._next() * len(self._living))]
        old = security.symbol_on(day)
        if security.kind in _CHILDREN or not old.isalpha() or security.listed == day:
            return
        if security.renames and security.renames[-1][0] == day:
            return
        new = self._symbols.plain(min(len(old), 4), day, 0.1)
        self._symbols.release(old, day)
        security.renames = [*(security.renames or ()), (day, new)]

    def _move(self, day: int) -> None:
        security = self._living[int(self._next() * len(self._living))]
        old = security.exchange_on(day)
        new = {"ARCX": "BATS", "BATS": "XNAS", "XNAS": "XNYS", "XNYS": "XNAS", "XASE": "XNYS"}[old]
        if security.kind not in _CHILDREN and new in _EXCHANGES[security.kind]:
            security.moves = [*(security.moves or ()), (day, new)]

    # ---- one security ----

    def _birth(self, kind: str, day: int) -> Security:
        number = scramble(len(self.securities) + self._salt)
        exchange = _EXCHANGES[kind][number & 127]
        issuer = len(self.securities)
        symbol = None
        if kind in _CHILDREN or (kind == "CS" and exchange == "XNYS" and number >> 7 & 63 == 0):
            symbol, issuer = self._child(kind, exchange)
        if symbol is None:
            symbol = self._symbols.plain(self._length(kind, number >> 13 & 127), day, 0.12)
            issuer = len(self.securities)
        figi = self._figi_day(kind, number, day)
        security = Security(len(self.securities), kind, number, symbol, exchange, issuer, day, figi)
        self.securities.append(security)
        return security

    def _enter(self, kind: str, symbol: str, exchange: str, issuer: int, day: int, name: str) -> None:
        number = scramble(len(self.securities) + self._salt)
        figi = self._figi_day(kind, number, day)
        security = Security(len(self.securities), kind, number, symbol, exchange, issuer, day, figi, name)
        self.securities.append(security)

    def _length(self, kind: str, dice: int) -> int:
        one, two, three = _LENGTHS.get(kind, (0, 0, 0))
        if dice == 77 and kind == "CS":
            return 1
        return 2 if one <= dice < two else 3 if dice < three else 4

    def _child(self, kind: str, exchange: str) -> tuple[str | None, int]:
        nasdaq = exchange == "XNAS"
        endings = (".A", ".B") if kind == "CS" else _ENDINGS[kind][0 if nasdaq else 1]
        living = self._living
        for _ in range(24 if living else 0):
            parent = living[int(self._next() * len(living))]
            base = parent.symbol_on(self._day)
            fits = base.isalpha() and (len(base) == 4 if nasdaq else len(base) < 5)
            if parent.kind == "CS" and fits:
                symbol = self._symbols.suffixed(base, endings)
                if symbol:
                    return symbol, parent.issuer
        return None, 0

    def _figi_day(self, kind: str, number: int, day: int) -> int:
        if number >> 32 & 1023 < _NO_FIGI.get(kind, 0):
            return NEVER
        if day == FIRST_DAY or number >> 42 & 255 >= 110:
            return day
        return day + (4 + (number >> 20 & 15) if kind == "ETF" else 15 + (number >> 20 & 127))
