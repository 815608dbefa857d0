"""What a SELECT gives, copied out of a DuckDB file: the file is closed again before anybody looks at the rows.

So no reader, a notebook that stays open for days among them, keeps the nightly load waiting.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb

from stockpipe.base.engine import STORED, WORK, open_in_memory
from stockpipe.base.stopping import interruptible
from stockpipe.base.text import literal
from stockpipe.warehouse.duckdb.file import patiently
from stockpipe.warehouse.duckdb.reading import LOCK, refused

_LET_GO = f"USE {WORK}; DETACH DATABASE IF EXISTS {STORED}"
_SHUT = "SET enable_external_access = false"


def copied(select: str, path: Path, patience: float, *, shut: bool) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory whose table `answer` holds what the statement gives over a file.

    The file is waited for at most `patience` seconds. `shut` when the statement is not our own: it reaches nothing but the
    file. NotThere when that does not exist, or has no such table.
    """
    memory = patiently(path, patience, lambda: _attached(path, shut=shut))
    try:
        with interruptible(memory):
            # On a line of its own: the statement may end in a comment.
            memory.execute(f"CREATE TABLE {WORK}.main.answer AS FROM (\n{select}\n)")
        memory.execute(_LET_GO)
    except BaseException as error:
        _end(memory)
        if isinstance(error, duckdb.Error):
            raise refused(error) from error
        raise
    return memory


def _attached(path: Path, *, shut: bool) -> duckdb.DuckDBPyConnection:
    """An engine in memory with the file beside it for reading only."""
    memory = open_in_memory()
    try:
        memory.execute(f"ATTACH {literal(str(path))} AS {STORED} (READ_ONLY)")
        memory.execute(f"USE {STORED}{f'; {_SHUT}; {LOCK}' if shut else ''}")
    except BaseException:
        _end(memory)
        raise
    return memory


def _end(memory: duckdb.DuckDBPyConnection) -> None:
    """Let go of the file at once: the error that led here may hold the connection for a while."""
    with contextlib.suppress(duckdb.Error):
        memory.execute(_LET_GO)
    memory.close()
