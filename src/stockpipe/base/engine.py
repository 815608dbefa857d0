"""DuckDB, opened in one place: what a machine, its user or other code of this process has set changes nothing of ours.

What a session can settle for itself is settled here, after opening: a configuration that is given at opening would keep
other code of this process from opening the same file. TimeZone cannot be given at opening at all.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from stockpipe.base.text import literal

Config = dict[str, str | bool | int | float | list[str]]

# Forms older than that of the oldest DuckDB that we work with take more memory to write than we allow (128 MB).
STORAGE = "v1.5.0"
# DuckDB takes the time zone from TZ; a notebook switches the progress bar on; the rest other code of this process can
# change for all connections of a file that is open already.
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
_SETTLE = "; ".join(
    f"SET SESSION {name} = {value}"
    for name, value in (_SESSION | ({} if duckdb.__version__.startswith("1.") else _SESSION_2)).items()
)


def open_file(path: Path, *, read_only: bool = False, config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB file. Where there is none it is created, in a form that DuckDB 1.5 and newer read.

    Raises duckdb.Error.
    """
    if not read_only and not path.exists():
        _create(path)
    return settled(duckdb.connect(str(path), read_only=read_only, config=config or {}))


def open_local(folder: Path, config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB of our own, in memory; what does not fit there goes to `folder`, which DuckDB's own default would not."""
    local: Config = {"threads": 1, "temp_directory": str(folder / "duckdb"), "allow_persistent_secrets": "false"}
    return settled(duckdb.connect(config=local | (config or {})))


def open_in_memory() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that writes nothing to any disk."""
    return settled(duckdb.connect(config={"temp_directory": ""}))


def settled(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, with all that could change the meaning of a statement set to what we expect."""
    try:
        connection.execute(_SETTLE)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """DuckDB 2 creates files that only DuckDB 2 reads; a file keeps the form in which it was created."""
    with duckdb.connect(config={"threads": 1}) as maker:
        maker.execute(f"ATTACH {literal(str(path))} AS created (STORAGE_VERSION '{STORAGE}')")
