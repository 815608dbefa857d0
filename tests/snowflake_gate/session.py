"""A session: who signed in, what it set, and its open transaction."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from snowflake_gate.answers import Refusal


@dataclass
class Write:
    """A statement that changed something: kept to play it again on a fresh snapshot."""

    body: dict[str, Any]
    table: str
    repeatable: bool  # rows given in the statement or in a staged file: the same wherever it is played again


@dataclass
class Transaction:
    open: bool = False  # a DuckDB transaction runs underneath; not before the first write
    snapshot: int = 0  # the store's version that it sees
    writes: list[Write] = field(default_factory=list)


@dataclass(eq=False)
class Session:
    id: int
    user: str
    connection: Any  # engine.GateConnection
    role: str | None = None
    warehouse: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    inherited: dict[str, Any] = field(default_factory=dict)  # of the account and the user
    scale: float = 1.0  # seconds here for one of the service
    deadline: float = float("inf")  # of the statement that runs
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    master_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    transaction: Transaction | None = None
    temp_stages: set[str] = field(default_factory=set)
    query_id: str = ""
    last_query_id: str = ""
    cancelled: bool = False
    aborted: bool = False  # its transaction was taken away because it blocked others
    last_seen: float = field(default_factory=time.monotonic)
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def autocommit(self) -> bool:
        return str(self.parameters.get("AUTOCOMMIT", True)).upper() != "FALSE"

    @property
    def query_tag(self) -> str:
        return str(self.parameters.get("QUERY_TAG") or "")

    @property
    def private_schema(self) -> str:
        """Where fakesnow keeps this session's temporary stages: two sessions may use one name."""
        return f"_SESSION_{self.id}"

    def lock_timeout(self, default: float) -> float:
        return min(default, self.seconds("LOCK_TIMEOUT") or default)

    def seconds(self, parameter: str) -> float:
        """A limit that the session has, in seconds here; 0 for none."""
        with suppress(KeyError, ValueError):
            return float(self.parameters[parameter]) * self.scale
        return 0.0

    async def pause(self, seconds: float, limit: str = "") -> None:
        """Let some of the service's seconds pass, until cancelled or out of time."""
        now = time.monotonic()
        until = now + seconds * self.scale
        end = min(self.deadline, now + (self.seconds(limit) or float("inf")))
        while (now := time.monotonic()) < until:
            self.refuse_when_ended(end)
            await asyncio.sleep(min(0.02, until - now))

    def refuse_when_ended(self, end: float | None = None) -> None:
        """Raise when the running statement is cancelled, or has no time left."""
        if self.cancelled:
            raise Refusal(604, "SQL execution canceled", "57014")
        if time.monotonic() >= (self.deadline if end is None else end):
            raise Refusal(630, "Statement reached its statement or warehouse timeout and was canceled.", "57014")
