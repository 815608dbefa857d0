"""A row of the API as text cells: one for each declared field, as it was sent.

Most pages are plain: every row has only declared fields, each of its declared kind. Such a page is read in one step and
handed on as delimited text, which DuckDB reads faster than a Python list. A row that is not plain is read field by
field: it gets its cells too, the fields that nobody declared, and the reason if it cannot be stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from stockpipe.datasets import Column, Dataset

# Between cells, in place of a null, between rows. No plain row contains one of them.
CELL, NULL, ROW = "\x1f", "\x1e", "\n"
LARGEST_ROW = 1024 * 1024
"""The most characters of a row; a larger one is rejected."""

_JSON_KINDS = {"{": "an object", "[": "a list", '"': "text", "t": "true or false", "f": "true or false"}
_WANTED = {"text": "text", "flag": "true or false"}
_FLAGS = {True: "true", False: "false", None: NULL, NULL: NULL}
_BLANKS = (" :", "\n:", "\r:", "\t:")
_CELL, _NULL = CELL.encode(), NULL.encode()
_DIGITS, _EXPONENT = b"0123456789.-" + _CELL + _NULL, b"eE+"
_PYTHON_TYPES: dict[str, Any] = {"text": str | None, "flag": bool | None}
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class Odd:
    """A row that is not plain: its cells, the fields that are not declared (JSON), and why it cannot be stored."""

    cells: list[str | None]
    extra: str | None = None
    fault: str | None = None


class RowReader:
    """Reads the rows of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._columns = dataset.fields
        self._paths = [str(column.field).split(".") for column in self._columns]
        # A path such as day.c needs a look into the row: such a dataset has no plain rows.
        self._decoder = None if any("." in str(column.field) for column in self._columns) else self._page_decoder()

    def plain(self, rows: Sequence[str]) -> list[str] | None:
        """The rows as delimited text, a line each; None when one of them is not plain."""
        if self._decoder is None:
            return None
        page = f"[{','.join(rows)}]"
        try:
            values = list(zip(*map(msgspec.structs.astuple, self._decoder.decode(page)), strict=True))
        except (msgspec.MsgspecError, RecursionError):
            return None
        if len(values) != len(self._columns) or len(values[0]) != len(rows):
            return None
        may_be_null = "null" in page
        columns = [
            _as_text(column, cells, may_be_null=may_be_null)
            for column, cells in zip(self._columns, values, strict=True)
        ]
        # So many quotation marks there are when no name stands twice and no value has one.
        if any(one is None for one in columns) or page.count('"') != sum(one.quotes for one in columns if one):
            return None
        lines = list(map(CELL.join, zip(*(one.texts for one in columns if one), strict=True)))
        return lines if _is_clean(lines, len(columns)) else None

    def odd(self, row: str) -> Odd:
        """A row read field by field."""
        nothing: list[str | None] = [None] * len(self._columns)
        if len(row) > LARGEST_ROW:
            return Odd(nothing, fault=f"the row has {len(row):,} characters, at most {LARGEST_ROW:,} fit")
        try:
            fields = _fields.decode(row)
            if _names(row) != len(fields) and _has_a_field_twice(row):
                return Odd(self._cells(fields, []), fault="a field stands twice in the row")
        except RecursionError:
            return Odd(nothing, fault="the row is nested too deeply to be read")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return Odd(nothing, fault="the row is not a JSON object that can be read")
        faults: list[str] = []
        cells = self._cells(fields, faults)
        return Odd(cells, _unknown(fields, self._paths), "; ".join(dict.fromkeys(faults)) or None)

    def key(self, row: str, column: Column) -> str | None:
        """One field of a row as text; None where the row has none that can be read."""
        if len(row) > LARGEST_ROW:
            return None
        try:
            value = _cell(column, _found(_fields.decode(row), str(column.field).split("."), []), [])
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return None
        return value.replace("\0", "?") if value else None

    def _page_decoder(self) -> msgspec.json.Decoder[Any]:
        declared = [
            (f"f{n}", _PYTHON_TYPES.get(column.type.sent, msgspec.Raw), _declared(column))
            for n, column in enumerate(self._columns)
        ]
        row = msgspec.defstruct("Row", declared, gc=False, forbid_unknown_fields=True)
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]

    def _cells(self, fields: dict[str, msgspec.Raw], faults: list[str]) -> list[str | None]:
        return [
            _cell(column, _found(fields, path, faults), faults)
            for column, path in zip(self._columns, self._paths, strict=True)
        ]


class _Texts(NamedTuple):
    """The values of a column as text, NULL in place of a null, and how many quotation marks the JSON of them has, with their names."""

    texts: Sequence[str]
    quotes: int


def _as_text(column: Column, values: Sequence[Any], *, may_be_null: bool) -> _Texts | None:
    """The values of a column; None when one of them must be looked at more closely."""
    if column.type.sent not in ("text", "flag"):
        return _raw_as_text(column, values, may_be_null=may_be_null)
    names = len(values) - values.count(NULL)
    if column.type.sent == "flag":
        return _Texts([_FLAGS[value] for value in values], 2 * names)
    nulls = values.count(None) if may_be_null else 0
    texts = [NULL if value is None else value for value in values] if nulls else values
    return _Texts(texts, 2 * names + 2 * (names - nulls))


