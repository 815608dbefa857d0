"""What a synthetic stock costs on any day, and the splits and dividends that its price follows.

A price is a closed formula of the security and the day, so any day can be asked for first: a level that wanders between
anchors, some noise, and the product of all splits and dividends so far.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import NamedTuple

from stockpipe.base.calendar import is_session, last_session
from stockpipe.sandbox.lifetimes import FIRST_DAY, NEVER, Security, scramble

_LAST_YEAR = 2032
_ANCHOR_DAYS = 91
_UNIT = 1 << 53
# Of 1024 in a year: splits of companies and of funds.
_SPLITS = {"CS": 52, "ADRC": 40, "ETF": 26, "ETS": 60, "FUND": 8, "ETV": 30, "ETN": 40}
# Of 1024 securities, those that pay, and how often a year.
_PAYERS = {"CS": (42, 4), "ADRC": (50, 2), "ETF": (56, 4), "PFD": (150, 4), "FUND": (120, 12), "SP": (100, 4)}
_FORWARD = ((1.0, 2.0), (2.0, 3.0), (1.0, 3.0), (1.0, 4.0), (1.0, 5.0), (1.0, 10.0))
_REVERSE = ((2.0, 1.0), (5.0, 1.0), (10.0, 1.0), (15.0, 1.0), (20.0, 1.0), (8.0, 1.0))
_STOCK = ((1.0, 1.05), (1.0, 1.1), (20.0, 21.0), (1.0, 1.015))


class Split(NamedTuple):
    """A split: the day (ordinal) on which prices jump, the day that the vendor names, and the shares."""

    day: int
    said: int
    kind: str
    old: float
    new: float
    doubled: bool = False


class Payout(NamedTuple):
    """A dividend: its ex-day (ordinal), the share of the earlier close, payments a year, and what it is called."""

    day: int
    share: float
    frequency: int
    kind: str
    currency: str = "USD"
    said_share: float = 0.0


class Path:
    """The price of one security over time."""

    __slots__ = ("_days", "_factors", "_near", "_since", "_until", "base", "number", "payouts", "splits", "volume")

    def __init__(self, security: Security) -> None:
        # What is the same for the days from _since to before _until: the anchors, how far they lie apart, the factor.
        self._since, self._until, self._near = 0, 0, (0.0, 0.0, 1.0, 0)
        number = self.number = scramble(security.number ^ 0x5EED)
        # From 4 to 400 dollars, most of them cheap; from some hundred to some million shares a day.
        self.base = 4.0 * float(100.0 ** float(((number & 1023) / 1024) ** 1.6))
        self.volume = 300.0 * 20_000.0 ** ((number >> 10 & 1023) / 1024)
        self.splits = _splits(security, self.base)
        self.payouts = _payouts(security, self.splits)
        steps = sorted(
            [(split.day, split.old / split.new) for split in self.splits]
            + [(payout.day, 1.0 - payout.share) for payout in self.payouts]
        )
        self._days = [day for day, _ in steps]
        self._factors = [1.0]
        for _, factor in steps:
            self._factors.append(self._factors[-1] * factor)

    def factor(self, day: int) -> float:
        """What all splits and dividends up to an ordinal have made of the price."""
        return self._factors[bisect_right(self._days, day)] if self._days else 1.0

    def split_factor(self, day: int, until: int) -> float:
        """What the splits after an ordinal, up to another, make of its prices on the shares of that later day."""
        found = 1.0
        for split in self.splits:
            if day < split.day <= until:
                found *= split.old / split.new
        return found

    def close(self, day: int) -> float:
        """The last price of an ordinal that is a session, not rounded."""
        return self.price(day, scramble(self.number + day * 0x2545F491))

    def price(self, day: int, dice: int) -> float:
        """The same, with the day's dice thrown already."""
        if not self._since <= day < self._until:
            self._come_near(day)
        here, apart, factor, anchored = self._near
        level = here + apart * (day - anchored) / _ANCHOR_DAYS
        return self.base * level * (1.0 + ((dice & 1023) - 512) / 25_600) * factor

    def _come_near(self, day: int) -> None:
        """Keep what the days around this one have in common: most days are asked for beside each other."""
        place, at = day // _ANCHOR_DAYS, bisect_right(self._days, day)
        here, there = _anchor(self.number, place), _anchor(self.number, place + 1)
        anchored = place * _ANCHOR_DAYS
        self._near = (1.0 + here, there - here, self._factors[at], anchored)
        self._since = max(anchored, self._days[at - 1]) if at else anchored
        self._until = min([anchored + _ANCHOR_DAYS, *self._days[at : at + 1]])


