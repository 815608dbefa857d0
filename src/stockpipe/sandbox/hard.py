"""A harder market: what real lists do to whoever follows a ticker. For tests and measurements of the security master.

On top of the usual lives: tickers that swap, move in chains, or serve another company on the next day; SPACs with units
and warrants; companies that take their classes, preferreds and warrants along when they are renamed; new FIGIs after a
reorganisation; relistings. And noise in the rows: CIKs that flap, FIGIs that are wrong or gone for a day, restyled names,
tickers that drop out, torn days.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .build import Row, cik, figi
from .lifetimes import NEVER, Security, Stocks, scramble
from .names import company

_SPAC_LIFE = (40, 160)
_ROMAN = ("", " II", " III", " IV", " V")
_SHARE_FLAPPING, _SHARE_RESTYLED = 8, 60  # of 1024 securities
_TORN_EVERY = 40  # sessions, about


class HardStocks(Stocks):
    """All stocks of a harder market, day by day."""

    def __init__(self, seed: int, rows: int | None) -> None:
        self._chance = Random(f"hard {seed}")
        self._died: list[str] = []
        self._issuers: set[int] = set()
        self._looked_at = 0
        self._spacs: list[tuple[int, list[Security]]] = []
        super().__init__(seed, rows)

    def _session(self, day: int) -> None:
        died, self._died = self._died, []
        super()._session(day)
        luck = self._chance.random
        for symbol in died:
            if luck() < 0.15 and symbol not in self._symbols.used:
                self._take_over(symbol, day)
        if luck() < 0.06:
            self._swap(day)
        if luck() < 0.06:
            self._chain(day)
        if luck() < 0.08:
            self._company_renamed(day)
        if luck() < 0.05:
            self._reorganised(day)
        if luck() < 0.05:
            self._rest(day)
        if luck() < 0.12:
            self._spac(day)
        self._merge_spacs(day)

    def _death(self, day: int) -> None:
        before = {one.id for one in self._living[-1:]}
        super()._death(day)
        gone = next((one for one in reversed(self.securities) if one.delisted == day and one.id not in before), None)
        if gone is not None and gone.symbol_on(day).isalpha():
            self._died.append(gone.symbol_on(day))

    # ---- tickers that go from one to another ----

    def _plain(self, day: int, number: int) -> list[Security]:
        """Living companies with plain tickers that nothing else happens to."""
        found: list[Security] = []
        for _ in range(60):
            one = self._living[int(self._chance.random() * len(self._living))]
            calm = one.listed < day - 30 and not (one.renames and one.renames[-1][0] >= day - 30)
            alone = one.kind in ("CS", "ADRC", "ETF") and one.symbol_on(day).isalpha() and one.id not in self._parents()
            if calm and alone and one not in found and not one.away:
                found.append(one)
            if len(found) == number:
                break
        return found if len(found) == number else []

    def _parents(self) -> set[int]:
        """The issuers that have, or had, more than one security."""
        self._issuers.update(one.issuer for one in self.securities[self._looked_at :] if one.issuer != one.id)
        self._looked_at = len(self.securities)
        return self._issuers

    def _swap(self, day: int) -> None:
        if pair := self._plain(day, 2):
            one, two = pair
            first, second = one.symbol_on(day), two.symbol_on(day)
            _renamed(one, day, second)
            _renamed(two, day, first)

    def _chain(self, day: int) -> None:
        """A ticker goes to another security on the day on which its own one gets a new one."""
        if pair := self._plain(day, 2):
            one, two = pair
            freed = two.symbol_on(day)
            _renamed(two, day, self._symbols.plain(min(len(freed), 4), day, 0.0))
            self._symbols.release(one.symbol_on(day), day)
            _renamed(one, day, freed)

    def _take_over(self, symbol: str, day: int) -> None:
        self._symbols.used.add(symbol)
        kind = "ETF" if self._chance.random() < 0.3 else "CS"
        self._enter_living(kind, symbol, len(self.securities), day, self._figi_day(kind, scramble(day), day))

    def _enter_living(self, kind: str, symbol: str, issuer: int, day: int, figi_day: int) -> Security:
        number = scramble(len(self.securities) + self._salt)
        exchange = "XNAS" if kind != "ETF" else "ARCX"
        one = Security(len(self.securities), kind, number, symbol, exchange, issuer, day, figi_day)
        self.securities.append(one)
        self._living.append(one)
        self._counts[kind] += 1
        return one

    # ---- companies ----

    def _children(self, parent: Security) -> list[Security]:
        return [one for one in self._living if one.issuer == parent.issuer and one is not parent]

    def _free_stem(self, size: int, day: int, suffixes: Sequence[str]) -> str:
        """A new ticker that, with each of these suffixes too, is nobody's."""
        while True:
            symbol = self._symbols.plain(size, day, 0.0)
            if not any(symbol + suffix in self._symbols.used for suffix in suffixes if suffix):
                self._symbols.used.update(symbol + suffix for suffix in suffixes)
                return symbol

    def _company_renamed(self, day: int) -> None:
        """A company takes a new ticker and a new name, and all that it has listed goes with it."""
        for _ in range(20):
            one = self._living[int(self._chance.random() * len(self._living))]
            old = one.symbol_on(day)
            if (
                one.kind == "CS"
                and old.isalpha()
                and one.issuer == one.id
                and one.listed < day - 30
                and not one.renames
            ):
                break
        else:
            return
        family = [each for each in (one, *self._children(one)) if each.symbol_on(day).startswith(old)]
        suffixes = [each.symbol_on(day)[len(old) :] for each in family]
        new, called = self._free_stem(min(len(old), 4), day, suffixes), company(scramble(one.number))
        for each, suffix in zip(family, suffixes, strict=True):
            if not (each.renames and each.renames[-1][0] == day):
                _renamed(each, day, new + suffix)
                each.called = [*(each.called or ()), (day, called)]
        self._symbols.release(old, day)

    def _reorganised(self, day: int) -> None:
        """A company gets new FIGIs under its old ticker, name and CIK."""
        found = self._plain(day, 1)
        if found and found[0].figi_day <= day and found[0].kind != "ETF":
            found[0].refigied = [*(found[0].refigied or ()), (day, 400_000_000 + 2 * found[0].id)]

    def _rest(self, day: int) -> None:
        """Away for 7 to 90 days, then listed again under the same ticker."""
        if found := self._plain(day, 1):
            back = day + 7 + int(self._chance.random() * 84)
            if found[0].figi_day <= day:
                found[0].away = (day, back)

    def _spac(self, day: int) -> None:
        symbol = self._free_stem(4, day, ("W", "U"))
        issuer = len(self.securities)
        family = []
        for kind, suffix in (("CS", ""), ("WARRANT", "W"), ("UNIT", "U")):
            self._symbols.used.add(symbol + suffix)
            one = self._enter_living(kind, symbol + suffix, issuer, day, NEVER)
            called = company(scramble(issuer)).partition(" ")[0] + " Acquisition Corp." + _ROMAN[issuer % 5]
            one.called = [(day, called)]
            family.append(one)
        low, high = _SPAC_LIFE
        self._spacs.append((day + low + int(self._chance.random() * (high - low)), family))

    def _merge_spacs(self, day: int) -> None:
        """The unit ends; share and warrant go on as the company's, under its ticker, and get FIGIs."""
        due = [family for when, family in self._spacs if when <= day]
        self._spacs = [(when, family) for when, family in self._spacs if when > day]
        for family in due:
            if any(one.delisted != NEVER or one.renames for one in family):
                continue
            new, called = self._free_stem(4, day, ("W",)), company(scramble(family[0].number + 9))
            for one in family[:2]:
                _renamed(one, day, new + one.symbol[4:])
                one.called = [*(one.called or ()), (day, called)]
                one.figi_day = day + int(self._chance.random() * 3)
            family[2].delisted = day
            self._living.remove(family[2])
            self._counts["UNIT"] -= 1


