"""What a person decided: two stretches that are the same security, or different ones.

The file is CSV with the columns decision, from, to, why. From and to are a ticker on a day on which it was listed,
`FB@2022-06-08`, or a security's id, `FB.20120518`, which names a ticker and a day too.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date

COLUMNS = ("decision", "from", "to", "why")
DECISIONS = ("same", "different")
_AT = re.compile(r"(?P<ticker>\S{1,40}?)(?:@(?P<day>\d{4}-\d{2}-\d{2})|\.(?P<digits>\d{8}))")

Place = tuple[str, date]
"""A ticker on a day."""


class BadOverrides(ValueError):
    """A line that cannot be read; the text says which, and what is wrong."""


@dataclass(frozen=True)
class Override:
    """One line of the file."""

    line: int
    decision: str
    earlier: Place
    later: Place
    why: str

    def __str__(self) -> str:
        one, two = (f"{ticker}@{day}" for ticker, day in (self.earlier, self.later))
        return f"line {self.line} ({self.decision}: {one}, {two})"


def parse(text: str) -> tuple[Override, ...]:
    """The overrides in a file's text; an empty line or one that begins with # is none. BadOverrides for a typo."""
    rows = [
        (number, row)
        for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff"))), start=1)
        if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#")
    ]
    if not rows:
        return ()
    number, head = rows[0]
    if tuple(cell.strip().lower() for cell in head) != COLUMNS:
        raise BadOverrides(f"line {number} must name the columns {','.join(COLUMNS)}, and is {','.join(head)!r}")
    return tuple(_override(number, [cell.strip() for cell in row]) for number, row in rows[1:])


def _override(number: int, row: list[str]) -> Override:
    if len(row) != len(COLUMNS):
        raise BadOverrides(
            f"line {number} has {len(row)} cells where {len(COLUMNS)} are needed (a comma in a cell needs double quotes)"
        )
    decision, one, two, why = row
    if decision.lower() not in DECISIONS:
        raise BadOverrides(f"line {number} says {decision!r}: it must be {' or '.join(DECISIONS)}")
    if not why:
        raise BadOverrides(f"line {number} does not say why")
    earlier, later = sorted((_place(number, one), _place(number, two)), key=lambda place: (place[1], place[0]))
    return Override(number, decision.lower(), earlier, later, why)


def _place(number: int, text: str) -> Place:
    found = _AT.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        digits = found["digits"]
        day = date.fromisoformat(found["day"] or f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    except ValueError:
        raise BadOverrides(f"line {number} has {text!r}: write TICKER@YYYY-MM-DD, or a security's id") from None
    return found["ticker"], day
