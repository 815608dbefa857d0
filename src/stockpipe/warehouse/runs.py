"""The run record: what a run did, in numbers. One row of STOCKPIPE_RUNS for each part of a dataset that it loaded."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from stockpipe.datasets import DATASETS, Part, Partition
from stockpipe.datasets.column import DATE, FLAG, FLOAT, INTEGER, JSON, TIMESTAMP, Column, text
from stockpipe.errors import DataCheckError

RunStatus = Literal["published", "unchanged", "nothing", "refused", "failed", "interrupted", "dry-run"]
GOOD: tuple[RunStatus, ...] = ("published", "unchanged")
"""The statuses of a run after which the day is in the table."""
BAD: tuple[RunStatus, ...] = ("failed", "refused", "interrupted")
"""Those after which the day is as it was before."""
IDLE: RunStatus = "nothing"
"""The status of a run that had nothing to load, such as a day without a session. It is a success."""
RECORDED: tuple[RunStatus, ...] = (*GOOD, IDLE, *BAD)
"""All that a table can hold: a dry run leaves no record."""

RUNS_TABLE = "STOCKPIPE_RUNS"
REJECTS_TABLE = "STOCKPIPE_REJECTS"

RUN_COLUMNS = (
    Column("RUN_ID", text(40), "The run; one run has a row for each part that it loaded."),
    Column("DATASET", text(50), "What was loaded."),
    Column("MARKET", text(50), "Of which market, or other part of the dataset; null where it is one list."),
    Column(
        "ACTIVE", FLAG, "Listed (true) or delisted (false) securities; null where the dataset knows no such states."
    ),
    Column("DS", DATE, "The day that was loaded."),
    Column("STATUS", text(20), "published, unchanged, nothing, refused, failed or interrupted."),
    Column("STARTED_UTC", TIMESTAMP, "Start of the run."),
    Column("FINISHED_UTC", TIMESTAMP, "End of the run; of a published one, just before COMMIT."),
    Column("SECONDS", FLOAT, "Wall seconds from STARTED_UTC to FINISHED_UTC."),
    Column("ROWS_FETCHED", INTEGER, "Rows that the API sent: published + rejected + repeated."),
    Column("ROWS_PUBLISHED", INTEGER, "Rows in the table for this day and part."),
    Column("ROWS_REJECTED", INTEGER, "Rows in STOCKPIPE_REJECTS."),
    Column("ROWS_REPEATED", INTEGER, "Identical repetitions that were dropped."),
    Column("PAGES", INTEGER, "Pages of the walk that was published."),
    Column("CALLS", INTEGER, "Calls to the API, retries included."),
    Column("RETRIES", INTEGER, "Calls that were retried."),
    Column("WAITED_SECONDS", FLOAT, "Seconds spent waiting for the rate limit and between retries."),
    Column("BUILD_DATE", DATE, "Date of the vendor's nightly build, from the rows' stamps (UTC)."),
    Column("FIRST_TICKER", text(20), "First ticker, or other key, of the list as sent."),
    Column("LAST_TICKER", text(20), "Last ticker, or other key, of the list as sent."),
    Column("CONTENT_HASH", text(64), "Digest of the set of published rows, LAST_UPDATED_UTC and DS left out."),
    Column("FIELD_COUNTS", JSON, "For each column, how many published rows have a value."),
    Column("NEW_FIELDS", JSON, "Fields that the API sent and stockpipe does not know (kept in EXTRA); the first 50."),
    Column("WARNINGS", JSON, "What was unusual, in words."),
    Column("FORCED", JSON, "Checks that refused the day and were overruled with --force."),
    Column("SOURCE", text(200), "The API's origin, or the sandbox and its market: sample data."),
    Column("VERSION", text(40), "Version of stockpipe."),
    Column("ERROR", text(100), "Class of the error that ended the run."),
    Column("MESSAGE", text(2000), "Its text."),
)

REJECT_COLUMNS = (
    Column("RUN_ID", text(40), "The run that rejected the row."),
    Column("DATASET", text(50), "The dataset."),
    Column("DS", DATE, "The day that was loaded."),
    Column("TICKER", text(100), "The row's ticker, or other key, cut to fit, where it has a readable one."),
    Column("REASON", text(1000), "Why the row could not be published."),
    Column("RAW", text(16_777_216), "The row as the API sent it."),
)


@dataclass(frozen=True)
class PartId:
    """A part as the records tell it, also one that no declaration has any more: its dataset, and their two columns."""

    dataset: str
    market: str | None
    active: bool | None

    @classmethod
    def of(cls, part: Part) -> PartId:
        """The part as its records tell it."""
        values = recorded_values(part)
        return cls(part.dataset.name, values["MARKET"], values["ACTIVE"])

    @property
    def part(self) -> Part | None:
        """The declared part; None for one that only an older or newer version knows."""
        dataset = DATASETS.get(self.dataset)
        return next((part for part in dataset.all_parts if PartId.of(part) == self), None) if dataset else None

    @property
    def label(self) -> str:
        """The part as people read it."""
        return self.part.label if self.part else self.market or self.dataset

    def order(self) -> tuple[str, str, bool]:
        """For sorting: by dataset and market, listed before delisted."""
        return self.dataset, self.market or "", not self.active


def recorded_values(part: Part) -> dict[str, Any]:
    """What the records say of a part. They have two columns for that, which fit the tickers; another dataset that is
    divided has the part's key in MARKET. So a table of an older version needs no new column."""
    none: dict[str, Any] = {"MARKET": None, "ACTIVE": None}
    return none | part.values if part.values.keys() <= none.keys() else none | {"MARKET": part.key}


@dataclass(frozen=True)
class Counts:
    """Where the rows of a day went. Every row is in exactly one of the three right-hand numbers."""

    fetched: int = 0
    published: int = 0
    rejected: int = 0
    repeated: int = 0

    def require_sum(self) -> None:
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
    market: str | None
    active: bool | None
    ds: date
    started_utc: datetime
    status: RunStatus = "failed"
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

    @classmethod
    def begin(
        cls, run_id: str, partition: Partition, now: datetime, *, source: str = "", version: str = ""
    ) -> RunRecord:
        """The record of a partition whose load begins now (UTC)."""
        own = {name.lower(): value for name, value in recorded_values(partition.part).items()}
        return cls(
            run_id, partition.part.dataset.name, ds=partition.ds, started_utc=now, source=source, version=version, **own
        )

    @property
    def part_id(self) -> PartId:
        """Which part it is of."""
        return PartId(self.dataset, self.market, self.active)

    @property
    def labels(self) -> dict[str, str]:
        """Dataset and part as words, for metrics and traces: {"dataset": "tickers", "market": "stocks", "active": "true"}."""
        words = {"dataset": self.dataset, "market": self.market, "active": self.active}
        return {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in words.items()
            if value is not None
        }

    def finished(self, status: RunStatus, now: datetime, **changes: Any) -> RunRecord:
        """The same record, ended."""
        seconds = round((now - self.started_utc).total_seconds(), 3)
        return replace(self, status=status, finished_utc=now, seconds=seconds, **changes)

    def same_content(self, other: RunRecord) -> bool:
        """Whether two runs of one part came to the same rows, published and rejected."""
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