def _renamed(one: Security, day: int, new: str) -> None:
    one.renames = [*(one.renames or ()), (day, new)]


# ---- noise in the rows ----


def is_torn(seed: int, day: int) -> bool:
    """Whether the list of this day lacks some rows."""
    return scramble(seed * 31 + day) % _TORN_EVERY == 0


def noisy(one: Security, row: Row, day: int, seed: int) -> Row | None:
    """A row with its day's noise; None where the ticker is missing that day."""
    dice = scramble(one.number ^ (day * 2_654_435_761))
    if one.away and one.away[0] <= day < one.away[1]:
        return None
    if dice % 20_000 < 2 or (is_torn(seed, day) and dice % 400 == 3):
        return None
    if (one.number >> 5 & 1023) < _SHARE_FLAPPING and scramble(one.number + day // 9) & 1:
        row["cik"] = cik(one, 1)
    if (
        (one.number >> 15 & 1023) < _SHARE_RESTYLED
        and day > one.listed + 100 + (one.number >> 3 & 127)
        and row.get("name")
    ):
        row["name"] = (
            str(row["name"]).replace(" Inc.", ", Inc.").replace(" Common Stock", "").replace("Corp.", "Corporation")
        )
    if dice >> 20 & 0xFFFF < 3:
        row.pop("composite_figi", None)
        row.pop("share_class_figi", None)
    elif "composite_figi" in row and scramble(one.number + day // 4) % 60_000 < 2 and one.id > 40:
        row["composite_figi"] = figi(2 * (one.id - 1 - (one.number & 31)))  # another one's, for some days
        row.pop("share_class_figi", None)
    return row
