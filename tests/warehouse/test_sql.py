"""The SQL that both warehouses share, as text: names, kinds of columns, and statements over one partition."""

from __future__ import annotations

from datetime import date

import pytest

from stockpipe.base.text import literal
from stockpipe.datasets import TICKERS, Column
from stockpipe.datasets.column import DATE, FLAG, FLOAT, INTEGER, JSON, TIMESTAMP, Type, decimal, text
from stockpipe.errors import ConfigError, WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.dialect import duckdb_type
from stockpipe.warehouse.history import before_sql
from support.loads import part, partition
from support.made_up import made_up

TABLE = sql.Table('"T"', (Column("TICKER", text(20), "Symbol."), Column("ROWS", INTEGER, "Rows.")), "A table.")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("tickers", '"TICKERS"'),
        ("_T1$x", '"_T1$X"'),
        ("t" * 255, f'"{"T" * 255}"'),
        ('"my Table"', '"my Table"'),
        ('"a"', '"a"'),
        ('"say ""hi"""', '"say ""hi"""'),
        ('"a;b--"', '"a;b--"'),
    ],
)
def test_a_plain_name_is_upper_case_and_a_quoted_one_stays(name: str, quoted: str) -> None:
    assert sql.identifier(name, "SNOWFLAKE_TABLE") == quoted


@pytest.mark.parametrize(
    "name",
    ["", '"', '""', "1T", "$T", "a b", "a.b", 'a"b', 'a"b"', '"a"b', "a;b", "t" * 256, '"a', 'a"', '"a"b"', '"a" "b"', 'x""', "t\n", "\u00e9", '"""'],
)  # fmt: skip
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="SNOWFLAKE_TABLE is") as caught:
        sql.identifier(name, "SNOWFLAKE_TABLE")
    assert "needs double quotes" in caught.value.hint


def test_a_name_that_looks_like_a_key_is_refused_and_not_quoted() -> None:
    key = "xK3vR8qLw2ZtY9pB4nM7cD1fG6hJ5sA0"
    with pytest.raises(ConfigError) as caught:
        sql.identifier(key, "SNOWFLAKE_TABLE")
    assert key not in str(caught.value)


def test_a_dataset_has_the_table_of_its_setting_or_its_own_name() -> None:
    settings = load_settings({"SNOWFLAKE_TABLE": "mine"}, env={})
    assert sql.dataset_table(TICKERS, settings, '"D"."S".').name == '"D"."S"."MINE"'
    assert sql.dataset_table(TICKERS, load_settings({}, env={})).name == '"TICKERS"'
    other = made_up().part.dataset
    assert sql.dataset_table(other, settings) == sql.Table('"MADE_UP"', other.columns, "Made up.")
    assert (sql.runs_table('"D".').name, sql.rejects_table().name) == ('"D"."STOCKPIPE_RUNS"', '"STOCKPIPE_REJECTS"')


STOCKS = '"DS" = ? AND "MARKET" = ? AND "ACTIVE" = ?'


def test_a_partition_is_deleted_and_counted_by_all_that_names_it() -> None:
    assert sql.delete_partition(TABLE, partition(), "?") == f'DELETE FROM "T" WHERE {STOCKS}'
    assert sql.count_partition(TABLE, partition(), "?") == f'SELECT count(*) FROM "T" WHERE {STOCKS}'
    assert sql.count_partition(TABLE, partition(), "%s") == f'SELECT count(*) FROM "T" WHERE {STOCKS}'.replace(
        "?", "%s"
    )
    assert sql.delete_partition(TABLE, made_up(), "?") == 'DELETE FROM "T" WHERE "DS" = ?'
    assert list(partition("2026-02-06", "otc", "false").values.values()) == [date(2026, 2, 6), "otc", False]
    assert sql.column_list(TABLE.columns) == '"TICKER", "ROWS"'


def test_an_export_is_of_a_day_and_of_some_parts() -> None:
    day = date(2026, 2, 6)
    assert sql.where_exported(day, [part()]) == (
        '"DS" = DATE \'2026-02-06\' AND (("MARKET" = \'stocks\' AND "ACTIVE" = true))'
    )
    assert sql.where_exported(day, [part("fx"), part("otc", "false")]) == (
        '"DS" = DATE \'2026-02-06\' AND (("MARKET" = \'fx\' AND "ACTIVE" = true) OR ("MARKET" = \'otc\' AND "ACTIVE" = false))'
    )
    assert sql.where_exported(day, [made_up().part]) == "\"DS\" = DATE '2026-02-06'"
    assert sql.export_order(TICKERS) == '"TICKER", "MARKET", "ACTIVE"'
    assert sql.export_order(made_up().part.dataset) == '"K"'


@pytest.mark.parametrize(
    ("value", "written"), [(True, "true"), (False, "false"), ("fx", "'fx'"), ("O'Neil", "'O''Neil'"), (3, "'3'")]
)
def test_a_word_or_a_flag_as_sql(value: object, written: str) -> None:
    assert literal(value) == written


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("text", ["VARCHAR", "varchar(20)", "TEXT", "STRING", "CHAR(3)"]),
        ("flag", ["BOOLEAN", "BOOL"]),
        ("timestamp", ["TIMESTAMP_NTZ(9)", "TIMESTAMP", "TIMESTAMP_NS", "DATETIME"]),
        ("date", ["DATE"]),
        ("json", ["JSON", "VARIANT"]),
        ("float", ["DOUBLE", "FLOAT", "REAL"]),
        ("int", ["NUMBER(38,0)", "DECIMAL(18,6)", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT", "FIXED"]),
        ("BLOB", ["BLOB", "blob"]),
    ],
)
def test_the_types_of_a_warehouse_are_kinds_of_ours(kind: str, names: list[str]) -> None:
    assert {sql.family(name) for name in names} == {kind}


