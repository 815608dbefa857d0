"""The smaller markets: over the counter, crypto, currency pairs, indices. Their lists have other gaps than stocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations

from .build import Row, figi, midnight
from .lifetimes import NEVER, scramble
from .names import WORDS, index_name, otc_name
from .symbols import otc_symbol, spell

CONSTANT_STAMP = "2017-01-01T00:00:00Z"
_START = date(2003, 9, 10).toordinal()
_OTC_ALIVE, _OTC_GONE = 8_000, 4_000
_INDICES_ALIVE, _INDICES_GONE = 10_000, 300
_CRYPTO = 623
_FX = 1_220
_OTC_TYPES = (
    *(("OS", 530), ("CS", 290), ("ADRC", 125), ("OTHER", 98), ("PFD", 27), ("UNIT", 18), ("ETF", 17), ("WARRANT", 14)),
    *(("GDR", 6), ("FUND", 3), ("RIGHT", 2), ("SP", 1), ("NYRS", 1)),
)
_OTC_KINDS = tuple(kind for kind, share in _OTC_TYPES for _ in range(share))
_CURRENCIES = (
    *(("AED", "United Arab Emirates dirham"), ("ARS", "Argentine peso"), ("AUD", "Australian dollar")),
    *(("BGN", "Bulgarian lev"), ("BRL", "Brazilian real"), ("CAD", "Canadian dollar"), ("CHF", "Swiss franc")),
    *(("CLP", "Chilean peso"), ("CNY", "Chinese yuan"), ("COP", "Colombian peso"), ("CZK", "Czech koruna")),
    *(("DKK", "Danish krone"), ("EGP", "Egyptian pound"), ("EUR", "Euro"), ("GBP", "Great Britian Pound")),
    *(("HKD", "Hong Kong dollar"), ("HUF", "Hungarian forint"), ("IDR", "Indonesian rupiah")),
    *(("ILS", "Israeli new shekel"), ("INR", "Indian rupee"), ("ISK", "Icelandic króna"), ("JPY", "Japanese yen")),
    *(("KRW", "South Korean won"), ("MXN", "Mexican peso"), ("MYR", "Malaysian ringgit"), ("NOK", "Norwegian krone")),
    *(("NZD", "New Zealand dollar"), ("PHP", "Philippine peso"), ("PLN", "Polish złoty"), ("RON", "Romanian leu")),
    *(("SAR", "Saudi riyal"), ("SEK", "Swedish krona"), ("SGD", "Singapore dollar"), ("THB", "Thai baht")),
    *(("USD", "United States dollar"), ("XDR", "IMF special drawing right")),
)
_QUOTES = (
    ("USD", "United States dollar"),
    ("EUR", "Euro"),
    ("GBP", "Great Britain Pound"),
    ("AUD", "Australian Dollar"),
)


def members(market: str, seed: int, day: int) -> Iterator[tuple[int, int, int]]:
    """(true id, listed, delisted) of all who were ever in this market up to an ordinal; ends are NEVER or ordinals."""
    if market in ("crypto", "fx"):
        for number in range(_CRYPTO if market == "crypto" else _FX):
            yield number, _START, NEVER
        return
    alive, gone = (_OTC_ALIVE, _OTC_GONE) if market == "otc" else (_INDICES_ALIVE, _INDICES_GONE)
    for number in range(alive + gone):
        dice = scramble(number + seed * 65_537)
        listed = _START + max(0, dice % 14_000 - 6_000)
        end = NEVER if number < alive else max(listed, _START) + 30 + (dice >> 20) % 4_000
        end = end if number < alive else min(end, date(2026, 9, 30).toordinal())
        listed = min(listed, end - 10)
        if listed <= day:
            yield number, listed, end


def pair_row(market: str, seed: int, number: int, *, active: bool, delisted: int) -> Row:
    """One row of a market that is not stocks; without stamp where the market's list has none."""
    row = {"otc": _otc, "crypto": _crypto, "fx": _fx, "indices": _index}[market](seed, number)
    row["active"] = active
    if not active:
        row["delisted_utc"] = midnight(delisted)
    return row


