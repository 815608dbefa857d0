"""The other markets: crypto and fx pairs, indices, over-the-counter stocks. Each has its own gaps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from stockpipe.sandbox import words

_CONSTANT_STAMP = "2017-01-01T00:00:00Z"
_SIZES = {
    ("crypto", True): 623,
    ("fx", True): 1220,
    ("indices", True): 10_400,
    ("indices", False): 300,
    ("otc", True): 8_200,
    ("otc", False): 4_100,
}
_OTC_TYPES = {
    "OS": 2330,
    "CS": 1292,
    "ADRC": 551,
    "OTHER": 433,
    "PFD": 120,
    "UNIT": 80,
    "ETF": 78,
    "WARRANT": 62,
    "GDR": 24,
}
_CURRENCIES = {
    "USD": "United States dollar", "EUR": "Euro", "GBP": "Great Britain Pound", "JPY": "Japanese Yen", "AUD": "Australian dollar",
    "CAD": "Canadian Dollar", "CHF": "Swiss Franc", "PLN": "Polish z\u0142oty", "ISK": "Icelandic kr\u00f3na", "NOK": "Norwegian Krone",
    "SEK": "Swedish Krona", "ZAR": "South African Rand", "MXN": "Mexican Peso", "INR": "Indian Rupee", "BRL": "Brazilian Real",
    "KRW": "South Korean won", "TRY": "Turkish lira", "THB": "Thai baht", "HKD": "Hong Kong dollar", "SGD": "Singapore dollar",
    "NZD": "New Zealand dollar", "DKK": "Danish krone", "HUF": "Hungarian forint", "CZK": "Czech koruna", "ILS": "Israeli new shekel",
    "PHP": "Philippine peso", "MYR": "Malaysian ringgit", "IDR": "Indonesian rupiah", "CLP": "Chilean peso", "COP": "Colombian peso",
    "PEN": "Peruvian sol", "ARS": "Argentine peso", "EGP": "Egyptian pound", "AED": "United Arab Emirates dirham", "QAR": "Qatari riyal",
    "SAR": "Saudi riyal",
}  # fmt: skip

Row = dict[str, object]


def rows(market: str, active: bool, on: date, seed: int) -> list[Row]:
    """The rows of crypto, fx, indices or otc on a day, by ticker. The vendor keeps no inactive crypto or fx."""
    random = Random(f"{seed} {market} {active}")
    pairs = [(base, quote) for base in _CURRENCIES for quote in _CURRENCIES if base != quote]
    make: dict[str, Callable[[int], Row]] = {
        "crypto": lambda number: _crypto(number, random),
        "fx": lambda number: _fx(*pairs[number % len(pairs)]),
        "indices": lambda number: _index(number, random),
        "otc": lambda number: _otc(number, random),
    }
    made: dict[str, Row] = {}
    wanted = _SIZES.get((market, active), 0)
    for number in range(wanted * 3):
        if len(made) == wanted:
            break
        row = make[market](number)
        if str(row["ticker"]) not in made:
            since = date(2003, 9, 10) + timedelta(days=random.randrange(7300) if random.random() < 0.5 else 0)
            made[str(row["ticker"])] = row | {"active": active, "since": since}
            if not active:
                made[str(row["ticker"])]["delisted_utc"] = f"{since + timedelta(days=random.randrange(900))}T00:00:00Z"
    listed = [row for row in made.values() if row.pop("since") <= on]  # type: ignore[operator]
    return sorted(listed, key=lambda row: str(row["ticker"]))


def _crypto(number: int, random: Random) -> Row:
    coin = words.symbol("ADRC", random) + (str(number % 90) if number % 7 == 0 else "")
    quote = random.choice(("USD", "USD", "USD", "EUR", "GBP"))
    return _pair("X", "crypto", coin, f"{coin.title()} Token", quote)


def _fx(base: str, quote: str) -> Row:
    return _pair("C", "fx", base, _CURRENCIES[base], quote)


def _pair(prefix: str, market: str, base: str, base_name: str, quote: str) -> Row:
    return {
        "ticker": f"{prefix}:{base}{quote}", "name": f"{base_name} - {_CURRENCIES[quote]}", "market": market, "locale": "global",
        "active": True, "currency_symbol": quote, "currency_name": _CURRENCIES[quote], "base_currency_symbol": base,
        "base_currency_name": base_name, "last_updated_utc": _CONSTANT_STAMP,
    }  # fmt: skip


def _index(number: int, random: Random) -> Row:
    row: Row = {"ticker": f"I:{words.symbol('UNIT', random)}{number % 100:02}", "market": "indices", "locale": "us"}
    if number % 20:
        row["name"] = words.name("ETF", number + 10, random).replace("ETF", "Index")
    return row


def _otc(number: int, random: Random) -> Row:
    stamp = date(2021, 4, 25) + timedelta(days=random.randrange(1600))
    row: Row = {
        "ticker": words.symbol("UNIT", random)[:4] + random.choice("FYQ"), "name": words.name("CS", number + 10, random).upper()[:25].strip(),
        "market": "otc", "locale": "us", "primary_exchange": "Grey Market" if random.random() < 0.1 else "OTC Link",
        "type": random.choices(list(_OTC_TYPES), list(_OTC_TYPES.values()))[0], "currency_name": "USD",
        "last_updated_utc": f"{stamp}T07:00:0{number % 10}.{random.randrange(1, 1000)}Z",
    }  # fmt: skip
    if random.random() < 0.61:
        row["composite_figi"], row["share_class_figi"] = words.figi(number, 2), words.figi(number, 3)
    return row
