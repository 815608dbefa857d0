"""What a SELECT gives, copied out of a DuckDB file: the file is closed again before anybody looks at the rows.

So no reader, a notebook that stays open for days among them, keeps the nightly load waiting.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from stockpipe.base.engine import open_in_memory
from stockpipe.base.stopping import interruptible
from stockpipe.base.text import literal
from stockpipe.warehouse.duckdb.file import patiently
from stockpipe.warehouse.duckdb.reading import LOCK, refused

_SHUT = "SET enable_external_access = false"


def copied(select: str, path: Path, patience: float) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory whose table `answer` holds what the statement gives over a file.

    The file is waited for at most `patience` seconds. NotThere when it does not exist, or has no such table.
    """
    memory = patiently(path, patience, lambda: _attached(path))
    try:
        with interruptible(memory):
            # On a line of its own: the statement may end in a comment.
            memory.execute(f"CREATE TABLE memory.main.answer AS FROM (\n{select}\n)")
        memory.execute("USE memory")
        memory.execute("DETACH stored")
    except duckdb.Error as error:
        memory.close()
        raise refused(error) from error
    except BaseException:
        memory.close()
        raise
    return memory


def _attached(path: Path) -> duckdb.DuckDBPyConnection:
    """An engine in memory with the file beside it for reading only, which reaches nothing else."""
    memory = open_in_memory()
    try:
        memory.execute(f"ATTACH {literal(str(path))} AS stored (READ_ONLY)")
        memory.execute(f"USE stored; {_SHUT}; {LOCK}")
    except BaseException:
        memory.close()
        raise
    return memory
