"""The run record: what a run did, in numbers. One row of STOCKPIPE_RUNS for each market and active state it loaded."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from stockpipe.datasets import Column
from stockpipe.errors import DataCheckError

Status = Literal["published", "unchanged", "refused", "failed", "interrupted", "dry-run"]

RUNS_TABLE = "STOCKPIPE_RUNS"
REJECTS_TABLE = "STOCKPIPE_REJECTS"

RUN_COLUMNS = (
    Column("RUN_ID", "text", "The run; one run has a row for each active state it loaded.", width=40),
    Column("DATASET", "text", "What was loaded.", width=50),
    Column("MARKET", "text", "Of which market.", width=50),
    Column("ACTIVE", "bool", "Listed (true) or delisted (false) securities."),
    Column("DS", "date", "The day that was loaded."),
    Column("STATUS", "text", "published, unchanged, refused, failed or interrupted.", width=20),
    Column("STARTED_UTC", "timestamp", "Start of the run."),
    Column("FINISHED_UTC", "timestamp", "End of the run; of a published one, just before COMMIT."),
    Column("SECONDS", "float", "Wall seconds from STARTED_UTC to FINISHED_UTC."),
    Column("ROWS_FETCHED", "int", "Rows that the API sent: published + rejected + repeated."),
    Column("ROWS_PUBLISHED", "int", "Rows in the table for this day, market and state."),
    Column("ROWS_REJECTED", "int", "Rows in STOCKPIPE_REJECTS."),
    Column("ROWS_REPEATED", "int", "Identical repetitions that were dropped."),
    Column("PAGES", "int", "Pages of the walk that was published."),
    Column("CALLS", "int", "Calls to the API, retries included."),
    Column("RETRIES", "int", "Calls that were tried again."),
    Column("WAITED_SECONDS", "float", "Seconds spent waiting for the rate limit and between retries."),
    Column("BUILD_DATE", "date", "Date of the vendor's nightly build, from the rows' stamps (UTC)."),
    Column("FIRST_TICKER", "text", "First ticker of the list as sent.", width=20),
    Column("LAST_TICKER", "text", "Last ticker of the list as sent.", width=20),
    Column("CONTENT_HASH", "text", "Digest of the set of published rows, LAST_UPDATED_UTC and DS left out.", width=64),
    Column("FIELD_COUNTS", "json", "For each column, how many published rows have a value."),
    Column("NEW_FIELDS", "json", "Fields that the API sent and stockpipe does not know (kept in EXTRA)."),
    Column("WARNINGS", "json", "What was unusual, in words."),
    Column("FORCED", "json", "Checks that refused the day and were overruled with --force."),
    Column("SOURCE", "text", "The API's origin, or the sandbox and its market: sample data.", width=200),
    Column("VERSION", "text", "Version of stockpipe.", width=40),
    Column("ERROR", "text", "Class of the error that ended the run.", width=100),
    Column("MESSAGE", "text", "Its text.", width=2000),
)

REJECT_COLUMNS = (
    Column("RUN_ID", "text", "The run that rejected the row.", width=40),
    Column("DATASET", "text", "The dataset.", width=50),
    Column("DS", "date", "The day that was loaded."),
    Column("TICKER", "text", "The row's ticker, cut to fit, where it has a readable one.", width=100),
    Column("REASON", "text", "Why the row could not be published.", width=1000),
    Column("RAW", "text", "The row as the API sent it.", width=16_777_216),
)


@dataclass(frozen=True)
class Counts:
    """Where the rows of a day went. Every row is in exactly one of the three right-hand numbers."""

    fetched: int = 0
    published: int = 0
    rejected: int = 0
    repeated: int = 0

    def prove(self) -> None:
        """Raise unless fetched = published + rejected + repeated: no row may be lost in silence."""
        if self.fetched != self.published + self.rejected + self.repeated:
            raise DataCheckError(
                f"The rows do not add up: {self.fetched} fetched, but {self.published} to publish + "
                f"{self.rejected} rejected + {self.repeated} repeated.",
                hint="Nothing was published. This is a defect of stockpipe: please report it with the log.",
            )


@dataclass(frozen=True)
class RunRecord:
    """One row of STOCKPIPE_RUNS; the fields carry the columns' names in lower case. Times are UTC."""

    run_id: str
    dataset: str
    market: str
    active: bool
    ds: date
    started_utc: datetime
    status: Status = "failed"
    finished_utc: datetime | None = None
    seconds: float | None = None
    rows_fetched: int = 0
    rows_published: int = 0
    rows_rejected: int = 0
    rows_repeated: int = 0
    pages: int = 0
    calls: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    build_date: date | None = None
    first_ticker: str | None = None
    last_ticker: str | None = None
    content_hash: str | None = None
    field_counts: dict[str, int] = field(default_factory=dict)
    new_fields: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    forced: list[str] = field(default_factory=list)
    source: str = ""
    version: str = ""
    error: str | None = None
    message: str | None = None

    def finished(self, status: Status, now: datetime, **changes: Any) -> RunRecord:
        """The same record, ended."""
        seconds = round((now - self.started_utc).total_seconds(), 3)
        return replace(self, status=status, finished_utc=now, seconds=seconds, **changes)

    def same_content(self, other: RunRecord) -> bool:
        """Whether two runs of one slice came to the same rows, published and rejected."""
        mine = (self.content_hash, self.rows_published, self.rows_rejected)
        return mine == (other.content_hash, other.rows_published, other.rows_rejected)

    def row(self) -> tuple[Any, ...]:
        """The record as values in the order of RUN_COLUMNS: JSON as text, times without zone (they are UTC)."""
        return tuple(_cell(getattr(self, column.name.lower())) for column in RUN_COLUMNS)

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> RunRecord:
        """The record in a row that was read back in the order of RUN_COLUMNS."""
        values = {column.name.lower(): value for column, value in zip(RUN_COLUMNS, row, strict=True)}
        for name in ("field_counts", "new_fields", "warnings", "forced"):
            empty: Any = {} if name == "field_counts" else []
            values[name] = json.loads(values[name]) if values[name] else empty
        for name in ("started_utc", "finished_utc"):
            values[name] = values[name].replace(tzinfo=UTC) if values[name] else None
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The record for `--json`: dates and times in ISO 8601."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def new_run_id(now: datetime) -> str:
    """An id that sorts by time and is unique: UTC to the millisecond, and eight random digits."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}Z-{secrets.token_hex(4)}"


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False) if value else None
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