def _otc(seed: int, number: int) -> Row:
    dice = scramble(number + seed * 65_537)
    row: Row = {"ticker": otc_symbol(seed, number), "name": otc_name(dice), "market": "otc", "locale": "us"}
    row["primary_exchange"] = "Grey Market" if dice >> 40 & 1023 < 105 else "OTC Link"
    row["type"] = _OTC_KINDS[(dice >> 22) % len(_OTC_KINDS)]
    row["currency_name"] = "USD"
    if dice >> 33 & 127 < 78:
        row["composite_figi"] = figi(800_000_000 + 2 * number)
        row["share_class_figi"] = figi(800_000_001 + 2 * number)
    return row


def otc_stamp(seed: int, number: int, *, until: int, day: int) -> str:
    """When an otc row last changed: a moment with milliseconds from 2021 on, zeros dropped, or midnight before."""
    dice = scramble(number * 3 + seed)
    first = date(2021, 4, 20).toordinal()
    changed = min(first + int((dice % 10_000) ** 0.5 * 20.3), day, until)
    if changed < first:
        return midnight(changed)
    moment = timedelta(milliseconds=1 + (dice >> 16) % 86_399_998)
    seconds, milliseconds = divmod(moment // timedelta(milliseconds=1), 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    fraction = f".{milliseconds:03d}".rstrip("0").rstrip(".")
    return f"{date.fromordinal(changed).isoformat()}T{clock}{fraction}Z"


def _crypto(seed: int, number: int) -> Row:
    at = number if number < 460 else number - 460
    quote, quote_name = _QUOTES[0] if number < 460 else _QUOTES[1 + at % 3]
    coin, name = _coin(seed, at)
    row: Row = {"ticker": f"X:{coin}{quote}", "name": f"{name} - {quote_name}", "market": "crypto", "locale": "global"}
    row["currency_symbol"] = quote
    row["currency_name"] = quote_name if number % 40 else quote_name.title()
    row["base_currency_symbol"] = coin
    row["base_currency_name"] = name
    return row


def _coin(seed: int, at: int) -> tuple[str, str]:
    if at < 2:
        return (("BTC", "Bitcoin"), ("ETH", "Ethereum"))[at]
    word = WORDS[(at * 37 + seed) % len(WORDS)]
    if at % 97 == 0:
        return f"{word[:3].upper()}{at % 90 + 10}M260930", f"{word} September Future"
    if at % 53 == 0:
        return f"1{word[:4].upper()}", f"1{word.lower()}"
    letters = spell((at * 7_919 + seed * 31) % 26**4, 4)
    return letters if at % 3 else letters + "X", f"{word} Coin"


def _fx(seed: int, number: int) -> Row:  # noqa: ARG001 - the same pairs under every seed
    (base, base_name), (quote, quote_name) = _FX_PAIRS[number]
    row: Row = {"ticker": f"C:{base}{quote}", "name": f"{base_name} - {quote_name}", "market": "fx", "locale": "global"}
    row["currency_symbol"] = quote
    row["currency_name"] = quote_name
    row["base_currency_symbol"] = base
    row["base_currency_name"] = base_name
    return row


_FX_PAIRS = list(permutations(_CURRENCIES, 2))[:_FX]


def _index(seed: int, number: int) -> Row:
    dice = scramble(number + seed * 65_537)
    stem = spell((number * 174_763 + seed) % 26**4, 4)
    tail = ("", "", "X", "TR", "NTR", "LX20", "4000", "LARGECAP15U")[dice & 7]
    row: Row = {"ticker": "I:TSTQ.TEST" if number == 77 else f"I:{stem}{tail}"}
    if dice >> 8 & 1023 >= 51:
        row["name"] = index_name(dice >> 3)
    row["market"] = "indices"
    row["locale"] = "us"
    return row
