"""Every type of column: what is stored exactly, and what is a rejected row, with its reason written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpipe.datasets.column import Column, decimal
from stockpipe.load.rows import CELL, NULL, RowReader
from support.made_up import COLUMNS, NESTED, made_up, row, stage

STORED: dict[str, dict[str, str | None]] = {
    "word": {
        '"12345"': "12345", '""': "", "null": None, '"\u00e9\u00e9\u00e9\u00e9\u00e9"': "\u00e9\u00e9\u00e9\u00e9\u00e9",
        '"\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"': "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600",
        r'"\ud83d\ude00"': "\U0001f600", r'"a\u001fb"': "a\x1fb", r'"\u001e"': "\x1e", r'"\n\r\t"': "\n\r\t", '"null"': "null",
        r'"\":\""': '":"', '" a "': " a ", '"NULL"': "NULL",
    },
    "flag": {"true": "true", "false": "false", "null": None},
    "whole": {
        "0": "0", "-0": "0", "0.0": "0", "14.0": "14", "1.432032e+06": "1432032", "1E2": "100", "120e-1": "12", "null": None,
        "14.00000000000000000000000": "14", "1e18": "1000000000000000000", "9223372036854775807": "9223372036854775807",
        "9223372036854775807.0": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
    },
    "price": {
        "1.123456": "1.123456", "1.1234560000": "1.123456", "123456789012.123456": "123456789012.123456", "-0": "0.000000",
        "-0.0": "0.000000", "1e-6": "0.000001", "0.1e-5": "0.000001", "100": "100.000000", "-1.5": "-1.500000", "0.00000000": "0.000000",
        "1e11": "100000000000.000000", "-999999999999.999999": "-999999999999.999999", "null": None,
    },
    "share": {
        "0.1": "0.1", "-1": "-1.0", "0": "0.0", "-0": "-0.0", "-0.0": "-0.0", "0.123456789012345": "0.123456789012345", "1e22": "1e+22",
        "0.30000000000000004": "0.30000000000000004", "3.141592653589793": "3.141592653589793",
        "9007199254740992": "9007199254740992.0", "100000000000000000000": "1e+20", "1.7976931348623157e308": "1.7976931348623157e+308",
        "5e-324": "5e-324", "1.5e-320": "1.5e-320", "2.2250738585072014e-308": "2.2250738585072014e-308", "1e300": "1e+300", "1e-300": "1e-300",
        "0.00000000000000000001234567890123456": "1.234567890123456e-20",
    },
    "since": {'"2024-02-29"': "2024-02-29", '"0001-01-01"': "0001-01-01", '"9999-12-31"': "9999-12-31", "null": None},
    "at": {
        '"2026-02-28T01:02:03Z"': "2026-02-28 01:02:03", '"2026-02-28T23:59:59.123456789Z"': "2026-02-28 23:59:59.123456789",
        '"1678-01-01T00:00:00Z"': "1678-01-01 00:00:00", '"2261-12-31T00:00:00Z"': "2261-12-31 00:00:00", "null": None,
    },
    "ms": {
        "0": "1970-01-01 00:00:00", "-1": "1969-12-31 23:59:59.999", "1770422400000.0": "2026-02-07 00:00:00",
        "1.770422400e12": "2026-02-07 00:00:00", "9200000000000": "2261-07-15 11:33:20", "-9200000000000": "1678-06-18 12:26:40",
    },
    "ns": {
        "0": "1970-01-01 00:00:00", "1770422400000000001": "2026-02-07 00:00:00.000000001", "9200000000000000000": "2261-07-15 11:33:20",
        "-9200000000000000000": "1678-06-18 12:26:40",
    },
    "more": {
        '{"a": [1, 2.50]}': '{"a": [1, 2.50]}', '"x"': '"x"', "1e5": "1e5", "null": None, "true": "true", "[]": "[]",
        "12345678901234567890.10": "12345678901234567890.10", "[1,\n2]": "[1,\n2]", "[1,\r2]": "[1,\r2]", r'"\u0000"': r'"\u0000"',
    },
    "x": {
        "12345678901234567890.1000": '{"x":12345678901234567890.1000}', "1e-400": '{"x":1e-400}', '"a"': '{"x":"a"}', "null": '{"x":null}',
        r'"\u0000"': r'{"x":"\u0000"}', "0." + "1" * 60: '{"x":0.' + "1" * 60 + "}",
    },
}  # fmt: skip
COLUMN_OF = {"ms": "SELECT", "x": "EXTRA"}

_WHOLE = "whole is not a readable whole number of 64 bits"
_PRICE = "price is not a readable number with at most 12 digits and 6 behind the point"
_SHARE = "share is not a readable number that a double keeps"
REJECTED: dict[str, dict[str, str]] = {
    "word": {
        '"123456"': "word has 6 characters, at most 5 fit", "12": "word is a number, and text was expected",
        "true": "word is true or false, and text was expected", "[]": "word is a list, and text was expected",
        "{}": "word is an object, and text was expected", r'"a\u0000"': "word has a NUL character",
        '"\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"': "word has 6 characters, at most 5 fit",
    },
    "flag": {
        '"true"': "flag is text, and true or false was expected", "0": "flag is a number, and true or false was expected",
        '"abc"': "flag is text, and true or false was expected", "[]": "flag is a list, and true or false was expected",
    },
    "whole": {
        '"abc"': "whole is text, and a number was expected", '"1"': "whole is text, and a number was expected", "1.5": _WHOLE,
        '"1.5"': "whole is text, and a number was expected", "12e-1": _WHOLE, "9223372036854775808": _WHOLE, "-9223372036854775809": _WHOLE,
        "1e19": _WHOLE, "1e400": "whole is not a readable number", "1e-400": "whole is not a readable number", "14.0000001": _WHOLE,
        "true": "whole is true or false, and a number was expected", "{}": "whole is an object, and a number was expected",
    },
    "price": {
        "1.1234567": _PRICE, "1e-7": _PRICE, "1234567890123": _PRICE, "1234567890123.0": _PRICE, "1e12": _PRICE,
        "999999999999.9999999": _PRICE, '"1.5"': "price is text, and a number was expected", "-1234567890123": _PRICE,
    },
    "share": {
        "0.12345678901234567": _SHARE, "123456789012345678": _SHARE, "9007199254740993": _SHARE, "3.1415926535897931": _SHARE,
        "1e309": _SHARE, "-1e309": _SHARE, "1e-330": _SHARE, "1.2345e-320": _SHARE, "12345678901234567e10": _SHARE,
        "0.000000000000000000000123456789012345678": _SHARE, '"1"': "share is text, and a number was expected",
        '"NaN"': "share is text, and a number was expected",
    },
    "since": dict.fromkeys(
        ('"2026-02-30"', '"2023-02-29"', '"1900-02-29"', '"2026-2-3"', '"20260203"', '"0000-01-01"', '""', '" 2026-02-03"', '"2026-02-03 "',
         r'"2026-02-03\n"', '"2026-02-03T00:00:00Z"', '"infinity"', '"epoch"', '"10000-01-01"', '"abc"'),
        "since is not a readable date",
    ) | {"20260203": "since is a number, and text was expected"},
    "at": dict.fromkeys(
        ('"2026-02-28T01:02:03.1234567890Z"', '"2026-02-28T24:00:00Z"', '"2026-02-28T23:59:60Z"', '"2026-02-30T00:00:00Z"', '"2026-02-28"',
         '"2026-02-28t01:02:03z"', '"2026-02-28T01:02:03+00:00"', '"1600-01-01T00:00:00Z"', '"2300-01-01T00:00:00Z"', '""',
         r'"2026-02-28T01:02:03Z\n"', '"2026-02-28T01:60:03Z"', '"2026-02-28T01:02:03.Z"'),
        "at is not a readable time",
    ) | {"1770422400000": "at is a number, and text was expected"},
    "ms": dict.fromkeys(
        ("1770422400000.5", "9200000000001", "-9200000000001", "9223372036854775807", "9223372036854775808", "-9223372036854775808"),
        "ms is not a readable time",
    ) | {'"1"': "ms is text, and a number was expected"},
    "ns": dict.fromkeys(
        ("1.5", "9200000000000000001", "-9200000000000000001", "9223372036854775807", "-9223372036854775808", "9223372036854775808"),
        "ns is not a readable time",
    ) | {'"1"': "ns is text, and a number was expected"},
    "more": {'{"a":1,"a":2}': "a field stands twice in the row"},
}  # fmt: skip
UNREADABLE = [
    "NaN", "Infinity", "-Infinity", "nan", "00", "00.1", "+1", ".5", "1.", "0x10", "1_000", "'a'", "tru", "", r'"\ud800"', r'"\udc00x"',
    r'{"\ud800":1}', r'"\x"',
]  # fmt: skip


@pytest.mark.parametrize("field", STORED)
def test_a_value_is_stored_exactly(field: str) -> None:
    found = stage([row(field, sent, f"K{place}") for place, sent in enumerate(STORED[field])])
    kept = [one[COLUMN_OF.get(field, field.upper())] for one in found.stored]
    assert found.rejected == []
    assert dict(zip(STORED[field], kept, strict=True)) == STORED[field]


@pytest.mark.parametrize("field", REJECTED)
def test_a_value_that_cannot_be_stored_exactly_is_a_rejected_row(field: str) -> None:
    bad = [row(field, sent, f"K{place}") for place, sent in enumerate(REJECTED[field])]
    found = stage([row("word", '"x"', "B"), *bad, row("word", '"y"', "C")])
    assert dict(zip(REJECTED[field], found.reasons, strict=True)) == REJECTED[field]
    assert found.rejected == [(f"K{place}", found.reasons[place], sent) for place, sent in enumerate(bad)]
    assert [one["K"] for one in found.stored] == ["B", "C"]


@pytest.mark.parametrize("field", ["word", "share", "x", "more"])
def test_what_is_no_json_is_rejected_whatever_its_field(field: str) -> None:
    bad = [row(field, sent) for sent in UNREADABLE]
    found = stage([row("word", '"x"', "B"), *bad])
    assert found.rejected == [(None, "the row is not a JSON object that can be read", sent) for sent in bad]
    assert [one["K"] for one in found.stored] == ["B"]


def test_a_key_that_is_blank_is_a_rejected_row() -> None:
    blank = ['""', '" "', '"\u00a0"', '"\u200b"', "null", r'"\n\t"', r'"\u001f"', r'"\u001e"', '"\u3000\ufeff"']
    found = stage([*(f'{{"k":{sent}}}' for sent in blank), '{"word":"x"}', "{}", r'{"k":" a "}', r'{"k":"\u2028x"}'])
    assert found.reasons == ["k is missing"] * 11
    assert [one["K"] for one in found.stored] == [" a ", "\u2028x"]


def test_a_key_of_another_kind_or_too_long_is_a_rejected_row() -> None:
    assert stage(['{"k":5}', f'{{"k":"{"x" * 21}"}}']).rejected == [
        (None, "k is a number, and text was expected", '{"k":5}'),
        ("x" * 21, "k has 21 characters, at most 20 fit", f'{{"k":"{"x" * 21}"}}'),
    ]


def test_a_row_that_is_no_object_is_rejected() -> None:
    rows = ["[]", "1", '"x"', "null", "true", "[{}]"]
    assert stage(rows).rejected == [(None, "the row is not a JSON object that can be read", sent) for sent in rows]


def test_all_that_is_wrong_with_a_row_is_said() -> None:
    assert stage(['{"k":"A","word":"123456","whole":1.5,"since":"x"}']).reasons == [
        f"word has 6 characters, at most 5 fit; {_WHOLE}; since is not a readable date"
    ]
    assert stage(['{"k":"A","word":1,"flag":2,"since":"x"}']).reasons == [
        "word is a number, and text was expected; flag is a number, and true or false was expected"
    ]


def test_fields_that_differ_by_case_are_two() -> None:
    found = stage(['{"k":"A","T":"x","t":1}', '{"k":"B","t":2}', '{"k":"C","T":"y"}', '{"k":"D","T":1,"K":"d"}'])
    assert [(one["K"], one["T_UPPER"], one["T_LOWER"]) for one in found.stored] == [
        ("A", "x", "1"),
        ("B", None, "2"),
        ("C", "y", None),
    ]
    assert found.reasons == ["T is a number, and text was expected"]
    assert stage(['{"k":"A","Word":"x","WORD":1.50}']).stored[0]["EXTRA"] == '{"Word":"x","WORD":1.50}'


TWICE = [
    '{"k":"A","word":"x","word":"y"}',
    '{"k":"A","word":"x","word":"x"}',
    '{"k":"A","x":1,"x":2}',
    '{"k":"A","k":"A"}',
    '{"k":"A","x":{"y":[{"z":1,"z":2}]}}',
    r'{"k":"A","word":"x","\u0077ord":"y"}',
    '{"k":"A","word":null,"word":"y"}',
]


def test_a_field_that_stands_twice_is_a_rejected_row() -> None:
    found = stage([*TWICE, row("word", '"x"', "B")])
    assert found.rejected == [("A", "a field stands twice in the row", sent) for sent in TWICE]


def test_a_number_of_any_length_is_kept_however_its_row_is_written() -> None:
    """A blank behind a name lets the row be read with Python's json, which turns no 4,301 digits into a number."""
    long = "1" * 4_301
    found = stage([f'{{"k":"A","x" :{long}}}', twice := f'{{"k":"B","x":{long},"x" :{long}}}'])
    assert [one["EXTRA"] for one in found.stored] == [f'{{"x":{long}}}']
    assert found.rejected == [("B", "a field stands twice in the row", twice)]


