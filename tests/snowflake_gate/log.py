"""Every request, so that a test counts statements, bytes and round trips."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class LoggedRequest:
    kind: str  # query, login, upload, session-delete, heartbeat, abort, token, ...
    sql: str = ""
    bytes_in: int = 0
    milliseconds: float = 0.0
    session: int | None = None
    query_tag: str = ""
    ok: bool = False
    error: str = ""
    request_id: str = ""
    repeated: bool = False  # the connector sent it again: answered from memory, not run again
    dropped: bool = False  # a fault cut the connection

    def __str__(self) -> str:
        state = "ok" if self.ok else self.error or "no answer"
        return f"[{self.session}] {self.kind} {self.sql} ({self.milliseconds:.0f} ms, {state})"


@dataclass
class LoggedLogin:
    user: str
    authenticator: str
    account: str
    database: str | None
    schema: str | None
    warehouse: str | None
    role: str | None
    ok: bool = False
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict, repr=False)  # the whole request, with its secrets