def rounded(price: float) -> float:
    """A price as it is quoted: two digits from a dollar on, four below, never nothing."""
    return round(price, 2) if price >= 1.0 else max(round(price, 4), 0.0001)


def _anchor(number: int, place: int) -> float:
    """A level between -0.35 and 0.35."""
    return 0.7 * (scramble(number ^ place * 0x9E3779B1) >> 11) / _UNIT - 0.35


def _splits(security: Security, level: float) -> tuple[Split, ...]:
    chance, found = _SPLITS.get(security.kind, 0), []
    for year in _years(security) if chance else ():
        dice = scramble(security.number ^ year * 0xA5A5A5)
        if dice & 1023 >= chance:
            continue
        day = _session(date(year, 1, 2).toordinal() + (dice >> 10) % 350)
        if day <= max(security.listed, FIRST_DAY) + 10:
            continue
        split = _split(day, dice, level)
        level *= split.old / split.new
        found.append(split)
    return tuple(found + _renamed_splits(security, {split.day for split in found}))


def _split(day: int, dice: int, level: float) -> Split:
    """A split that brings a price back to what is usual; now and then one that the vendor dates or doubles wrongly."""
    said = last_session(day - 9) if dice >> 40 & 31 == 0 else day
    doubled = dice >> 45 & 15 == 0
    if dice >> 49 & 7 == 0:
        return Split(day, day, "stock_dividend", *_STOCK[dice >> 52 & 3])
    if level < 12.0:
        return Split(day, said, "reverse_split", *_REVERSE[(dice >> 52) % 6], doubled)
    return Split(day, said, "forward_split", *_FORWARD[(dice >> 52) % 6], doubled)


def _renamed_splits(security: Security, taken: set[int]) -> list[Split]:
    """A reverse split that came with a new symbol: the event is told of the old one, the bars have the new one."""
    if security.kind != "CS":
        return []
    days = [day for day, _ in security.renames or () if scramble(security.number + day) & 3 == 0 and day not in taken]
    return [Split(day, day, "reverse_split", 10.0, 1.0) for day in days[:1]]


def _payouts(security: Security, splits: tuple[Split, ...]) -> tuple[Payout, ...]:
    chance, usual = _PAYERS.get(security.kind, (0, 0))
    number = security.number
    if number >> 21 & 1023 >= chance:
        return ()
    frequency = 12 if security.kind == "ETF" and number >> 31 & 3 == 0 else usual
    currency = "CNY" if security.kind == "ADRC" and number >> 33 & 7 == 0 else "USD"
    share = (0.004 + (number >> 36 & 255) / 12_000) * (1.0 if frequency < 12 else 0.25)
    found: list[Payout] = []
    for year in _years(security):
        first = date(year, 1, 2).toordinal() + (number >> 44) % (360 // frequency)
        for at in range(frequency):
            day = _session(first + at * 365 // frequency)
            found += _payments(number, day, share, frequency, currency)
    # One that goes ex on the day of a split: is it per old share, or per new one?
    found += [Payout(one.day, share, 0, "special") for one in splits if scramble(number + one.day) & 7 == 0]
    return tuple(one for one in found if one.day > max(security.listed, FIRST_DAY))


def _payments(number: int, day: int, share: float, frequency: int, currency: str) -> list[Payout]:
    """The payment of a day, at times with a special one beside it, at times one of more than the price."""
    dice = scramble(number ^ day * 0xD1B5)
    found = [Payout(day, share, frequency, "recurring" if dice & 31 else "unknown", currency)]
    if dice >> 5 & 63 == 0:
        found.append(Payout(day, 0.03, 0, "special", currency))
    if dice >> 11 & 4095 == 0:
        found.append(Payout(day, 0.2, 0, "irregular", currency, said_share=1.3))
    return found


def _years(security: Security) -> range:
    first = date.fromordinal(max(security.listed, FIRST_DAY)).year
    last = _LAST_YEAR if security.delisted == NEVER else date.fromordinal(security.delisted).year
    return range(first, last + 1)


def _session(day: int) -> int:
    """The first session on or after an ordinal."""
    while not is_session(day):
        day += 1
    return day
