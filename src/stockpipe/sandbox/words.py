"""Invented names and symbols for the synthetic market; none is a real company's."""

from __future__ import annotations

import string
from random import Random

_FIRST = [
    "Alder",
    "Amber",
    "Arbor",
    "Argent",
    "Ashford",
    "Aurora",
    "Banner",
    "Basalt",
    "Beacon",
    "Birch",
    "Blue",
    "Bolder",
    "Bright",
    "Cobalt",
    "Copper",
    "Coral",
    "Crest",
    "Crown",
    "Delta",
    "Dover",
    "Eagle",
    "Ember",
    "Everest",
    "Falcon",
    "Fern",
    "Flint",
    "Forge",
    "Frontier",
    "Garnet",
    "Glacier",
    "Golden",
    "Granite",
    "Harbor",
    "Hazel",
    "Heron",
    "Horizon",
    "Indigo",
    "Iron",
    "Ivory",
    "Jade",
    "Juniper",
    "Keystone",
    "Lakeside",
    "Lantern",
    "Laurel",
    "Liberty",
    "Lunar",
    "Maple",
    "Marble",
    "Meridian",
    "Mesa",
    "Nimbus",
    "North",
    "Oak",
    "Onyx",
    "Orchid",
    "Osprey",
    "Pacific",
    "Pearl",
    "Pine",
    "Pioneer",
    "Prairie",
    "Quarry",
    "Quartz",
    "Raven",
    "Redwood",
    "Ridge",
    "River",
    "Sable",
    "Saffron",
    "Sage",
    "Sapphire",
    "Sierra",
    "Silver",
    "Slate",
    "Solstice",
    "Sparrow",
    "Sterling",
    "Stone",
    "Summit",
    "Sunset",
    "Tamarack",
    "Terra",
    "Thistle",
    "Timber",
    "Topaz",
    "Trident",
    "Umber",
    "Valley",
    "Velvet",
    "Vista",
    "Walnut",
    "Westbrook",
    "Willow",
    "Zenith",
    "Zephyr",
]
_SECOND = [
    "Acquisition",
    "Advisors",
    "Analytics",
    "Bancorp",
    "Beverage",
    "Biologics",
    "Brands",
    "Capital",
    "Chemical",
    "Communications",
    "Composites",
    "Dynamics",
    "Energy",
    "Entertainment",
    "Environmental",
    "Financial",
    "Foods",
    "Gaming",
    "Genetics",
    "Health",
    "Hospitality",
    "Industries",
    "Infrastructure",
    "Instruments",
    "Insurance",
    "Interactive",
    "Labs",
    "Logistics",
    "Marine",
    "Materials",
    "Medical",
    "Metals",
    "Mining",
    "Motors",
    "Networks",
    "Oncology",
    "Optics",
    "Packaging",
    "Partners",
    "Petroleum",
    "Pharma",
    "Photonics",
    "Power",
    "Properties",
    "Realty",
    "Resources",
    "Robotics",
    "Semiconductor",
    "Services",
    "Software",
    "Solar",
    "Systems",
    "Technologies",
    "Therapeutics",
    "Transport",
    "Utilities",
    "Ventures",
    "Water",
]
_THEMES = [
    "Aggregate Bond",
    "Balanced Allocation",
    "Buffer 15",
    "Clean Grid",
    "Core Equity",
    "Corporate Bond",
    "Covered Call",
    "Dividend Growth",
    "Emerging Markets",
    "Floating Rate",
    "Global Value",
    "High Yield",
    "Inflation Managed",
    "International Small Cap",
    "Large Cap Growth",
    "Low Volatility",
    "Mid Cap Quality",
    "Momentum",
    "Municipal Income",
    "Real Estate",
    "Short Duration",
    "Total Market",
    "Treasury Ladder",
]
_SUFFIX = {
    "CS": (
        "Inc. Common Stock",
        "Corp. Common Stock",
        "Corporation",
        "Inc. Class A Common Stock",
        "Ltd. Ordinary Shares",
    ),
    "ADRC": ("plc American Depositary Shares", "S.A. American Depositary Shares"),
    "PFD": ("Inc. 6.250% Series A Cumulative Preferred Stock", "Corp. 5.75% Series C Preferred Stock"),
    "WARRANT": ("Corp. Warrants", "Inc. Warrants, each exercisable for one Class A share at $11.50"),
    "UNIT": ("Corp. Units, each consisting of one share and one-half of one Warrant",),
    "RIGHT": ("Corp. Rights",),
    "SP": ("Inc. 6.125% Senior Notes due 2054",),
    "FUND": ("Income Trust", "Municipal Fund"),
}
_RARE = {
    0: "Soci\u00e9t\u00e9 Lumi\u00e8re S.A. American Depositary Shares",
    1: "Compa\u00f1\u00eda Sol y Mar S.A. de C.V. American Depositary Shares",
    2: "Dynamic\u00a0Yield Global ETF",
    3: "-1x Short Granite Futures ETF",
    4: "Alder  Harbor Holdings  Inc. Common Stock",
}
_LONG = (
    "Depositary Shares, Each Representing a One-Thousandth Fractional Interest in a Share of 5.250% Class L Cumulative "
    "Redeemable Preferred Stock, $1.00 Par Value per Share, Liquidation Preference $25.00"
)
_FIGI = "BCDFGHJKLMNPQRSTVWXYZ0123456789"


def name(kind: str, number: int, random: Random) -> str:
    """A name in the style of its kind; a few are rare on purpose: long, non-ASCII, with double spaces, with a minus."""
    if number in _RARE:
        return _RARE[number]
    first = random.choice(_FIRST)
    if kind in ("ETF", "ETS", "ETV", "ETN"):
        return f"{first} {random.choice(_THEMES)} {'ETF' if kind in ('ETF', 'ETS') else kind}"
    if kind == "PFD" and number % 60 == 0:
        return f"{first} {random.choice(_SECOND)} {_LONG}"
    return f"{first} {random.choice(_SECOND)} {random.choice(_SUFFIX[kind])}"


def figi(number: int, second: int) -> str:
    """BBG and nine characters, unique by number; `second` tells the composite from the share class."""
    value, text = number * 2_654_435_761 % 31**6, ""
    for _ in range(6):
        value, digit = divmod(value, 31)
        text += _FIGI[digit]
    return f"BBG0{second}{text}{number % 10}"


def symbol(kind: str, random: Random) -> str:
    """A symbol of letters in the usual lengths."""
    length = random.choices((1, 2, 3, 4, 5), (1, 4, 35, 140, 4))[0]
    if kind in ("WARRANT", "UNIT", "RIGHT"):
        return "".join(random.choices(string.ascii_uppercase, k=4)) + {"WARRANT": "W", "UNIT": "U", "RIGHT": "R"}[kind]
    return "".join(random.choices(string.ascii_uppercase, k=length))