def _raw_as_text(column: Column, values: Sequence[msgspec.Raw], *, may_be_null: bool) -> _Texts | None:
    """Values as they were sent: all at once, as one after the other takes five times as long."""
    joined = _CELL.join(values)
    texts = joined.decode().split(CELL)
    if len(texts) != len(values):
        return None
    quotes = 2 * (len(values) - joined.count(_NULL))
    if may_be_null:
        texts = [NULL if text == "null" else text for text in texts]
    if column.type.sent == "any":
        # In an object a name may stand twice.
        return None if b"{" in joined else _Texts(texts, quotes + joined.count(b'"'))
    signs = (joined.replace(b"null", b"") if may_be_null else joined).translate(None, _DIGITS)
    if not signs:
        return _Texts(texts, quotes)
    found = None if signs.translate(None, _EXPONENT) else _without_exponents(column, texts)
    return _Texts(found, quotes) if found else None


def _without_exponents(column: Column, texts: Sequence[str]) -> Sequence[str] | None:
    """Numbers of which some have an exponent, as large volumes do; None when one of them cannot be read."""
    faults: list[str] = []
    found = [_plain_number(column, text, faults) or NULL for text in texts]
    return None if faults else found


def _declared(column: Column) -> Any:
    return msgspec.field(name=column.field, default=NULL if column.type.sent in _PYTHON_TYPES else msgspec.Raw(_NULL))


def _is_clean(lines: list[str], columns: int) -> bool:
    """Whether the text has no separator but those that were put there, and nothing that DuckDB's reader stumbles over."""
    text = ROW.join(lines)
    return (
        text.count(ROW) == len(lines) - 1
        and text.count(CELL) == len(lines) * (columns - 1)
        and "\r" not in text
        and "\0" not in text
    )


def _names(text: str) -> int | None:
    """How many names of fields a JSON text has at most: each has its colon at once behind it. None where that is not so.

    Text in a value may look like a name too. So when the number is that of the fields that were read, none stands twice.
    """
    return None if any(blank in text for blank in _BLANKS) else text.count('":')


def _has_a_field_twice(row: str) -> bool:
    """Whether a name stands twice in an object of the row; the JSON is known to be whole."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) != len(pairs)

    # Python turns no text of more than 4,300 digits into a number.
    json.loads(row, object_pairs_hook=look, parse_int=str)
    return found


def _found(fields: dict[str, msgspec.Raw], path: Sequence[str], faults: list[str]) -> str | None:
    """The JSON text of a field, None where it is absent or null. A path such as day.c leads into an object.

    What stands where that object should be is a fault.
    """
    for depth, name in enumerate(path, start=1):
        raw = fields.get(name)
        value = None if raw is None else str(raw, "utf-8")
        if value is None or value == "null":
            return None
        if depth == len(path):
            return value
        if not value.startswith("{"):
            faults.append(f"{'.'.join(path[:depth])} is {_kind(value)}, and an object was expected")
            return None
        fields = _fields.decode(value)
    return None


def _unknown(fields: dict[str, msgspec.Raw], paths: Sequence[Sequence[str]]) -> str | None:
    """The fields that no path leads to, as a JSON object, every value as it was sent; None when all are known.

    An object on the way of a path is there with its own unknown fields only: {"day":{"vw":1.50}} beside day.c.
    """
    found: list[str] = []
    for name, raw in fields.items():
        deeper = [path[1:] for path in paths if path[0] == name]
        value: str | None = str(raw, "utf-8")
        if deeper:
            is_passed = all(deeper) and str(value).startswith("{")
            value = _unknown(_fields.decode(raw), deeper) if is_passed else None
        if value is not None:
            found.append(f"{_quoted(name)}:{value}")
    return f"{{{','.join(found)}}}" if found else None


def _cell(column: Column, value: str | None, faults: list[str]) -> str | None:
    """The text of a value as it was sent; a fault is noted when it is of another kind than declared."""
    if value is None or column.type.sent == "any":
        return value
    kind, wanted = _kind(value), _WANTED.get(column.type.sent, "a number")
    if kind != wanted:
        faults.append(f"{column.field} is {kind}, and {wanted} was expected")
        return None
    if wanted == "text":
        return _readable(column, value, faults)
    return value if wanted == "true or false" else _plain_number(column, value, faults)


def _kind(value: str) -> str:
    return _JSON_KINDS.get(value[0], "a number")


def _readable(column: Column, value: str, faults: list[str]) -> str | None:
    try:
        read = _text.decode(value)
        read.encode()
    except (msgspec.MsgspecError, UnicodeEncodeError):
        faults.append(f"{column.field} is not readable text")
        return None
    if "\0" in read:
        faults.append(f"{column.field} has a NUL character")
    return read.replace("\0", "?")


def _plain_number(column: Column, value: str, faults: list[str]) -> str | None:
    """A number without an exponent, every digit kept."""
    if "e" not in value and "E" not in value:
        return value
    try:
        number = Decimal(value)
        if not -400 < number.adjusted() < 400:
            raise InvalidOperation
    except InvalidOperation:
        faults.append(f"{column.field} is not a readable number")
        return None
    return f"{number:f}"


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
