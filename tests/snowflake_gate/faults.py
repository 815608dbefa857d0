"""Faults on demand: what a test makes go wrong, at which request, before or after it took effect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from snowflake_gate.answers import Refusal

When = Literal["before", "after"]
# drop: cut the TCP connection; error: an internal error answer; hang: no answer until the client or
# the gate gives up; end: the service has ended the session; lost: rows of the answer lie at a presigned address where nobody answers; a number: that HTTP
# status; a tuple: (code, message[, sqlstate]) as the service refuses.
Action = Literal["drop", "error", "hang", "end", "lost"] | int | tuple[int, str] | tuple[int, str, str]

LOST_ROWS = {
    "url": "http://127.0.0.1:9/results/part_0?X-Amz-Credential=c&X-Amz-Signature=presigned",
    "rowCount": 1,
    "uncompressedSize": 100,
    "compressedSize": 100,
}
INSUFFICIENT_PRIVILEGES = (
    3001,
    "SQL access control error:\nInsufficient privileges to operate on schema 'PUBLIC'",
    "42501",
)


@dataclass
class Fault:
    match: re.Pattern[str]
    when: When
    action: Action
    times: int | None  # None: for ever
    hits: int = 0

    def refusal(self) -> Refusal | None:
        if self.action == "error":
            return Refusal(603, "SQL execution internal error:\nProcessing aborted by error 300010", "XX000")
        return Refusal(*self.action) if isinstance(self.action, tuple) else None


class Faults:
    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def add(self, match: str, when: When, action: Action, times: int | None) -> Fault:
        fault = Fault(re.compile(match, re.IGNORECASE), when, action, times)
        self.planned.append(fault)
        return fault

    def take(self, what: str, when: When) -> Fault | None:
        """The fault due for this request, if any, and one less to come."""
        for fault in self.planned:
            due = fault.times is None or fault.hits < fault.times
            if due and fault.when == when and fault.match.search(what):
                fault.hits += 1
                return fault
        return None
