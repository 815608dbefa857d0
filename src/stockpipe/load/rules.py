"""What makes a cell good, as SQL: one list of rules for each column, and the column's value typed.

The cells are text (`rows.py`), in columns c1, c2, ... in the order of the dataset's fields. A rule has a test, which is
true or null for a cell that cannot be stored exactly, and a message. For the tickers' CIK, which is field 9:

    test      length(c9) > 20
    message   'cik has ' || length(c9) || ' characters, at most 20 fit'
"""

from __future__ import annotations

from dataclasses import dataclass

from stockpipe.base.text import literal
from stockpipe.datasets import Column, Part, Partition

# RFC 3339 in UTC with 0 to 9 digits of a second: what the API sends, and all that nanoseconds can hold.
_MOMENT = r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$"
_LAST_MS = 9_200_000_000_000  # in the year 2261; a TIMESTAMP_NS holds no later one
_NANOSECONDS_OF_A_MS = 1_000_000
_USUAL_SIZE = "1e-300 AND 1e300"  # nearer to zero a double keeps fewer digits, in the end none


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a cell: the test and the message, both SQL."""

    test: str
    message: str


def rules(part: Part) -> list[Rule]:
    """All rules for the rows of a part, in the order of the columns."""
    found: list[Rule] = []
    optional = part.rules.optional
    for number, column in enumerate(part.dataset.fields, start=1):
        cell = f"c{number}"
        if column.required and column.name not in optional:
            found.append(Rule(_is_blank(cell), f"'{column.field} is missing'"))
        found += _of_kind(column, cell)
        if column.name in part.values:
            found.append(Rule(f"{cell} <> {_word(part, column)}", f"'{column.field} is not what was asked for'"))
    return found


def day_rule(partition: Partition) -> list[Rule]:
    """The rule of a row that says its day: it is that of the partition."""
    fields = partition.part.dataset.fields
    return [
        Rule(f"c{number} <> '{partition.ds.isoformat()}'", f"'{column.field} is not the day that was asked for'")
        for number, column in enumerate(fields, start=1)
        if column.type.role == "day"
    ]


def typed(column: Column, cell: str) -> str:
    """The value of a cell that breaks no rule, as its column stores it."""
    kind, sent = column.type.kind, column.type.sent
    if sent == "epoch_ms":
        return f"make_timestamp_ns({_whole(cell)} * {_NANOSECONDS_OF_A_MS})"
    if sent == "epoch_ns":
        return f"make_timestamp_ns({_whole(cell)})"
    match kind:
        case "text" | "json":
            return cell
        case "int":
            return _whole(cell)
        case "decimal":
            return f"TRY_CAST({cell} AS DECIMAL({column.type.precision},{column.type.scale}))"
        case "flag":
            return f"TRY_CAST({cell} AS BOOLEAN)"
        case "float":
            return f"TRY_CAST({cell} AS DOUBLE)"
        case "date":
            return f"TRY_CAST({cell} AS DATE)"
    return f"TRY_CAST({cell} AS TIMESTAMP_NS)"


def _is_blank(cell: str) -> str:
    """Empty, or nothing but white space and what cannot be seen. What begins with a plain sign is neither."""
    return f"{cell} IS NULL OR ({cell} < '!' OR {cell} > '~') AND regexp_full_match({cell}, '[\\s\\p{{Z}}\\p{{C}}]*')"


def _of_kind(column: Column, cell: str) -> list[Rule]:
    match column.type.kind:
        case "text":
            return _text(column, cell)
        case "int":
            return [_unreadable(column, cell, rf"NOT regexp_full_match({cell}, '-?\d+(\.0+)?') OR {_whole(cell)} IS NULL", "whole number of 64 bits")]  # fmt: skip
        case "decimal":
            return [_decimal(column, cell)]
        case "float":
            return [_unreadable(column, cell, _is_no_float(cell), "number that a double keeps")]
        case "date":
            return [_unreadable(column, cell, rf"NOT regexp_full_match({cell}, '\d{{4}}-\d{{2}}-\d{{2}}') OR {cell} < '0001' OR TRY_CAST({cell} AS DATE) IS NULL", "date")]  # fmt: skip
        case "timestamp":
            return [_unreadable(column, cell, _is_no_moment(column, cell), "time")]
        case "json":
            return [_unreadable(column, cell, f"NOT json_valid({cell})", "JSON value")]
    return []


def _text(column: Column, cell: str) -> list[Rule]:
    if not column.width:
        return []
    message = f"'{column.field} has ' || length({cell}) || ' characters, at most {column.width} fit'"
    return [Rule(f"length({cell}) > {column.width}", message)]


def _decimal(column: Column, cell: str) -> Rule:
    """Zeros at the end of the fraction are no digits; a regular expression of RE2 counts to 1000 at most.

    The cell is a JSON number, so it has a digit: either side may have none to give.
    """
    whole, scale = column.type.precision - column.type.scale, column.type.scale
    test = rf"NOT regexp_full_match({cell}, '-?0*\d{{0,{whole}}}(\.\d{{0,{scale}}}0*)?')"
    return _unreadable(column, cell, test, f"number with at most {whole} digits and {scale} behind the point")


def _is_no_float(cell: str) -> str:
    """A double of a usual size keeps any 15 digits; else the shortest text of the double must have the digits that were sent."""
    value = f"TRY_CAST({cell} AS DOUBLE)"
    sent, kept = _digits(cell), _digits(f"regexp_replace({value}::VARCHAR, 'e.*', '')")
    is_usual = f"length({sent}) <= 15 AND abs({value}) BETWEEN {_USUAL_SIZE}"
    return f"{value} IS NULL OR isinf({value}) OR NOT ({is_usual}) AND {sent} <> {kept}"


def _digits(number: str) -> str:
    """The digits that count in a number without an exponent: 12 of 0.0120."""
    return rf"trim(regexp_replace({number}, '[-.]', '', 'g'), '0')"


def _is_no_moment(column: Column, cell: str) -> str:
    if column.type.sent == "text":
        return f"NOT regexp_matches({cell}, '{_MOMENT}') OR TRY_CAST({cell} AS TIMESTAMP_NS) IS NULL"
    most = _LAST_MS if column.type.sent == "epoch_ms" else _LAST_MS * _NANOSECONDS_OF_A_MS
    return rf"NOT regexp_full_match({cell}, '-?\d+(\.0+)?') OR {_whole(cell)} IS NULL OR {_whole(cell)} NOT BETWEEN -{most} AND {most}"


def _unreadable(column: Column, cell: str, test: str, what: str) -> Rule:
    return Rule(f"{cell} IS NOT NULL AND ({test})", f"'{column.field} is not a readable {what}'")


def _whole(cell: str) -> str:
    return f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"


def _word(part: Part, column: Column) -> str:
    value = part.values[column.name]
    return literal(str(value).lower() if isinstance(value, bool) else value)
