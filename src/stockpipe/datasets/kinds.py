"""The three kinds of dataset. They differ in what is replaced, when a day is expected, and what an empty answer means.

| | `Snapshot` | `DayFacts` | `Versions` |
|---|---|---|---|
| a call asks for | the whole list, now or as of a day | one day | a list that is restated, whole or a window of it |
| written by | replacing DS and the part | replacing DS | closing and opening versions (SCD type 2) |
| no rows | refused | nothing to load, where no session was held | no news |
| a day is expected | every calendar day | every session | every calendar day |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Write = Literal["replace", "merge"]
Calendar = Literal["every day", "sessions"]


@dataclass(frozen=True)
class Snapshot:
    """The whole list, now or as of a day. `build_stamp` is the column whose date tells the vendor's build."""

    build_stamp: str | None = None
    write: ClassVar[Write] = "replace"
    calendar: ClassVar[Calendar] = "every day"


@dataclass(frozen=True)
class DayFacts:
    """What happened on a day. On a day without a session there is nothing to load, and that is a recorded success."""

    write: ClassVar[Write] = "replace"
    calendar: ClassVar[Calendar] = "sessions"


@dataclass(frozen=True)
class Versions:
    """A list that the vendor restates: rows change, come and go, ids included.

    A row is known by the dataset's key. `unversioned` columns are renewed in the newest version and never make one.
    """

    unversioned: tuple[str, ...] = ()
    write: ClassVar[Write] = "merge"
    calendar: ClassVar[Calendar] = "every day"


DatasetKind = Snapshot | DayFacts | Versions
