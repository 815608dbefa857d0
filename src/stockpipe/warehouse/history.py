"""What the run records in the warehouse say. All reading of STOCKPIPE_RUNS is here.

A warehouse that has no records yet has nothing published, and that is no error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from stockpipe.base.text import in_quotes, literal
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.errors import NotThere, StockpipeError, WarehouseError
from stockpipe.warehouse import QueryResult, Warehouse, sql
from stockpipe.warehouse.runs import (
    BAD,
    GOOD,
    IDLE,
    RECORDED,
    RUN_COLUMNS,
    RUNS_TABLE,
    RunRecord,
    RunStatus,
    recorded_values,
)
from stockpipe.warehouse.source import SAMPLE, Source

_PART = '"DATASET", "MARKET", "ACTIVE"'
_DAY_COLUMNS = (
    f'"DS", {_PART}, "ROWS_PUBLISHED" AS "ROWS", "ROWS_REJECTED" AS "REJECTED", "BUILD_DATE", "SOURCE", '
    '"CONTENT_HASH", "FIELD_COUNTS", "WARNINGS", "FORCED", "FINISHED_UTC", "RUN_ID"'
)


@dataclass(frozen=True)
class Chosen:
    """Which records. No `parts` means all. `status`: how the run ended; `ds`: the day; `since`: began then or later.

    All values are words of our own declarations, dates and times: they go into SQL as they are.
    """

    parts: Sequence[Part] = ()
    status: RunStatus | None = None
    ds: date | None = None
    since: datetime | None = None

    @property
    def where(self) -> str:
        """The condition in SQL."""
        conditions = [f"({' OR '.join(map(_of_part, self.parts))})"] if self.parts else []
        if self.status:
            conditions.append(f"\"STATUS\" = '{self.status}'")
        if self.ds:
            conditions.append(f"\"DS\" = '{self.ds.isoformat()}'")
        if self.since:
            conditions.append(f"\"STARTED_UTC\" >= '{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S}'")
        return " AND ".join(conditions) or "1 = 1"


def newest_runs(warehouse: Warehouse, chosen: Chosen, limit: int) -> list[RunRecord]:
    """The newest runs first, at most `limit` of them; one run has a record for each part.

    NotThere when nothing was loaded yet.
    """
    with told_if_unrecorded(warehouse):
        [found] = warehouse.scan(runs_sql(chosen, limit))
    # A table of an older version may lack a column.
    rows = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    return [RunRecord.from_row(tuple(row.get(column.name) for column in RUN_COLUMNS)) for row in rows]


@contextmanager
def told_if_unrecorded(warehouse: Warehouse) -> Iterator[None]:
    """NotThere in our own words for a DuckDB file without our tables, such as another program's."""
    try:
        yield
    except NotThere as error:
        # A file that is missing is told as such; at Snowflake the role may be to blame, and its error says so.
        if not (warehouse.local and error.mistaken):
            raise
        message = f"No day is published in {warehouse.label} yet."
        raise NotThere(message, hint="Load a day first: stockpipe run.") from error


def runs_sql(chosen: Chosen, limit: int) -> str:
    """The statement of `newest_runs`."""
    order = 'ORDER BY "RUN_ID" DESC, "ACTIVE" DESC'
    return f'SELECT * FROM "{RUNS_TABLE}" WHERE {chosen.where} {order} LIMIT {limit}'


def days_sql(chosen: Chosen) -> str:
    """The published days with the last good record of each, the oldest first."""
    return (
        f'SELECT {_DAY_COLUMNS} FROM "{RUNS_TABLE}" WHERE {ended(GOOD)} AND {chosen.where} '
        f'QUALIFY row_number() OVER (PARTITION BY {_PART}, "DS" ORDER BY "FINISHED_UTC" DESC) = 1 '
        f'ORDER BY "DS", {_PART}'
    )


def has_run(warehouse: Warehouse, run_id: str) -> bool:
    """Whether there is a record of a run. The id is one that was checked to have only letters, digits and hyphens."""
    return bool(_ask(warehouse, f'SELECT 1 FROM "{RUNS_TABLE}" WHERE "RUN_ID" = \'{run_id}\' LIMIT 1').rows)


