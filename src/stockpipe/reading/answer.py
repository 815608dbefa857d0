"""An answer: rows with their types, in memory, in the form that the reader wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpipe.base.files import replace_file, told_if_not_written
from stockpipe.base.text import literal, printable
from stockpipe.errors import ConfigError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from stockpipe.warehouse.base import QueryResult

_SHOWN_ROWS, _SHOWN_WIDTH = 10, 24
_TABLE = "FROM answer"
_SAME_IN_ARROW = re.compile(
    r"BOOLEAN|INTEGER|BIGINT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|DATE|TIMESTAMP|TIMESTAMP_NS"
).fullmatch


class Answer:
    """The rows that a question gave. The warehouse is closed already; an answer can be kept and asked again.

    >>> answer = stockpipe.open("demo.duckdb").universe("2026-02-06")
    >>> len(answer), answer.columns[0]
    (12391, 'TICKER')
    >>> answer.df()       # pandas, polars or pyarrow: yours to install
    """

    def __init__(self, fetched: duckdb.DuckDBPyConnection, sql: str = "") -> None:
        self._fetched = fetched
        self.sql = sql
        """The statement behind it; "" where there is not just one."""
        described = fetched.execute(f"DESCRIBE {_TABLE}").fetchall()
        self.columns: list[str] = [row[0] for row in described]
        """The names of the columns."""
        self.types: dict[str, str] = {row[0]: row[1] for row in described}
        """DuckDB's type of each column, such as DATE or DECIMAL(18,6)."""

    @classmethod
    def of(cls, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> Answer:
        """An answer of rows that are there already; `columns` are names with DuckDB's types."""
        from stockpipe.warehouse.base import QueryResult
        from stockpipe.warehouse.memory import in_memory

        names, types = [name for name, _ in columns], [kind for _, kind in columns]
        return cls(in_memory(QueryResult(names, [tuple(row) for row in rows], types)))

    def __len__(self) -> int:
        # All of it is fetched: a result that is not at its end keeps the connection from making a frame.
        [(count,)] = self._fetched.execute(f"SELECT count(*) {_TABLE}").fetchall()
        return int(count)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Each row as a dict. Python's times have microseconds: what a column has below them is in the frames only."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.tuples()]

    def tuples(self) -> list[tuple[Any, ...]]:
        """Each row as a tuple, in the order of `columns`."""
        return self._fetched.execute(_TABLE).fetchall()

    def df(self) -> pd.DataFrame:
        """A DataFrame of pandas. Decimals become floats, as pandas has no other numbers; days are datetime64.

        ConfigError where pandas is not installed.
        """
        _need("pandas")
        return self._fetched.sql(_TABLE).df()

    def pl(self) -> pl.DataFrame:
        """A DataFrame of polars, every value with its exact type. ConfigError where polars or pyarrow is not installed."""
        _need("polars", "pyarrow")
        frame: pl.DataFrame = self._fetched.sql(_TABLE).pl()
        return frame

    def arrow(self) -> pa.Table:
        """A table of pyarrow, every value with its exact type. ConfigError where pyarrow is not installed."""
        _need("pyarrow")
        return self._fetched.sql(_TABLE).to_arrow_table()

    def to_parquet(self, file: str | PathLike[str]) -> None:
        """Write the rows to a Parquet file, every value with its exact type, whole or not at all.

        UsageError where the file cannot be written.
        """
        path = Path(file)
        with told_if_not_written(path), replace_file(path) as target, self._copy() as copy:
            copy.execute(f"COPY answer TO {literal(str(target))} (FORMAT parquet, USE_TMP_FILE false)")

    def _copy(self) -> duckdb.DuckDBPyConnection:
        """The rows as `answer` in another engine: the one that has them reaches no files.

        In Arrow's form where it keeps the types (DuckDB needs no pyarrow for that), else as Python's objects, with what these
        cannot hold as text; they take thirty times as long, and three kilobytes of memory a row.
        """
        from stockpipe.base.engine import open_in_memory
        from stockpipe.warehouse.base import QueryResult
        from stockpipe.warehouse.duckdb.exact import asked_exactly
        from stockpipe.warehouse.memory import in_memory

        kinds = list(self.types.values())
        if all(map(_SAME_IN_ARROW, kinds)):
            copy = open_in_memory()
            copy.register("answer", self._fetched.sql(_TABLE).__arrow_c_stream__())
            return copy
        asked = asked_exactly(self._fetched, _TABLE).statement
        rows = self._fetched.execute(asked).fetchall()
        sent = [str(kind) for kind in self._fetched.sql(asked).types]
        return in_memory(QueryResult(self.columns, rows, kinds), sent)

    def result(self) -> QueryResult:
        """The rows with columns and types, as the warehouses give them."""
        from stockpipe.warehouse.base import QueryResult

        return QueryResult(self.columns, self.tuples(), list(self.types.values()))

    def __repr__(self) -> str:
        """The size, and the first rows."""
        lines = [self._size(), "  ".join(self.columns)]
        lines += ["  ".join(row) for row in self._first()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows: the first rows as a table."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self._first())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{self._size()}</p>"

    def _size(self) -> str:
        return f"{len(self):,} rows, {len(self.columns)} columns"

    def _first(self) -> list[list[str]]:
        found = self._fetched.execute(f"{_TABLE} LIMIT {_SHOWN_ROWS}").fetchall()
        return [[_short(cell) for cell in row] for row in found]


def _short(cell: Any) -> str:
    text = "" if cell is None else printable(str(cell))
    return text if len(text) <= _SHOWN_WIDTH else f"{text[: _SHOWN_WIDTH - 1]}…"


def _need(*packages: str) -> None:
    """ConfigError for a package of the reader's that is not installed."""
    for package in packages:
        try:
            import_module(package)
        except ImportError:
            raise ConfigError(
                f"{package} is not installed, and stockpipe does not bring it.", hint=f"pip install {package}"
            ) from None
