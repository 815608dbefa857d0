"""A session: who signed in, what it set, and its open transaction."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


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
        with suppress(KeyError, ValueError):
            return min(default, float(self.parameters["LOCK_TIMEOUT"]))
        return default