def last_days(warehouse: Warehouse, chosen: Chosen, days: int) -> list[RunRecord]:
    """The last good record of each of the last `days` published days of each part, newest first."""
    return _read(
        warehouse,
        f"WHERE {ended(GOOD)} AND {chosen.where} "
        f'QUALIFY row_number() OVER (PARTITION BY {_PART}, "DS" ORDER BY "FINISHED_UTC" DESC) = 1 '
        f'AND dense_rank() OVER (PARTITION BY {_PART} ORDER BY "DS" DESC) <= {days} ORDER BY "DS" DESC',
    )


def records_between(warehouse: Warehouse, part: Part, first: date, last: date) -> dict[date, RunRecord]:
    """The last good record of each published day of a part from `first` to `last`, both included."""
    days = f"\"DS\" BETWEEN '{first.isoformat()}' AND '{last.isoformat()}'"
    found = _read(
        warehouse,
        f"WHERE {ended(GOOD)} AND {_of_part(part)} AND {days} "
        'QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY "FINISHED_UTC" DESC) = 1',
    )
    return {record.ds: record for record in found}


def refused_days(warehouse: Warehouse, part: Part) -> set[date]:
    """The days of a part whose last run was refused by a check."""
    statement = (
        f'SELECT "DS" FROM "{RUNS_TABLE}" WHERE {ended(RECORDED)} AND {_of_part(part)} '
        'QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY "FINISHED_UTC" DESC) = 1 AND "STATUS" = \'refused\''
    )
    return {ds for (ds,) in _ask(warehouse, statement).rows}


def last_failures(warehouse: Warehouse, chosen: Chosen) -> list[RunRecord]:
    """The last record of each part whose run did not end well."""
    return _read(
        warehouse,
        f"WHERE {ended(BAD)} AND {chosen.where} "
        f'QUALIFY row_number() OVER (PARTITION BY {_PART} ORDER BY "FINISHED_UTC" DESC) = 1',
    )


def published_days(
    warehouse: Warehouse, parts: Sequence[Part], base_url: str | None = None, *, idle: bool = True
) -> dict[date, datetime]:
    """The days on which all of these parts are published, each with the end (UTC) of the earliest part's last run.

    A day without a session, on which there was nothing to load, counts as published, unless `idle` is false.

    With `base_url` only those that may have come from there: days of sample data are no history of the real market.
    Raises what the warehouse raises when it cannot be asked.
    """
    statement = (
        f'SELECT "DS", max("FINISHED_UTC"), max_by("SOURCE", "FINISHED_UTC") FROM "{RUNS_TABLE}" '
        f'WHERE {ended((*GOOD, IDLE) if idle else GOOD)} AND {Chosen(parts).where} GROUP BY {_PART}, "DS"'
    )
    found: dict[date, list[datetime]] = {}
    for ds, end, source in _ask(warehouse, statement).rows:
        if base_url is None or Source.read(source).may_come_from(base_url):
            found.setdefault(ds, []).append(end.replace(tzinfo=UTC))
    return {ds: min(ends) for ds, ends in found.items() if len(ends) == len(parts)}


def has_sample_days(warehouse: Warehouse) -> bool:
    """Whether a published day of any part is sample data."""
    return bool(_ask(warehouse, f"{_sample_days('1')} LIMIT 1").rows)


def is_sample_day(warehouse: Warehouse, parts: Sequence[Part], ds: date | None) -> bool:
    """Whether a day, or any day, of one of these parts is sample data."""
    return bool(_ask(warehouse, f"{_sample_days('1', Chosen(parts, ds=ds).where)} LIMIT 1").rows)


def foreign_rows(warehouse: Warehouse, dataset: Dataset) -> int:
    """How many rows of a dataset's table are not sample data: those of other days, and those without any record."""
    table = in_quotes(warehouse.table(dataset))
    rows = _ask(warehouse, f"SELECT count(*) FROM {table}").rows
    # Without records, or without a column for the day, no row is known to be sample data.
    with suppress(WarehouseError):
        rows = warehouse.scan(f"SELECT count(*) FROM {table} WHERE ({_sample_rows(dataset)}) IS NOT TRUE")[0].rows
    return int(rows[0][0]) if rows else 0


