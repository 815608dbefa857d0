"""What a report says of a day: each doubt by itself, and the sentence over all of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from stockpipe.report.trust import looked_at, verdict
from stockpipe.warehouse.source import Source
from support.reports import FIRST, facts


def doubts(**how: Any) -> dict[str, str]:
    rows = how.pop("rows", (1000, 1000))
    return {one.name: one.text for one in looked_at(facts(*rows, **how)) if one.state == "look"}


def test_a_healthy_day_has_no_doubt() -> None:
    assert doubts() == {}
    assert verdict(facts()) == "2026-02-03: 1,000 listed stocks; no change since 2026-02-02. Nothing is unusual."


@pytest.mark.parametrize(
    ("how", "name", "text"),
    [
        ({"rows": (1000, 950)}, "Rows", "950 against 1,000 on 2026-02-02 (-5.00%); 950 to 1,200 pass."),
        ({"rows": (1000, 1200)}, "Rows", "1,200 against 1,000 on 2026-02-02 (+20.00%); 950 to 1,200 pass."),
        ({"last": {"rejected": 2}}, "Rejected rows", "2 rows could not be published: stockpipe rejects --run run-2026-02-03."),
        ({"last": {"forced": ["volume", "stale"]}}, "Force", "These checks refused the day and were overruled: volume and stale."),
        ({"last": {"warnings": ["A list of whole pages."]}}, "Warning", "A list of whole pages."),
        ({"last": {"filled": {"CIK": 990}}}, "CIK known", "99.0% of the rows, 100.0% on 2026-02-02."),
        ({"last": {"filled": {"COMPOSITE_FIGI": 0}}}, "FIGI known", "0.0% of the rows, 100.0% on 2026-02-02."),
        ({"rows": (1, 1, 1, 1), "skip": (1,)}, "Gaps", "1 of the last 4 days is not published: 2026-02-03."),
        ({"rows": (1,) * 9, "skip": tuple(range(1, 8))}, "Gaps", "7 of the last 9 days are not published: 2026-02-03, 2026-02-04, 2026-02-05, 2026-02-06, 2026-02-07 and 2 more."),
    ],
)  # fmt: skip
def test_each_doubt_is_told_by_itself(how: dict[str, Any], name: str, text: str) -> None:
    assert doubts(**how) == {name: text}


def test_a_first_day_has_no_gap() -> None:
    assert next(one.text for one in looked_at(facts(1000)) if one.name == "Gaps") == "None in the last day."


@pytest.mark.parametrize("rows", [(1000, 951), (1000, 1199), (0, 0)])
def test_what_the_breaker_lets_pass_is_no_doubt(rows: tuple[int, int]) -> None:
    assert "Rows" not in doubts(rows=rows)


def test_the_band_grows_with_the_months_between_two_days() -> None:
    told = doubts(rows=(1000, *[1] * 59, 901), skip=tuple(range(1, 60)))
    assert "Rows" not in told  # 5 % for each of two months


@pytest.mark.parametrize(
    ("days_later", "state", "text"),
    [
        (0, "good", "Of today, from the vendor's build of 2026-02-03."),
        (1, "good", "Of yesterday, from the vendor's build of 2026-02-03."),
        (2, "look", "2 days old, from the vendor's build of 2026-02-03."),
    ],
)
def test_the_age_counts_from_the_moment_the_page_is_made(days_later: int, state: str, text: str) -> None:
    page = facts()
    page.made += timedelta(days=days_later)
    age = looked_at(page)[0]
    assert (age.state, age.text) == (state, text)


def test_a_build_that_lacks_a_session_is_a_doubt() -> None:
    told = doubts(last={"build": date(2026, 1, 30)})
    assert told.keys() == {"Age"}


def test_a_past_day_is_not_old() -> None:
    page = facts(newest=date(2026, 3, 1))
    page.made += timedelta(days=30)
    assert looked_at(page)[0].text == "A past day: the newest published one is 2026-03-01."
    assert looked_at(page)[0].state == "good"


def test_the_first_day_has_nothing_to_compare_with() -> None:
    first = facts(1000, questions=[])
    assert verdict(first) == "2026-02-02: 1,000 listed stocks, the first day that is published. Nothing is unusual."


def test_the_verdict_counts_what_changed_and_names_the_doubts() -> None:
    row = {"NAME": "", "TYPE": "CS", "PRIMARY_EXCHANGE": "XNAS", "OLD": "a", "NEW": "b"}
    changes = [{"CHANGE": "new", "TICKER": "A", **row}, {"CHANGE": "renamed", "TICKER": "B", **row}] + [
        {"CHANGE": "changed", "TICKER": "C", "COLUMN_NAME": name, **row} for name in ("NAME", "TYPE")
    ]
    page = facts(changes=changes, last={"rejected": 1, "forced": ["stale"]})
    assert verdict(page) == (
        "2026-02-03: 1,000 listed stocks; 1 new, 1 renamed, 1 changed since 2026-02-02. Look at rejected rows and force."
    )


def test_sample_data_is_a_source_of_its_own() -> None:
    assert facts(last={"source": Source("http://127.0.0.1:1", "synthetic seed=7")}).day.source.is_sample
    assert FIRST.weekday() == 0
