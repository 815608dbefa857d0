"""Does a statement for Snowflake only read? Asked before it is sent: the service would run whatever the role may do."""

from __future__ import annotations

import re

from stockpipe.warehouse.reading import many_statements, no_statement, not_run, writing

_READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES")
# Text, quoted names and comments, as the service reads them: in them no word and no sign means anything.
_SILENT = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)|--[^\n]*|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
# Functions of the service that only tell. All others are refused: they cancel, abort, resume or send, or may do so.
_TELLING = (
    "ALLOWLIST", "ALLOWLIST_PRIVATELINK", "CLUSTERING_DEPTH", "CLUSTERING_INFORMATION", "CLUSTERING_RATIO",
    "ESTIMATE_QUERY_ACCELERATION", "EXPLAIN_JSON_TO_TEXT", "EXPLAIN_PLAN_JSON", "GET_TAG", "GET_TAG_ALLOWED_VALUES",
    "LAST_CHANGE_COMMIT_TIME", "PIPE_STATUS", "STREAM_GET_TABLE_TIMESTAMP", "STREAM_HAS_DATA", "TYPEOF", "WHITELIST",
    "WHITELIST_PRIVATELINK",
)  # fmt: skip
_SECOND = re.compile(r";\s*[^\s;]")
_WRITING = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"->>", "->> hands over to a second statement"),
        (r"\bAS\s+PROCEDURE\s*\(", "a procedure (AS PROCEDURE) may write"),
    )
)
# A function may be called by its name in quotes too.
_ACTING = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (rf"\bSYSTEM\$(?!(?:{'|'.join(_TELLING)})\b)\w+\"?\s*\(", "this SYSTEM$ function may act, not only tell"),
        (r"\.\s*\"?NEXTVAL\b|\bGETNEXTVAL\"?\s*\(", "NEXTVAL takes a number from its sequence"),
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
        raise not_run(word or "nothing", f"Begin with one of: {', '.join(_READING)}.")
    for pattern, what in _WRITING:
        if pattern.search(spoken):
            raise writing(what, "Ask with one statement at a time.")
    called = _spoken(text, names=True)
    for pattern, what in _ACTING:
        if pattern.search(called):
            raise writing(what, "Use another client, with a role that may do so.")


def first_word(text: str) -> str:
    """The first word of a statement in upper case, behind comments and brackets; nothing where there is none."""
    found = re.match(r"[\s(]*([A-Za-z]+)", _spoken(text))
    return found[1].upper() if found else ""


def _spoken(text: str, *, names: bool = False) -> str:
    """The text without comments and literals; with `names`, those in double quotes stay."""

    def heard(found: re.Match[str]) -> str:
        quoted = found["quoted"] or ""
        return quoted if names and quoted.startswith('"') else "''" if quoted else " "

    return _SILENT.sub(heard, text)
