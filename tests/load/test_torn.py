"""Pages of two builds in one list: what its rows show of it, for the current list and for dated records."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from conftest import SIDE_BY_SIDE, Serve, flags, spread, stock, table, write_listing
from stockpipe import LoadResult
from stockpipe.errors import DataCheckError
from stockpipe.sandbox import Answer, Request, Sandbox
from support.loads import load

Respond = Callable[[Request], Answer]
Rows = list[dict[str, Any]]

WALKS: dict[str, Any] = {"page by page": {}, "side by side": SIDE_BY_SIDE}
walks = pytest.mark.parametrize("walk", WALKS)
days = pytest.mark.parametrize("on", [None, "2026-02-06"], ids=["current", "dated"])
DUMPS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "listings"


def spoiled(changes: Iterable[Callable[[Rows], None]]) -> Callable[[Respond], Respond]:
    """Each further answer gets the next change of its rows."""
    todo = iter(changes)

    def wrap(respond: Respond) -> Respond:
        def answer(request: Request) -> Answer:
            good = respond(request)
            envelope = json.loads(good.body)
            next(todo)(envelope["results"])
            return Answer(good.status, json.dumps(envelope).encode(), good.headers)

        return answer

    return wrap


def loaded(rows: list[dict[str, str]], wrap: Callable[[Respond], Respond], on: str | None, walk: str) -> LoadResult:
    with Sandbox(data=write_listing(Path("listing.csv"), rows), wrap=wrap) as sandbox:
        return load(flags(sandbox, **WALKS[walk]), on=on)


def nothing(_: Rows) -> None:
    pass


def stamped(stamp: str) -> Callable[[Rows], None]:
    def stamp_all(rows: Rows) -> None:
        for row in rows:
            row["last_updated_utc"] = stamp

    return stamp_all


@days
@walks
def test_two_builds_of_one_date_are_told_by_their_hours(walk: str, on: str | None) -> None:
    first, second = stamped("2026-02-07T07:05:42.1Z"), stamped("2026-02-07T11:05:42.1Z")
    assert loaded(spread(2500), spoiled(chain([first, second], repeat(second))), on, walk).rows == 2500
    assert table("SELECT DISTINCT LAST_UPDATED_UTC::VARCHAR FROM TICKERS") == [("2026-02-07 11:05:42.1",)]


@days
@walks
def test_a_list_that_stays_torn_is_refused(walk: str, on: str | None) -> None:
    torn = spoiled(chain.from_iterable(repeat((stamped("2026-02-06T07:05:42Z"), stamped("2026-02-07T07:05:42Z")))))
    with pytest.raises(DataCheckError, match="stamps of 2 builds: 2026-02-06 07:05"):
        loaded(spread(2500), torn, on, walk)
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]


def test_dated_records_all_stamped_at_midnight_of_many_days_are_whole(serve: Serve) -> None:
    rows = [row | {"last_updated_utc": f"2026-01-{1 + at % 28:02}T00:00:00Z"} for at, row in enumerate(spread(1500))]
    sandbox = serve(rows)
    assert load(flags(sandbox), on="2026-02-06").rows == 1500
    assert len(sandbox.calls) == 2


@days
def test_an_identical_row_on_two_pages_is_the_sign_of_a_torn_list(serve: Serve, on: str | None) -> None:
    rows = spread(2500)
    sandbox = serve([*rows[:1000], rows[999], *rows[1000:]])
    with pytest.raises(DataCheckError, match=f"stand on two pages: {rows[999]['ticker']}"):
        load(flags(sandbox), on=on)


def test_a_second_record_of_a_stock_on_the_next_page_is_data_in_dated_records(serve: Serve) -> None:
    rows = spread(2500)
    sandbox = serve([*rows[:1000], rows[999] | {"cik": ""}, *rows[1000:]])
    record = load(flags(sandbox), on="2026-02-06").records[0]
    assert (record.rows_published, record.rows_rejected, len(sandbox.calls)) == (2500, 1, 3)


RENAMED = [
    row | ({"composite_figi": "BBG000000001"} if at in (500, 2400) else {}) for at, row in enumerate(spread(2500))
]
OLD, NEW = RENAMED[500]["ticker"], RENAMED[2400]["ticker"]


@walks
def test_one_figi_under_two_tickers_is_the_sign_of_a_torn_list(walk: str) -> None:
    with pytest.raises(DataCheckError, match=rf"same COMPOSITE_FIGI: BBG000000001 \({OLD}, {NEW}\)") as caught:
        loaded(RENAMED, spoiled(repeat(nothing)), None, walk)
    assert caught.value.checks == {"torn"}


@days
@walks
def test_a_renamed_ticker_that_stood_under_both_names_is_whole_at_the_second_try(walk: str, on: str | None) -> None:
    tries = 0

    def whole_later(rows: Rows) -> None:
        nonlocal tries
        tries += any(row["ticker"] == OLD for row in rows)
        if tries > 1:
            for row in rows:
                row["composite_figi"] += "N" if row["ticker"] == NEW else ""

    record = loaded(RENAMED, spoiled(repeat(whole_later)), on, walk).records[0]
    assert (record.rows_published, tries) == (2500, 2)
    assert not [text for text in record.warnings if "FIGI" in text]


def test_one_figi_twice_in_the_dated_records_is_data_when_they_say_so_again(serve: Serve) -> None:
    sandbox = serve(RENAMED)
    record = load(flags(sandbox), on="2026-02-06").records[0]
    assert (record.rows_published, len(sandbox.calls)) == (2500, 6)
    found = f"In the dated records two rows have the same COMPOSITE_FIGI: BBG000000001 ({OLD}, {NEW})."
    assert found in record.warnings


def test_delisted_tickers_may_share_a_figi(serve: Serve) -> None:
    gone = [stock(f"D{at}", active="False", composite_figi="BBG000000001") for at in range(3)]
    assert load(flags(serve(gone)), words={"active": "false"}).rows == 3


@pytest.mark.skipif(not DUMPS.is_dir(), reason="the dumps of real lists are not part of the project")
@pytest.mark.parametrize(
    ("name", "market", "rows"),
    [
        ("stocks-active-2025-09-26.csv", "stocks", 11_763),
        ("stocks-active-2026-01-02.csv", "stocks", 12_126),
        ("series/stocks-active-2025-12-06.csv.gz", "stocks", 12_064),
        ("otc-active-2025-11-06-first5000.csv", "otc", 5000),
        ("indices-active-2025-11-05-first5000.csv", "indices", 5000),
        ("crypto-and-fx-active-2025-11-06.csv", "fx", 1220),
    ],
)
def test_no_real_list_of_one_build_is_called_torn(name: str, market: str, rows: int) -> None:
    content = (DUMPS / name).read_bytes()
    Path("listing.csv").write_bytes(gzip.decompress(content) if name.endswith(".gz") else content)
    with Sandbox(data=Path("listing.csv")) as sandbox:
        assert load(flags(sandbox), words={"market": market}).rows == rows
        assert len(sandbox.calls) == -(-rows // 1000)


@pytest.mark.skipif(not DUMPS.is_dir(), reason="the dumps of real lists are not part of the project")
@days
def test_the_real_torn_list_is_refused(on: str | None) -> None:
    with (
        Sandbox(data=DUMPS / "stocks-active-2026-06-12-torn.csv") as sandbox,
        pytest.raises(DataCheckError, match="stamps of 2 builds: 2026-06-11"),
    ):
        load(flags(sandbox), on=on)
