"""Does a statement for Snowflake only read? Asked before it is sent: the service would run whatever the role may do."""

from __future__ import annotations

import re

from stockpipe.warehouse.reading import many_statements, no_statement, writing

_READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES")
# Text, quoted names and comments, as the service reads them: in them no word and no sign means anything.
_SILENT = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)|--[^\n]*|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
_SECOND = re.compile(r";\s*[^\s;]")
_WRITING = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"->>", "->> hands over to a second statement"),
        (r"\bAS\s+PROCEDURE\s*\(", "a procedure (AS PROCEDURE) may write"),
    )
)


def must_only_read(text: str) -> None:
    """Raise UsageError for no statement or several, WarehouseError for one that does not only read."""
    spoken = _spoken(text)
    if not spoken.strip(" \t\r\n;"):
        raise no_statement()
    if _SECOND.search(spoken):
        raise many_statements()
    word = first_word(text)
    if word not in _READING:
        raise writing(f"{word or 'nothing'} is no reading statement", f"Begin with one of: {', '.join(_READING)}.")
    for pattern, what in _WRITING:
        if pattern.search(spoken):
            raise writing(what, "Ask with one statement at a time.")


def first_word(text: str) -> str:
    """The first word of a statement in upper case, behind comments and brackets; nothing where there is none."""
    found = re.match(r"[\s(]*([A-Za-z]+)", _spoken(text))
    return found[1].upper() if found else ""


def _spoken(text: str) -> str:
    return _SILENT.sub(lambda found: "''" if found["quoted"] else " ", text)
