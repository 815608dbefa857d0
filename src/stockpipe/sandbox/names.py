"""Invented names in the manner of each kind of security."""

from __future__ import annotations

from itertools import product

_HEADS = ("Al", "Bren", "Cor", "Dar", "El", "Fal", "Gal", "Hel", "Ish", "Jor", "Kel", "Lum", "Mer", "Nor", "Or", "Pel")
_MIDDLES = ("a", "e", "i", "o", "ve", "ta", "ni", "ro")
_TAILS = ("dex", "gen", "lia", "mont", "nova", "quil", "tria", "vance")
WORDS = tuple("".join(parts) for parts in product(_HEADS, _MIDDLES, _TAILS))

_FIELDS = (
    *("Therapeutics", "Energy", "Financial", "Biosciences", "Resources", "Technologies", "Acquisition", "Software"),
    *("Pharma", "Industries", "Capital", "Mining", "Realty", "Networks", "Foods", "Medical"),
    *("Systems", "Water", "Partners", "Brands", "Semiconductor", "Aerospace", "Logistics", "Health"),
    *("Bancorp", "Insurance", "Materials", "Motors", "Solar", "Robotics", "Media", "Petroleum"),
)
_FORMS = (
    *("Corp.", "Inc.", "Inc.", "Inc.", "Corporation", "Holdings, Inc.", "Ltd.", "plc"),
    *("Group Inc.", "Group Limited", "Co.", "Holdings Corp.", "Inc.", "Corp.", "Trust", "N.V."),
)
_SHARES = (
    *(" Common Stock", " Common Stock", " Common Stock", " Common Stock", "", " Class A Common Stock"),
    *(" Ordinary Shares", " Class A Ordinary Shares", "", ""),
)
BRANDS = tuple(f"{word}Shares" if at % 3 == 0 else word for at, word in enumerate(WORDS[3::11]))
_THEMES = (
    *("U.S. Large Cap", "Clean Energy", "Treasury", "Emerging Markets ex China", "Dividend"),
    *("Ultra Short Income", "Value", "Semiconductor", "Municipal Bond", "Daily 2X Long"),
    *(
        "Covered Call",
        "Quality",
        "Buffer 15 - September",
        "Futures",
        "Core Bond",
    ),
    *("Healthcare",),
)
_PREFERRED = (
    "{0} {1:.3f}% Series {2} Cumulative Preferred Stock",
    "{0} Depositary Shares, each representing a 1/1,000th interest in a share of {1:.2f}% Preferred Stock, Series {2}",
    "{0} Depositary Shares (Each representing 1/40th interest in a share of {1:.3f}% Fixed-to-Floating Rate "
    "Non-Cumulative Perpetual Preferred Stock, Series {2})",
    "{0} Preferred Series {2}",
)
_BY_KIND = {
    "WARRANT": ("{} Warrant", "{} Warrants", "{} Warrants, each whole warrant exercisable for one share at $11.50"),
    "UNIT": (
        "{} Units",
        "{} Unit",
        "{} Units, each consisting of one Class A ordinary share and one-half of a warrant",
    ),
    "RIGHT": ("{} Rights", "{} Right", "{} Rights to receive one-tenth of one ordinary share"),
    "ADRC": ("{} American Depositary Shares", "{} ADS", "{} American Depositary Shares, each representing two shares"),
    "FUND": ("{} Income Fund", "{} Municipal Trust", "{} Opportunity Fund Common Shares of Beneficial Interest"),
    "SP": ("{} 6.50% Notes due 2029", "{} 5.875% Senior Notes due 2062", "{} Junior Subordinated Notes due 2079"),
}
_FUNDS = {"ETF": "ETF", "ETS": "ETF", "ETV": "Trust", "ETN": "ETN due 2042"}


def company(number: int) -> str:
    """The company that a 64-bit number stands for."""
    return f"{WORDS[number & 1023]} {_FIELDS[number >> 10 & 31]} {_FORMS[number >> 15 & 15]}"


def security_name(kind: str, own: int, issuer: int) -> str:
    """The name of a security of this kind; `own` and `issuer` are 64-bit numbers, equal ones give equal names."""
    if kind in _FUNDS:
        theme = _THEMES[own >> 8 & 15] if own >> 22 & 3 else "Select"
        name = f"{BRANDS[issuer % len(BRANDS)]} {WORDS[own >> 12 & 1023]} {theme} {_FUNDS[kind]}"
    elif kind == "CS":
        name = f"{company(issuer)}{_SHARES[(own >> 20) % 10]}"
    elif kind == "PFD":
        rate, series = 4 + (own >> 24 & 31) / 8, "ABCDEFGHIJKLMNOP"[own >> 29 & 15]
        name = _PREFERRED[own >> 20 & 3].format(company(issuer), rate, series)
    else:
        name = _BY_KIND[kind][(own >> 20) % 3].format(company(issuer))
    return name.replace(" ", "  ", 1) if (own >> 50) % 190 == 0 else name


def called_name(kind: str, own: int, issuer: str) -> str:
    """The name of a company's security where the company's own name is given."""
    if kind == "CS":
        return f"{issuer} Common Stock"
    if kind == "PFD":
        return f"{issuer} {4 + (own >> 24 & 31) / 8:.3f}% Series {'ABCDEFGHIJKLMNOP'[own >> 29 & 15]} Cumulative Preferred Stock"
    return _BY_KIND.get(kind, ("{}",))[0].format(issuer)


def otc_name(number: int) -> str:
    """An over-the-counter name: upper case, at most 25 characters."""
    return company(number).upper().replace(",", "")[:25].rstrip()


def index_name(number: int) -> str:
    """The name of an index; some are cut at 31 characters, as observed."""
    name = f"{WORDS[number & 1023]} {_THEMES[number >> 10 & 15]} {_FIELDS[number >> 14 & 31]} Index"
    return name[:31] if (number >> 20) % 12 == 0 else name
