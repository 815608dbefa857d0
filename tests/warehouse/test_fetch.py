# ruff: noqa: DTZ001 - the service has times without a zone
"""`fetch`: what a SELECT gives, with its types, in memory; the warehouse is free again before anybody reads a row."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from snowflake_gate import SnowflakeGate
from stockpipe.errors import NotThere, UsageError, WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse
from stockpipe.warehouse.memory import in_memory
from stockpipe.warehouse.snowflake.answers import result_of
from stockpipe.warehouse.snowflake.warehouse import SnowflakeWarehouse

FILE = Path("stockpipe.duckdb")
ROW = (
    "CAST('2026-02-06' AS DATE) AS DAY, CAST(1.25 AS DECIMAL(18,6)) AS PRICE, CAST(3 AS INTEGER) AS SIZE, "
    "true AS LISTED, 'ABRpD' AS TICKER, CAST(0.5 AS DOUBLE) AS SHARE, CAST(NULL AS VARCHAR) AS NOTHING"
)


@pytest.fixture
def file() -> DuckDBWarehouse:
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("CREATE TABLE TICKERS AS SELECT * FROM (VALUES ('A'), ('B')) AS t(TICKER)")
        connection.execute("CREATE VIEW FIRST AS SELECT min(TICKER) AS TICKER FROM TICKERS")
        connection.execute("CREATE TABLE STAMPS AS SELECT TIMESTAMP_NS '2026-02-07 07:05:42.818047863' AS MOMENT")
    return DuckDBWarehouse(load_settings({"STOCKPIPE_LOCK_TIMEOUT": "0"}, env={}))


@pytest.fixture
def account() -> Iterator[SnowflakeWarehouse]:
    with SnowflakeGate() as gate:
        gate.rows("SELECT 1")
        warehouse = SnowflakeWarehouse(load_settings(gate.env(), env={}))
        yield warehouse
        warehouse.close()


def rows(fetched: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return fetched.execute("FROM answer").fetchall()


def kinds(fetched: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[1] for row in fetched.execute("DESCRIBE answer").fetchall()]


def test_values_keep_their_types_in_duckdb(file: DuckDBWarehouse) -> None:
    fetched = file.fetch(f"SELECT {ROW}")
    assert rows(fetched) == [(date(2026, 2, 6), Decimal("1.250000"), 3, True, "ABRpD", 0.5, None)]
    assert kinds(fetched) == ["DATE", "DECIMAL(18,6)", "INTEGER", "BOOLEAN", "VARCHAR", "DOUBLE", "VARCHAR"]


def test_values_keep_their_types_in_snowflake(account: SnowflakeWarehouse) -> None:
    fetched = account.fetch(f"SELECT {ROW}")
    assert rows(fetched) == [(date(2026, 2, 6), Decimal("1.250000"), 3, True, "ABRpD", 0.5, None)]
    assert kinds(fetched)[:2] == ["DATE", "DECIMAL(18,6)"]
    assert kinds(fetched)[3:] == ["BOOLEAN", "VARCHAR", "DOUBLE", "VARCHAR"]


def test_an_answer_of_snowflake_without_rows_and_with_equal_names_is_a_table(account: SnowflakeWarehouse) -> None:
    fetched = account.fetch("SELECT 1 AS A, 2 AS B, 3 AS A WHERE 1 = 0")
    assert [row[0] for row in fetched.execute("DESCRIBE answer").fetchall()] == ["A", "B", "A_1"]
    assert rows(fetched) == []


def test_nanoseconds_stay_in_duckdb(file: DuckDBWarehouse) -> None:
    fetched = file.fetch("FROM STAMPS")
    assert fetched.execute("SELECT MOMENT::VARCHAR FROM answer").fetchall() == [("2026-02-07 07:05:42.818047863",)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT TICKER FROM TICKERS ORDER BY TICKER DESC; -- the last first", [("B",), ("A",)]),
        ("FROM FIRST", [("A",)]),
        ("WITH x AS (SELECT ';' AS s) SELECT s FROM x -- done", [(";",)]),
        ("VALUES (1), (2)", [(1,), (2,)]),
        ("SELECT TICKER, TICKER FROM FIRST", [("A", "A")]),
    ],
)
def test_every_form_of_a_question_is_taken(file: DuckDBWarehouse, text: str, found: list[tuple[object, ...]]) -> None:
    assert rows(file.fetch(text)) == found


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", UsageError, "There is no statement"),
        ("SELECT 1; SELECT 2", UsageError, "more than one statement"),
        ("DROP TABLE TICKERS", UsageError, "A statement of type DROP gives no table."),
        ("SELECT 1) ; DROP TABLE TICKERS; FROM (SELECT 1", UsageError, "more than one statement"),
        ("SELEC 1", WarehouseError, "syntax error"),
        ("FROM NOWHERE", NotThere, "NOWHERE does not exist"),
        ("FROM read_text('/etc/hostname')", WarehouseError, "reads only the tables of its DuckDB file"),
    ],
)
def test_what_is_no_question_is_refused(file: DuckDBWarehouse, text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        file.fetch(text)
    assert rows(file.fetch("SELECT count(*) FROM TICKERS")) == [(2,)]


def test_the_file_is_free_for_a_writer_while_the_answer_is_read(file: DuckDBWarehouse) -> None:
    fetched = file.fetch("FROM TICKERS")
    with duckdb.connect(str(FILE)) as writer:
        writer.execute("DELETE FROM TICKERS")
    assert rows(fetched) == [("A",), ("B",)]


def test_a_file_that_another_program_writes_is_named_as_held(file: DuckDBWarehouse) -> None:
    code = f"import duckdb, sys; c = duckdb.connect({str(FILE)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(WarehouseError, match=r"is held by .*process"):
            file.fetch("FROM TICKERS")
        holder.communicate()


def test_a_file_that_is_missing_or_broken_is_said(file: DuckDBWarehouse) -> None:
    FILE.unlink()
    with pytest.raises(NotThere, match=r"There is no DuckDB file stockpipe\.duckdb yet"):
        file.fetch("SELECT 1")
    FILE.write_text("no database" * 999)
    with pytest.raises(WarehouseError, match="is not a DuckDB file"):
        file.fetch("SELECT 1")


def test_threads_of_one_process_read_side_by_side(file: DuckDBWarehouse) -> None:
    found: list[object] = []
    readers = [threading.Thread(target=lambda: found.extend(rows(file.fetch("FROM FIRST")))) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [("A",)] * 4


class Answered:
    """A cursor as the connector gives it: columns are described by name, type, sizes, precision, scale."""

    def __init__(self, column: tuple[object, ...], rows: list[tuple[object, ...]]) -> None:
        self.description: tuple[tuple[object, ...], ...] = (column,)
        self.fetchall = lambda: rows


def test_types_of_the_service_become_types_of_duckdb() -> None:
    cursor = Answered((), [(1, 10**30, Decimal("1.50"), datetime(2026, 2, 7, 7), '{"a": 1}')])
    cursor.description = (
        ("WHOLE", 0, None, None, 38, 0, True),
        ("BIG", 0, None, None, 38, 0, True),
        ("CENTS", 0, None, None, 12, 2, True),
        ("AT", 8, None, None, 0, 9, True),
        ("EXTRA", 5, None, None, None, None, True),
    )
    fetched = in_memory(result_of(cursor))
    assert kinds(fetched) == ["BIGINT", "HUGEINT", "DECIMAL(12,2)", "TIMESTAMP_NS", "VARCHAR"]
    assert rows(fetched) == [(1, 10**30, Decimal("1.50"), datetime(2026, 2, 7, 7), '{"a": 1}')]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        (("AT", 8, None, None, 0, 9, True), [datetime(2261, 12, 31), None], "TIMESTAMP_NS"),
        (("AT", 8, None, None, 0, 9, True), [datetime(2262, 1, 1)], "TIMESTAMP"),
        (("AT", 4, None, None, 0, 9, True), [datetime(1678, 1, 1)], "TIMESTAMP_NS"),
        (("AT", 4, None, None, 0, 9, True), [datetime(1677, 12, 31), datetime(9999, 12, 31)], "TIMESTAMP"),
        (("DAY", 3, None, None, None, None, True), [date(9999, 12, 31)], "DATE"),
        (("N", 0, None, None, 12, 2, True), [Decimal("1.505"), None], "DECIMAL(12,3)"),
        (("N", 0, None, None, 12, 2, True), [], "DECIMAL(12,2)"),
    ],
)  # fmt: skip
def test_what_a_column_of_the_service_holds_decides_its_type(
    column: tuple[object, ...], values: list[object], kind: str
) -> None:
    fetched = in_memory(result_of(Answered(column, [(value,) for value in values])))
    assert kinds(fetched) == [kind]
    assert rows(fetched) == [(value,) for value in values]


def test_a_number_that_its_column_cannot_hold_is_told() -> None:
    column = ("N", 0, None, None, 12, 2, True)
    with pytest.raises(WarehouseError, match="does not fit its column"):
        in_memory(result_of(Answered(column, [(Decimal("12345678901.5"),)])))
