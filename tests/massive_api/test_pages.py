"""The guards of a walk, each alone, and which rows belong to a range."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from stockpipe.datasets import WHOLE, Part
from stockpipe.datasets.daily_bars import DAILY_BARS
from stockpipe.errors import ApiError, CursorRefused
from stockpipe.massive.answers import Page
from stockpipe.massive.client import Client, Origin
from stockpipe.massive.pages import Guard, Query, RangesUnusable, values_of, walk
from stockpipe.sandbox import SANDBOX_KEY, Answer, Request, Sandbox
from support.clocks import FakeClock, pacer
from support.faults import JSON, body
from support.loads import STOCKS

BARS = DAILY_BARS.parts()[0]


def page(*rows: str, promised: int | None = None) -> Page:
    return Page(list(rows), None, "1", promised=promised)


@pytest.mark.parametrize(
    ("part", "day", "has_rows"),
    [
        (BARS, "2026-02-06", True),  # a Friday
        (BARS, "2026-02-07", False),
        (BARS, "2026-01-01", False),
        (BARS, None, None),
        (STOCKS, "2026-02-06", None),
        (STOCKS, "2026-02-07", None),
    ],
)
def test_a_session_has_rows_and_another_day_has_none(part: Part, day: str | None, has_rows: bool | None) -> None:
    assert Query(part, date.fromisoformat(day) if day else None).has_rows is has_rows


def test_so_many_pages_are_let_pass_and_not_one_more() -> None:
    guard = Guard(2)
    guard.admit(page("1"))
    guard.admit(page("2"))
    with pytest.raises(ApiError, match="has not ended after 2 pages") as caught:
        guard.admit(page("3"))
    assert caught.value.hint == "Nothing was published. If a list can be that long, raise STOCKPIPE_MAX_PAGES."


def test_a_page_that_was_seen_is_refused_whatever_came_between() -> None:
    guard = Guard(9)
    for rows in (("1", "2"), ("2", "1"), ("1",), ("12",)):
        guard.admit(page(*rows))
    with pytest.raises(ApiError, match="same page twice") as caught:
        guard.admit(page("1", "2"))
    assert caught.value.hint == "Nothing was published. Run again later."
    assert guard.pages == 5


def test_empty_pages_are_no_repetition() -> None:
    guard = Guard(9)
    for _ in range(3):
        guard.admit(page())
    assert guard.pages == 3


def test_a_cursor_that_was_seen_is_refused() -> None:
    guard = Guard(9)
    for target in ("/a?cursor=1", "/a?cursor=2", "/b?cursor=1"):
        guard.follow(target)
    with pytest.raises(ApiError, match="cursor leads back to an earlier page") as caught:
        guard.follow("/a?cursor=1")
    assert caught.value.hint == "Nothing was published. Run again later."
    assert guard.pages == 0


@pytest.mark.parametrize(("promised", "wrong"), [(None, 0), (2, 0), (1, 1), (3, 1), (0, 1)])
def test_a_count_that_is_not_the_number_of_rows_is_counted(promised: int | None, wrong: int) -> None:
    guard = Guard(9)
    guard.admit(page("1", "2", promised=promised))
    guard.admit(page("3"))
    assert (guard.wrong_counts, guard.pages) == (wrong, 2)


def test_a_query_is_a_part_a_day_and_a_range() -> None:
    base = "/v3/reference/tickers?market=stocks&active=true&order=asc&sort=ticker&limit=1000"
    assert Query(STOCKS).target == base
    assert Query(STOCKS, date(2026, 2, 6), ("A", None)).target == f"{base}&date=2026-02-06&ticker.gte=A"
    assert (Query(STOCKS).path, Query(STOCKS).bounds) == ("/v3/reference/tickers", WHOLE)


def test_a_field_of_each_row_is_read_where_it_can_be() -> None:
    rows = ['{"ticker":"A","x":1}', '{"ticker":"B"}']
    assert values_of(rows, "ticker") == ["A", "B"]
    assert values_of([*rows, '{"ticker":5}', "{}", "[]"], "ticker") == ["A", "B", None, None, None]
    assert values_of([], "ticker") == []


class Lists:
    """An API that answers each call with the next of some lists of tickers, with a cursor behind each but the last."""

    def __init__(self, *lists: list[str]) -> None:
        self.lists, self.queries = lists, list[dict[str, str]]()

    def __call__(self, _: object) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            self.queries.append(dict(request.query))
            number = len(self.queries)
            rows = [{"ticker": ticker} for ticker in self.lists[number - 1]]
            more = {"next_url": f"/v3/reference/tickers?cursor={number}"} if number < len(self.lists) else {}
            return Answer(200, body(status="OK", results=rows, **more), JSON)

        return answer


def walked(api: Lists, query: Query, cursor: str | None = None, guard: Guard | None = None) -> list[list[str | None]]:
    """The tickers of each page of a walk."""
    with (
        Sandbox(wrap=api) as sandbox,
        Client(Origin(sandbox.url, SANDBOX_KEY), pacer(FakeClock(), plan="paid")) as client,
    ):
        return [values_of(found.rows, "ticker") for found in walk(client, query, guard or Guard(20), cursor)]


def test_a_walk_goes_on_while_there_is_a_cursor() -> None:
    api = Lists(["A"], [], [], [], ["B"], [], [], [], ["C"])
    assert walked(api, Query(STOCKS)) == [["A"], [], [], [], ["B"], [], [], [], ["C"]]
    assert [query.get("cursor") for query in api.queries] == [None, "1", "2", "3", "4", "5", "6", "7", "8"]


def test_the_fourth_empty_page_in_a_row_is_an_error() -> None:
    api = Lists(["A"], [], [], [], [], ["B"])
    with pytest.raises(ApiError, match="sent 4 empty pages in a row") as caught:
        walked(api, Query(STOCKS))
    assert len(api.queries) == 5
    assert caught.value.hint == "Nothing was published. Run again later."


def test_empty_pages_count_from_the_first_one() -> None:
    assert walked(Lists([], [], [], ["A"]), Query(STOCKS)) == [[], [], [], ["A"]]
    with pytest.raises(ApiError, match="sent 4 empty pages in a row"):
        walked(Lists([], [], [], [], ["A"]), Query(STOCKS))


def test_a_walk_asks_its_guard_about_each_page_and_each_cursor() -> None:
    guard = Guard(1)
    with pytest.raises(ApiError, match="has not ended after 1 pages"):
        walked(Lists(["A"], ["B"]), Query(STOCKS), guard=guard)
    guard = Guard(9)
    walked(Lists(["A"], ["B"]), Query(STOCKS), guard=guard)
    with pytest.raises(ApiError, match="cursor leads back"):
        walked(Lists(["C"], ["D"]), Query(STOCKS), guard=guard)


def refusing(place: int) -> Lists:
    """An API that answers 400 to the call at a place, 1 for the first."""

    class Refusing(Lists):
        def __call__(self, respond: object) -> Callable[[Request], Answer]:
            answer = super().__call__(respond)

            def refuse(request: Request) -> Answer:
                given = answer(request)
                return given if len(self.queries) != place else Answer(400, body(status="ERROR", error="no"), JSON)

            return refuse

    return Refusing(["A"], ["B"], ["C"])


@pytest.mark.parametrize(
    ("place", "cursor", "is_cursors_fault"),
    [(1, None, False), (2, None, True), (3, None, True), (1, "/v3/reference/tickers?cursor=x", True)],
)
def test_400_is_the_cursors_fault_on_a_page_that_a_cursor_asked_for(
    place: int, cursor: str | None, is_cursors_fault: bool
) -> None:
    with pytest.raises(ApiError) as caught:
        walked(refusing(place), Query(STOCKS), cursor)
    assert isinstance(caught.value, CursorRefused) is is_cursors_fault


def test_a_walk_may_begin_at_a_cursor_where_no_range_is_compared() -> None:
    api = Lists(["Z"], ["A"])
    query = Query(STOCKS, bounds=("B", "C"))
    assert walked(api, query, "/v3/reference/tickers?cursor=x") == [["Z"], ["A"]]
    assert api.queries[0] == {"cursor": "x"}


@pytest.mark.parametrize(
    ("bounds", "tickers", "outside"),
    [
        (("B", "D"), ["B", "CZ"], None),
        (("B", "D"), ["A"], "A"),
        (("B", "D"), ["B", "D"], "D"),
        ((None, "D"), ["A", "CZ"], None),
        ((None, "D"), ["D"], "D"),
        (("B", None), ["B", "Z", "zz"], None),
        (("B", None), ["AZ"], "AZ"),
        ((None, None), ["z", "A"], None),
        # By code point, small letters come behind all capitals; without regard to case, b is between B and C.
        (("AB", "AC"), ["ABp", "ABZ"], None),
        (("Z", None), ["a"], None),
        (("B", "D"), ["bX"], None),
        (("B", "D"), ["d"], "d"),
        (("B", "D"), ["a"], "a"),
        (("B1", "B2"), ["b1x"], None),
    ],
)
def test_a_row_must_be_in_its_range_in_one_of_the_two_usual_orders(
    bounds: tuple[str | None, str | None], tickers: list[str], outside: str | None
) -> None:
    if outside is None:
        assert walked(Lists(tickers), Query(STOCKS, bounds=bounds)) == [tickers]
        return
    low, high = bounds[0] or "the first", bounds[1] or "the end"
    with pytest.raises(RangesUnusable, match=re.escape(f"'{outside}', asked for ticker from {low} to before {high}.")):
        walked(Lists(tickers), Query(STOCKS, bounds=bounds))


def test_a_long_name_is_cut_in_the_sentence() -> None:
    with pytest.raises(RangesUnusable, match=f"sent '{'A' * 40}', asked"):
        walked(Lists(["A" * 50]), Query(STOCKS, bounds=("B", None)))


def test_a_page_outside_its_range_is_refused_before_it_is_counted() -> None:
    guard = Guard(5)
    with pytest.raises(RangesUnusable):
        walked(Lists(["A"]), Query(STOCKS, bounds=("B", None)), guard=guard)
    assert guard.pages == 0
