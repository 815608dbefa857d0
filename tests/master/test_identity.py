"""The rules of identity, each with rows as the lists have them. Names and numbers are made up; the patterns are real."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from stockpipe.master.resolve.overrides import BadOverrides, parse
from stockpipe.master.resolve.resolver import Resolved, resolve
from stockpipe.master.resolve.stretch import List, Lists, Stretch
from stockpipe.master.resolve.tables import tables_of

DAYS = 60
FIRST = date(2026, 1, 1)


def lists(*, torn: frozenset[int] = frozenset(), days: int = DAYS) -> Lists:
    return Lists(List(FIRST + timedelta(number), 10, "current", number in torn) for number in range(days))


def row(
    ticker: str,
    first: int,
    last: int,
    name: str = "Alpha Corp. Common Stock",
    kind: str | None = "CS",
    cik: str | None = None,
    figi: str | None = None,
) -> Stretch:
    share = f"S{figi}" if figi else None
    return Stretch(ticker, name, kind, "XNAS", cik, figi, share, first, last)


def tickers(found: Resolved) -> list[list[str]]:
    """The tickers of each security, in order."""
    return sorted([segment.ticker for segment in chain] for chain in found.chains)


RENAMED = {
    "the same FIGI": ({"figi": "F1"}, {"figi": "F1", "name": "Beta Inc."}),
    "a FIGI that comes late": ({"figi": "F1", "name": "Alpha"}, {"figi": "F1", "name": "Beta Inc.", "cik": "9"}),
    "the issuer's only share, by CIK": ({"cik": "1"}, {"cik": "1", "name": "Beta Ltd. Ordinary Shares"}),
    "another FIGI after a move abroad, the only share": ({"cik": "1", "figi": "F1"}, {"cik": "1", "figi": "F2", "name": "Beta"}),
    "the same name, and nothing else known": ({}, {}),
    "the same name, and a CIK that was wrong for a while": ({"cik": "1"}, {"cik": "2"}),
    "a preferred by its series and coupon": (
        {"cik": "1", "kind": "PFD", "name": "Alpha REIT 8.00% Series B Preferred Stock"},
        {"cik": "1", "kind": "PFD", "name": "Beta Estate 8.00% Series B Cumulative Preferred Stock"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), RENAMED.values(), ids=RENAMED)
def test_a_renamed_ticker_is_one_security(before: dict[str, str], after: dict[str, str]) -> None:
    found = resolve([row("OLD", 0, 29, **before), row("NEW", 30, 59, **after)], lists())

    assert tickers(found) == [["OLD", "NEW"]]


SISTERS = {
    "another series": ("PFD", "Alpha 8.00% Series B Preferred", "Alpha 7.00% Series D Preferred"),
    "another year and coupon": ("CS", "Alpha 5.00% Notes due 2026", "Alpha 7.125% Notes due 2031"),
    "another class": ("CS", "Alpha Corp. Class A Common Stock", "Alpha Corp. Class C Common Stock"),
    "another number": ("CS", "Armada Acquisition Corp. II Ordinary Shares", "Armada Acquisition Corp. III Ordinary Shares"),
    "funds of one trust": ("ETF", "Alpha Trust Growth Buffer ETF - October", "Alpha Trust Gold Miners ETF"),
    "preferreds whose names tell nothing": ("PFD", "Alpha Bank Depositary Shares", "Alpha Bank Preferred Stock"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after"), SISTERS.values(), ids=SISTERS)
def test_sisters_of_one_issuer_are_two(kind: str, before: str, after: str) -> None:
    found = resolve([row("ONE", 0, 29, before, kind, "1"), row("TWO", 30, 59, after, kind, "1")], lists())

    assert tickers(found) == [["ONE"], ["TWO"]]


def test_a_second_warrant_is_not_the_first_but_one_that_follows_its_issuer_is() -> None:
    second = resolve(
        [
            row("ALFAW", 0, 29, "Alpha Warrant", "WARRANT", "1"),
            row("ALFAL", 30, 59, "Alpha Corp. Warrants", "WARRANT", "1"),
        ],
        lists(),
    )
    follows = resolve(
        [
            row("ALFAW", 0, 29, "Alpha X Warrants", "WARRANT", "1"),
            row("BETA.WS", 30, 59, "Beta Warrants", "WARRANT", "1"),
        ],
        lists(),
    )

    assert tickers(second) == [["ALFAL"], ["ALFAW"]]
    assert tickers(follows) == [["ALFAW", "BETA.WS"]]


def test_a_warrant_with_another_figi_and_wording_is_a_second_one_but_a_share_is_restyled() -> None:
    def steps(kind: str, one: str, two: str) -> list[Stretch]:
        return [row("ALFAW", 0, 29, one, kind, "1", "F1"), row("ALFAW", 30, 59, two, kind, "1", "F2")]

    assert len(resolve(steps("WARRANT", "Alpha Warrant", "Alpha Warrants, each exercisable"), lists()).chains) == 2
    assert len(resolve(steps("CS", "Alpha Corp.", "Alpha Corp. Common Stock"), lists()).chains) == 1


def test_a_preferred_of_another_coupon_under_the_old_ticker_is_another_one_and_a_new_wording_is_not() -> None:
    def steps(one: str, two: str) -> list[Stretch]:
        return [row("ABCpD", 0, 29, one, "PFD", "1"), row("ABCpD", 30, 59, two, "PFD", "1")]

    assert len(resolve(steps("Alpha 7.875% Preferred Series D", "Alpha 6.50% Preferred Series D"), lists()).chains) == 2
    assert (
        len(resolve(steps("AG MORTGAGE TRUST, INC.", "TPG Mortgage Trust, Inc. 8.25% Series A"), lists()).chains) == 1
    )


def test_a_warrant_of_the_same_name_after_long_under_another_ticker_is_a_second_one() -> None:
    rows = [
        row("ALFA.WS", 0, 9, "Alpha Warrants", "WARRANT", "1"),
        row("ALFAW", 40, 59, "Alpha Warrants", "WARRANT", "1"),
    ]

    assert len(resolve(rows, lists()).chains) == 2


def test_where_two_would_do_none_is_tied_and_it_is_told() -> None:
    found = resolve(
        [
            row("OLDA", 0, 29, "Alpha", "CS", "1"),
            row("OLDB", 0, 29, "Alpha Two", "CS", "1"),
            row("NEW", 30, 59, "Beta", "CS", "1"),
        ],
        lists(),
    )

    assert tickers(found) == [["NEW"], ["OLDA"], ["OLDB"]]
    assert {tie.evidence for tie in found.ties} == {"the issuer has several securities of this kind that would do"}


REUSED = {
    "another FIGI and name": ({"figi": "F1", "cik": "1"}, {"figi": "F2", "cik": "2", "name": "Gamma Metals Ltd."}),
    "another CIK and name": ({"cik": "1"}, {"cik": "2", "name": "Gamma Metals Ltd."}),
    "another kind and name": ({"kind": "ETF", "name": "The SPAC ETF"}, {"kind": "CS", "name": "Gamma Space Corp."}),
    "a fund, then a sister": ({"kind": "ETF", "cik": "1", "figi": "F1", "name": "Alpha Gold ETF"}, {"kind": "ETF", "cik": "1", "figi": "F2", "name": "Alpha Oil Buffer ETF"}),
}  # fmt: skip


@pytest.mark.parametrize("gap", [0, 20], ids=["the next day", "after a while"])
@pytest.mark.parametrize(("before", "after"), REUSED.values(), ids=REUSED)
def test_a_ticker_that_serves_another_company_is_cut(before: dict[str, str], after: dict[str, str], gap: int) -> None:
    found = resolve([row("RNA", 0, 29, **before), row("RNA", 30 + gap, 59, **after)], lists())

    assert tickers(found) == [["RNA"], ["RNA"]]


def test_a_reuse_shows_though_the_new_company_gets_its_figi_late() -> None:
    late = [row("RNA", 30, 44, "Gamma Metals"), row("RNA", 45, 59, "Gamma Metals", figi="F2")]

    assert tickers(resolve([row("RNA", 0, 29, figi="F1"), *late], lists())) == [["RNA"], ["RNA"]]


NOISE = {
    "FIGI gone for a day": [{"figi": "F1"}, {}, {"figi": "F1"}],
    "FIGI new after a reorganisation": [{"figi": "F1", "cik": "1"}, {"figi": "F2", "cik": "1"}],
    "CIK to and fro": [{"cik": "1"}, {"cik": "2"}, {"cik": "1"}],
    "type ETS to ETF": [{"kind": "ETS", "name": "Alpha ETF"}, {"kind": "ETF", "name": "Alpha ETF"}],
    "name restyled": [{"name": "Walmart Inc.", "cik": "1"}, {"name": "WALMART, INC. Common Stock", "cik": "1"}],
    "a new company name, FIGI the same": [{"figi": "F1"}, {"figi": "F1", "name": "Dauch Corporation", "cik": "7"}],
    "a new company name, CIK the same": [{"cik": "1"}, {"cik": "1", "name": "Dauch Corporation"}],
    "a new company name, and nothing else known": [{}, {"name": "Dauch Corporation"}],
    "no type in old lists": [{"kind": None, "name": "ALPHA CORP"}, {"kind": "CS", "name": "Alpha Corp. Common Stock"}],
}  # fmt: skip


@pytest.mark.parametrize("steps", NOISE.values(), ids=NOISE)
def test_noise_does_not_cut(steps: list[dict[str, str]]) -> None:
    rows = [row("ABC", 10 * at, 10 * at + 9, **step) for at, step in enumerate(steps)]

    assert len(resolve(rows, lists()).chains) == 1


def test_two_tickers_that_swap_are_followed() -> None:
    rows = [
        row("AAA", 0, 29, "Alpha Corp.", figi="F1"), row("BBB", 0, 29, "Beta Corp.", figi="F2"),
        row("AAA", 30, 59, "Beta Corp.", figi="F2"), row("BBB", 30, 59, "Alpha Corp.", figi="F1"),
    ]  # fmt: skip

    assert tickers(resolve(rows, lists())) == [["AAA", "BBB"], ["BBB", "AAA"]]


def test_there_and_back_again_is_not_welded_past_the_middle() -> None:
    rows = [row("AAA", 0, 9, cik="1"), row("BBB", 10, 19, "Beta Corp.", cik="1"), row("AAA", 20, 59, cik="1")]

    assert tickers(resolve(rows, lists())) == [["AAA", "BBB", "AAA"]]


@pytest.mark.parametrize("gap", [1, 15, 16, 30])
def test_a_relisting_is_the_same_security_however_long_it_was_away(gap: int) -> None:
    rows = [row("AAA", 0, 9, cik="1"), row("AAA", 10 + gap, 59, cik="1")]

    assert tickers(resolve(rows, lists())) == [["AAA", "AAA"]]


@pytest.mark.parametrize(("gap", "securities"), [(15, 1), (16, 2)])
def test_a_cik_alone_ties_across_fifteen_lists(gap: int, securities: int) -> None:
    rows = [row("OLD", 0, 9, cik="1"), row("NEW", 10 + gap, 59, "Beta", cik="1")]

    assert len(resolve(rows, lists()).chains) == securities


def test_torn_lists_prove_no_absence() -> None:
    rows = [row("AAA", 0, 9), row("AAA", 12, 59, "Gamma Metals")]

    assert len(resolve(rows, lists(torn=frozenset({10, 11}))).chains) == 1
    assert len(resolve(rows, lists()).chains) == 2


def test_a_figi_that_two_tickers_show_belongs_to_who_had_it_first() -> None:
    rows = [
        row("AAA", 0, 59, "Alpha", figi="F1", cik="1"),
        row("BBB", 0, 9, "Beta", cik="2"), row("BBB", 10, 12, "Beta", figi="F1", cik="2"), row("BBB", 13, 29, "Beta", cik="2"),
        row("CCC", 31, 59, "Beta", cik="2"),
    ]  # fmt: skip

    assert tickers(resolve(rows, lists())) == [["AAA"], ["BBB", "CCC"]]


def test_of_two_rows_for_a_ticker_on_a_day_the_fuller_one_counts() -> None:
    rows = [row("CASY", 0, 29, "CASEYS GENERAL", None), row("CASY", 0, 59, "Casey's General Stores", "CS", "1", "F1")]

    found = resolve(rows, lists())

    assert [one.name for segment in found.chains[0] for one in segment.stretches] == ["Casey's General Stores"]


def test_nothing_in_common_is_not_tied() -> None:
    assert len(resolve([row("OLD", 0, 29), row("NEW", 30, 59, "Beta Inc.")], lists()).chains) == 2


# ---- ids ----


def test_an_id_is_the_first_ticker_and_day_and_an_earlier_history_does_not_change_it() -> None:
    rows = [row("FB", 0, 29, figi="F1"), row("META", 30, 59, figi="F1")]

    assert resolve(rows, lists()).named.ids == ["FB.20260101"]
    assert resolve(rows, lists(), given=["META.20260131"]).named.ids == ["META.20260131"]


def test_of_two_ids_that_turn_out_to_be_one_the_older_holds_and_the_younger_is_an_alias() -> None:
    rows = [row("FB", 0, 29, figi="F1"), row("META", 30, 59, figi="F1")]

    named = resolve(rows, lists(), given=["META.20260131", "FB.20260101"]).named

    assert (named.ids, named.aliases, named.lost) == (["FB.20260101"], {"META.20260131": "FB.20260101"}, [])


def test_an_id_whose_ticker_is_in_no_list_is_told_as_lost() -> None:
    named = resolve([row("FB", 0, 59)], lists(), given=["GONE.20260101", "FB.20260101", "nonsense"]).named

    assert (named.ids, named.lost) == (["FB.20260101"], ["GONE.20260101", "nonsense"])


# ---- a person's word ----


HEAD = "decision,from,to,why\n"


def test_a_person_may_tie_and_cut() -> None:
    rows = [row("OLD", 0, 29), row("NEW", 30, 59, "Beta Inc."), row("ABC", 0, 59, "Gamma")]
    said = parse(
        f"{HEAD}same,OLD@2026-01-10,NEW@2026-02-10,press release\ndifferent,ABC@2026-01-05,ABC@2026-01-20,spun off\n"
    )

    found = resolve(rows, lists(), overrides=said)

    assert tickers(found) == [["ABC"], ["ABC"], ["OLD", "NEW"]]
    assert found.named.ids == ["ABC.20260101", "OLD.20260101", "ABC.20260120"]
    assert found.unfit == []


def test_what_a_person_keeps_apart_is_one_decision() -> None:
    """Without a word for it, FIGI, name and CIK would each tie the two; and a ticker that is cut is no second decision."""
    rows = [row("OLD", 0, 29, "Beta Inc."), row("NEW", 30, 59, "Beta Inc."), row("ABC", 0, 59, "Gamma")]
    said = parse(
        f"{HEAD}different,OLD@2026-01-10,NEW@2026-02-10,two firms\ndifferent,ABC@2026-01-05,ABC@2026-01-20,spun off\n"
    )

    found = resolve(rows, lists(), overrides=said)

    assert tickers(found) == [["ABC"], ["ABC"], ["NEW"], ["OLD"]]
    decisions = [(one[0], one[1], one[6], one[10]) for one in tables_of(found).decisions]
    assert decisions == [("different", "override", "ABC", "ABC"), ("different", "override", "OLD", "NEW")]


def test_an_override_that_fits_nothing_is_told() -> None:
    said = parse(f"{HEAD}same,NONE@2026-01-10,OLD@2026-01-10,why\nsame,OLD@2026-01-10,TWO@2026-01-12,why\n")

    found = resolve([row("OLD", 0, 29), row("TWO", 0, 59, "Two Inc.")], lists(), overrides=said)

    assert [(one.line, why) for one, why in found.unfit] == [
        (2, "NONE was not listed on 2026-01-10"),
        (3, "both were listed at the same time"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("decison,from,to,why\n", "line 1 must name the columns"),
        (f"{HEAD}sam,A@2026-01-01,B@2026-01-01,x\n", "line 2 says 'sam'"),
        (f"{HEAD}same,A@2026-13-01,B@2026-01-01,x\n", "line 2 has 'A@2026-13-01'"),
        (f"{HEAD}same,A,B@2026-01-01,x\n", "line 2 has 'A'"),
        (f"{HEAD}same,A@2026-01-01,B@2026-01-01,\n", "line 2 does not say why"),
        (f"{HEAD}# a remark\n\nsame,A@2026-01-01\n", "line 4 has 2 cells"),
    ],
)
def test_a_typo_names_its_line(text: str, words: str) -> None:
    with pytest.raises(BadOverrides, match=words):
        parse(text)