NESTED_ROWS: dict[str, tuple[str | None, ...] | str] = {
    # CLOSE, VOLUME, DEEP, EXTRA
    '{"day":{"c":1.5,"v":14.0},"a":{"b":{"c":"x"}}}': ("1.500000", "14", "x", None),
    '{"day": {"c" : 1.5 }}': ("1.500000", None, None, None),
    '{"day":null}': (None, None, None, None),
    '{"day":{}}': (None, None, None, None),
    '{"day":{"c":null}}': (None, None, None, None),
    '{"a":{"b":null}}': (None, None, None, None),
    '{"day":{"vw":1.50,"c":1},"day.c":7}': ("1.000000", None, None, '{"day":{"vw":1.50},"day.c":7}'),
    '{"a":{"b":{"c":"1","d":[1]},"e":{}}}': (None, None, "1", '{"a":{"b":{"d":[1]},"e":{}}}'),
    '{"day":{"c":"1"}}': "day.c is text, and a number was expected",
    '{"day":{"c":1.1234567}}': "day.c is not a readable number with at most 12 digits and 6 behind the point",
    '{"day":3}': "day is a number, and an object was expected",
    '{"day":[]}': "day is a list, and an object was expected",
    '{"a":{"b":"t"}}': "a.b is text, and an object was expected",
    '{"a":"t"}': "a is text, and an object was expected",
    '{"day":{"c":1,"c":2}}': "a field stands twice in the row",
}


