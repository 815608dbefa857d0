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
from datetime import time
from typing import ClassVar, Literal

from stockpipe.datasets.column import DAY, NUMBER, UNTIL, VERSION, Column

Write = Literal["replace", "merge"]
Calendar = Literal["every day", "sessions"]


@dataclass(frozen=True)
class Snapshot:
    """The whole list, now or as of a day. `build_stamp` is the column whose date tells the vendor's build.

    `empty_until` is the time in New York before which a list without rows is no fault.
    """

    build_stamp: str | None = None
    empty_until: time | None = None
    write: ClassVar[Write] = "replace"
    calendar: ClassVar[Calendar] = "every day"


@dataclass(frozen=True)
class DayFacts:
    """What happened on a day. On a day without a session there is nothing to load, and that is a recorded success.

    `ready`: from this time of the next day on (New York), a day is complete and can be had on every plan. `members` is the
    dataset whose usual part lists those that most rows are of.
    """

    ready: time = time(11)
    members: str | None = None
    write: ClassVar[Write] = "replace"
    calendar: ClassVar[Calendar] = "sessions"


@dataclass(frozen=True)
class Versions:
    """A list that the vendor restates: rows change, come and go, ids included.

    A row is known by the dataset's key; rows that share one are numbered. `unversioned` columns are renewed in the newest
    version and never make one; nor do fields that are not declared. `covers` is the column with the day of an event: a
    list says nothing of events before its own first one, so that a plan with two years of history closes nothing that
    lies before. Without it a list is the whole truth.
    """

    unversioned: tuple[str, ...] = ()
    covers: str | None = None
    write: ClassVar[Write] = "merge"
    calendar: ClassVar[Calendar] = "every day"


DatasetKind = Snapshot | DayFacts | Versions

VERSION_COLUMNS = (
    Column("OCCURRENCE", NUMBER, "1; counts up where the list has several rows that are alike in what names them."),
    Column("KNOWN_FROM", DAY, "The day (New York) from which this version was known."),
    Column("KNOWN_TO", UNTIL, "The day from which it was known no longer; null while it is."),
    Column("VERSION_HASH", VERSION, "Digest of what makes the version; columns that only make noise are left out."),
)
"""What every table of versions has: half-open in time, so KNOWN_FROM <= d AND (KNOWN_TO > d OR KNOWN_TO IS NULL) on d."""
