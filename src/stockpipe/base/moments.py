"""A moment with every digit: Python's own datetime holds microseconds, and the vendor's stamps have nanoseconds."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Self

_BEYOND = re.compile(r"\.\d{6}(\d{1,3})(?!\d)")
_YEAR = re.compile(r"\d{4}-")


class Moment(datetime):
    """A datetime that also keeps `nanosecond`, the three digits behind the microsecond (0 to 999).

    Whatever is calculated from it is an ordinary datetime again, without these digits.
    """

    nanosecond = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """The moment that a warehouse writes, such as `2026-02-07 07:05:42.81804786` or `2026-02-07 07:05:42+00`.

        ValueError for what no datetime can hold: a year before 1 or after 9999, `infinity`.
        """
        if not _YEAR.match(text):
            raise ValueError(text)
        moment = cls.fromisoformat(text)
        if beyond := _BEYOND.search(text):
            moment.nanosecond = int(beyond[1].ljust(3, "0"))
        return moment

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """ISO 8601 with every digit there is, and no zeros at the end of a fraction."""
        if timespec != "auto":
            return super().isoformat(sep, timespec)
        micro = f"{self.microsecond:06}"
        digits = f"{micro}{self.nanosecond:03}".rstrip("0")
        return super().isoformat(sep, "microseconds").replace(f".{micro}", f".{digits}" if digits else "", 1)