def test_a_path_leads_to_a_value_and_loses_nothing_on_the_way() -> None:
    sent = {f'{{"k":"K{place}",{row[1:]}': outcome for place, (row, outcome) in enumerate(NESTED_ROWS.items())}
    found = stage(list(sent), NESTED)
    kept = [tuple(one[name] for name in ("CLOSE", "VOLUME", "DEEP", "EXTRA")) for one in found.stored]
    assert kept == [outcome for outcome in sent.values() if isinstance(outcome, tuple)]
    refused = {text: outcome for text, outcome in sent.items() if isinstance(outcome, str)}
    assert {raw: reason for _, reason, raw in found.rejected} == refused


@pytest.mark.parametrize(
    ("precision", "scale", "stored", "rejected"),
    [
        (5, 5, {"0.5": ".50000", "-0.12345": "-.12345"}, ["1", "0.123456"]),
        (5, 0, {"5": "5", "12345.0": "12345"}, ["0.5", "123456"]),
        (38, 18, {"9" * 20 + "." + "9" * 18: "9" * 20 + "." + "9" * 18}, ["9" * 21, "0." + "1" * 19]),
        (1, 1, {"0.1": ".1"}, ["0.11", "1"]),
    ],
)
def test_a_decimal_of_any_size(precision: int, scale: int, stored: dict[str, str], rejected: list[str]) -> None:
    columns = (COLUMNS[0], Column("D", decimal(precision, scale), "A decimal.", "d"), *COLUMNS[-2:])
    found = stage([row("d", sent, f"K{place}") for place, sent in enumerate([*stored, *rejected])], columns)
    assert [one["D"] for one in found.stored] == list(stored.values())
    assert len(found.rejected) == len(rejected)


