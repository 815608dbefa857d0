"""Facts of a report, made by hand: days with these numbers of rows, and nothing that is unusual."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from stockpipe.load.checks import Limits
from stockpipe.report.facts import Facts, Published, Question
from stockpipe.warehouse.source import Source
from support.loads import part

FIRST = date(2026, 2, 2)  # a Monday
REAL = Source("https://api.massive.com", dated=False)


def published(day: date, rows: int = 1000, **changes: Any) -> Published:
    """A healthy day of the real market."""
    usual: dict[str, Any] = {
        "rejected": 0,
        "build": day,
        "source": REAL,
        "forced": [],
        "warnings": [],
        "filled": {"CIK": rows, "COMPOSITE_FIGI": rows},
        "run_id": f"run-{day}",
        "content_hash": "abc",
    }
    return Published(day, rows, **usual | changes)


def facts(*rows: int, last: dict[str, Any] | None = None, skip: tuple[int, ...] = (), **changes: Any) -> Facts:
    """Facts about the last of some days in a row, from FIRST on, one for each number of rows; without those of `skip`."""
    numbered = list(enumerate(rows or (1000, 1000)))
    days = [published(FIRST + timedelta(days=n), count) for n, count in numbered if n not in skip]
    if last:
        days[-1] = published(days[-1].ds, days[-1].rows, **last)
    noon = datetime.combine(days[-1].ds, datetime.min.time(), UTC) + timedelta(hours=17)
    usual: dict[str, Any] = {
        "newest": days[-1].ds,
        "by_type": {day.ds: {"CS": day.rows - 10, "ETF": 10} for day in days},
        "by_exchange": [("XNAS", "CS", 600), ("XNYS", "CS", 390), ("ARCX", "ETF", 10)],
        "calendar": {day.ds: "published" for day in days},
        "questions": [Question(name, f"SELECT '{name}'") for name in ("Days", "Changes", "Universe by type", "Exchange by type", "Load calendar")],
    }  # fmt: skip
    return Facts(part(), "DuckDB file days.duckdb", noon, Limits(), days, **usual | changes)
