"""What `stockpipe query` takes on DuckDB: one statement; and what it says of one that the engine refuses.

That a statement only reads, and nothing but the tables of its file, is DuckDB's own business: the file is opened for
reading only, other files and extensions are shut off, and the configuration is locked.
"""

from __future__ import annotations

import re

import duckdb

from stockpipe.base.engine import Config
from stockpipe.errors import NotThere, UsageError, WarehouseError
from stockpipe.warehouse.reading import many_statements, no_statement, not_run, writing

SHUT: Config = {"enable_external_access": "false"}
"""Configuration of a connection that reaches no other file, no network and no extension."""
LOCK = "SET lock_configuration = true"
"""Run last: after it no setting of the instance can be changed, ours neither."""

# In DuckDB 1.5 the lock does not hold for this function, and a log that cannot be written aborts the process.
_NOT_LOCKED = "ENABLE_LOGGING" if duckdb.__version__.startswith("1.") else None

# What DuckDB raises for a statement that is mistyped, asks for what does not exist, or counts what cannot be counted.
_MISTAKES = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException)


def must_be_one_statement(text: str) -> str:
    """The one statement of a text, without the semicolon behind it. UsageError for none or several."""
    source = text.encode()
    # DuckDB 1.5 leaves comments out by itself.
    places = [offset for offset, kind in duckdb.tokenize(text) if kind != duckdb.token_type.comment]
    end = len(source)
    while places and source[places[-1] : places[-1] + 1] == b";":
        end = places.pop()
    if not places:
        raise no_statement()
    if any(source[place : place + 1] == b";" for place in places):
        raise many_statements()
    if _NOT_LOCKED and _NOT_LOCKED in text.upper():
        raise writing(f"{_NOT_LOCKED} writes files", "With DuckDB 2 or newer the word may stand in a query.")
    return source[:end].decode()


def the_select(text: str) -> str:
    """The one SELECT (or SHOW, DESCRIBE, VALUES) of a text, without its semicolon; UsageError for another statement."""
    statement = must_be_one_statement(text)
    try:
        kind = duckdb.extract_statements(text)[0].type
    except duckdb.Error as error:
        raise refused(error) from error
    if kind != duckdb.StatementType.SELECT:
        raise UsageError(f"A statement of type {kind.name} gives no table.", hint="Ask with SELECT, SHOW or DESCRIBE.")
    return statement


def refused(error: duckdb.Error) -> WarehouseError:
    """What an error of DuckDB means for who asked; NotThere when a table or a function does not exist."""
    text = str(error)
    first = " ".join(text.partition("\n\n")[0].split())  # the rest points into the statement
    if "disabled by configuration" in first or "disabled through configuration" in first:
        return WarehouseError(
            f"stockpipe query reads only the tables of its DuckDB file: {first}",
            hint="To read other files, open the file with DuckDB itself; stockpipe export writes a day to a file.",
            mistaken=True,
        )
    if "configuration has been locked" in first:
        return WarehouseError(
            f"stockpipe query is read-only and changes no setting: {first}",
            hint="To change settings, open the file with DuckDB itself.",
            mistaken=True,
        )
    if "read-only mode" in first:
        word = re.search(r'statement of type "(\w+)"', first)
        return not_run(word[1] if word else "this statement", "To change tables, open the file with DuckDB itself.")
    kind = NotThere if isinstance(error, duckdb.CatalogException) else WarehouseError
    return kind(f"DuckDB refused the query: {text}", hint=_hint(error), mistaken=isinstance(error, _MISTAKES))


def _hint(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return 'stockpipe query "SHOW TABLES" lists the tables, "DESCRIBE TICKERS" the columns of one.'
    if isinstance(error, duckdb.ParserException | duckdb.SyntaxException):
        return "Correct the statement where the error points; it is SQL as DuckDB has it."
    return ""
