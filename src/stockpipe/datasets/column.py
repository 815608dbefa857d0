"""What a column is: its name, its type, where its value is in a row of the API, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "flag", "int", "decimal", "float", "date", "timestamp", "json"]
Sent = Literal["text", "flag", "number", "epoch_ms", "epoch_ns", "any"]
Role = Literal["field", "day", "unknown", "until", "number", "version", "pulled"]


@dataclass(frozen=True)
class Type:
    """How a value is stored, and how the API sends it.

    `width`: the most characters of a text. `precision` and `scale`: digits of a decimal in all, and behind the point.
    `role`: `day` is the partition `DS`, or the first day of a version; `unknown` holds the fields that a declaration does
    not name; `until`, `number` and `version` are columns of every table of versions (`kinds.VERSION_COLUMNS`). All
    others are fields of the API, or columns that stockpipe fills. `pulled` is the moment at which a list was asked for.
    """

    kind: Kind
    sent: Sent
    width: int | None = None
    precision: int = 0
    scale: int = 0
    role: Role = "field"


def text(width: int | None = None) -> Type:
    """Text as it came, at most `width` characters; a longer one is a rejected row, never cut."""
    return Type("text", "text", width)


def decimal(precision: int, scale: int) -> Type:
    """A number with `precision` digits in all, `scale` of them behind the point (1 to 38); never rounded."""
    return Type("decimal", "number", precision=precision, scale=scale)


FLAG = Type("flag", "flag")
"""true or false."""
INTEGER = Type("int", "number")
"""A whole number of 64 bits with sign; a fraction is a rejected row."""
FLOAT = Type("float", "number")
"""A double. A number with more digits than it keeps is a rejected row."""
DATE = Type("date", "text")
"""A calendar day, sent as YYYY-MM-DD."""
TIMESTAMP = Type("timestamp", "text")
"""A moment in UTC to the nanosecond, sent as RFC 3339 with `Z`."""
EPOCH_MS = Type("timestamp", "epoch_ms")
"""A moment in UTC, sent as milliseconds since 1970."""
EPOCH_NS = Type("timestamp", "epoch_ns")
"""A moment in UTC, sent as nanoseconds since 1970."""
JSON = Type("json", "any")
"""Any JSON, kept as it was sent."""
DAY = Type("date", "text", role="day")
"""The day of the partition (`DS`), which no field of the API says."""
UNTIL = Type("date", "text", role="until")
"""The day from which a version no longer holds; null while it does."""
NUMBER = Type("int", "number", role="number")
"""Tells rows apart that a list has several times, from 1."""
VERSION = Type("text", "text", width=32, role="version")
"""Digest of what makes a version."""
PULLED = Type("timestamp", "text", role="pulled")
"""The moment (UTC) at which a load began, where each pull counts."""
UNKNOWN = Type("json", "any", role="unknown")
"""The fields that the API sent and the declaration does not name."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `field` is the API's own name, a path such as `day.c` where the value lies deeper, None where the column is ours.
    A row without a value for a `required` field is rejected. `unit` and `example` are for the documentation.
    """

    name: str
    type: Type
    meaning: str
    field: str | None = None
    required: bool = False
    unit: str = ""
    example: str = ""

    @property
    def kind(self) -> Kind:
        """How the value is stored."""
        return self.type.kind

    @property
    def width(self) -> int | None:
        """The most characters of a text; None for no limit, and for other kinds."""
        return self.type.width
