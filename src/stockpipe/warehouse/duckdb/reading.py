"""Whether a text for DuckDB is one statement that only reads.

A file that is opened for reading only is safe, but not the folders around it: COPY writes there, and DuckDB 2 takes it
inside of a SELECT too, where the statement's type does not show it. So the words themselves are looked at.
"""

from __future__ import annotations

import re
from itertools import dropwhile

import duckdb

from stockpipe.warehouse.reading import many_statements, no_statement, writing

_READING = ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE")
_PRAGMAS = ("TABLE_INFO", "SHOW_TABLES", "SHOW_TABLES_EXPANDED", "DATABASE_LIST", "DATABASE_SIZE", "STORAGE_INFO")
# What may stand before the statement that is explained: EXPLAIN, its options, parentheses.
_BEFORE = {*"(),'", "EXPLAIN", "ANALYZE", "ANALYSE", "FORMAT", "TEXT", "JSON", "HTML", "GRAPHVIZ", "YAML", "MERMAID"}
# ENABLE_LOGGING is a function, for a SELECT too, that writes its log into files.
_WRITING = ("COPY", "ENABLE_LOGGING")
_WORD = re.compile(rb"[\w\x80-\xff]+|.", re.DOTALL)


def must_only_read(text: str) -> None:
    """Raise UsageError for no statement or several, WarehouseError for one that does not only read."""
    words = _words(text)
    if not words:
        raise no_statement()
    if ";" in words:
        raise many_statements()
    for word in _WRITING:
        if word in words:
            raise writing(
                f"{word} writes files", f'stockpipe export writes a day to a file. As a name, write "{word}" in quotes.'
            )
    match list(dropwhile(_BEFORE.__contains__, words)) or words:
        case ["PRAGMA", name, *_] if name not in _PRAGMAS:
            raise writing(f"PRAGMA {name} is no reading statement", f"PRAGMA may be: {', '.join(_PRAGMAS)}.")
        case [first, *_] if first not in (*_READING, "PRAGMA"):
            raise writing(f"{first} is no reading statement", f"Begin with one of: {', '.join(_READING)}, EXPLAIN.")


def _words(text: str) -> list[str]:
    """The words and signs of a text, without comments and last semicolons. What is quoted shows only its quotation mark."""
    source = text.encode()
    words = [
        match[0].decode().upper()
        for offset, kind in duckdb.tokenize(text)
        if kind != duckdb.token_type.comment and (match := _WORD.match(source, offset))
    ]
    while words and words[-1] == ";":
        words.pop()
    return words
