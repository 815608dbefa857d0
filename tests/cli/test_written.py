"""How values are written: every digit, and one form of JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from conftest import command
from stockpipe.base.moments import Moment
from stockpipe.cli.values import Json, apart, as_text, documents, is_number, json_text, number_of
from stockpipe.settings import load_settings
from stockpipe.warehouse import QueryResult
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-02-07 07:05:42.818047861", "2026-02-07T07:05:42.818047861"),
        ("2026-02-07 07:05:42.81804786", "2026-02-07T07:05:42.81804786"),
        ("2026-02-07 07:05:42.000000001", "2026-02-07T07:05:42.000000001"),
        ("2026-02-07 07:05:42.5", "2026-02-07T07:05:42.5"),
        ("2026-02-07 07:05:42", "2026-02-07T07:05:42"),
        ("2026-02-07 07:05:42.123456+00", "2026-02-07T07:05:42.123456+00:00"),
        ("2026-02-07 07:05:42.123456789+05:30", "2026-02-07T07:05:42.123456789+05:30"),
    ],
)
def test_a_moment_keeps_every_digit(text: str, iso: str) -> None:
    moment = Moment.read(text)
    assert (moment.isoformat(), str(moment)) == (iso, iso.replace("T", " "))
    assert moment == datetime.fromisoformat(iso)


@pytest.mark.parametrize(
    "text", ["infinity", "-infinity", "0044-03-15 (BC) 00:00:00", "12345-01-01 00:00:00", "now", ""]
)
def test_what_is_no_moment_of_python_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own words
        Moment.read(text)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"), (True, "true"), (7, "7"), (2**70, "1180591620717411303424"), (0.1, "0.1"), (1e300, "1e+300"),
        (Decimal("1.50"), "1.50"), (Decimal("0E-10"), "0.0000000000"), (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"), (math.nan, '"nan"'),
        (math.inf, '"inf"'), (Decimal("NaN"), '"NaN"'), (date(2026, 2, 6), '"2026-02-06"'),
        (datetime(2026, 2, 6, 4, 5, 6, tzinfo=UTC), '"2026-02-06T04:05:06+00:00"'), (b"\x00\xff", '"00ff"'),
        ("é\n\"", '"é\\n\\""'), (Json('{"a": 1.50}'), '{"a": 1.50}'), ({}, "{}"), ([], "[]"),
        ([1, [2.5]], "[1, [2.5]]"), ({"a": {}, "b": [None]}, '{"a": {}, "b": [null]}'),
        ({date(2026, 2, 6): Decimal("1.0"), 2: 3}, '{"2026-02-06": 1.0, "2": 3}'),
    ],
)  # fmt: skip
def test_one_form_of_json(value: object, written: str) -> None:
    assert json_text(value, indent=None) == written
    json.loads(written)


def test_a_document_is_indented_as_before() -> None:
    value = {"a": [1, {"b": None}], "c": {}, "d": []}
    assert json_text(value) == json.dumps(value, indent=2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "True"),
        (Decimal("0E-10"), "0.0000000000"),
        (b"\xff", "ff"),
        ([1, "a"], '[1, "a"]'),
        (0.1, "0.1"),
    ],
)
def test_a_cell_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(("value", "number"), [(1, True), (1.5, True), (Decimal(1), True), (True, False), ("1", False)])
def test_what_stands_to_the_right(value: object, number: bool) -> None:
    assert is_number(value) is number


def test_numbers_have_their_word() -> None:
    assert [number_of(count, "row") for count in (0, 1, 2, 12345)] == ["0 rows", "1 row", "2 rows", "12,345 rows"]


def test_keys_are_in_lower_case_and_each_once() -> None:
    assert apart(["a", "a", "a_2", "a"]) == ["a", "a_3", "a_2", "a_4"]
    found = QueryResult(["A", "a", "J", "K"], [(1, 2, '{"x":1.50}', "{")], documents=frozenset({2, 3}))
    assert json_text(documents(found), indent=None) == '[{"a": 1, "a_2": 2, "j": {"x":1.50}, "k": "{"}]'


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{'a': 1}", "1 2", ""])
def test_what_calls_itself_json_and_is_none_stays_text(text: str) -> None:
    shown = json_text(documents(QueryResult(["J"], [(text,)], documents=frozenset({0}))), indent=None)
    assert json.loads(shown) == [{"j": text}]


CELLS = {
    "TIMESTAMP_NS '2026-02-07 07:05:42.81804786'": ("2026-02-07 07:05:42.81804786", "2026-02-07T07:05:42.81804786"),
    "TIMESTAMPTZ '2026-02-07 07:05:42+00'": ("2026-02-07 07:05:42+00:00", "2026-02-07T07:05:42+00:00"),
    "TIMESTAMP '2026-02-07 07:05:42.5'": ("2026-02-07 07:05:42.5", "2026-02-07T07:05:42.5"),
    "DATE '2026-02-07'": ("2026-02-07", "2026-02-07"),
    "DATE 'infinity'": ("infinity", "infinity"),
    "'-infinity'::TIMESTAMP": ("-infinity", "-infinity"),
    "DATE '0044-03-15 (BC)'": ("0044-03-15 (BC)", "0044-03-15 (BC)"),
    "INTERVAL '1 month 3 days'": ("1 month 3 days", "1 month 3 days"),
    "'12:00:00.123456789'::TIME_NS": ("12:00:00.123456789", "12:00:00.123456789"),
    "0.1::FLOAT": ("0.1", 0.1),
    "1.50::DECIMAL(18, 6)": ("1.500000", Decimal("1.500000")),
    "123456789012345678901234567890::HUGEINT": ("123456789012345678901234567890", 123456789012345678901234567890),
    "0.1 + 0.2": ("0.3", Decimal("0.3")),
    "'\\xFF'::BLOB": ("ff", "ff"),
    "[TIMESTAMP_NS '2026-02-07 07:05:42.81804786']": ('["2026-02-07T07:05:42.81804786"]', ["2026-02-07T07:05:42.81804786"]),
    "{'x': [TIMESTAMP_NS '2026-02-07 07:05:42.81804786'], 'y \"z': NULL::DATE}": (
        '{"x": ["2026-02-07T07:05:42.81804786"], "y \\"z": null}', {"x": ["2026-02-07T07:05:42.81804786"], 'y "z': None},
    ),
    "{'size': TIMESTAMP_NS '2026-02-07 07:05:42.81804786'}": (
        '{"size": "2026-02-07T07:05:42.81804786"}', {"size": "2026-02-07T07:05:42.81804786"},
    ),
    "array_value(TIMESTAMP_NS '2026-02-07 07:05:42.81804786')": (
        '["2026-02-07T07:05:42.81804786"]', ["2026-02-07T07:05:42.81804786"],
    ),
    "union_value(x := TIMESTAMP_NS '2026-02-07 07:05:42.81804786')": (
        "2026-02-07 07:05:42.81804786", "2026-02-07 07:05:42.81804786",
    ),
    "MAP {TIMESTAMP_NS '2026-02-07 07:05:42.81804786': 1.5}": (
        '{"2026-02-07T07:05:42.81804786": 1.5}', {"2026-02-07T07:05:42.81804786": Decimal("1.5")},
    ),
    "'{\"a\": 1.50}'::JSON": ('{"a": 1.50}', {"a": Decimal("1.50")}),
    "NULL::TIMESTAMP_NS": ("", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same question, answered as table, CSV and JSON."""
    path = tmp_path_factory.mktemp("values") / "x.duckdb"
    duckdb.connect(str(path)).close()
    sql = "SELECT " + ", ".join(f"{cell} AS c{number}" for number, cell in enumerate(CELLS)) + " -- and no more\n;"
    forms = ("csv", "json", "table")
    done = {form: command("query", sql, "--format", form, "--duckdb-path", str(path)) for form in forms}
    assert {form: one.returncode for form, one in done.items()} == dict.fromkeys(forms, 0)
    return {form: one.stdout for form, one in done.items()}


