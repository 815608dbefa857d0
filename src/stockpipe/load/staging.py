"""Pages into typed rows and rejected rows, in a DuckDB of our own.

A row is judged whole: it is stored exactly as it came, or it is rejected with the reason and its raw JSON. Nothing is
cast, cut or corrected. The statements are built from the dataset's declaration alone; no outside text enters them.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec

from stockpipe.base.engine import open_local
from stockpipe.base.folders import WorkFolder
from stockpipe.base.stopping import interruptible
from stockpipe.base.text import day_literal, literal
from stockpipe.datasets import Column, Cut, Partition
from stockpipe.errors import DataCheckError
from stockpipe.load.rows import CELL, LARGEST_ROW, NULL, ROW, RowReader
from stockpipe.load.rules import Rule, day_rule, rules, typed
from stockpipe.load.sent import ROWS_A_PAGE, RowsAsSent
from stockpipe.load.staged import StagedPart, examine
from stockpipe.warehouse.dialect import duckdb_type

# Rows are typed some at a time, while the next pages are on their way: so many characters, which keeps memory flat
# however long a row is. Each time costs what planning the statement costs, so a longer list is typed in larger parts, and
# so is one that has others beside it.
_CHUNK, _LARGEST_CHUNK = 2_200_000, 5_000_000
# What DuckDB may hold in memory; what is more goes to the temporary folder.
_MEMORY = "100MB"
# DuckDB works on 2,048 rows at once. Where a page's rows are longer than this on average (characters), it may hold more.
_LONG_ROWS, _MEMORY_FOR_LONG_ROWS = 4_000, "1GB"
# Escaped, a row may be longer than it was. Unless told, DuckDB 1.5 reads into sixteen times as much: more than it may hold.
_LONGEST_LINE = 8 * LARGEST_ROW
# Snowflake's advice for loading is files of 100 to 250 MB; a day of tickers stays far below one.
FILE_SIZE = "150MB"
# Typed rows are kept as Parquet: DuckDB writes it twice as fast as a table of its own.
_QUICKLY = "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 50_000)"
_ODD_ROWS = "CREATE OR REPLACE TABLE odd AS SELECT unnest(?::BIGINT[]) AS seq, unnest(?::VARCHAR[]) AS cells"
# What DuckDB says of a row that is to be rejected, where only good ones are typed.
_NOT_GOOD = "a row is to be rejected"
_LONGEST_REASON = 1000
_LONGEST_KEY = 100
REJECTS_AT_ONCE = 1000


class Staging:
    """The rows of one partition, on their way. Use it as a context manager; it leaves nothing behind.

    `in_a_hurry`: rows are typed while the next ones are on their way; else when there are many, as what others do beside
    it takes the time.
    """

    def __init__(self, partition: Partition, *, in_a_hurry: bool = True) -> None:
        self.partition = partition
        self.part = partition.part
        self.dataset = partition.part.dataset
        self._reader = RowReader(self.dataset)
        self._folder = WorkFolder()
        self._open = contextlib.ExitStack()
        folder = self._folder.path
        self.parquet_folder, self._chunks, self._plain_file = folder / "parquet", folder / "chunks", folder / "plain"
        with self._folder.told():
            self._sent = RowsAsSent(folder / "rows")
            # One thread: the work is small, and every further thread costs memory.
            self._db = self._open.enter_context(open_local(folder, {"memory_limit": _MEMORY}))
        self._typist = ThreadPoolExecutor(1, "typist")
        self._typing: Future[None] | None = None
        self._are_long = self._is_done = False
        self._chunk = _CHUNK if in_a_hurry else _LARGEST_CHUNK
        plain, odd = _sources(partition, self._plain_file)
        self._type_good = _typing_sql(partition, plain, only_good=True)
        self._type_plain, self._type_odd = _typing_sql(partition, plain), _typing_sql(partition, odd)
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._is_done:
                self._db.interrupt()
            self._typist.shutdown()
            # On a full disk each may fail: the error that led here is the one to tell.
            with contextlib.suppress(OSError, duckdb.Error):
                self._open.close()
            with contextlib.suppress(OSError):
                self._sent.close()
        finally:
            self._folder.__exit__(kind, error, trace)

    def restart(self) -> None:
        """Forget all rows: the fetch begins again."""
        with self._folder.told():
            self._wait()
            shutil.rmtree(self._chunks, ignore_errors=True)
            self._chunks.mkdir()
            self._sent.clear()
        self._rows = self._waiting = self._typed = 0
        self._plain: list[str] = []
        self._odd: dict[int, str] = {}

    def add(self, page: int, rows: list[str]) -> None:
        """Take in the rows of one page, each as its JSON text. `page` is its place in the list; pages may come in any order."""
        with self._folder.told():
            self._add(page, rows)

    def _add(self, page: int, rows: list[str]) -> None:
        first, sizes = page * ROWS_A_PAGE, list(map(len, rows))
        self._are_long = self._are_long or sum(sizes) > _LONG_ROWS * len(rows)
        self._sent.add(page, rows)
        self._rows += len(rows)
        self._add_rows(first, rows)
        self._waiting += sum(size for size in sizes if size <= LARGEST_ROW)
        if self._waiting >= min(max(self._chunk, self._typed), _LARGEST_CHUNK):
            self._type()

    @property
    def rows(self) -> int:
        """How many rows were taken in."""
        return self._rows

    def finish(self) -> StagedPart:
        """Type what is left, set repetitions and conflicts aside, and tell what there is.

        DataCheckError when the rows are so long that memory does not hold enough of them at once; ConfigError when the
        disk does not.
        """
        with self._folder.told(), interruptible(self._db), _told_if_too_long():
            self._wait()
            if self._plain or self._odd or not any(self._chunks.iterdir()):
                self._type()
                self._wait()
            self._facts = examine(self._db, self.partition, self._chunks, self._rows)
        return self._facts

    def ranges(self, rows: int) -> tuple[list[str], list[int]]:
        """Where the list can be cut into ranges of about so many rows, and how many rows each range has.

        First the values of the cut's field with which the ranges begin, rising, without the first one's; each is made of
        plain capitals and digits (behind a prefix such as `I:`), whatever stands near it. Then the counts, as of
        `range_counts`. Both are empty for a dataset that is not cut.
        """
        cut = self.dataset.source.cut
        if cut is None:
            return [], []
        column = self._cut_column(cut)
        can_begin = f"FILTER (regexp_full_match(value, '{cut.pattern}'))"
        statement = (
            f"SELECT min(value) {can_begin}, min(before) {can_begin}, count(*) FROM (SELECT {column} AS value, "
            f"(row_number() OVER sorted - 1) // {rows} AS place, rank() OVER sorted - 1 AS before FROM staged "
            f"WHERE NOT repeated AND {column} IS NOT NULL WINDOW sorted AS (ORDER BY {column})) GROUP BY place ORDER BY place"
        )
        with self._folder.told(), interruptible(self._db):
            places = self._db.execute(statement).fetchall()
        begins = [(start, before) for start, before, _ in places if start is not None][1:]
        borders = [0, *(before for _, before in begins), sum(count for _, _, count in places)]
        return [start for start, _ in begins], [after - before for before, after in pairwise(borders)]

    def range_counts(self, starts: Sequence[str]) -> list[int]:
        """How many rows lie before the first start, and from each start on to the next one; identical ones count once.

        None for a dataset that is not cut.
        """
        cut = self.dataset.source.cut
        if cut is None:
            return []
        statement = (
            f"SELECT start, count(*) FROM (SELECT {self._cut_column(cut)} AS value FROM staged WHERE NOT repeated) AS rows "
            "ASOF LEFT JOIN (SELECT unnest(?::VARCHAR[]) AS start) AS ranges ON rows.value >= ranges.start "
            "WHERE value IS NOT NULL GROUP BY start"
        )
        with self._folder.told(), interruptible(self._db):
            counts = dict(self._db.execute(statement, [list(starts)]).fetchall())
        return [counts.get(start, 0) for start in (None, *starts)]

    def _cut_column(self, cut: Cut) -> str:
        return next(f'"{column.name}"' for column in self.dataset.fields if column.field == cut.field)

    def let_go(self) -> None:
        """Let go of the engine where what is left to do needs none: `write_parquet` that is not `small`, of good rows alone.

        The next one who needs an engine takes it; making another takes longer than looking at a day's rows.
        """
        if self._are_as_typed():
            self._is_done = True
            with self._folder.told():
                self._open.close()

    def _are_as_typed(self) -> bool:
        counts = self._facts.counts
        return self.dataset.kind.write == "replace" and counts.published == counts.fetched

    def write_parquet(self, *, small: bool = True) -> list[Path]:
        """The good rows as Parquet files in `parquet_folder`, in the order of the list; every column of the table.

        `small` files are for the way to a warehouse elsewhere; for one on this machine the typed rows are taken as they
        are, with two columns more and in the order in which they arrived, where all of them are good.
        """
        if not small and self._are_as_typed():
            return sorted(self._chunks.iterdir())
        columns = ", ".join(_sent(column) if small else f'"{column.name}"' for column in self.dataset.columns)
        name = self.part.path.replace("/", "-")
        statement = (
            f"COPY (SELECT {columns} FROM staged WHERE reason IS NULL AND NOT repeated ORDER BY seq) TO {literal(str(self.parquet_folder))} "
            f"(FORMAT parquet, COMPRESSION {'zstd' if small else 'snappy'}, ROW_GROUP_SIZE 50_000, FILE_SIZE_BYTES '{FILE_SIZE}', "
            f"FILENAME_PATTERN '{name}-{{i}}')"
        )
        with self._folder.told(), interruptible(self._db), _told_if_too_long():
            self._db.execute(statement)
        return sorted(self.parquet_folder.glob("*.parquet"))

    def rejects(self, run_id: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rejected rows in the order of the list, as values in the order of REJECT_COLUMNS, some at a time."""
        if not self._facts.counts.rejected:
            return
        key = self.dataset.column(self.dataset.name_column)
        with self._folder.told(), interruptible(self._db):
            found = self._db.execute("SELECT seq, reason FROM staged WHERE reason IS NOT NULL ORDER BY seq")
        while numbers := found.fetchmany(REJECTS_AT_ONCE):
            reasons, batch, size = dict(numbers), [], 0
            for number, raw in self._sent.rows(reasons):
                name = _cut(self._reader.key(raw, key), _LONGEST_KEY)
                batch.append(
                    (run_id, self.dataset.name, self.partition.ds, name, reasons[number][:_LONGEST_REASON], raw)
                )
                size += len(raw)
                if size >= _CHUNK:
                    yield batch
                    batch, size = [], 0
            if batch:
                yield batch

    def _add_rows(self, first: int, rows: list[str]) -> None:
        """Take in rows whose numbers begin with `first`: plain ones together, so halves of what is not plain as a whole."""
        if not rows:
            return
        lines = self._reader.plain(rows) if max(map(len, rows)) <= LARGEST_ROW else None
        if lines is not None:
            self._plain += [f"{number}{CELL}{line}" for number, line in enumerate(lines, start=first)]
        elif len(rows) == 1:
            odd = self._reader.odd(rows[0])
            self._odd[first] = msgspec.json.encode([*odd.cells, odd.extra, odd.fault]).decode()
        else:
            half = len(rows) // 2
            self._add_rows(first, rows[:half])
            self._add_rows(first + half, rows[half:])

    def _type(self) -> None:
        """Have the rows at hand typed, once the ones before them are: beside the thread that takes in pages."""
        self._wait()
        plain, odd = self._plain, self._odd
        self._plain, self._odd = [], {}
        self._typing = self._typist.submit(self._write, plain, odd)
        self._typed += self._waiting
        self._waiting = 0

    def _wait(self) -> None:
        """Wait for the rows that are being typed; raises what went wrong there."""
        typing, self._typing = self._typing, None
        if typing:
            with _told_if_too_long():
                typing.result()

    def _write(self, plain: list[str], odd: dict[int, str]) -> None:
        """Write rows as Parquet: each cell typed, with the reasons against a row that cannot be stored."""
        if self._are_long:
            self._db.execute(f"SET memory_limit = '{_MEMORY_FOR_LONG_ROWS}'")
        if odd:
            self._db.execute(_ODD_ROWS, [list(odd), list(odd.values())])
            self._copy(self._type_odd)
        if plain or not odd:
            self._plain_file.write_text(ROW.join(plain), encoding="utf-8", newline="")
            try:
                self._copy(self._type_good)
            except duckdb.InvalidInputException as error:
                if _NOT_GOOD not in str(error):
                    raise
                self._copy(self._type_plain)

    def _copy(self, select: str) -> None:
        """Write the rows of a SELECT as the next chunk. One that fails leaves no file."""
        target = self._chunks / f"{len(list(self._chunks.iterdir())):06}.parquet"
        self._db.execute(f"COPY ({select}) TO {literal(str(target))} {_QUICKLY}")


