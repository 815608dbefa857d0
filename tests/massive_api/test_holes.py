"""Rows that fall out of a list, or stand in it twice: seen wherever anything in the data shows it, in every walk.

The first day is loaded as it is; then the API has a fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import SIDE_BY_SIDE, flags, many, spread, table, write_listing
from stockpipe import LoadResult
from stockpipe.errors import ApiError, DataCheckError
from stockpipe.massive.cuts import CutPlan, fewest
from stockpipe.massive.memory import recall
from stockpipe.sandbox import Answer, Request, Sandbox
from support.loads import load

pytestmark = pytest.mark.slow

Respond = Callable[[Request], Answer]
Envelope = dict[str, Any]
Fault = Callable[[Request, Envelope], None]

STATE = Path("stockpipe.duckdb.state.json")
WALKS: dict[str, Any] = {"page by page": {}, "side by side": SIDE_BY_SIDE}
walks = pytest.mark.parametrize("walk", WALKS)
days = pytest.mark.parametrize("dated", [False, True], ids=["current", "dated"])
LIST = spread(5200)  # 200 stocks with each letter; 6 ranges
LONG = spread(15_600)  # 600 with each letter, so that ranges by letters have two pages
TODAY = date(2026, 2, 6)


class Api:
    """A sandbox whose answers a fault may change, from the moment that there is one."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.fault: Fault | None = None
        self.refused_cursors = 0
        self.sandbox = Sandbox(data=write_listing(Path("listing.csv"), rows), wrap=self._wrap)

    def _wrap(self, respond: Respond) -> Respond:
        def answer(request: Request) -> Answer:
            if self.refused_cursors and "cursor" in request.query:
                self.refused_cursors -= 1
                return Answer(400, b'{"status":"ERROR","error":"Invalid cursor."}')
            good = respond(request)
            if self.fault is None or good.status != 200:
                return good
            envelope = json.loads(good.body)
            self.fault(request, envelope)
            return Answer(
                200,
                json.dumps(envelope).encode(),
                {name: text for name, text in good.headers.items() if name != "Content-Encoding"},
            )

        return answer

    def load(self, walk: str = "side by side", *, dated: bool = False, day: date = TODAY, **how: Any) -> LoadResult:
        self.sandbox.calls.clear()
        return load(flags(self.sandbox, **WALKS[walk]), on=day.isoformat() if dated else None, **how)

    def bounds(self) -> list[tuple[str | None, str | None]]:
        queries = [call.query for call in self.sandbox.calls if "cursor" not in call.query]
        return [(query.get("ticker.gte"), query.get("ticker.lt")) for query in queries]

    def is_side_by_side(self) -> bool:
        """Whether ranges were asked for, and the whole list was not."""
        return bool(self.bounds()) and (None, None) not in self.bounds()


@pytest.fixture
def api() -> Any:
    """An API with a list of 5,200 stocks, none of which is known yet."""
    api = Api(LIST)
    with api.sandbox:
        yield api


def rows_of(envelope: Envelope) -> list[Any]:
    """The rows of an answer, to be changed in place."""
    rows: list[Any] = envelope["results"]
    return rows


def has(envelope: Envelope, ticker: str) -> bool:
    return any(row["ticker"] == ticker for row in rows_of(envelope))


def empty(_: Request, envelope: Envelope) -> None:
    rows_of(envelope).clear()
    envelope.pop("next_url", None)


