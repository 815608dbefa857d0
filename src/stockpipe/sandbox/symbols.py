"""Ticker symbols in the shapes of the American lists: plain letters, and the children's suffixes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from string import ascii_uppercase

_PAIRS = tuple(a + b for a, b in product(ascii_uppercase, repeat=2))
# Endings of plain five-letter symbols. U, W, R mark units, warrants, rights; F, Y, Q, D belong to otc here.
_FIFTH = "ABCEGHIJKSTVXZ"
_SPACE = (0, 26, 26**2, 26**3, 26**4, 26**4 * len(_FIFTH))
_STEP = (0, 7, 251, 6_421, 174_763, 2_236_067)  # none shares a factor with its space: every symbol comes once
_LIMIT = (0, 18, 290, 16_000, 400_000, _SPACE[5])
_REST_DAYS = 90
_OTC_ENDINGS = "FFFFFYYYQD"

# Spoken for by hand-made rows, or never to be given to a company by chance.
RESERVED = frozenset(
    [
        "E",
        "T",
        "V",
        "NA",
        "ON",
        "NAN",
        "TRUE",
        "TEST",
        "BCPC",
        "BCpC",
        "TPC",
        "TpC",
        "SVQX",
        "DYQL",
        "LNQD",
        "LOQA",
        "VLQR",
        "KMQpL",
        "ATEST",
        "NTEST",
        "ZTEST",
    ]
)


def spell(number: int, size: int) -> str:
    """The symbol of 1 to 5 letters that stands at this place (0-based) of the alphabetical list of its size."""
    if size == 1:
        return ascii_uppercase[number]
    if size == 2:
        return _PAIRS[number]
    if size == 3:
        return ascii_uppercase[number // 676] + _PAIRS[number % 676]
    if size == 4:
        return _PAIRS[number // 676] + _PAIRS[number % 676]
    four, last = divmod(number, len(_FIFTH))
    return _PAIRS[four // 676] + _PAIRS[four % 676] + _FIFTH[last]


class Symbols:
    """Hands out symbols that no living stock bears; freed ones rest for 90 days and may then serve another company."""

    def __init__(self, seed: int, random: Callable[[], float]) -> None:
        self._random = random
        self._offset = seed % 1_000_003
        self._next = [0] * 6
        self._freed: list[list[tuple[int, str]]] = [[] for _ in range(6)]
        self.used: set[str] = set(RESERVED)

    def plain(self, size: int, day: int, reuse: float) -> str:
        """A symbol of `size` letters (more, when those are used up); with probability `reuse` one that was another's."""
        if self._freed[size] and (self._random() < reuse or self._next[size] >= _LIMIT[size]):
            old = self._recycled(size, day)
            if old:
                return old
        return self._fresh(size)

    def suffixed(self, base: str, endings: tuple[str, ...]) -> str | None:
        """`base` with the first free ending, or None when all are taken."""
        for ending in endings:
            symbol = base + ending
            if symbol not in self.used:
                self.used.add(symbol)
                return symbol
        return None

    def release(self, symbol: str, day: int) -> None:
        """The symbol is free again from this day (proleptic ordinal)."""
        self.used.discard(symbol)
        if len(symbol) < 5 and symbol.isupper() and "." not in symbol:
            self._freed[len(symbol)].append((day, symbol))

    def _recycled(self, size: int, day: int) -> str | None:
        pool = self._freed[size]
        at = int(self._random() * len(pool))
        since, symbol = pool[at]
        if since > day - _REST_DAYS:
            return None
        pool[at] = pool[-1]
        pool.pop()
        if symbol in self.used:
            return None
        self.used.add(symbol)
        return symbol

    def _fresh(self, size: int) -> str:
        while True:
            number = self._next[size]
            if number >= _LIMIT[size]:
                size += 1
                continue
            self._next[size] = number + 1
            symbol = spell((number * _STEP[size] + self._offset) % _SPACE[size], size)
            if symbol not in self.used:
                self.used.add(symbol)
                return symbol


def otc_symbol(seed: int, number: int) -> str:
    """An over-the-counter symbol, 4 or 5 letters, never one that `Symbols` gives to a stock of the same seed."""
    back = _SPACE[4] - 1 - number
    four = spell((back * _STEP[4] + seed % 1_000_003) % _SPACE[4], 4)
    return four if number % 10 < 3 else four + _OTC_ENDINGS[number // 10 % 10]
