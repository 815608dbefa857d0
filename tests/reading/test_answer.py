"""An answer in every form, the forms of other packages where they are installed."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas
import polars
import pytest

from stockpipe import Answer, errors
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse

COLUMNS = (
    ("DAY", "DATE"),
    ("TICKER", "VARCHAR"),
    ("PRICE", "DECIMAL(18,6)"),
    ("LISTED", "BOOLEAN"),
    ("SIZE", "BIGINT"),
)
# In a column each: nanoseconds, no end, a struct with a time, a day before Christ.
ODD = (
    "TIMESTAMP_NS '2026-02-07 07:05:42.818047863' AS stamp, 'infinity'::TIMESTAMP AS never, [DATE 'infinity', NULL] AS days, "
    "{'size': TIMESTAMP_NS '2026-02-07 07:05:42.818047863', 'n': 1} AS deep, DATE '0044-03-15 (BC)' AS ides, 0.1::FLOAT AS tenth"
)
ROWS = [
    (date(2026, 2, 5), "ABRpD", Decimal("0.123456"), True, 2**53 + 1),
    (date(2026, 2, 6), "NA", None, False, None),
]


@pytest.fixture
def answer() -> Answer:
    return Answer.of(COLUMNS, ROWS)


def test_rows_are_dicts_and_tuples_with_every_digit(answer: Answer) -> None:
    assert answer.tuples() == ROWS
    assert answer.rows()[0] == {
        "DAY": date(2026, 2, 5), "TICKER": "ABRpD", "PRICE": Decimal("0.123456"), "LISTED": True, "SIZE": 2**53 + 1,
    }  # fmt: skip
    assert [row["TICKER"] for row in answer] == ["ABRpD", "NA"]
    assert (len(answer), answer.columns) == (2, ["DAY", "TICKER", "PRICE", "LISTED", "SIZE"])
    assert answer.types["PRICE"] == "DECIMAL(18,6)"


def test_parquet_keeps_what_python_cannot_hold(tmp_path: Path) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(f"CREATE TABLE odd AS SELECT {ODD}")
        written = connection.sql("SELECT COLUMNS(*)::VARCHAR FROM odd").fetchall()
    Answer(DuckDBWarehouse(load_settings({}, env={})).fetch("FROM odd")).to_parquet(tmp_path / "odd.parquet")
    with duckdb.connect() as connection:
        cells = f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet('{tmp_path / 'odd.parquet'}')"
        assert connection.execute(cells).fetchall() == written


def test_arrow_keeps_the_exact_types(answer: Answer) -> None:
    table = answer.arrow()
    assert table.to_pylist() == answer.rows()
    assert str(table.schema.field("PRICE").type) == "decimal128(18, 6)"


def test_polars_keeps_the_exact_types(answer: Answer) -> None:
    frame = answer.pl()
    assert frame.rows() == ROWS
    assert frame.schema["PRICE"] == polars.Decimal(18, 6)


def test_pandas_gets_days_as_days_and_missing_numbers_as_missing(answer: Answer) -> None:
    frame = answer.df()
    assert list(frame.columns) == answer.columns
    assert frame["DAY"].tolist() == [pandas.Timestamp("2026-02-05"), pandas.Timestamp("2026-02-06")]
    assert frame["SIZE"][0] == 2**53 + 1
    assert frame["SIZE"].isna().tolist() == [False, True]
    assert frame["PRICE"][0] == 0.123456


@pytest.mark.parametrize("form", ["df", "pl", "arrow"])
def test_an_answer_becomes_a_frame_after_it_was_shown_and_counted(answer: Answer, form: str) -> None:
    for look in (len, repr, Answer._repr_html_):
        look(answer)
        assert len(getattr(answer, form)()) == 2


@pytest.mark.parametrize(("form", "package"), [("df", "pandas"), ("pl", "polars"), ("arrow", "pyarrow")])
def test_a_package_that_is_missing_is_named(
    answer: Answer, form: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(errors.ConfigError, match=f"{package} is not installed.* pip install {package}"):
        getattr(answer, form)()


def test_a_parquet_file_is_written_whole_or_not_at_all(answer: Answer, tmp_path: Path) -> None:
    answer.to_parquet(str(tmp_path / "a.parquet"))
    with duckdb.connect() as engine:
        assert engine.execute(f"FROM '{tmp_path / 'a.parquet'}'").fetchall() == ROWS
    for file, reason in ((tmp_path / "no" / "a.parquet", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(errors.UsageError, match=f"cannot be written: {reason}"):
            answer.to_parquet(file)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_parquet_of_plain_types_is_written_without_making_objects_of_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a few hundred tickers these would be gigabytes. pyarrow is the reader's own, and may be missing."""
    plain = (
        "n, n % 7 = 0 AS sure, n::INTEGER AS small, n * 0.1::DOUBLE AS close, (n * 1.1)::DECIMAL(18,6) AS exact, "
        "CASE WHEN n % 3 > 0 THEN 'ABRp' || n END AS ticker, DATE '2003-09-10' + n::INTEGER AS ds, "
        "TIMESTAMP '2026-02-07 07:05:42.818047' AS stamp, TIMESTAMP_NS '2026-02-07 07:05:42.818047863' AS fine, "
        "DATE 'infinity' AS never, '-infinity'::TIMESTAMP AS ever, 'NaN'::DOUBLE AS odd, NULL::DOUBLE AS none"
    )
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(f"CREATE TABLE plain AS SELECT {plain} FROM range(5000) AS r(n)")
    found = Answer(DuckDBWarehouse(load_settings({}, env={})).fetch("FROM plain"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("stockpipe.warehouse.memory.in_memory", None)
    assert len(found) == 5000
    found.to_parquet(tmp_path / "plain.parquet")
    with duckdb.connect("stockpipe.duckdb") as connection:
        file = f"'{tmp_path / 'plain.parquet'}'"
        described = connection.execute(f"DESCRIBE FROM {file}").fetchall()
        assert [row[:2] for row in described] == [*found.types.items()]
        written, asked = (
            connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {one}").fetchall() for one in (file, "plain")
        )
        assert written == asked


def test_an_answer_shows_itself_in_a_terminal_and_a_notebook() -> None:
    answer = Answer.of([("NAME", "VARCHAR")], [("<b>A & B</b>",), ("x" * 60,), (None,), ("\x1b[31mred",)])
    assert repr(answer) == f"4 rows, 1 columns\nNAME\n<b>A & B</b>\n{'x' * 23}…\n\n\\x1b[31mred"
    assert "<td>&lt;b&gt;A &amp; B&lt;/b&gt;</td>" in answer._repr_html_()


def test_only_the_first_rows_are_shown() -> None:
    answer = Answer.of([("N", "BIGINT")], [(number,) for number in range(30_000)])
    assert repr(answer).splitlines() == ["30,000 rows, 1 columns", "N", *map(str, range(10))]
