"""Where a list is cut into ranges, and which rows of a chain belong to it."""

from __future__ import annotations

import pytest

from stockpipe.massive.answers import Page
from stockpipe.massive.cuts import CutPlan, _rows_before, fewest
from stockpipe.massive.pages import Query, RangesUnusable
from support.loads import STOCKS
from support.made_up import made_up

LETTERS = ("AV", "BV", "CT", "ZZ")


@pytest.mark.parametrize(
    ("plan", "value", "starts"),
    [
        (CutPlan(letters=LETTERS), "A", ("B", "BV", "CT", "ZZ")),
        (CutPlan(letters=LETTERS), "AZZZ", ("B", "BV", "CT", "ZZ")),
        (CutPlan(letters=LETTERS), "B1", ("C", "CT", "ZZ")),
        (CutPlan(letters=LETTERS), "Y", ("Z", "ZZ")),
        (CutPlan(letters=LETTERS), "Z", ()),  # no letter comes after it
        (CutPlan(letters=LETTERS), "ZZ", ()),
        (CutPlan(letters=LETTERS), "9A", ("A", "AV", "BV", "CT", "ZZ")),  # digits come before letters
        (CutPlan(letters=LETTERS), "a", ()),
        (CutPlan(letters=LETTERS), "", ()),
        (CutPlan(letters=LETTERS), "\u00c4", ()),
        (CutPlan(letters=LETTERS), "Ab", ("B", "BV", "CT", "ZZ")),
        (CutPlan(letters=()), "A", ("B",)),
        (CutPlan(starts=("B", "C5", "M"), letters=LETTERS), "A", ("B", "C5", "M")),  # a start that is the letter is not doubled
        (CutPlan(starts=("B", "C5", "M"), letters=LETTERS), "B", ("C", "C5", "M")),
        (CutPlan(starts=("A9",), letters=LETTERS), "A", ("B",)),
        (CutPlan(letters=LETTERS, prefix="I:"), "I:A", ("I:B", "I:BV", "I:CT", "I:ZZ")),
        (CutPlan(letters=LETTERS, prefix="I:"), "I:Y", ("I:Z", "I:ZZ")),
        (CutPlan(letters=LETTERS, prefix="I:"), "A", ()),
        (CutPlan(letters=LETTERS, prefix="I:"), "I:", ()),
        (CutPlan(letters=LETTERS, prefix="I:"), "X:A", ()),
        (CutPlan(starts=("I:C5",), prefix="I:"), "I:A", ("I:B", "I:C5")),
    ],
)  # fmt: skip
def test_ranges_begin_at_the_next_letter_and_at_later_starts(
    plan: CutPlan, value: str, starts: tuple[str, ...]
) -> None:
    assert plan.beyond(value) == starts


def page(*tickers: str | None) -> Page:
    return Page([f'{{"ticker":"{ticker}"}}' if ticker is not None else "{}" for ticker in tickers], None, "1")


@pytest.mark.parametrize(
    ("high", "tickers", "own"),
    [
        ("B", ["A", "AZ"], 2),
        ("B", ["A", "B"], 1),
        ("B", ["B", "C"], 0),
        ("B", ["A", None, "B"], 2),
        ("B", [], 0),
        ("B", ["A", "B1", "Bp"], 1),
        ("B", ["A", "A a", "C.X"], 2),  # only its beginning must be plain
        ("I:B", ["I:A", "I:B"], 1),
        ("I:B", ["I:A", "I:9"], 2),
    ],
)
def test_the_rows_up_to_the_bound_belong_to_the_chain(high: str, tickers: list[str | None], own: int) -> None:
    found = page(*tickers)
    assert _rows_before(found, Query(STOCKS, bounds=(None, high))) == found.rows[:own]


@pytest.mark.parametrize(
    ("high", "tickers"),
    [
        ("B", ["B", "A"]),
        ("B", ["A", "C", "AA"]),
        ("B", ["A", "b"]),  # by code point behind B; without regard to case perhaps before it
        ("B", ["A", "a"]),
        ("B", ["A", "B", None]),  # a row without one behind the bound: nobody can say where it belongs
        ("B", ["A", "B", "\u00c4"]),
        ("I:B", ["I:A", "I:b"]),
        ("I:B", ["I:A", "I:_"]),
    ],
)
def test_a_list_in_another_order_cannot_be_cut_at_a_letter(high: str, tickers: list[str | None]) -> None:
    with pytest.raises(RangesUnusable, match="The API's list is not in the order of ticker"):
        _rows_before(page(*tickers), Query(STOCKS, bounds=(None, high)))


def test_without_a_bound_or_a_cut_every_row_belongs_to_the_chain() -> None:
    found = page("B", "A")
    assert _rows_before(found, Query(STOCKS)) == found.rows
    assert _rows_before(found, Query(made_up().part, bounds=(None, "A"))) == found.rows


@pytest.mark.parametrize(("before", "least"), [(0, 0), (2, 0), (3, 1), (4, 2), (9, 6), (970, 939), (12_000, 11_891)])
def test_a_range_may_lose_the_square_root_of_its_rows_and_two_in_any_case(before: int, least: int) -> None:
    assert fewest(before) == least


def test_the_ranges_that_lack_rows_are_named() -> None:
    plan = CutPlan(starts=("C", "M"), counts=(100, 100, 100))
    lacking = [
        "The list has 89 rows from its start to before C, and had 100 on the last published day.",
        "The list has 0 rows from M to its end, and had 100 on the last published day.",
    ]
    assert plan.shortfalls([89, 90, 0]) == lacking
    assert plan.shortfalls([90, 200, 90]) == []
    assert CutPlan(starts=("C", "M")).shortfalls([0, 0, 0]) == []
