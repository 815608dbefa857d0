"""What the page is made of: numbers of the published days, each with the SQL that gave it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from stockpipe.datasets import Part
from stockpipe.load.checks import Limits
from stockpipe.reading.answer import Answer
from stockpipe.reading.reader import Day, Reader
from stockpipe.report import questions
from stockpipe.report.market import Listing, listings
from stockpipe.warehouse.source import Source

WEEKS = 52
_COLUMNS = 104
_STEPS = (1, 7, 14, 30, 91, 182, 365)


@dataclass(frozen=True)
class Published:
    """A published day, as its run record tells it. `filled` counts the values of each column."""

    ds: date
    rows: int
    rejected: int
    build: date | None
    source: Source
    forced: list[str]
    warnings: list[str]
    filled: dict[str, int]
    run_id: str
    content_hash: str

    def coverage(self, column: str) -> float | None:
        """The share of rows with a value in a column; None where that is not recorded."""
        return self.filled[column] / self.rows if self.rows and column in self.filled else None


@dataclass(frozen=True)
class Question:
    """One statement behind the page. `name` is what the page calls it."""

    name: str
    sql: str


@dataclass
class Facts:
    """All that a page about one day of one list shows. `days` end with `day`; `made` is a moment in UTC."""

    part: Part
    target: str
    made: datetime
    limits: Limits
    days: list[Published]
    newest: date
    step: int = 1
    changes: list[dict[str, Any]] = field(default_factory=list)
    by_type: dict[date, dict[str, int]] = field(default_factory=dict)
    by_exchange: list[tuple[str, str, int]] = field(default_factory=list)
    flow: list[tuple[date, int, int]] = field(default_factory=list)
    calendar: dict[date, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)

    @property
    def day(self) -> Published:
        """The day of the page."""
        return self.days[-1]

    @property
    def before(self) -> Published | None:
        """The published day before it."""
        return self.days[-2] if len(self.days) > 1 else None

    def changed(self, kind: str) -> list[dict[str, Any]]:
        """The changes of a kind: new, gone, renamed or changed."""
        return [row for row in self.changes if row["CHANGE"] == kind]


def gather(reader: Reader, limits: Limits, made: datetime, day: Day | None = None, market: str = "stocks") -> Facts:
    """The facts of a published day (by default the newest one) of the listed tickers of a market.

    Raises what the reader raises: UsageError for a day that is not published, NotThere where nothing is.
    """
    part, wanted, _ = reader.published(day, market=market)
    answer = reader.days(market=market, active=True)
    published = [_published(row) for row in answer]
    facts = Facts(
        part, reader.label, made, limits, [one for one in published if one.ds <= wanted], max(p.ds for p in published)
    )
    facts.questions.append(Question("Days", answer.sql))
    _add_universe(reader, facts)
    if facts.before:
        changes = _asked(facts, "Changes", reader.changes(wanted, market=market))
        facts.changes = changes.rows()
        _add_flow(reader, facts)
    if part.values.get("MARKET") == "stocks":
        facts.listings = listings(reader, wanted)
        facts.questions += [Question(one.name, one.sql) for one in facts.listings]
    return facts


def _add_universe(reader: Reader, facts: Facts) -> None:
    table = reader.table("tickers")
    facts.step, chosen = sampled([one.ds for one in facts.days])
    types = _asked(facts, "Universe by type", reader.query(questions.by_type_sql(table, facts.part, chosen)))
    for ds, kind, count in types.tuples():
        facts.by_type.setdefault(ds, {})[kind] = count
    exchanges = reader.query(questions.by_exchange_sql(table, facts.part, facts.day.ds))
    facts.by_exchange = [(row[0], row[1], row[2]) for row in _asked(facts, "Exchange by type", exchanges).tuples()]
    loads = _asked(facts, "Load calendar", reader.query(questions.calendar_sql(facts.part, facts.day.ds)))
    facts.calendar = {ds: "forced" if json.loads(forced or "[]") else status for ds, status, forced in loads.tuples()}


def _add_flow(reader: Reader, facts: Facts) -> None:
    steps = weekly([one.ds for one in facts.days])
    if steps:
        flow = reader.query(questions.flow_sql(reader.table("tickers"), facts.part, steps))
        facts.flow = [(ds, int(came), int(went)) for ds, came, went in _asked(facts, "Flow per week", flow).tuples()]


def _asked(facts: Facts, name: str, answer: Answer) -> Answer:
    facts.questions.append(Question(name, answer.sql))
    return answer


def sampled(days: Sequence[date], most: int = _COLUMNS) -> tuple[int, list[date]]:
    """Days for a chart of at most `most` columns: the days that a column stands for, and the newest day of each column.

    Columns are counted back from the last day; one without a published day stays empty.
    """
    last, span = days[-1], (days[-1] - days[0]).days + 1
    step = next((step for step in _STEPS if span <= step * most), _STEPS[-1])
    newest = {(last - day).days // step: day for day in days}
    return step, sorted(newest.values())


def weekly(days: Sequence[date], most: int = WEEKS) -> list[tuple[date, date]]:
    """The newest published day of each of the last weeks (Monday to Sunday), each with that of the week before.

    A week whose week before has no published day has no step: its flow would be that of several weeks.
    """
    newest = {day - timedelta(days=day.weekday()): day for day in days}
    week = timedelta(days=7)
    steps = [(newest[monday - week], day) for monday, day in newest.items() if monday - week in newest]
    return steps[-most:]


def _published(row: dict[str, Any]) -> Published:
    return Published(
        row["DS"],
        row["ROWS"],
        row["REJECTED"],
        row["BUILD_DATE"],
        Source.read(row["SOURCE"]),
        json.loads(row["FORCED"] or "[]"),
        json.loads(row["WARNINGS"] or "[]"),
        json.loads(row["FIELD_COUNTS"] or "{}"),
        row["RUN_ID"],
        row["CONTENT_HASH"] or "",
    )
