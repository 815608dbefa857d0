"""Texts that name a file: what can be no name, and what DuckDB would read in another way than we do."""

from __future__ import annotations

import re
from pathlib import Path

from stockpipe.base.text import looks_like

DEMO_FILE = "stockpipe-demo.duckdb"
"""Where `stockpipe demo` loads: sample data never stands beside real days."""
# Of Linux, in bytes; other systems allow about the same.
LONGEST_NAME, LONGEST_PATH = 255, 4096
# A word of two letters or more before a colon; one letter is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_+.-]+):(/*)(.*)", re.DOTALL)


def is_secret(text: str) -> bool:
    """Whether a text is more likely a secret than the name of a file: a key, a token, several lines."""
    return bool(looks_like(text)) or any(sign in text for sign in "\n\r\0")


def is_too_long(text: str) -> bool:
    """Whether a text, or a part of it between slashes, is longer than a file system takes."""
    parts = [text.encode(errors="replace"), *(part.encode(errors="replace") for part in re.split(r"[/\\]", text))]
    return len(parts[0]) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in parts[1:])


def is_plain(text: str) -> bool:
    """Whether DuckDB reads a text as the path of a file, as we do.

    It takes a word before a colon for the kind of a database (`md:`, `s3://`), `:memory:` for none, and what follows a ?
    for options.
    """
    return not (_SCHEME.fullmatch(text) or text.startswith(":") or "?" in text)


def plain_paths(text: str) -> list[str]:
    """The paths that `duckdb:` or `file:` and a path may mean, the likelier one first; none for other texts.

    `duckdb:///a.db` is /a.db to some programs, and a.db to SQLAlchemy, which writes four slashes for the other.
    """
    found = _SCHEME.fullmatch(text.partition("?")[0])
    if found is None or found[1].lower() not in ("duckdb", "file") or not found[3] or is_secret(found[3]):
        return []
    slashes, rest = len(found[2]), found[3]
    return [f"/{rest}", rest] if slashes == 3 else [f"/{rest}"] if slashes in (1, 4) else [rest]


def or_the_demos(hint: str, path: Path) -> str:
    """What to do about a DuckDB file that is not there; also where the demo's data is, for who has just run the demo."""
    if path.exists() or DEMO_FILE in hint or not Path(DEMO_FILE).is_file():
        return hint
    return f"{hint} The demo's data: --duckdb-path {DEMO_FILE}."
