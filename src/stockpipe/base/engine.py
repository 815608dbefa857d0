"""DuckDB, opened in one place: what a machine, its user or other code of this process has set changes nothing of ours.

An engine in memory is lent to one caller at a time, with a database or a file attached to it, and may then be kept for the
next one: attaching a file takes a tenth of what making an engine takes.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from stockpipe.base import engines
from stockpipe.base.text import in_quotes, literal

Config = dict[str, str | bool | int | float | list[str]]
Limits = Mapping[str, str | int]

# Forms older than that of the oldest DuckDB that we work with take more memory to write than we allow (128 MB).
STORAGE = "v1.5.0"
# DuckDB takes the time zone from TZ; a notebook switches the progress bar on; the rest other code of this process can
# change for all connections of a file that is open already. TimeZone cannot be given at opening at all, and what is given
# there keeps other code of this process from opening the same file.
_SESSION = {
    "TimeZone": "'UTC'",
    "Calendar": "'gregorian'",
    "default_collation": "''",
    "default_order": "'ASC'",
    "default_null_order": "'NULLS_LAST'",
    "preserve_insertion_order": "true",
    "preserve_identifier_case": "true",
    "integer_division": "false",
    "ieee_floating_point_ops": "true",
    "old_implicit_casting": "false",
    "disable_timestamptz_casts": "false",
    "order_by_non_integer_literal": "false",
    "scalar_subquery_error_on_multiple_rows": "true",
    "binary_as_string": "false",
    "file_search_path": "''",
    "errors_as_json": "false",
    "enable_progress_bar": "false",
    # A name that is no table may otherwise be a variable of Python.
    "python_enable_replacements": "false",
}
_SESSION_2 = {
    "dialect_compatibility_mode": "'NONE'",
    "error_on_division_by_zero": "true",
    "max_execution_time": "0",
    "regex_match_operator_semantics": "'partial'",
}
_ALL = _SESSION | ({} if duckdb.__version__.startswith("1.") else _SESSION_2)
_SETTLE = "; ".join(f"SET SESSION {name} = {value}" for name, value in _ALL.items())
# Of an engine of ours, for all its connections; the progress bar is a matter of each connection.
_QUIET = "SET enable_progress_bar = false"
_SETTLE_ENGINE = "; ".join(
    f"SET GLOBAL {name} = {value}" for name, value in _ALL.items() if name != "enable_progress_bar"
)
# What callers set of an engine that was lent to them, put back as it was made.
_AS_MADE = "; ".join(
    [
        "SET threads = 1",
        "SET temp_directory = ''",
        "RESET memory_limit",
        "RESET checkpoint_threshold",
        "RESET auto_checkpoint_skip_wal_threshold",
    ]
)
WORK = "work"
"""What a database in memory is called."""
STORED = "stored"
"""What a file is called that is attached beside one."""
# Names that DuckDB keeps for itself: a file that is called so is attached as DuckDB names the first two of them.
_NOT_FOR_FILES = ("temp", "system", "memory", "main")


@contextlib.contextmanager
def open_local(folder: Path, limits: Limits | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, on one thread; what does not fit there goes to `folder`.

    `limits` has the engine's settings: `memory_limit`, `threads`. Raises duckdb.Error.
    """
    config = {"temp_directory": str(folder / "duckdb"), **(limits or {})}
    with _lent(WORK, f"ATTACH ':memory:' AS {WORK}", config) as connection:
        yield connection


@contextlib.contextmanager
def open_file(
    path: Path, *, read_only: bool = False, limits: Limits | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file, open for the block. Where there is none it is created, in a form that DuckDB 1.5 and newer read.

    `limits` has settings of the engine, by their names, for as long as the block takes. A file that other code of this
    process has open already is used as it was opened there, without them. Raises duckdb.Error.
    """
    name = f"{path.stem}_db" if path.stem.lower() in _NOT_FOR_FILES else path.stem
    form = "" if path.exists() else f", STORAGE_VERSION '{STORAGE}'"  # a file keeps the form in which it was created
    how = ", READ_ONLY" if read_only else form
    attach = f"RESET threads; ATTACH {literal(str(path))} AS {in_quotes(name)} (TYPE duckdb{how})"
    with contextlib.ExitStack() as stack:
        try:
            config = {"temp_directory": f"{path}.tmp", **(limits or {})}
            connection = stack.enter_context(_lent(name, attach, config))
        except duckdb.Error as error:
            if "already attached" not in str(error):
                raise
            connection = stack.enter_context(settled(duckdb.connect(str(path), read_only=read_only)))
        yield connection


def open_shut(path: Path, config: Config) -> duckdb.DuckDBPyConnection:
    """A DuckDB file for reading only, in an engine of its own that is configured for good. Raises duckdb.Error."""
    return settled(duckdb.connect(str(path), read_only=True, config=config))


def open_in_memory() -> duckdb.DuckDBPyConnection:
    """An empty database in memory, `work`, that writes nothing to any disk; the caller's for as long as the connection lives.

    A file that the caller attaches as `stored` is let go of with it. Raises duckdb.Error.
    """
    engine = engines.take() or _made()
    try:
        connection = _connected(engine, WORK, f"RESET threads; ATTACH ':memory:' AS {WORK}")
    except BaseException:
        engine.close()
        raise
    weakref.finalize(connection, _give_back, engine, WORK, STORED).atexit = False
    return connection


def settled(connection: duckdb.DuckDBPyConnection, settle: str = _SETTLE) -> duckdb.DuckDBPyConnection:
    """The connection, with all that could change the meaning of a statement set to what we expect."""
    try:
        connection.execute(settle)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _lent(name: str, attach: str, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of an engine whose statements mean the database `name`, which `attach` makes. It is gone behind the block."""
    settings = [f"SET {setting} = {literal(value)}" for setting, value in limits.items()]
    engine = engines.take() or _made()
    try:
        with _connected(engine, name, "; ".join([attach, *settings])) as connection:
            yield connection
    finally:
        _give_back(engine, name)


def _connected(engine: duckdb.DuckDBPyConnection, name: str, prepare: str) -> duckdb.DuckDBPyConnection:
    """A connection of an engine whose statements mean the database `name`, which `prepare` attaches."""
    engine.execute(prepare)
    connection = engine.cursor()
    connection.execute(f"USE {in_quotes(name)}; {_QUIET}")
    return connection


def _made() -> duckdb.DuckDBPyConnection:
    config: Config = {"threads": 1, "temp_directory": "", "allow_persistent_secrets": "false"}
    return settled(duckdb.connect(config=config), _SETTLE_ENGINE)


def _give_back(engine: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Keep an engine without these databases for the next caller. One that does not let go of them is closed.

    It may not where the disk is full, where it has temporary files, or where a caller locked its configuration.
    """
    detach = "; ".join(f"DETACH DATABASE IF EXISTS {in_quotes(name)}" for name in names)
    is_kept = False
    try:
        with contextlib.suppress(duckdb.Error):
            engine.execute(f"{detach}; {_AS_MADE}")
            is_kept = engines.put(engine)
    finally:
        if not is_kept:
            with contextlib.suppress(duckdb.Error):
                engine.close()