@contextmanager
def _told_if_too_long() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise DataCheckError(
            f"The rows are too long to be staged: {_MEMORY_FOR_LONG_ROWS} of memory do not hold enough of them at once.",
            hint="Nothing was published. Look at what the API sends; stockpipe keeps unknown fields too.",
        ) from error


def _sources(partition: Partition, plain_file: Path) -> tuple[str, str]:
    """Where cells come from, as SQL: the file of plain rows, or the table `odd` (numbers, JSON lists of cells)."""
    count = len(partition.part.dataset.fields)
    names = [f"c{number}" for number in range(1, count + 1)]
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    plain = (
        f"SELECT *, NULL::VARCHAR AS extra, NULL::VARCHAR AS fault FROM read_csv({literal(str(plain_file))}, columns = {{'seq': 'BIGINT', {types}}}, "
        f"delim = '{CELL}', nullstr = '{NULL}', new_line = '\\n', quote = '', escape = '', comment = '', header = false, auto_detect = false, "
        f"null_padding = false, strict_mode = true, parallel = false, max_line_size = {_LONGEST_LINE}, buffer_size = {2 * _LONGEST_LINE})"
    )
    cells = ", ".join(f"v[{number}] AS {name}" for number, name in enumerate([*names, "extra", "fault"], start=1))
    odd = f"SELECT seq, {cells} FROM (SELECT seq, from_json(cells, '[\"VARCHAR\"]') AS v FROM odd)"
    return plain, odd


