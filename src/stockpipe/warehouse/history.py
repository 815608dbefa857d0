"""What the run records in the warehouse say. A warehouse that has none yet has nothing published, and that is no error."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime

from stockpipe.errors import NotThere
from stockpipe.settings import Settings
from stockpipe.warehouse import QueryResult, Warehouse, open_warehouse
from stockpipe.warehouse.runs import RUN_COLUMNS, RUNS_TABLE, RunRecord

_GOOD = "\"STATUS\" IN ('published', 'unchanged')"
_BAD = "\"STATUS\" IN ('failed', 'refused', 'interrupted')"
_SLICE = '"DATASET", "MARKET", "ACTIVE"'


@dataclass(frozen=True)
class Chosen:
    """Which records: None means all. The words must be those of our own declarations: they go into SQL as they are."""

    dataset: str | None = None
    market: str | None = None
    states: tuple[bool, ...] = (True, False)
    status: str | None = None
    ds: date | None = None
    since: datetime | None = None

    @property
    def where(self) -> str:
        """The condition in SQL."""
        parts = [
            f"\"{name}\" = '{word}'"
            for name, word in (("DATASET", self.dataset), ("MARKET", self.market), ("STATUS", self.status))
            if word
        ]
        if len(self.states) == 1:
            parts.append(f'"ACTIVE" = {str(self.states[0]).lower()}')
        if self.ds:
            parts.append(f"\"DS\" = '{self.ds.isoformat()}'")
        if self.since:
            parts.append(f"\"STARTED_UTC\" >= '{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S}'")
        return " AND ".join(parts) or "1 = 1"


def newest_runs(warehouse: Warehouse, chosen: Chosen, limit: int) -> QueryResult:
    """The newest runs first, at most `limit` of them; one run has a row for each active state.

    NotThere when nothing was loaded yet.
    """
    order = 'ORDER BY "RUN_ID" DESC, "ACTIVE" DESC'
    return warehouse.query(f'SELECT * FROM "{RUNS_TABLE}" WHERE {chosen.where} {order} LIMIT {limit}')


def last_days(warehouse: Warehouse, chosen: Chosen, days: int) -> list[RunRecord]:
    """The last good record of each of the last `days` published days of each slice, newest first."""
    return _read(
        warehouse,
        f"WHERE {_GOOD} AND {chosen.where} "
        f'QUALIFY row_number() OVER (PARTITION BY {_SLICE}, "DS" ORDER BY "FINISHED_UTC" DESC) = 1 '
        f'AND dense_rank() OVER (PARTITION BY {_SLICE} ORDER BY "DS" DESC) <= {days} ORDER BY "DS" DESC',
    )


def last_failures(warehouse: Warehouse, chosen: Chosen) -> list[RunRecord]:
    """The last record of each slice whose run did not end well."""
    return _read(
        warehouse,
        f"WHERE {_BAD} AND {chosen.where} "
        f'QUALIFY row_number() OVER (PARTITION BY {_SLICE} ORDER BY "FINISHED_UTC" DESC) = 1',
    )


def published_days(settings: Settings, chosen: Chosen) -> dict[date, datetime]:
    """The days of a dataset and market that are published in all chosen states, with the end of the earlier state's run.

    Raises what the warehouse raises when it cannot be asked.
    """
    sql = (
        f'SELECT "DS", max("FINISHED_UTC") FROM "{RUNS_TABLE}" WHERE {_GOOD} AND {chosen.where} GROUP BY "DS", "ACTIVE"'
    )
    with closing(open_warehouse(settings)) as warehouse:
        found: dict[date, list[datetime]] = {}
        for ds, end in _ask(warehouse, sql).rows:
            found.setdefault(ds, []).append(end.replace(tzinfo=UTC))
    return {ds: min(ends) for ds, ends in found.items() if len(ends) == len(chosen.states)}


def _read(warehouse: Warehouse, rest: str) -> list[RunRecord]:
    names = ", ".join(f'"{column.name}"' for column in RUN_COLUMNS)
    return [RunRecord.from_row(row) for row in _ask(warehouse, f'SELECT {names} FROM "{RUNS_TABLE}" {rest}').rows]


def _ask(warehouse: Warehouse, sql: str) -> QueryResult:
    try:
        return warehouse.query(sql)
    except NotThere:
        return QueryResult([], [])
