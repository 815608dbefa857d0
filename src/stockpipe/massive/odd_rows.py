"""A page with a row that a strict reader refuses, such as half a surrogate pair or thousands of levels: its rows as text.

Such a row is JSON by the grammar (RFC 8259), so the page is whole, and the row is handed on for staging to reject. What
is no JSON by the grammar is no page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# A token behind any blanks: a mark, a string, or a number or word. No part is tried twice, so the time is linear.
_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:"
    r"(?P<mark>[\[\]{},:])"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(?P<plain>(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+|true|false|null)(?![0-9A-Za-z.+-]))"
    r")"
)
_BLANK = " \t\n\r"
_VALUE = frozenset({"string", "plain", "[", "{"})
_END: frozenset[str] = frozenset()


def take_apart(text: str, name: str | None) -> tuple[str, list[str]]:
    """An answer with an empty list of rows, and the rows as they were sent.

    `name` is that of the list; None where the answer itself is the list. ValueError when the text is no JSON.
    """
    level, wanted = (0, "") if name is None else (1, json.dumps(name))
    rows: list[str] = []
    spans: list[tuple[int, int]] = []
    began = opened = 0
    for depth, kind, start, end, key in _values(text):
        if key != wanted:
            continue
        if depth == level and kind == "[":
            opened, rows = start, []
        elif depth == level and kind == "]":
            spans.append((opened, end))
        elif depth == level + 1 and kind in "[{":
            began = start
        elif depth == level + 1:
            rows.append(text[began if kind in "]}" else start : end])
    for first, last in reversed(spans):
        text = f"{text[:first]}[]{text[last:]}"
    return text, rows


def _values(text: str) -> Iterator[tuple[int, str, int, int, str]]:
    """Each value of one or two levels, at its begin and at its end: level, token, place, and the key of the first level."""
    # A byte a level: an answer may be nothing but brackets.
    stack = bytearray()
    allowed, is_key, key = _VALUE, False, ""
    for kind, start, end in _tokens(text):
        if kind not in allowed:
            raise ValueError(f"{kind} at {start}")
        if kind == ":":
            allowed = _VALUE
        elif kind == ",":
            is_key = stack.endswith(b"{")
            allowed = frozenset({"string"}) if is_key else _VALUE
        elif is_key and kind == "string":
            key = text[start:end].strip(_BLANK) if len(stack) == 1 else key
            is_key, allowed = False, frozenset({":"})
        elif kind in ("[", "{"):
            if len(stack) <= 2:
                yield len(stack), kind, start, end, key
            stack += kind.encode()
            is_key = kind == "{"
            allowed = frozenset({"string", "}"}) if is_key else _VALUE | {"]"}
        else:
            if kind in ("]", "}"):
                stack.pop()
            if len(stack) <= 2:
                yield len(stack), kind, start, end, key
            is_key, allowed = False, _after_value(stack)
    if stack or allowed:
        raise ValueError("it ends too early")


def _after_value(stack: bytearray) -> frozenset[str]:
    if not stack:
        return _END
    return frozenset({",", "]" if stack.endswith(b"[") else "}"})


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind and place of each token; a mark is its own kind. ValueError for what is none."""
    place = 0
    while found := _TOKEN.match(text, place):
        kind = str(found.lastgroup)
        yield found[kind] if kind == "mark" else kind, found.start(kind), found.end()
        place = found.end()
    if text[place:].strip(_BLANK):
        raise ValueError(f"no token at {place}")