def few(_: Request, envelope: Envelope) -> None:
    del rows_of(envelope)[len(rows_of(envelope)) // 2 :]


def the_range(fault: Fault, low: str, *, times: int = 1000) -> Fault:
    """The fault in the answers for one range, so many times."""
    left = times

    def spoil(request: Request, envelope: Envelope) -> None:
        nonlocal left
        if request.query.get("ticker.gte") == low and "cursor" not in request.query and left:
            left -= 1
            fault(request, envelope)

    return spoil


def start_of(number: int) -> str:
    """Where a range begins that was learned of the first day."""
    return recall(STATE).starts("tickers/stocks/active", "[A-Z0-9]+")[number]


@days
@pytest.mark.parametrize("fault", [empty, few])
def test_a_range_that_falls_short_once_is_asked_for_again(api: Api, fault: Fault, dated: bool) -> None:
    api.load(dated=dated)
    calls = len(api.load(dated=dated).records) and len(api.sandbox.calls)
    low = start_of(2)
    api.fault = the_range(fault, low, times=1)
    result = api.load(dated=dated, force=True)
    assert (result.rows, result.records[0].pages) == (5200, calls + 1)
    assert len(api.sandbox.calls) == calls + 1
    assert [bound for bound, _ in api.bounds()].count(low) == 2
    assert api.is_side_by_side()


@days
@pytest.mark.parametrize("fault", [empty, few])
def test_a_range_that_stays_short_makes_the_list_be_fetched_page_by_page(
    api: Api, fault: Fault, dated: bool, caplog: pytest.LogCaptureFixture
) -> None:
    api.load(dated=dated)
    api.fault = the_range(fault, start_of(2))
    record = api.load(dated=dated, force=True).records[0]
    assert (record.rows_published, record.pages) == (5200, 6)
    assert api.bounds().count((None, None)) == 1
    assert "Fetching the list again, page by page" in caplog.text
    assert not [text for text in record.warnings if "Fetched again" in text]


def test_a_refused_cursor_after_a_short_range(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.load()
    api.fault = the_range(empty, start_of(2))
    api.refused_cursors = 1
    record = api.load(force=True).records[0]
    assert record.rows_published == 5200
    assert caplog.text.index("page by page") < caplog.text.index("Starting again from the first page")


def test_a_short_range_after_a_refused_cursor(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.load(dated=True)
    short = start_of(2)
    one_range_has_two_pages()
    fault = the_range(empty, short)
    api.fault = lambda request, envelope: None if api.refused_cursors else fault(request, envelope)
    api.refused_cursors = 1
    record = api.load(dated=True, force=True).records[0]
    assert record.rows_published == 5200
    assert caplog.text.index("Starting again from the first page") < caplog.text.index("page by page")


def one_range_has_two_pages() -> None:
    """Forget the first start of what is remembered, so that a cursor leads through what was two ranges."""
    memory = recall(STATE)
    query = "tickers/stocks/active"
    starts = memory.starts(query, "[A-Z0-9]+")
    first, second, *rest = memory.counts(query, starts, TODAY)
    memory.learn_starts(query, starts[1:], (first + second, *rest), TODAY)
    memory.keep()


@days
@walks
def test_what_all_walks_say_is_the_word_of_the_api_and_is_told(walk: str, dated: bool) -> None:
    api = Api(LIST)
    with api.sandbox:
        api.load(walk, dated=dated)
        gone = {row["ticker"] for row in LIST[3000:3100]}

        def without(_: Request, envelope: Envelope) -> None:
            rows_of(envelope)[:] = [row for row in rows_of(envelope) if row["ticker"] not in gone]

        api.fault = without
        record = api.load(walk, dated=dated).records[0]
    assert record.rows_published == 5100
    assert [text for text in record.warnings if text.endswith("Fetched again, it is the same.")]
    assert api.bounds().count((None, None)) == (2 if walk == "page by page" else 1)


@days
def test_an_empty_page_in_the_middle_of_a_plain_walk_is_seen(api: Api, dated: bool) -> None:
    api.load("page by page", dated=dated)
    calls = len(api.sandbox.calls)
    holes = 1

    def hole(_: Request, envelope: Envelope) -> None:
        nonlocal holes
        if holes and has(envelope, LIST[2500]["ticker"]):
            holes -= 1
            rows_of(envelope).clear()

    api.fault = hole
    assert api.load("page by page", dated=dated, force=True).rows == 5200
    assert len(api.sandbox.calls) == 2 * calls


def test_a_hole_that_moves_is_refused(api: Api) -> None:
    api.load("page by page")
    at = iter([1500, 2500, 3500])
    hole = ""

    def moving(request: Request, envelope: Envelope) -> None:
        nonlocal hole
        if "cursor" not in request.query:
            hole = LIST[next(at)]["ticker"]
        if has(envelope, hole):
            rows_of(envelope).clear()

    api.fault = moving
    with pytest.raises(ApiError, match="lacks other rows each time"):
        api.load("page by page")
    assert table("SELECT count(*) FROM TICKERS") == [(5200,)]


@days
def test_an_ordinary_day_costs_no_further_call(api: Api, dated: bool) -> None:
    api.load(dated=dated)
    first = len(api.sandbox.calls)
    assert api.bounds().count((None, None)) == 1
    for _ in range(2):
        assert api.load(dated=dated).records[0].pages == 6
        assert len(api.sandbox.calls) == 6
        assert api.is_side_by_side()
    assert first < 25


@pytest.mark.parametrize("asked_twice", [False, True])
def test_a_few_rows_less_in_a_range_are_an_ordinary_day(asked_twice: bool) -> None:
    api = Api(spread(5200))
    with api.sandbox:
        api.load()
        gone = {row["ticker"] for row in LIST[970 : 970 + 31]}
        empty_at_first = the_range(empty, start_of(0), times=int(asked_twice))

        def delisted(request: Request, envelope: Envelope) -> None:
            rows_of(envelope)[:] = [row for row in rows_of(envelope) if row["ticker"] not in gone]
            empty_at_first(request, envelope)

        api.fault = delisted
        assert api.load().rows == 5169
        assert (len(api.sandbox.calls), api.is_side_by_side()) == (6 + asked_twice, True)


@pytest.mark.parametrize(("before", "least"), [(0, 0), (2, 0), (3, 1), (4, 2), (100, 90), (970, 939), (30_000, 29_827)])
def test_the_fewest_rows_of_a_range(before: int, least: int) -> None:
    assert fewest(before) == least


@days
def test_a_range_without_its_next_url_is_compared_with_the_list(dated: bool) -> None:
    """The first day: ranges of several pages by letters, of which no counts are known."""

    def cut(request: Request, envelope: Envelope) -> None:
        if request.query.get("ticker.gte") == "HL":
            envelope.pop("next_url", None)

    api = Api(LONG)
    api.fault = cut
    with api.sandbox:
        assert api.load(dated=dated).rows == 15_600
    assert ("HL", "JE") in api.bounds()
    assert api.bounds().count((None, None)) == 2


@days
def test_a_full_last_page_without_next_url_is_asked_about_where_the_range_is_known(api: Api, dated: bool) -> None:
    """A range has grown to two pages, and the first one has lost its `next_url`: more rows than yesterday, and a hole."""
    kept = [row for at, row in enumerate(LIST) if not 4000 <= at < 4060]
    smaller = Api(kept)
    with smaller.sandbox:
        smaller.load(dated=dated)
    low = max(
        start for start in recall(STATE).starts("tickers/stocks/active", "[A-Z0-9]+") if start <= LIST[4000]["ticker"]
    )

    def cut(request: Request, envelope: Envelope) -> None:
        if request.query.get("ticker.gte") == low:
            envelope.pop("next_url", None)

    api.fault = cut
    assert api.load(dated=dated).rows == 5200
    assert api.bounds().count((None, None)) == 1


@days
def test_an_empty_range_of_the_first_day_is_compared_with_the_list(api: Api, dated: bool) -> None:
    api.fault = the_range(empty, "HL")
    assert api.load(dated=dated).rows == 5200
    assert ("HL", "JE") in api.bounds()
    assert api.bounds().count((None, None)) == 2


def test_an_empty_last_range_of_the_first_day_is_compared_with_the_list(api: Api) -> None:
    api.fault = the_range(empty, "WM")
    assert api.load().rows == 5200
    assert api.bounds().count((None, None)) == 2


@pytest.mark.parametrize("emptied", [True, False])
def test_a_chain_of_cursors_that_ends_before_the_first_range_is_seen(emptied: bool) -> None:
    def cut(request: Request, envelope: Envelope) -> None:
        if "cursor" in request.query and has(envelope, LONG[1050]["ticker"]):
            envelope.pop("next_url", None)
            if emptied:
                rows_of(envelope).clear()
            else:
                del rows_of(envelope)[100:]

    api = Api(LONG)
    api.fault = cut
    with api.sandbox, pytest.raises(ApiError, match=r"page by page, has .* rows; its ranges have"):
        api.load()
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]


def test_letters_without_a_row_cost_one_call_for_all_of_them() -> None:
    api = Api(many(2600))
    with api.sandbox:
        assert api.load().rows == 2600
        assert sorted(api.bounds(), key=str) == [("T02599", None), ("U", "WM"), ("WM", None), (None, None)]


@days
def test_a_range_that_repeats_the_rows_of_another_is_not_believed(api: Api, dated: bool) -> None:
    api.load(dated=dated)
    low, other = start_of(2), start_of(3)
    copy: list[Any] = [row | {"active": True} for row in LIST if row["ticker"] >= other][:900]
    api.fault = the_range(lambda _, envelope: envelope.update(results=copy), low)
    assert api.load(dated=dated, force=True).rows == 5200
    assert api.bounds().count((None, None)) == 1
    assert table("SELECT count(DISTINCT TICKER) FROM TICKERS") == [(5200,)]


@days
def test_a_row_in_both_of_two_ranges_is_the_sign_of_a_torn_list(dated: bool) -> None:
    """`FpA` is before a start in one usual order (capitals and small alike) and behind it in another, so that both ranges may hold it."""
    api = Api(LIST)
    with api.sandbox:
        row = LIST[1100] | {"ticker": "FpA", "active": True, "composite_figi": "BBG000000001"}

        def both(request: Request, envelope: Envelope) -> None:
            if "FS" in (request.query.get("ticker.lt"), request.query.get("ticker.gte")):
                rows_of(envelope).append(row)

        api.fault = both
        with pytest.raises(DataCheckError, match="tickers stand on two pages: FpA"):
            api.load(dated=dated)
        assert [low for low, _ in api.bounds()].count("FS") == 3


def test_a_refused_list_teaches_nothing(api: Api) -> None:
    api.load()
    known = STATE.read_text()

    def third(_: Request, envelope: Envelope) -> None:
        rows_of(envelope)[:] = [row for row in rows_of(envelope) if row["ticker"][0] not in "CDE"]

    api.fault = third
    with pytest.raises(DataCheckError, match="a loss of 5% or more"):
        api.load()
    assert STATE.read_text() == known


def test_a_state_file_without_counts_goes_on_to_work(api: Api) -> None:
    api.load()
    facts = json.loads(STATE.read_text())
    assert sum(facts.pop("counts")["tickers/stocks/active"]["rows"].values()) == 5200
    STATE.write_text(json.dumps(facts))
    assert api.load(force=True).rows == 5200
    assert (len(api.sandbox.calls), api.is_side_by_side()) == (6, True)
    assert "counts" in json.loads(STATE.read_text())


def test_counts_are_for_their_starts_and_a_month() -> None:
    memory = recall(STATE)
    memory.learn_starts("q", ["B", "C"], [3, 970, 5], TODAY)
    memory.keep()
    again = recall(STATE)
    assert again.counts("q", ("B", "C"), TODAY - timedelta(30)) == (3, 970, 5)
    assert again.counts("q", ("B", "C"), TODAY + timedelta(30)) == (3, 970, 5)
    assert again.counts("q", ("B", "C"), TODAY + timedelta(31)) == ()
    for other in ((), ("B",), ("B", "D"), ("A", "B", "C")):
        assert again.counts("q", other, TODAY) == ()
    again.learn_starts("q", ["B", "C"])
    assert again.counts("q", ("B", "C"), TODAY) == ()


@pytest.mark.parametrize(
    "counts",
    [
        "3", "[]", '{"q": 3}', '{"q": {"day": "x", "rows": {"": 1, "B": 2}}}', '{"q": {"day": 3, "rows": {"": 1, "B": 2}}}',
        '{"q": {"day": "2026-02-06", "rows": [1, 2]}}', '{"q": {"day": "2026-02-06", "rows": {"": -1, "B": 2}}}',
        '{"q": {"day": "2026-02-06", "rows": {"": true, "B": 2}}}', '{"q": {"day": "2026-02-06", "rows": {"": 1e3, "B": 2}}}',
        '{"q": {"day": "2026-02-06", "rows": {"": 100001, "B": 2}}}', '{"q": {"day": "2026-02-06", "rows": {"B": 2}}}',
    ],
)  # fmt: skip
def test_spoiled_counts_are_no_counts(counts: str) -> None:
    STATE.write_text(f'{{"ranges": {{"q": ["B"]}}, "counts": {counts}}}')
    memory = recall(STATE)
    assert (memory.starts("q", "[A-Z]+"), memory.counts("q", ("B",), TODAY)) == (("B",), ())
    memory.learn_starts("q", ["B"], [1, 2], TODAY)
    assert memory.counts("q", ("B",), TODAY) == (1, 2)


def test_without_counts_nothing_is_short() -> None:
    assert CutPlan(starts=("B",)).shortfalls([0, 0]) == []
    assert len(CutPlan(starts=("B",), counts=(970, 970)).shortfalls([938, 939])) == 1
