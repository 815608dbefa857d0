"""Which day of a dataset should be there by now: every day, or the last session whose facts are complete."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from stockpipe.cli.run import _first_rows
from stockpipe.datasets import DATASETS, Part, Partition
from stockpipe.load.result import LoadResult
from stockpipe.reading.freshness import expected_of
from stockpipe.warehouse.runs import PartId, RunRecord

BY = time(10)


@pytest.mark.parametrize(
    ("dataset", "moment", "day"),
    [
        ("splits", "2026-11-27T14:59", "2026-11-26"), ("splits", "2026-11-27T15:00", "2026-11-27"),
        # Friday after Thanksgiving: until noon Wednesday's bars are the newest, the holiday has none.
        ("daily_bars", "2026-11-27T16:59", "2026-11-25"), ("daily_bars", "2026-11-27T17:00", "2026-11-25"),
        ("daily_bars", "2026-11-28T16:59", "2026-11-25"), ("daily_bars", "2026-11-28T17:00", "2026-11-27"),
        ("daily_bars", "2026-11-30T17:00", "2026-11-27"), ("short_volume", "2026-12-01T17:00", "2026-11-30"),
        ("nobody_knows_it", "2026-11-27T15:00", "2026-11-27"),
    ],
)  # fmt: skip
def test_the_day_that_is_expected(dataset: str, moment: str, day: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert expected_of(PartId(dataset, None, None), now, BY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("dataset", "query"),
    [
        ("splits", "SELECT * FROM SPLITS WHERE KNOWN_TO IS NULL LIMIT 5"),
        ("daily_bars", "SELECT * FROM DAILY_BARS WHERE DS='2026-02-06' LIMIT 5"),
    ],
)
def test_the_query_that_run_proposes_fits_the_table(dataset: str, query: str) -> None:
    declared = DATASETS[dataset]
    record = RunRecord.begin("run", Partition(Part(declared), date(2026, 2, 6)), datetime(2026, 2, 6, tzinfo=UTC))
    assert query == _first_rows(LoadResult("run", declared.table, "DuckDB file x", [record]))
