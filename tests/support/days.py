"""Days as the checks see them: a load, the facts of a staged part, the record of an earlier day. No list is fetched."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from stockpipe.load.loads import Load
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse.runs import Counts, RunRecord
from support.loads import part, partition

TODAY = date(2026, 2, 7)
FIELDS = {"TICKER": 1000, "NAME": 1000, "CIK": 900}


def load_of(market: str = "stocks", active: str = "true", *, dated: bool = False, **how: Any) -> Load:
    """A load of the tickers for TODAY."""
    return Load(part(market, active), how.pop("ds", TODAY), dated, **how)


def build(day: str = "2026-02-07 07:05") -> datetime:
    """A build's first stamp (UTC)."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def staged(published: int = 1001, rejected: int = 0, repeated: int = 0, **facts: Any) -> StagedPart:
    """A healthy list of one build, with these numbers of rows and these facts changed."""
    usual: dict[str, Any] = {
        "counts": Counts(published + rejected + repeated, published, rejected, repeated),
        "builds": {build(): published},
        "keys_on_two_pages": [],
        "repeated_on_two_pages": [],
        "shared": [],
        "conflicts": [],
        "first_key": "A",
        "last_key": "ZZ",
        "content_hash": "0",
        "field_counts": FIELDS,
        "new_fields": [],
        "reject_reasons": [],
    }
    return StagedPart(**usual | facts)


def record(published: int = 1001, day: str = "2026-02-06", **changes: Any) -> RunRecord:
    """The record of a published day."""
    usual: dict[str, Any] = {
        "rows_fetched": published,
        "rows_published": published,
        "last_ticker": "ZZ",
        "field_counts": FIELDS,
        "started_utc": datetime(2026, 2, 6, 9, 30, tzinfo=UTC),
    }
    changes = usual | changes
    begun = RunRecord.begin("run", partition(day), changes.pop("started_utc"))
    return begun.finished("published", datetime(2026, 2, 6, 9, 31, tzinfo=UTC), **changes)
