"""Only what is loaded day by day can be late: one past day does not make `status` stale for good."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

import stockpipe
from conftest import Serve, command, flags, stock
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.reading.regular import regular_lists
from stockpipe.warehouse.runs import RunRecord, RunStatus

TODAY = date(2026, 2, 20)
CURRENT, DATED = "https://api.massive.com (current)", "https://api.massive.com (dated)"


def run(market: str, day: str, source: str = CURRENT, status: RunStatus = "published") -> RunRecord:
    """The record of an invented run of a day."""
    moment = datetime.fromisoformat(f"{day} 09:30").replace(tzinfo=UTC)
    record = RunRecord(f"{market}-{day}", "tickers", market, True, date.fromisoformat(day), moment)
    return record.finished(status, moment, rows_published=9, source=source)


@pytest.mark.parametrize(
    ("days", "regular"),
    [
        # A past day beside a list that is loaded each day.
        ([run("stocks", "2026-02-20"), run("stocks", "2026-02-19"), run("crypto", "2026-02-06", DATED)], {"stocks"}),
        # Once stale, a daily list stays one.
        ([run("stocks", "2026-02-03"), run("stocks", "2026-02-02"), run("crypto", "2026-02-06", DATED)], {"stocks"}),
        # Tuesday after a weekend that the schedule leaves out.
        ([run("stocks", day) for day in ("2026-02-17", "2026-02-14", "2026-02-13")], {"stocks"}),
        # The first day of a schedule, and one that somebody loaded months ago by hand.
        ([run("stocks", "2026-02-20"), run("crypto", "2026-02-18"), run("fx", "2026-02-12")], {"stocks", "crypto"}),
        ([run("stocks", "2026-02-20"), run("crypto", "2026-02-13")], {"stocks", "crypto"}),
        # A backfill has days in a row too.
        ([run("stocks", "2026-02-20"), run("fx", "2025-02-07", DATED), run("fx", "2025-02-06", DATED)], {"stocks", "fx"}),
        # Where nothing is loaded day by day, everything counts.
        ([run("stocks", "2026-02-06", DATED), run("crypto", "2026-01-06", DATED)], {"stocks", "crypto"}),
        ([], set()),
    ],
)  # fmt: skip
def test_which_lists_are_loaded_day_by_day(days: list[RunRecord], regular: set[str]) -> None:
    assert {part.market for part in regular_lists(days, [], TODAY)} == regular


def test_a_list_whose_first_loads_fail_counts_for_a_week() -> None:
    days = [run("stocks", "2026-02-20"), run("stocks", "2026-02-19")]
    for day, counts in (("2026-02-13", True), ("2026-02-12", False)):
        found = regular_lists(days, [run("crypto", day, status="failed")], TODAY)
        assert ("crypto" in {part.market for part in found}) is counts


def test_the_second_line_of_the_readme_and_a_run_are_fresh(serve: Serve) -> None:
    today = new_york_date(Clock())
    rows = [stock(f"A{number}", last_updated_utc=f"{today}T07:00:00Z") for number in range(9)]
    gone = [stock(f"Z{number}", active="False", last_updated_utc=f"{today}T07:00:00Z") for number in range(9)]
    env = flags(serve([*rows, *gone]))
    stockpipe.load(active="both", on=today - timedelta(days=20), settings=env)
    assert command("status", env=env).returncode == 7
    # The current list after dated records.
    stockpipe.load(settings=env)
    done = command("status", env=env)
    assert done.returncode == 0, done.stderr
    assert "stocks, delisted: The last published day is" in done.stderr
    assert "It is not loaded day by day, so it does not count here." in done.stderr
    assert "Next:" not in done.stderr
    document = json.loads(command("status", "--json", env=env).stdout)
    assert [(one["active"], one["counted"]) for one in document["lists"]] == [(True, True), (False, False)]
    assert (document["fresh"], document["exit_code"]) == (True, 0)
    assert command("status", "--active", "both", env=env).returncode == 7
    assert command("status", "--market", "stocks", env=env).returncode == 7
