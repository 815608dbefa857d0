"""Pages into typed rows and rejected rows, in a DuckDB of our own.

A row is judged whole: it is stored exactly as it came, or it is rejected with the reason and its raw JSON. Nothing is
cast, cut or mended. The statements are built from the dataset's declaration alone; no outside text enters them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from stockpipe.datasets import Column, Dataset
from stockpipe.warehouse.dialect import DUCKDB_TYPES
from stockpipe.warehouse.runs import Counts

# RFC 3339 in UTC with 0 to 9 digits of a second: what the API sends, and all that nanoseconds can hold.
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$"
# Rows are typed some pages at a time: while the next pages are under way, and few enough to keep memory flat. Each time
# costs what planning the statements costs, so a longer list is typed in larger parts: as much again as is there already.
_TYPING_CHUNK, _LARGEST_CHUNK = 3_500, 15_000
# What DuckDB may hold in memory; what is more goes to the temporary folder.
_MEMORY = "100MB"
# Snowflake's advice for loading is files of 100 to 250 MB; a day of tickers stays far below one.
_FILE_SIZE = "150MB"
_ROWS_A_PAGE = 1_000_000
_SEPARATOR = "\x1e"


@dataclass(frozen=True)
class StagedDay:
    """What a staged day is, in numbers: the facts that the checks and the run record need."""

    counts: Counts
    build_dates: dict[date, int]
    border_repeats: list[str]
    conflicts: list[str]
    first_ticker: str | None
    last_ticker: str | None
    content_hash: str
    field_counts: dict[str, int]
    new_fields: list[str]
    reject_reasons: list[tuple[str | None, str]]


class Staging:
    """The rows of one market and active state, on their way. Use it as a context manager; it leaves nothing behind."""

    def __init__(self, dataset: Dataset, market: str, active: bool, ds: date) -> None:
        self.dataset = dataset
        self.market = market
        self.active = active
        self.ds = ds
        self._folder = tempfile.TemporaryDirectory(prefix="stockpipe-", ignore_cleanup_errors=True)
        self.parquet_folder = Path(self._folder.name) / "parquet"
        self._sent = _AsSent(Path(self._folder.name) / "rows")
        # One thread: the work is small, and every further thread costs memory.
        self._db = duckdb.connect(
            config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": f"{self._folder.name}/duckdb"}
        )
        self.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._sent.close()
        self._folder.cleanup()

    def clear(self) -> None:
        """Forget all rows: the walk begins again."""
        columns = ", ".join(f"{column.name} {DUCKDB_TYPES[column.kind]}" for column in self.dataset.columns)
        self._db.execute(f"CREATE OR REPLACE TABLE day (seq BIGINT, {columns}, reason VARCHAR, repeated BOOLEAN)")
        self._sent.clear()
        self._rows = 0
        self._typed = 0
        self._pages: dict[int, list[str]] = {}

    def add(self, page: int, rows: list[str]) -> None:
        """Take in the rows of one page, each as its JSON text. `page` is its place in the list; pages may come in any order."""
        self._pages[page] = rows
        self._sent.add(page, rows)
        self._rows += len(rows)
        if self._rows - self._typed >= min(max(_TYPING_CHUNK, self._typed), _LARGEST_CHUNK):
            self._type()

    def settle(self) -> StagedDay:
        """Type what is left, set repetitions and conflicts aside, and tell what there is."""
        self._type()
        self._set_repeats_aside()
        return self._facts()

    def range_starts(self, rows: int) -> list[str]:
        """Tickers that cut the list into ranges of about so many rows, in rising order, the first row's left out.

        Each is made of plain capitals and digits (behind a market's prefix such as `I:`), whatever stands near it.
        """
        return self._tickers(
            f"SELECT min(TICKER) FROM (SELECT TICKER, (row_number() OVER (ORDER BY TICKER) - 1) // {rows} AS place FROM day) "
            f"WHERE regexp_full_match(TICKER, '([A-Z]:)?[A-Z0-9]+') GROUP BY place ORDER BY place OFFSET 1"
        )

    def write_parquet(self, *, small: bool = True) -> list[Path]:
        """The good rows as Parquet files in `parquet_folder`, in the order of the list; every column of the table.

        `small` files are for the way to a warehouse elsewhere; the others are written sooner.
        """
        compression = "zstd" if small else "snappy"
        columns = ", ".join(column.name for column in self.dataset.columns)
        state = "active" if self.active else "inactive"
        self._db.execute(
            f"COPY (SELECT {columns} FROM day WHERE reason IS NULL AND NOT repeated ORDER BY seq) TO '{_literal(self.parquet_folder)}' "
            f"(FORMAT parquet, COMPRESSION {compression}, ROW_GROUP_SIZE 50_000, FILE_SIZE_BYTES '{_FILE_SIZE}', "
            f"FILENAME_PATTERN '{self.dataset.name}-{self.market}-{state}-{{i}}')"
        )
        return sorted(self.parquet_folder.glob("*.parquet"))

    def rejects(self, run_id: str) -> list[tuple[Any, ...]]:
        """The rejected rows, as values in the order of REJECT_COLUMNS."""
        rejected = self._db.execute("SELECT seq, reason FROM day WHERE reason IS NOT NULL ORDER BY seq").fetchall()
        return [
            (run_id, self.dataset.name, self.ds, _readable_ticker(raw), reason[:1000], raw)
            for seq, reason in rejected
            for raw in [self._sent.row(seq)]
        ]

    def _one(self, sql: str, parameters: Iterable[object] = ()) -> tuple[Any, ...]:
        row = self._db.execute(sql, list(parameters)).fetchone()
        if row is None:
            raise AssertionError("an aggregate always has a row")
        return row

    def _type(self) -> None:
        """Move the pages at hand to `day`: each field typed, and each row that is not plainly good with the reasons."""
        self._db.execute(
            "CREATE OR REPLACE TABLE raw AS SELECT start + generate_subscripts(rows, 1) - 1 AS seq, unnest(rows) AS content "
            "FROM (SELECT unnest(?::BIGINT[]) AS start, unnest(?::VARCHAR[][]) AS rows)",
            [[page * _ROWS_A_PAGE for page in self._pages], list(self._pages.values())],
        )
        self._pages.clear()
        known = {"ds": self.ds, "market": self.market, "active": self.active}
        self._db.execute(typing_sql(self.dataset, self.market), known)
        doubtful = self._one("DELETE FROM day WHERE reason = 'doubtful'")[0]
        if doubtful:
            self._db.execute("DELETE FROM raw WHERE seq IN (SELECT seq FROM day)")
            self._db.execute(judging_sql(self.dataset, self.market), known)
        self._db.execute("DROP TABLE raw")
        self._typed = self._rows

    def _set_repeats_aside(self) -> None:
        """Drop identical repetitions; among active rows, reject all but the best row of a ticker as conflicts."""
        columns = ", ".join(column.name for column in self.dataset.columns)
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE twins AS SELECT seq, row_number() OVER (PARTITION BY {columns} ORDER BY seq) AS copy, {columns} "
            "FROM day WHERE reason IS NULL AND TICKER IN (SELECT TICKER FROM day WHERE reason IS NULL GROUP BY TICKER HAVING count(*) > 1)"
        )
        self._db.execute("UPDATE day SET repeated = true WHERE seq IN (SELECT seq FROM twins WHERE copy > 1)")
        if self.active:
            filled = " + ".join(f"({column.name} IS NOT NULL)::INT" for column in self.dataset.columns)
            best = f"({filled}) DESC, LAST_UPDATED_UTC DESC NULLS LAST, seq"
            self._db.execute(
                "UPDATE day SET reason = 'conflict: another active row of this ticker is more complete or newer' WHERE seq IN "
                f"(SELECT seq FROM twins WHERE copy = 1 QUALIFY row_number() OVER (PARTITION BY MARKET, TICKER ORDER BY {best}) > 1)"
            )

    def _facts(self) -> StagedDay:
        good = "FROM day WHERE reason IS NULL AND NOT repeated"
        filled = ", ".join(f"count({column.name})" for column in self.dataset.fields)
        published, *field_counts = self._one(f"SELECT count(*), {filled} {good}")
        rejected, repeated = self._one("SELECT count(reason), count(*) FILTER (repeated) FROM day")
        first, last = self._one("SELECT arg_min(TICKER, seq), arg_max(TICKER, seq) FROM day")
        builds = self._db.execute(
            f"SELECT LAST_UPDATED_UTC::DATE, count(*) {good} GROUP BY 1 HAVING count(LAST_UPDATED_UTC) > 0 ORDER BY 1"
        )
        build_dates: dict[date, int] = dict(builds.fetchall())
        return StagedDay(
            counts=Counts(self._rows, published, rejected, repeated),
            build_dates=build_dates,
            border_repeats=self._border_repeats(),
            conflicts=self._tickers("SELECT DISTINCT TICKER FROM day WHERE reason LIKE 'conflict:%' ORDER BY 1"),
            first_ticker=first,
            last_ticker=last,
            content_hash=self._content_hash(),
            field_counts=dict(zip((column.name for column in self.dataset.fields), field_counts, strict=True)),
            new_fields=self._tickers(
                f"SELECT DISTINCT unnest(json_keys(EXTRA)) {good} AND EXTRA IS NOT NULL ORDER BY 1"
            ),
            reject_reasons=self._db.execute(
                "SELECT TICKER, reason FROM day WHERE reason IS NOT NULL ORDER BY seq LIMIT 5"
            ).fetchall(),
        )

    def _border_repeats(self) -> list[str]:
        """Tickers that stand on two pages where the list should have them once.

        Among inactive rows a reused ticker may stand several times, so only an identical row counts there.
        """
        identical = "" if self.active else "AND max(copy) > 1"
        return self._tickers(
            f"SELECT TICKER FROM twins GROUP BY TICKER HAVING count(DISTINCT seq // {_ROWS_A_PAGE}) > 1 {identical} ORDER BY TICKER"
        )

    def _tickers(self, sql: str) -> list[str]:
        return [row[0] for row in self._db.execute(sql).fetchall()]

    def _content_hash(self) -> str:
        """SHA-256 over the good rows, whatever their order. The build's stamp and DS say nothing about change.

        The upper halves of the rows' MD5 are added up, so a list of any length needs no sorting and no room.
        """
        cells = ", ".join(
            f"coalesce({column.name}::VARCHAR, chr(30))"
            for column in self.dataset.columns
            if column.name not in ("LAST_UPDATED_UTC", "DS")
        )
        digest = self._one(
            "SELECT sha256(concat_ws(' ', count(*), sum((md5_number(row) >> 64)::UBIGINT))) FROM "
            f"(SELECT concat_ws(chr(31), {cells}) AS row FROM day WHERE reason IS NULL AND NOT repeated)"
        )
        return str(digest[0])


class _AsSent:
    """The rows as the API sent them, kept on disk for the few that are rejected in the end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._pages: dict[int, tuple[int, int]] = {}

    def add(self, page: int, rows: list[str]) -> None:
        """Keep a page."""
        text = _SEPARATOR.join(rows).encode()
        self._pages[page] = (self._file.seek(0, os.SEEK_END), len(text))
        self._file.write(text)

    def row(self, seq: int) -> str:
        """The row with that number."""
        page, number = divmod(seq, _ROWS_A_PAGE)
        start, length = self._pages[page]
        self._file.seek(start)
        return self._file.read(length).decode().split(_SEPARATOR)[number]

    def clear(self) -> None:
        """Forget all."""
        self._file.seek(0)
        self._file.truncate()
        self._pages.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def typing_sql(dataset: Dataset, market: str) -> str:
    """The statement that types `raw` into `day`; parameters: ds, market, active.

    It looks no closer than needed to be sure that a row is good: any other gets the reason `doubtful`.
    """
    fields = dataset.fields
    flags = [column for column in fields if column.kind == "bool"]
    paths = ", ".join(f"'$.{column.field}'" for column in sorted(fields, key=lambda column: column not in flags))
    doubts = [
        # Kinds of the fields that are there, flags first; a field that is null counts as a kind of its own.
        f"array_to_string(kinds, '') <> repeat('BOOLEAN', {len(flags)}) || repeat('VARCHAR', list_count(kinds) - {len(flags)})",
        # An unknown field, or one that is there twice, is a key without a kind of its own.
        "strlen(safe) - strlen(replace(safe, '\":', '')) <> 2 * list_count(kinds)",
        # Only keys that the colon follows at once are counted there.
        *(f"contains(safe, '{blank}:')" for blank in " \n\r\t"),
        "contains(content, '\\u0000')",
        "market IS DISTINCT FROM $market OR active IS DISTINCT FROM $active::VARCHAR",
        *(f"length({column.field}) > {column.width}" for column in fields if column.width),
        *(f"coalesce({column.field}, '') = ''" for column in fields if _is_required(column, dataset, market)),
        *(_unreadable(str(column.field)) for column in fields if column.kind == "timestamp"),
    ]
    shape = ", ".join(f'"{column.field}": "VARCHAR"' for column in fields)
    cells = [_typed(column, f"{column.field}") if column.field else _own(column) for column in dataset.columns]
    return f"""
        INSERT INTO day
        WITH checked AS (
            SELECT seq, content, CASE WHEN json_valid(content) AND starts_with(content, '{{') THEN content ELSE '{{}}' END AS safe FROM raw
        ), cells AS (
            SELECT seq, content, safe, json_type(safe, [{paths}]) AS kinds, unnest(from_json(safe, '{{{shape}}}')) FROM checked
        )
        SELECT seq, {", ".join(cells)}, CASE WHEN {" OR ".join(doubts)} THEN 'doubtful' END, false FROM cells
    """


def _own(column: Column) -> str:
    """A column that is ours: the day, or the fields that we do not know (a row that has such is doubtful)."""
    return "$ds::DATE" if column.kind == "date" else "NULL"


def _typed(column: Column, value: str) -> str:
    return value if column.kind == "text" else f"TRY_CAST({value} AS {DUCKDB_TYPES[column.kind]})"


def _is_required(column: Column, dataset: Dataset, market: str) -> bool:
    return column.field in dataset.markets[market].required


def _unreadable(value: str) -> str:
    return f"NOT regexp_matches({value}, '{_TIMESTAMP}') OR ({value} IS NOT NULL AND TRY_CAST({value} AS TIMESTAMP_NS) IS NULL)"


def judging_sql(dataset: Dataset, market: str) -> str:
    """The statement that types `raw` into `day` with all that can be said against each row; parameters: ds, market, active."""
    fields = dataset.fields
    paths = ", ".join(f"'$.{column.field}'" for column in fields)
    known = ", ".join(f"'{column.field}'" for column in fields)
    without_known = ", ".join(f'"{column.field}": null' for column in fields)
    place = {column.name: number for number, column in enumerate(fields, start=1)}
    cells = {column.name: f"v[{place[column.name]}]" for column in fields}
    values = []
    for column in dataset.columns:
        if column.kind == "json" and not column.field:
            values.append(
                f"CASE WHEN NOT list_has_all([{known}], k) THEN json_merge_patch(safe, '{{{without_known}}}') END"
            )
        else:
            values.append(_typed(column, cells[column.name]) if column.field else _own(column))
    reasons = [
        reason
        for column in fields
        for reason in _reasons(column, place[column.name], required=_is_required(column, dataset, market))
    ]
    asked = [
        f"CASE WHEN {cells['MARKET']} <> $market THEN 'market is not the one that was asked for' END",
        f"CASE WHEN t[{place['ACTIVE']}] = 'BOOLEAN' AND {cells['ACTIVE']} <> $active::VARCHAR THEN 'active is not what was asked for' END",
    ]
    return f"""
        INSERT INTO day
        WITH checked AS (
            SELECT seq, content, json_valid(content) AND coalesce(json_type(TRY(content::JSON)), '') = 'OBJECT' AS whole FROM raw
        ), safe AS (
            SELECT seq, content, whole, CASE WHEN whole THEN content ELSE '{{}}' END AS safe FROM checked
        ), cells AS (
            SELECT seq, content, whole, safe, json_extract_string(safe, [{paths}]) AS v, json_type(safe, [{paths}]) AS t,
                   json_keys(safe) AS k FROM safe
        )
        SELECT seq, {", ".join(values)},
               CASE WHEN NOT whole THEN 'the row is not a JSON object'
                    WHEN len(k) <> len(list_distinct(k)) THEN 'a field stands twice in the row'
                    ELSE nullif(concat_ws('; ', {", ".join([*reasons, *asked])}), '') END,
               false
        FROM cells
    """


def _reasons(column: Column, place: int, *, required: bool) -> list[str]:
    """SQL for each way in which a field can spoil its row: text that says so, or null."""
    value, kind, name = f"v[{place}]", f"t[{place}]", column.field
    wanted = {"bool": "BOOLEAN"}.get(column.kind, "VARCHAR")
    reasons = [
        f"CASE WHEN {kind} NOT IN ('{wanted}', 'NULL') THEN '{name} is of the wrong type (' || {kind} || ')' END"
    ]
    if required:
        reasons.append(f"CASE WHEN {kind} IS NULL OR {kind} = 'NULL' OR {value} = '' THEN '{name} is missing' END")
    if column.kind == "text":
        reasons.append(f"CASE WHEN contains({value}, chr(0)) THEN '{name} has a NUL character' END")
    if column.width:
        too_long = f"'{name} has ' || length({value}) || ' characters, at most {column.width} fit'"
        reasons.append(f"CASE WHEN length({value}) > {column.width} THEN {too_long} END")
    if column.kind == "timestamp":
        reasons.append(
            f"CASE WHEN {kind} = 'VARCHAR' AND ({_unreadable(value)}) THEN '{name} is not a readable time' END"
        )
    return reasons


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")


def _readable_ticker(raw: str) -> str | None:
    """The ticker of a rejected row, cut to fit its column; None where the row has none that can be read."""
    try:
        ticker = json.loads(raw).get("ticker")
    except (ValueError, AttributeError, RecursionError):
        return None
    return None if ticker is None else str(ticker).replace("\0", "?")[:100]