@pytest.mark.parametrize(("name", "width"), [("VARCHAR(20)", 20), ("VARCHAR", None), ("", None), ("VARCHAR(16777216)", 16_777_216), ("NUMBER(38,0)", None)])  # fmt: skip
def test_the_width_of_a_type(name: str, width: int | None) -> None:
    assert sql.width(name) == width


OF_KIND: dict[str, Type] = {
    "text": text(20), "flag": FLAG, "int": INTEGER, "decimal": decimal(18, 6), "float": FLOAT, "date": DATE, "timestamp": TIMESTAMP, "json": JSON,
}  # fmt: skip
TAKEN = {
    "text": {"VARCHAR", "JSON"}, "flag": {"BOOLEAN"}, "int": {"BIGINT", "DOUBLE", "DECIMAL(18,6)", "DECIMAL(18,5)", "DECIMAL(17,6)", "NUMBER(38, 6)"}, "decimal": {"DECIMAL(18,6)", "NUMBER(38, 6)"}, "float": {"DOUBLE"},
    "date": {"DATE"}, "timestamp": {"TIMESTAMP"}, "json": {"JSON", "VARCHAR"},
}  # fmt: skip


@pytest.mark.parametrize("kind", OF_KIND)
@pytest.mark.parametrize(
    "there",
    [
        "VARCHAR",
        "BOOLEAN",
        "BIGINT",
        "DOUBLE",
        "DATE",
        "TIMESTAMP",
        "JSON",
        "BLOB",
        "DECIMAL(18,6)",
        "DECIMAL(18,5)",
        "DECIMAL(17,6)",
        "NUMBER(38, 6)",
    ],
)
def test_a_column_that_is_there_must_be_of_a_kind_that_holds_ours(kind: str, there: str) -> None:
    """Among them whole numbers in a column of doubles, as an old table may have them."""
    table = sql.Table('"T"', (Column("C", OF_KIND[kind], "A column."),), "")
    if there in TAKEN[kind]:
        assert sql.missing_columns(table, {"C": there}, duckdb_type) == []
        return
    with pytest.raises(WarehouseError) as caught:
        sql.missing_columns(table, {"c": there}, duckdb_type)
    wanted = duckdb_type(table.columns[0])
    assert caught.value.message == f'"T" has a column "c" of type {there} where "C" {wanted} is needed.'
    assert 'ALTER TABLE "T" RENAME COLUMN "c" TO "OLD_C"' in caught.value.hint


def test_columns_that_are_not_there_are_named_whatever_else_is() -> None:
    ticker, rows = TABLE.columns
    assert sql.missing_columns(TABLE, {}, duckdb_type) == [ticker, rows]
    assert sql.missing_columns(TABLE, {"OTHER": "BLOB", "ROWS": "BIGINT"}, duckdb_type) == [ticker]
    assert sql.missing_columns(TABLE, {"ticker": "VARCHAR", "Rows": "BIGINT"}, duckdb_type) == []


def test_columns_in_another_case_are_named_with_their_spelling() -> None:
    assert sql.misspelled_columns(TABLE, ["ticker", "Rows", "other"]) == {"ticker": "TICKER", "Rows": "ROWS"}
    assert sql.misspelled_columns(TABLE, ["TICKER", "ticker"]) == {}  # the right one is there
    assert sql.misspelled_columns(TABLE, []) == {}
    # The right one counts also where one of another kind stands beside it.
    assert sql.missing_columns(TABLE, {"ticker": "BLOB", "TICKER": "VARCHAR", "ROWS": "BIGINT"}, duckdb_type) == []


def test_the_records_before_a_day_are_those_of_its_part_that_ended_well() -> None:
    """`unchanged` counts too: such a record is the latest that says what the day has."""
    statement, values = before_sql(sql.runs_table(), partition("2026-02-06", "otc", "false"), "?")
    assert values == ["tickers", "otc", False, date(2026, 2, 6), date(2026, 2, 6)]
    assert statement.split(" WHERE ")[1] == (
        '"DATASET" = ? AND "MARKET" = ? AND "ACTIVE" = ? AND "STATUS" IN (\'published\', \'unchanged\') '
        'QUALIFY row_number() OVER (PARTITION BY "DS" ORDER BY "FINISHED_UTC" DESC) = 1) AS days '
        "QUALIFY row_number() OVER (PARTITION BY split_part(\"SOURCE\", ' at ', 1), "
        'CASE WHEN "DS" = ? THEN 0 WHEN "DS" < ? THEN 1 ELSE 2 END ORDER BY "DS" DESC) = 1'
    )
    statement, values = before_sql(sql.runs_table(), made_up(), "%s")
    assert values == ["made_up", date(2026, 2, 6), date(2026, 2, 6)]
    assert statement.count("%s") == 3
