"""`stockpipe.backfill(...)`: a range of days from Python."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import stockpipe
from conftest import Serve, flags, many, table
from stockpipe.errors import UsageError

DAYS = [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4)]


def test_missing_days_are_loaded_and_a_second_call_finds_none(serve: Serve) -> None:
    settings = flags(serve(many(20)))
    result = stockpipe.backfill(start="2026-02-02", end=DAYS[-1], settings=settings)
    assert (result.days, result.rows, result.failed, result.codes) == (3, 60, [], [])
    assert result.missing == {"tickers: stocks": DAYS}
    assert table("SELECT DS, count(*) FROM TICKERS GROUP BY 1 ORDER BY 1") == [(day, 20) for day in DAYS]
    again = stockpipe.backfill(start=DAYS[0], end=DAYS[-1], settings=settings)
    assert (again.days, again.missing) == (0, {"tickers: stocks": []})
    redone = stockpipe.backfill(start=DAYS[1], end=DAYS[-1], redo=True, settings=settings)
    assert redone.missing == {"tickers: stocks": DAYS[1:]}
    assert redone.as_dict() == {
        "days": 2, "rows": 40, "rejected": 0, "no_session": 0, "failed": [], "out_of_reach": [], "not_tried": [],
    }  # fmt: skip


def test_a_dry_run_loads_nothing_and_names_the_days(serve: Serve) -> None:
    sandbox = serve(many(20))
    found = stockpipe.backfill(["tickers"], last="2d", end=DAYS[-1], dry_run=True, settings=flags(sandbox))
    assert (found.missing, found.days, sandbox.calls) == ({"tickers: stocks": DAYS[1:]}, 0, [])


def test_weekends_are_left_out_where_sessions_are_asked_for(serve: Serve) -> None:
    found = stockpipe.backfill(
        start="2026-02-06", end="2026-02-09", sessions=True, dry_run=True, settings=flags(serve(many(2)))
    )
    assert found.missing == {"tickers: stocks": [date(2026, 2, 6), date(2026, 2, 9)]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "Which days?\nGive start (and end), or last, such as last 30d or last 2y."),
        ({"start": "2026-02-03", "end": "2026-02-02"}, "Swap start and end."),
        ({"start": "2026-02-03", "last": "2d"}, "Which days?"),
        ({"last": "2 days"}, "'2 days' is not a length of time."),
        ({"last": "2d", "dataset": "exchanges"}, "exchanges has no past days"),
        ({"last": "2d", "dataset": 5}, "dataset is 5.\nIt must be a text, or a list of texts."),
        ({"last": "2d", "dataset": "bars"}, "bars"),
        ({"last": "2d", "redo": "yes"}, "redo is 'yes'.\nIt must be True or False."),
        ({"start": "20260202"}, "20260202"),
    ],
)
def test_what_makes_no_sense_is_told_in_words_of_python(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        stockpipe.backfill(**arguments, settings={"POLYGON_API_KEY": "x"})
    told = f"{caught.value.message}\n{caught.value.hint}"
    assert said in told
    assert "--" not in told.partition("stockpipe run ")[0]
