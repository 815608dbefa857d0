"""TICKERS_LATEST and TICKERS_CHANGES: rows written by hand, and what each warehouse must make of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.errors import WarehouseError
from stockpipe.models import views
from stockpipe.settings import load_settings
from stockpipe.warehouse.scripts import tables_script, views_script

pytestmark = pytest.mark.slow

COLUMNS = "TICKER, NAME, MARKET, ACTIVE, CIK, DELISTED_UTC, LAST_UPDATED_UTC, EXTRA, DS"
Row = tuple[str, str | None, str, bool, str | None, str | None, str | None, str | None, str]

MON, TUE, FRI = "2026-02-02", "2026-02-03", "2026-02-06"
# fmt: off
ROWS: list[Row] = [
    # Listed stocks: three days. Version 1 could load a day twice.
    ("A", "Alpha", "stocks", True, "1", None, MON, None, MON),
    ("A", "Alpha", "stocks", True, "1", None, MON, None, MON),
    ("B", "Beta", "stocks", True, None, None, MON, None, MON),
    ("C", "Gamma", "stocks", True, "3", None, MON, None, MON),
    ("c", "small", "stocks", True, "4", None, MON, None, MON),
    ("A", "Alpha Inc", "stocks", True, "0001", None, TUE, None, TUE),
    ("C", "Gamma", "stocks", True, "3", None, TUE, None, TUE),
    ("c", None, "stocks", True, "4", None, TUE, None, TUE),
    ("D", "Delta", "stocks", True, None, None, TUE, None, TUE),
    ("A", "Alpha Inc", "stocks", True, "0001", None, FRI, None, FRI),
    ("C", "Gamma", "stocks", True, "3", None, FRI, None, FRI),
    ("D", "Delta", "stocks", True, None, None, FRI, '{"tier":"gold"}', FRI),
    # Delisted stocks: two days. Y and Z were two companies each; A is a namesake of a listed one.
    ("A", "Old Alpha", "stocks", False, None, "2009-05-01", MON, None, MON),
    ("Y", "Y the first", "stocks", False, None, "2011-01-03", MON, None, MON),
    ("Y", "Y the second", "stocks", False, None, "2015-01-05", MON, None, MON),
    ("Z", "Zeta", "stocks", False, None, "2010-06-01", MON, None, MON),
    ("A", "Old Alpha", "stocks", False, None, "2009-05-01", FRI, None, FRI),
    ("Y", "Y the elder", "stocks", False, None, "2011-01-03", FRI, None, FRI),
    ("Y", "Y the second", "stocks", False, None, "2015-01-05", FRI, None, FRI),
    ("Z", "Zeta", "stocks", False, None, "2010-06-01", FRI, None, FRI),
    ("Z", "New Zeta", "stocks", False, None, "2026-02-05", FRI, None, FRI),
    ("B", "Beta", "stocks", False, None, "2026-02-03", FRI, None, FRI),
    # Another market, loaded once; and one whose listed day is older than the delisting that a later list tells of.
    ("X:BTCUSD", "Bitcoin", "crypto", True, None, None, None, None, TUE),
    ("GONE", "Gone", "otc", True, None, None, MON, None, MON),
    ("GONE", "Gone", "otc", False, None, "2026-02-04", FRI, None, FRI),
]
LATEST = [
    ("crypto", "X:BTCUSD", "Bitcoin", True, TUE),
    ("otc", "GONE", "Gone", False, FRI),
    ("stocks", "A", "Alpha Inc", True, FRI),
    ("stocks", "B", "Beta", False, FRI),
    ("stocks", "C", "Gamma", True, FRI),
    ("stocks", "D", "Delta", True, FRI),
    ("stocks", "Y", "Y the second", False, FRI),
    ("stocks", "Z", "New Zeta", False, FRI),
]
CHANGES = [
    (TUE, MON, "stocks", True, "A", "changed", "NAME, CIK"),
    (TUE, MON, "stocks", True, "B", "removed", None),
    (TUE, MON, "stocks", True, "D", "added", None),
    (TUE, MON, "stocks", True, "c", "changed", "NAME"),
    (FRI, MON, "stocks", False, "B", "added", None),
    (FRI, MON, "stocks", False, "Y", "changed", "NAME"),
    (FRI, MON, "stocks", False, "Z", "added", None),
    (FRI, TUE, "stocks", True, "D", "changed", "EXTRA"),
    (FRI, TUE, "stocks", True, "c", "removed", None),
]
# fmt: on
ASK_LATEST = "SELECT MARKET, TICKER, NAME, ACTIVE, DS::VARCHAR FROM TICKERS_LATEST ORDER BY 1, 2"
ASK_CHANGES = (
    "SELECT DS::VARCHAR, PREVIOUS_DS::VARCHAR, MARKET, ACTIVE, TICKER, CHANGE, CHANGED_COLUMNS "
    "FROM TICKERS_CHANGES ORDER BY 1, 2, 3, 4, 5"
)


def literals(rows: Sequence[Row]) -> str:
    """The rows as SQL."""
    cells = [", ".join("NULL" if cell is None else f"'{cell}'" for cell in row) for row in rows]
    return ", ".join(f"({line})" for line in cells)


def in_duckdb(*questions: str) -> list[list[tuple[object, ...]]]:
    settings = load_settings({}, env={})
    with duckdb.connect() as connection:
        connection.execute(tables_script(settings) + views_script(settings, views))
        connection.execute(f"INSERT INTO TICKERS ({COLUMNS}) VALUES {literals(ROWS)}")
        return [connection.execute(question).fetchall() for question in questions]


def in_snowflake(gate: SnowflakeGate, *questions: str) -> list[list[tuple[object, ...]]]:
    settings = load_settings(gate.env(), env={})
    for statement in (tables_script(settings) + views_script(settings, views)).split(";\n"):
        if statement.strip():
            gate.rows(statement)
    cells = ", ".join(
        f"PARSE_JSON(column{number})" if name == "EXTRA" else f"column{number}"
        for number, name in enumerate(COLUMNS.split(", "), start=1)
    )
    gate.rows(f"INSERT INTO tickers ({COLUMNS}) SELECT {cells} FROM VALUES {literals(ROWS)}")
    return [gate.rows(question) for question in questions]


def test_the_views_in_duckdb() -> None:
    assert in_duckdb(ASK_LATEST, ASK_CHANGES) == [LATEST, CHANGES]


def test_the_views_in_snowflake(gate: SnowflakeGate) -> None:
    assert in_snowflake(gate, ASK_LATEST, ASK_CHANGES) == [LATEST, CHANGES]


OLD_ROWS = "('OLD', 'stocks', true, NULL), ('OLD', 'stocks', NULL, '2026-02-02'), ('OLD', NULL, true, '2026-02-02'), ('OLD', NULL, NULL, NULL)"


def test_rows_without_a_day_or_a_part_are_nowhere_but_in_the_table(serve: Serve, gate: SnowflakeGate) -> None:
    # So it is after a table without DS, MARKET or ACTIVE was adopted.
    for target in ({}, gate.env()):
        settings = flags(serve(many(4))) | target
        for day in (MON, TUE):
            stockpipe.load(on=day, settings=settings)
        insert = f"INSERT INTO TICKERS (TICKER, MARKET, ACTIVE, DS) VALUES {OLD_ROWS}"
        asked = (
            "SELECT count(*) FROM TICKERS_LATEST",
            "SELECT count(*) FROM TICKERS_CHANGES",
            "SELECT count(*) FROM TICKERS",
        )
        if target:
            gate.rows(insert)
            found = [gate.rows(question)[0][0] for question in asked]
        else:
            with duckdb.connect("stockpipe.duckdb") as connection:
                connection.execute(insert)
            found = [table(question)[0][0] for question in asked]
        assert found == [4, 0, 12]
        exported = command("export", "day.csv", "--date", MON, env=settings)
        assert (exported.returncode, f"Wrote 4 rows of stocks {MON} to day.csv" in exported.stderr.splitlines()) == (
            0,
            True,
        )
        status = json.loads(command("status", "--json", env=settings).stdout)
        assert [(one["market"], one["active"], one["last_day"], one["rows"]) for one in status["lists"]] == [
            ("stocks", True, TUE, 4)
        ]


def test_a_table_without_days_adopted_by_run_has_no_changes(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE TICKERS AS SELECT 'OLD' AS TICKER, 'stocks' AS MARKET, true AS ACTIVE")
    for day in (MON, TUE):
        stockpipe.load(on=day, settings=flags(serve(many(4))))
    assert table("SELECT count(*) FROM TICKERS_CHANGES") == [(0,)]


def test_the_hint_of_a_clash_keeps_the_old_days(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE TICKERS (TICKER VARCHAR, MARKET VARCHAR, ACTIVE VARCHAR, DS VARCHAR)")
        connection.execute("INSERT INTO TICKERS VALUES ('OLD', 'stocks', 'true', '2026-02-02')")
    settings = flags(serve(many(4)))
    for _ in range(2):
        with pytest.raises(WarehouseError) as refused:
            stockpipe.load(on=TUE, settings=settings)
        statements = refused.value.hint.partition(": ")[2].split("; ")[:3]
        with duckdb.connect("stockpipe.duckdb") as connection:
            for statement in statements:
                connection.execute(statement)
    stockpipe.load(on=TUE, settings=settings)
    assert table("SELECT DISTINCT DS::VARCHAR, ACTIVE FROM TICKERS ORDER BY 1") == [(MON, True), (TUE, True)]
    assert table("SELECT CHANGE, count(*) FROM TICKERS_CHANGES GROUP BY 1 ORDER BY 1") == [("added", 4), ("removed", 1)]


def test_the_select_is_the_same_in_both() -> None:
    texts = [
        views_script(load_settings({"STOCKPIPE_WAREHOUSE": kind}, env={}), views).replace(
            '"STOCKPIPE"."MARKET_DATA".', ""
        )
        for kind in ("duckdb", "snowflake")
    ]
    selects = [[part.split(";\n")[0] for part in text.split("AS\n")[1:]] for text in texts]
    assert len(selects[0]) == 10
    assert selects[0] == selects[1]


def test_run_makes_the_views_of_a_new_table_in_duckdb_and_leaves_them_to_the_user_then(serve: Serve) -> None:
    settings = flags(serve(many(4)))
    stockpipe.load(settings=settings)
    assert table("SELECT count(*) FROM TICKERS_LATEST") == [(4,)]
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("DROP VIEW TICKERS_LATEST")
    stockpipe.load(settings=settings)
    assert table("SELECT view_name FROM duckdb_views() WHERE NOT internal") == [("TICKERS_CHANGES",)]


def test_run_makes_the_views_beside_a_table_of_the_old_script(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE tickers (ticker VARCHAR, name VARCHAR, ds DATE)")
    stockpipe.load(settings=flags(serve(many(4))))
    assert table("SELECT count(*) FROM TICKERS_LATEST") == [(4,)]


def test_run_makes_the_views_of_a_new_table_in_snowflake_and_asks_nothing_later(
    serve: Serve, gate: SnowflakeGate
) -> None:
    settings = flags(serve(many(4))) | gate.env() | {"SNOWFLAKE_TABLE": "stocks"}
    stockpipe.load(settings=settings)
    assert gate.rows("SELECT count(*) FROM stocks_latest") == [(4,)]
    gate.rows("DROP VIEW stocks_latest")
    gate.log.clear()
    stockpipe.load(settings=settings)
    assert [sql for sql in gate.statements() if "VIEW" in sql and not sql.startswith("SHOW")] == []


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_what_has_a_views_name_already_stays(serve: Serve, gate: SnowflakeGate, kind: str) -> None:
    mine = f"CREATE {kind} TICKERS_LATEST AS SELECT 'mine' AS OWNER"
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(mine)
    gate.rows(mine)
    for target in ({}, gate.env()):
        assert stockpipe.load(settings=flags(serve(many(2))) | target).rows == 2
    assert table("SELECT * FROM TICKERS_LATEST") == gate.rows("SELECT * FROM tickers_latest") == [("mine",)]
    assert table("SELECT count(*) FROM TICKERS_CHANGES") == gate.rows("SELECT count(*) FROM tickers_changes") == [(0,)]


def test_a_role_that_may_not_make_views_loads_all_the_same(
    serve: Serve, gate: SnowflakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    refused = (3001, "SQL access control error: Insufficient privileges to operate on schema 'PUBLIC'", "42501")
    gate.fault("^CREATE VIEW", action=refused, times=None)
    with caplog.at_level("INFO", "stockpipe"):
        assert stockpipe.load(settings=flags(serve(many(2))) | gate.env()).rows == 2
    assert [record.getMessage() for record in caplog.records if "was not made" in record.getMessage()] == [
        f'View "STOCKS"."PUBLIC"."TICKERS_{name}" was not made (Snowflake refused CREATE: 003001 (42501): SQL access control error: '
        "Insufficient privileges to operate on schema 'PUBLIC'); stockpipe schema --views prints it."
        for name in ("LATEST", "CHANGES")
    ]
