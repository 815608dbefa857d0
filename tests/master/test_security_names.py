"""What names and tickers tell."""

from __future__ import annotations

import pytest

from stockpipe.master.resolve.names import conflicting, fit, read, role, same
from stockpipe.master.resolve.symbols import follows_issuer, parts

FITTING = [
    ("Marsh & McLennan Companies, Inc.", "Marsh"),
    ("SPDR S&P Biotech ETF", "State Street SPDR S&P Biotech ETF"),
    ("Atai Beckley N.V. Common Shares", "AtaiBeckley Inc. Common Stock"),
    ("Indivior PLC Ordinary Shares", "Indivior Pharmaceuticals, Inc. Common Stock"),
    ("CASEYS GENERAL STORES", "Casey's General Stores, Inc."),
    ("Centrais Elétricas Brasileiras", "Centrais Eletricas Brasileiras S.A."),
]
STRANGERS = [
    ("Avidity Biosciences, Inc. Common Stock", "Atrium Therapeutics, Inc. Common Stock"),
    ("Alpha Class A Common Stock", "Alpha Class B Common Stock"),
    ("Alpha Acquisition Corp. II", "Alpha Acquisition Corp. III"),
    ("Alpha 5.00% Notes due 2026", "Alpha 7.125% Notes due 2031"),
    ("iShares iBonds Dec 2025 Term ETF", "iShares iBonds Dec 2026 Term ETF"),
]


@pytest.mark.parametrize(("one", "two"), FITTING)
def test_names_of_one_security_fit(one: str, two: str) -> None:
    assert fit(read(one), read(two))


@pytest.mark.parametrize(("one", "two"), STRANGERS)
def test_names_of_two_do_not(one: str, two: str) -> None:
    assert not fit(read(one), read(two))


def test_of_several_conflicts_the_first_is_told_in_every_process() -> None:
    """The words stand in SECURITY_DECISIONS: two builds of the same days are the same."""
    one, two = read("Alpha 5.00% Series A Notes due 2026"), read("Alpha 7.125% Series B Notes due 2031")
    assert list(one.series) == ["coupon", "year", "series"]
    assert (conflicting(one, two), conflicting(two, one), conflicting(one, one)) == ("coupon", "coupon", "")
    assert conflicting(read("Alpha 5.00% Notes due 2026"), read("Alpha Series B")) == ""


def test_a_units_own_class_is_not_that_of_the_share_it_consists_of() -> None:
    assert read("Alpha Units, each consisting of one Class A ordinary share").series == {}
    assert read("Alpha Depositary Shares, each representing a share of Series C Preferred").series == {
        "series": frozenset("c")
    }


def test_funds_of_a_family_need_more_words_in_common() -> None:
    france, germany = read("iShares MSCI France ETF"), read("iShares MSCI Germany ETF")

    assert not fit(france, germany, fund=True)
    assert fit(france, germany)


def test_a_restyled_name_is_the_same_and_a_missing_one_is_not() -> None:
    assert same(read("Walmart Inc."), read("WALMART, INC. Common Stock"))
    assert not same(read(None), read(None))


@pytest.mark.parametrize(
    ("kind", "name", "plain", "what"),
    [
        ("CS", "Alpha Corp.", False, "share"),
        ("CS", "Alpha 5.00% Notes due 2026", False, "debt"),
        ("SP", "Alpha 9.875% Fixed Rate Senior Notes due 2028", False, "debt"),
        ("ETN", "Alpha Notes due 2042", False, "fund"),
        (None, "Alpha Units", False, "unit"),
        (None, "Alpha Series B Preferred Stock", False, "preferred"),
        (None, "ALPHA CORP", True, "share"),
        (None, "ALPHA CORP", False, ""),
        ("NEW", "Alpha", False, "new"),
        (None, None, True, ""),
    ],
)
def test_the_role_of_a_security(kind: str | None, name: str | None, plain: bool, what: str) -> None:
    assert role(kind, name, plain=plain) == what


@pytest.mark.parametrize(
    ("ticker", "stem", "suffix"),
    [
        ("INFQ.WS", "INFQ", "W"),
        ("AACIW", "AACI", "W"),
        ("FTW.U", "FTW", "U"),
        ("FHNpC", "FHN", "pC"),
        ("EMOr", "EMO", "R"),
        ("F", "F", ""),
    ],
)
def test_a_ticker_and_its_suffix(ticker: str, stem: str, suffix: str) -> None:
    assert parts(ticker) == (stem, suffix)


def test_a_warrant_follows_its_issuer() -> None:
    assert follows_issuer("CCCXW", "INFQ.WS")
    assert not follows_issuer("BCTXW", "BCTXL")