def without_sample_days(dataset: Dataset, table: str) -> list[str]:
    """The statements that remove the days of sample data and their records; `table` is quoted."""
    return [
        f"DELETE FROM {table} WHERE {_sample_rows(dataset)}",
        f'DELETE FROM "{RUNS_TABLE}" WHERE "DATASET" = {literal(dataset.name)} AND "SOURCE" {SAMPLE}',
    ]


def _sample_rows(dataset: Dataset) -> str:
    """The condition that a row is of a day whose last record says that it is sample data."""
    divisions = "".join(f', "{each.column}"' for each in dataset.divisions)
    known = _sample_days(f'"DS"{divisions}', f'"DATASET" = {literal(dataset.name)}')
    return f'("{dataset.day.name}"{divisions}) IN ({known})'


def _sample_days(columns: str, more: str = "1 = 1") -> str:
    return (
        f'SELECT {columns} FROM "{RUNS_TABLE}" WHERE {ended(GOOD)} AND {more} GROUP BY {_PART}, "DS" '
        f'HAVING max_by("SOURCE", "FINISHED_UTC") {SAMPLE}'
    )


def had_failed(warehouse: Warehouse, record: RunRecord, part: Part) -> bool | None:
    """Whether the latest run of the same part before this one failed; None where that cannot be asked."""
    # The values are words of our own declarations and a run id of our own making.
    statement = (
        f'SELECT "STATUS" FROM "{RUNS_TABLE}" WHERE {_of_part(part)} '
        f'AND "RUN_ID" < \'{record.run_id}\' ORDER BY "RUN_ID" DESC LIMIT 1'
    )
    try:
        rows = _ask(warehouse, statement).rows
    except StockpipeError:
        return None
    return bool(rows) and rows[0][0] in BAD


def last_day_sql(runs: sql.Table) -> str:
    """The last published day over all datasets."""
    return f'SELECT max("DS") FROM {runs.name} WHERE {ended(GOOD)}'


def last_days_sql(runs: sql.Table) -> str:
    """Each dataset that was published, with its last day."""
    return f'SELECT "DATASET", max("DS") FROM {runs.name} WHERE {ended(GOOD)} GROUP BY 1'


def before_sql(runs: sql.Table, partition: Partition, mark: str) -> tuple[str, list[object]]:
    """The last good records of this day, of the nearest earlier one and of the last later one, with the values to bind.

    There may be one of each for each source: `split_part` takes off the sandbox's address, which is new in each run.
    """
    values = _filter(partition.part)
    of_part = " AND ".join(f'"{name}" = {mark}' for name in values)
    columns = sql.column_list(runs.columns)
    statement = (
        f"SELECT {columns} FROM (SELECT {columns} FROM {runs.name} WHERE {of_part} AND {ended(GOOD)} "
        'QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY "FINISHED_UTC" DESC) = 1) AS days '
        "QUALIFY row_number() OVER (PARTITION BY split_part(\"SOURCE\", ' at ', 1), "
        f'CASE WHEN "DS" = {mark} THEN 0 WHEN "DS" < {mark} THEN 1 ELSE 2 END ORDER BY "DS" DESC) = 1'
    )
    return statement, [*values.values(), partition.ds, partition.ds]


def ended(statuses: Sequence[RunStatus]) -> str:
    """The condition that a run ended in one of these ways."""
    return '"STATUS" IN (' + ", ".join(f"'{status}'" for status in statuses) + ")"


def _filter(part: Part) -> dict[str, object]:
    """Columns and values that tell the records of a part."""
    return {"DATASET": part.dataset.name} | {
        name: value for name, value in recorded_values(part).items() if value is not None
    }


def _of_part(part: Part) -> str:
    return "(" + " AND ".join(f'"{name}" = {literal(value)}' for name, value in _filter(part).items()) + ")"


def _read(warehouse: Warehouse, rest: str) -> list[RunRecord]:
    names = sql.column_list(sql.runs_table().columns)
    return [RunRecord.from_row(row) for row in _ask(warehouse, f'SELECT {names} FROM "{RUNS_TABLE}" {rest}').rows]


def _ask(warehouse: Warehouse, statement: str) -> QueryResult:
    try:
        return warehouse.scan(statement)[0]
    except NotThere:
        return QueryResult([], [])