def _typing_sql(partition: Partition, source: str, *, only_good: bool = False) -> str:
    """The statement that types the cells of a source, with all that can be said against each row.

    The rules are written out twice, from one list: any of them, which most rows pass at once, then which of them. With
    `only_good` they are written out once, which is planned in half of the time, and a row that breaks one is an error.
    """
    dataset, values, number = partition.part.dataset, [], 0
    for column in dataset.columns:
        if column.field:
            number += 1
            values.append(typed(column, f"c{number}"))
        else:
            values.append(
                {
                    "day": day_literal(partition.ds),
                    "unknown": "extra",
                    "number": "1",
                    "pulled": _moment(partition),
                }.get(column.type.role, "NULL")
            )
    found = [*rules(partition.part), *day_rule(partition)]
    if dataset.unknown:
        found.append(
            Rule("extra IS NOT NULL AND NOT json_valid(extra)", "'the unknown fields are not JSON that can be read'")
        )
    any_of_them = " OR ".join(f"({rule.test})" for rule in found)
    each = ", ".join(f"CASE WHEN {rule.test} THEN {rule.message} END" for rule in found)
    why = f"error('{_NOT_GOOD}')::VARCHAR" if only_good else f"concat_ws('; ', {each})"
    reason = f"CASE WHEN fault IS NOT NULL THEN fault WHEN {any_of_them} THEN {why} END"
    cells = ", ".join(_cell(column, value) for column, value in zip(dataset.columns, values, strict=True))
    return f"SELECT seq, {cells}, reason FROM (SELECT *, {reason} AS reason FROM ({source}))"


def _moment(partition: Partition) -> str:
    return f"TIMESTAMP_NS '{partition.pulled:%Y-%m-%d %H:%M:%S}'" if partition.pulled else "NULL"


def _cell(column: Column, value: str) -> str:
    """A column of the typed rows. A rejected row keeps its texts, which name it; its other cells may not even be cast."""
    kept = value if column.kind == "text" else f"CASE WHEN reason IS NULL THEN {value} END"
    return f'CAST({kept} AS {duckdb_type(column)}) AS "{column.name}"'


def _sent(column: Column) -> str:
    """A column as another reader gets it: JSON as text, for what becomes of Parquet's own JSON type is the reader's affair."""
    name = f'"{column.name}"'
    return f"{name}::VARCHAR AS {name}" if column.kind == "json" else name


def _cut(text: str | None, width: int) -> str | None:
    return text[:width] if text else None
