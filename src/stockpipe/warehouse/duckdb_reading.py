"""Whether a text for DuckDB is one statement that only reads.

A file that is opened for reading only is safe, but not the folders around it: COPY writes there, and DuckDB 2 takes it
inside of a SELECT too, where the statement's type does not show it. So the words themselves are looked at.
"""

from __future__ import annotations

import re
from itertools import dropwhile

import duckdb

from stockpipe.errors import UsageError, WarehouseError

_READING = ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE")
_PRAGMAS = ("TABLE_INFO", "SHOW_TABLES", "SHOW_TABLES_EXPANDED", "DATABASE_LIST", "DATABASE_SIZE", "STORAGE_INFO")
# What may stand before the statement that is explained: EXPLAIN, its options, parentheses.
_BEFORE = {*"(),", "EXPLAIN", "ANALYZE", "ANALYSE", "FORMAT", "TEXT", "JSON", "HTML", "GRAPHVIZ", "YAML", "MERMAID"}
# ENABLE_LOGGING is a function, for a SELECT too, that writes its log into files.
_WRITING = ("COPY", "ENABLE_LOGGING")
_WORD = re.compile(rb"\w+|[(),;]")
_TELLING = (duckdb.token_type.keyword, duckdb.token_type.identifier, duckdb.token_type.operator)


def must_only_read(text: str) -> None:
    """Raise UsageError for several statements, WarehouseError for one that does not only read."""
    words = _words(text)
    if ";" in words:
        raise UsageError("There is more than one statement.", hint="Ask for one at a time.")
    for word in _WRITING:
        if word in words:
            raise _writes(
                f"{word} writes files", f'stockpipe export writes a day to a file. As a name, write "{word}" in quotes.'
            )
    match list(dropwhile(_BEFORE.__contains__, words)):
        case ["PRAGMA", name, *_] if name not in _PRAGMAS:
            raise _writes(f"PRAGMA {name} is no reading statement", f"PRAGMA may be: {', '.join(_PRAGMAS)}.")
        case [first, *_] if first not in (*_READING, "PRAGMA"):
            raise _writes(f"{first} is no reading statement", f"Begin with one of: {', '.join(_READING)}, EXPLAIN.")


def _writes(why: str, hint: str) -> WarehouseError:
    return WarehouseError(f"stockpipe query only reads, and {why}.", hint=hint)


def _words(text: str) -> list[str]:
    """The words and signs of a text, but not its literals, comments, quoted names and last semicolons."""
    source = text.encode()
    words = []
    for offset, kind in duckdb.tokenize(text):
        match = _WORD.match(source, offset)
        if match and kind in _TELLING:
            words.append(match[0].decode("ascii").upper())
    while words and words[-1] == ";":
        words.pop()
    return words
