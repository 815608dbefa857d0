"""Where a day came from: an API's host, or a sandbox and its market; the current list, or dated records.

The run records keep it as one text in SOURCE, such as `https://api.massive.com (current)` or
`sandbox (synthetic seed=7) at http://127.0.0.1:8765 (dated)`. Versions before 2.1 wrote it without the last brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from stockpipe.base.text import is_loopback, printable
from stockpipe.warehouse.runs import RunRecord

SAMPLE = "LIKE 'sandbox (%'"
"""What follows SOURCE in SQL where a record is of sample data."""

_TEXT = re.compile(r"(?:sandbox \((?P<label>.*)\) at )?(?P<base_url>\S*)(?: \((?P<list>current|dated)\))?")
_LONGEST_LABEL, _LONGEST_URL = 90, 80
# The vendor has two names: it was Polygon.io until 2025.
_SAME_HOSTS = {"api.polygon.io": "api.massive.com"}


@dataclass(frozen=True)
class Source:
    """Where a day came from. `sandbox` is the label of the sandbox's market, None for an API.

    `dated` is None where a record does not tell whether the day is the current list or dated records.
    """

    base_url: str
    sandbox: str | None = None
    dated: bool | None = None

    @classmethod
    def of(cls, record: RunRecord) -> Source:
        """The source of a recorded day. An older record with the date of a build is of a current list."""
        found = cls.read(record.source)
        return replace(found, dated=False) if found.dated is None and record.build_date else found

    @classmethod
    def read(cls, text: str | None) -> Source:
        """The source in a record's SOURCE."""
        found = _TEXT.fullmatch(text or "")
        if found is None:
            return cls(text or "")
        return cls(found["base_url"], found["label"], {"current": False, "dated": True}.get(found["list"]))

    def __str__(self) -> str:
        """The text for SOURCE, at most 200 characters."""
        text = self.base_url[:_LONGEST_URL]
        if self.sandbox is not None:
            text = f"sandbox ({printable(self.sandbox)[:_LONGEST_LABEL]}) at {text}"
        return text if self.dated is None else f"{text} ({'dated' if self.dated else 'current'})"

    @property
    def is_sample(self) -> bool:
        """Whether the day is sample data."""
        return self.sandbox is not None

    @property
    def kind(self) -> str:
        """What two days of one table must have in common, as people read it; "" where a record does not tell it.

        The port and the scheme do not count. All sandboxes over files are of one kind: each day has a file of its own.
        """
        if self.sandbox is None:
            return _host(self.base_url)
        label = printable(self.sandbox)[:_LONGEST_LABEL]
        return f"sandbox ({'files' if label.startswith('file ') else label})"

    def is_like(self, other: Source) -> bool:
        """Whether both are of one kind, and both current or both dated, as far as it is known."""
        kinds, dated = {self.kind, other.kind} - {""}, {self.dated, other.dated} - {None}
        return len(kinds) < 2 and len(dated) < 2

    def may_come_from(self, base_url: str) -> bool:
        """Whether a call to this base URL may bring days of the same kind. Whether a sandbox answers, its answer tells."""
        if not self.kind:
            return True
        host = _host(base_url)
        return host == _host(self.base_url) or (self.is_sample and is_loopback(host))


def _host(base_url: str) -> str:
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        host = ""
    return _SAME_HOSTS.get(host, host)
