"""What a security's name tells: whose it is, what kind it is, and which of several of one issuer.

Names are restyled all the time ("Marsh & McLennan Companies, Inc." is "Marsh" one day), so they are compared by the words
that carry meaning; and they tell sisters apart ("Series A", "due 2031", "II"), which FIGI and CIK often do not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?%?")
_COUPON = re.compile(r"(\d{1,2}(?:\.\d+)?)\s?%")
_YEAR = re.compile(r"\b(20[0-9]{2})\b")
_LETTER = re.compile(r"\b(class|series)\s+([a-z]{1,2}|[0-9]{1,2})\b")
_TARGET = re.compile(r"\b(\d{1,3})\b")
_ROMAN = re.compile(r"\b(i|ii|iii|iv|v|vi|vii|viii|ix|x|xi|xii)\b")
_OF_ANOTHER = re.compile(
    r"\b(?:each (?:whole|unit|right|warrant|consisting|exercisable)|consisting|exercisable|to (?:receive|purchase|acquire))\b"
)
_INITIALS = re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b)")
_MONTHS = frozenset(
    re.findall(
        r"\w+",
        "january february march april may june july august september october november december jan feb mar apr jun jul aug "
        "sep sept oct nov dec",
    )
)
# Behind one of these words a name describes the security, no longer its issuer.
_DESCRIBING = re.compile(
    r"\b(class|common|ordinary|american depositary|depositary|series|warrants?|units?|rights?|preferred|"
    r"cumulative|redeemable|senior|subordinated|notes?|debentures?|ads|adr|shares of beneficial|when[- ]issued)\b|\d+(\.\d+)?\s?%"
)
_LEGAL = frozenset(
    re.findall(
        r"\w+",
        "inc incorporated corp corporation company companies co ltd limited plc llc lp sa nv ag se ab asa spa the and of de a new "
        "holding holdings group trust fund etf etn shares share stock",
    )
)
_DEBT = re.compile(
    r"\b(notes?|debentures?|bonds?)\b.*\b(due|20[0-9]{2})\b|\b\d+(\.\d+)?\s?% .*\b(notes?|debentures?)\b"
)
_KINDS = (
    ("unit", re.compile(r"\bunits?\b")),
    ("warrant", re.compile(r"\bwarrants?\b")),
    ("right", re.compile(r"\brights?\b")),
    ("preferred", re.compile(r"\b(preferred|preference)\b")),
    ("fund", re.compile(r"\b(etfs?|etn|fund)\b")),
    ("share", re.compile(r"\b(common stock|common shares?|ordinary shares?|american depositary|ads|adr)\b")),
)
# A name of a company, and nothing behind it, on a ticker of up to four letters is its share.
_COMPANY = re.compile(r"\b(inc|corp|corporation|ltd|limited|plc|company|co|n\.?v|s\.?a)\.?$")
_TYPES = {
    **dict.fromkeys(("CS", "ADRC", "OS", "GDR", "NYRS", "ADRR", "BASKET"), "share"),
    **dict.fromkeys(("ETF", "ETS", "ETV", "ETN", "FUND", "ETC"), "fund"),
    **dict.fromkeys(("WARRANT", "ADRW"), "warrant"),
    **{"UNIT": "unit", "RIGHT": "right", "PFD": "preferred", "ADRP": "preferred", "SP": "structured"},
}
DERIVED = frozenset({"warrant", "unit", "right"})
"""What follows its issuer's ticker: no FIGI for most, and names that change with the issuer's."""

IN_SERIES = frozenset({"preferred", "structured", "debt"})
"""What an issuer has several of, told apart by series letter, coupon and year."""


@dataclass(frozen=True)
class Name:
    """A name, read.

    `plain` is all of its words; `core` the words of its issuer or fund, and `together` they without blanks (AtaiBeckley
    is Atai Beckley); `series` tells sisters apart.
    """

    plain: str
    core: frozenset[str]
    together: str
    series: dict[str, frozenset[str]]


@lru_cache(maxsize=200_000)
def read(text: str | None) -> Name:
    """A name as the resolver sees it."""
    text = text or ""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    bare = text.lower().replace("'", "")
    bare = _INITIALS.sub("", bare)  # N.V. is NV
    # "Units, each consisting of one Class A share and ..." tells of another security's class.
    head = _OF_ANOTHER.split(bare, maxsplit=1)[0]
    described = _DESCRIBING.search(head)
    issuer = head[: described.start()] if described and described.start() else head
    found = _WORD.findall(issuer)
    words = [word for word in found if word not in _LEGAL] or found
    return Name(" ".join(_WORD.findall(bare)), frozenset(words), "".join(words), _series(head, issuer))


def _series(head: str, issuer: str) -> dict[str, frozenset[str]]:
    found = {
        "coupon": frozenset(f"{float(number):.2f}" for number in _COUPON.findall(head)),
        "year": frozenset(_YEAR.findall(head)),
        "class": frozenset(letter for word, letter in _LETTER.findall(head) if word == "class"),
        "series": frozenset(letter for word, letter in _LETTER.findall(head) if word == "series"),
        "number": frozenset(_ROMAN.findall(issuer)),
        "target": frozenset(_TARGET.findall(issuer)),
        "month": frozenset(_WORD.findall(head)) & _MONTHS,
    }
    return {key: values for key, values in found.items() if values}


def conflicting(one: Name, other: Name) -> str:
    """The first series key in which both say something, and something else; "" for none."""
    return next((key for key, mine in one.series.items() if mine.isdisjoint(other.series.get(key, mine))), "")


def in_common(one: Name, other: Name) -> bool:
    """Whether a series key that tells preferreds and notes apart is the same in both."""
    return any(
        one.series.get(key, frozenset()) & other.series.get(key, frozenset()) for key in ("coupon", "year", "series")
    )


def same(one: Name, other: Name) -> bool:
    """Whether two names are one, up to how they are written."""
    return bool(one.plain) and (one.plain == other.plain or (one.core == other.core and one.series == other.series))


def fit(one: Name, other: Name, *, fund: bool = False) -> bool:
    """Whether two names may be of one security: the shorter's words are in the longer, or most words are the same.

    One that is missing fits. Sisters' names do not: a series key that differs is another security. Names of a family's
    funds have many words in common, so they must agree in more of them.
    """
    if not one.plain or not other.plain or one.plain == other.plain:
        return True
    if conflicting(one, other):
        return False
    if one.together == other.together:
        return True
    common = len(one.core & other.core)
    shorter, longer = sorted((len(one.core), len(other.core)))
    most = 0.75 if fund else 0.5
    return common > 0 and (common == shorter or common >= most * (shorter + longer - common))


@lru_cache(maxsize=200_000)
def role(kind: str | None, name: str | None, *, plain: bool = False) -> str:
    """What a security is: share, fund, preferred, structured, debt, warrant, unit or right; "" where nothing tells.

    Old lists have no types, and notes are listed as CS: then the name tells. `plain` says that the ticker has no suffix.
    """
    text = (name or "").lower().strip()
    if _DEBT.search(text) and _TYPES.get(kind or "") != "fund":
        return "debt"
    if kind:
        return _TYPES.get(kind, kind.lower())
    found = next((what for what, words in _KINDS if words.search(text)), "")
    return found or ("share" if plain and _COMPANY.search(text) else "")
