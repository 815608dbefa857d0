"""How a value is written, in a table, a CSV line and JSON: in one place, with every digit, the same in all commands."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from itertools import chain, count
from typing import Any

from stockpipe.warehouse import QueryResult


class Json(str):
    """A text that is JSON already: it stands in a document as it is, so that no digit of it is lost."""

    __slots__ = ()


def as_text(value: Any) -> str:
    """A value for a table or a CSV line; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return json_text(value, indent=None) if isinstance(value, dict | list | tuple) else str(value)


def is_number(value: Any) -> bool:
    """Whether a value is written to the right of its column."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def rounded(value: Any) -> Any:
    """A float as people read it: six places behind the point, or six digits where it is smaller than 1.

    33.449999999999996 is 33.45, and 0.000012345678 is 1.23457e-05. Other values stay as they are.
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return round(value, 6) if abs(value) >= 1 else float(f"{value:.6g}")


def is_rounded(value: Any) -> bool:
    """Whether `rounded` gives another number."""
    return isinstance(value, float) and math.isfinite(value) and rounded(value) != value


def without_common_zeros(values: list[Any]) -> list[Any]:
    """The decimals of a column without the zeros that end all of them: 14.270000 and 7.600000 are 14.27 and 7.60."""
    if not all(value is None or (isinstance(value, Decimal) and value.is_finite()) for value in values):
        return values
    places = max((_places(value) for value in values if value is not None), default=0)
    return [value if value is None else _at_most(value, places) for value in values]


def _places(value: Decimal) -> int:
    """How many places behind the point say something."""
    return len(format(value, "f").partition(".")[2].rstrip("0"))


def _at_most(value: Decimal, places: int) -> Decimal:
    whole, _, rest = format(value, "f").partition(".")
    return Decimal(f"{whole}.{rest[:places]}")


def number_of(count: int, what: str) -> str:
    """A number with its word: `1 row`, `1,234 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def json_text(value: Any, indent: int | None = 2) -> str:
    """A value as JSON: numbers with every digit, dates and times in ISO 8601, bytes in hexadecimal digits.

    What JSON has no number for (NaN, infinity) is text. `indent` None writes it on one line.
    """
    return "".join(_pieces(value, indent, "\n"))


def _pieces(value: Any, indent: int | None, line: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        members = ((f"{_scalar(_key(key))}: ", member) for key, member in value.items())
        yield from _within("{}", members, indent, line)
    elif isinstance(value, list | tuple):
        yield from _within("[]", (("", member) for member in value), indent, line)
    else:
        yield _scalar(value)


def _within(ends: str, members: Iterable[tuple[str, Any]], indent: int | None, line: str) -> Iterator[str]:
    inner = "" if indent is None else line + " " * indent
    before = ends[0] + inner
    for name, member in members:
        yield before + name
        yield from _pieces(member, indent, inner)
        before = ", " if indent is None else f",{inner}"
    none = before == ends[0] + inner
    yield ends if none else ("" if indent is None else line) + ends[1]


def _key(key: Any) -> str:
    """A map of DuckDB may have dates or numbers as keys; JSON has texts."""
    return key if isinstance(key, str) else key.isoformat() if isinstance(key, date | time) else as_text(key)


def _scalar(value: Any) -> str:
    if isinstance(value, Json):
        return str(value)
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return as_text(value)
    text = value.isoformat() if isinstance(value, date | time) else as_text(value)
    return json.dumps(text, ensure_ascii=False)


def documents(found: QueryResult) -> list[dict[str, Any]]:
    """The rows of an answer for `json_text`: keys in lower case, each once, and JSON as what it is, not as text."""
    names = apart([name.lower() for name in found.columns])
    columns: Sequence[Callable[[Any], Any]] = [
        _as_json if place in found.documents else _same for place in range(len(names))
    ]
    return [{name: read(cell) for name, read, cell in zip(names, columns, row, strict=True)} for row in found.rows]


def apart(columns: list[str]) -> list[str]:
    """The names of columns, each once: a second `a` is `a_2`, so that no column takes another one's place."""
    names: dict[str, None] = {}
    for column in columns:
        others = (f"{column}_{number}" for number in count(2))
        free = (name for name in chain([column], others) if name not in names)
        names[next(name for name in free if name == column or name not in columns)] = None
    return list(names)


def _as_json(cell: Any) -> Any:
    """A cell that the warehouse calls JSON; text that is none all the same stays text."""
    if not isinstance(cell, str):
        return cell
    try:
        json.loads(cell, parse_constant=_refuse, parse_int=str)
    except (ValueError, RecursionError):
        return cell
    return Json(cell)


def _refuse(word: str) -> None:
    raise ValueError(word)


def _same(cell: Any) -> Any:
    return cell
