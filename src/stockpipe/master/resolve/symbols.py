"""What a ticker itself tells: the issuer's letters, and the suffix of a warrant, unit, right or preferred."""

from __future__ import annotations

import re

_DOTTED = re.compile(r"(?P<stem>[A-Z]+)(?:\.(?P<dotted>WS(?:\.[A-Z])?|U|R|[A-Z])|(?P<small>r|p[A-Z]?|rw))w?")
_SUFFIXES = {"WS": "W", "U": "U", "R": "R", "r": "R", "rw": "R"}


def parts(ticker: str) -> tuple[str, str]:
    """The issuer's letters and the suffix as one letter; a plain ticker of five letters ends in it: `AACIW`, `INFQ.WS`."""
    found = _DOTTED.fullmatch(ticker)
    if found:
        suffix = found["dotted"] or found["small"] or ""
        return found["stem"], _SUFFIXES.get(suffix, suffix)
    if len(ticker) >= 4 and ticker.isalpha() and ticker.isupper():
        return ticker[:-1], ticker[-1]
    return ticker, ""


def is_plain(ticker: str) -> bool:
    """Whether a ticker has no room for a suffix: at most four capitals."""
    return len(ticker) <= 4 and ticker.isalpha() and ticker.isupper()


def follows_issuer(old: str, new: str) -> bool:
    """Whether a warrant, unit or right has only followed its issuer's ticker: other letters, the same suffix.

    `CCCXW` to `INFQ.WS` does; `BCTXW` to `BCTXL` is a second warrant of one issuer.
    """
    (old_stem, old_suffix), (new_stem, new_suffix) = parts(old), parts(new)
    return old_stem != new_stem and old_suffix == new_suffix


def series_letter(ticker: str) -> str:
    """The letter of a preferred's series in its ticker, `FHNpC`; "" where it has none."""
    suffix = parts(ticker)[1]
    return suffix[1:] if suffix.startswith("p") else ""