_texts = st.text(max_size=6) | st.sampled_from([NULL, CELL, "\n", "\r", '":', "null", "\\", '"', "a" + CELL])
_numbers = (
    st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.sampled_from(["-0", "1.50", "1e5"])
)
_values = st.one_of(
    _texts.map(json.dumps), _numbers, st.sampled_from(["true", "false", "null", "[1, 2]", '{"a":1}', '{"a" :null}'])
)
_rows = st.dictionaries(
    st.sampled_from([str(column.field) for column in COLUMNS if column.field]) | st.just("other"), _values, max_size=6
)
_blanks = st.sampled_from(["", "", "", " ", "\n"])


@given(st.lists(_rows, min_size=1, max_size=4), _blanks)
@settings(max_examples=150, deadline=None)
def test_what_is_read_in_one_step_is_what_is_read_field_by_field(rows: list[dict[str, str]], blank: str) -> None:
    sent = ["{" + ",".join(f'"{name}":{blank}{value}' for name, value in fields.items()) + "}" for fields in rows]
    reader = RowReader(made_up().part.dataset)
    lines = reader.plain(sent)
    if lines is None:
        return
    for line, text in zip(lines, sent, strict=True):
        odd = reader.odd(text)
        cells: list[Any] = [None if cell == NULL else cell for cell in line.split(CELL)]
        assert (odd.cells, odd.extra, odd.fault) == (cells, None, None)


def test_a_plain_page_is_read_in_one_step() -> None:
    """So that the property above is about something."""
    reader = RowReader(made_up().part.dataset)
    lines = reader.plain([row("word", '"x"'), row("whole", "5", "B")])
    assert lines is not None
    assert [line.replace(NULL, "").strip(CELL).split(CELL)[0] for line in lines] == ["A", "B"]
    assert reader.plain([row("word", '"x"'), row("other", "5")]) is None
