"""With which day a load is compared, and when its day is called unchanged."""

from __future__ import annotations

import pytest

import stockpipe
from conftest import Serve, flags, many, stock, table
from stockpipe.errors import DataCheckError
from support.days import record

FRIDAY, SATURDAY = "2026-02-06", "2026-02-07"


def test_a_day_that_is_loaded_again_is_compared_with_the_one_before_it(serve: Serve) -> None:
    """A broken day that was forced does not become the measure of its own reload."""
    stockpipe.load(on=FRIDAY, settings=flags(serve(many(100))))
    stockpipe.load(on=SATURDAY, settings=flags(serve(many(50))), force=True)
    with pytest.raises(DataCheckError, match="50 rows against 100 on 2026-02-06"):
        stockpipe.load(on=SATURDAY, settings=flags(serve([*many(49), stock("Z")])))
    assert stockpipe.load(on=SATURDAY, settings=flags(serve(many(101)))).rows == 101


def test_a_first_day_that_is_loaded_again_is_compared_with_itself(serve: Serve) -> None:
    stockpipe.load(on=SATURDAY, settings=flags(serve(many(100))))
    with pytest.raises(DataCheckError, match="50 rows against 100 on 2026-02-07"):
        stockpipe.load(on=SATURDAY, settings=flags(serve(many(50))))


def test_the_latest_earlier_day_counts_and_no_later_one(serve: Serve) -> None:
    for day, rows in (("2026-02-04", 100), ("2026-02-05", 200), (SATURDAY, 400)):
        stockpipe.load(on=day, settings=flags(serve(many(rows))), force=True)
    with pytest.raises(DataCheckError, match="100 rows against 200 on 2026-02-05"):
        stockpipe.load(on=FRIDAY, settings=flags(serve(many(100))))


def test_an_unchanged_day_counts_as_an_earlier_one(serve: Serve) -> None:
    sandbox = serve(many(100))
    stockpipe.load(on=FRIDAY, settings=flags(sandbox))
    stockpipe.load(on=FRIDAY, settings=flags(sandbox))
    assert table("SELECT STATUS FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [("published",), ("unchanged",)]
    with pytest.raises(DataCheckError, match="50 rows against 100 on 2026-02-06"):
        stockpipe.load(on=SATURDAY, settings=flags(serve(many(50))))


def test_a_day_with_other_rejects_is_another_day(serve: Serve) -> None:
    good, bad = many(300), stock("ZZ", name="")
    for rows in (good, [*good, bad], [*good, bad], good):
        stockpipe.load(on=FRIDAY, settings=flags(serve(rows)))
    assert table("SELECT STATUS, ROWS_REJECTED FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [
        ("published", 0),
        ("published", 1),
        ("unchanged", 1),
        ("published", 0),
    ]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"pages": 5, "source": "elsewhere", "rows_repeated": 3}, True),
        ({"content_hash": "2"}, False),
        ({"rows_rejected": 1}, False),
        ({"rows_published": 1000}, False),
    ],
)
def test_content_is_rows_and_rejects(changes: dict[str, object], same: bool) -> None:
    usual = {"content_hash": "1", "rows_rejected": 0}
    assert record(**usual | changes).same_content(record(**usual)) is same  # type: ignore[arg-type]