@pytest.mark.parametrize("number", range(len(CELLS)), ids=list(CELLS))
def test_one_cell_has_one_value_everywhere(answered: dict[str, str], number: int) -> None:
    text, value = list(CELLS.values())[number]
    assert list(csv.reader(io.StringIO(answered["csv"])))[1][number] == text
    assert json.loads(answered["json"], parse_float=Decimal)[0][f"c{number}"] == (
        Decimal("0.1") if value == 0.1 else value
    )
    assert text in answered["table"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DISTINCT T FROM M ORDER BY T DESC",
        "WITH a AS (SELECT T FROM M) FROM a ORDER BY T DESC;",
        "FROM M ORDER BY ALL DESC",
        "SELECT T, count(*) FROM M GROUP BY T ORDER BY T DESC -- newest first",
    ],
)
def test_rows_stay_in_the_order_that_was_asked_for(sql: str) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE M AS SELECT make_timestamp_ns(i) AS T FROM range(5000) AS r(i)")
    found = DuckDBWarehouse(load_settings(env={})).query(sql)
    assert [row[0].nanosecond + 1000 * row[0].microsecond for row in found.rows] == list(range(4999, -1, -1))


def test_what_runs_say_is_one_dialect() -> None:
    assert command("demo", "--market", "crypto", "--duckdb-path", "d.duckdb").returncode == 0
    [run] = json.loads(command("runs", "--json", "--duckdb-path", "d.duckdb").stdout)
    assert {name: run[name] for name in ("status", "active", "warnings", "forced", "error")} == {
        "status": "published", "active": True, "warnings": [], "forced": [], "error": None,
    }  # fmt: skip
    assert isinstance(run["field_counts"], dict)
    assert datetime.fromisoformat(run["started_utc"]).utcoffset() is not None
    asked = command("query", "SELECT * FROM STOCKPIPE_RUNS", "--json", "--duckdb-path", "d.duckdb")
    [same] = json.loads(asked.stdout)
    assert same.keys() == run.keys()
    assert same["field_counts"] == run["field_counts"]
    assert Path("d.duckdb").exists()
