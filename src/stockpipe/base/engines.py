"""Engines of DuckDB that nobody uses at the moment: making one takes 20 to 30 ms of a processor, so they are kept for the next user.

Only within a block of `kept`, behind which there is none left: a process that forks with an engine ends with a crash of
DuckDB in the child.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that open no engine need no DuckDB
    import duckdb

# Each that is kept holds 4 MB.
_MOST = 8


class _Kept:
    """The engines that are kept, as long as blocks of `kept` last. May be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # an engine may come back while one is taken: when memory is cleared up
        self._blocks = 0
        self._engines: list[duckdb.DuckDBPyConnection] = []

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep engines that come back within the block. Blocks may lie within one another, and side by side in threads."""
        with self._lock:
            self._blocks += 1
        try:
            yield
        finally:
            left: list[duckdb.DuckDBPyConnection] = []
            with self._lock:
                self._blocks -= 1
                if not self._blocks:
                    left, self._engines = self._engines, left
            for engine in left:
                engine.close()

    def take(self) -> duckdb.DuckDBPyConnection | None:
        """An engine for the caller alone; None where none is kept."""
        with self._lock:
            return self._engines.pop() if self._engines else None

    def put(self, engine: duckdb.DuckDBPyConnection) -> bool:
        """Give an engine back; False where it is not kept, and the caller has to close it."""
        with self._lock:
            is_kept = self._blocks > 0 and len(self._engines) < _MOST
            if is_kept:
                self._engines.append(engine)
            return is_kept


_kept = _Kept()
kept, take, put = _kept.kept, _kept.take, _kept.put
