"""The rows as the API sent them, kept on disk for the few that are rejected in the end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

# No JSON text contains it.
_SEPARATOR = "\x1e"
ROWS_A_PAGE = 1_000_000
"""A row's number is its page times this, plus its place on the page."""


class RowsAsSent:
    """Pages of rows in a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._pages: dict[int, tuple[int, int]] = {}

    def add(self, page: int, rows: list[str]) -> None:
        """Keep a page."""
        text = _SEPARATOR.join(rows).encode()
        self._pages[page] = (self._file.seek(0, os.SEEK_END), len(text))
        self._file.write(text)

    def rows(self, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
        """The rows with these numbers, which rise, each with its number. Each page is read once."""
        for page, own in groupby(numbers, key=lambda number: number // ROWS_A_PAGE):
            start, length = self._pages[page]
            self._file.seek(start)
            rows = self._file.read(length).decode().split(_SEPARATOR)
            for number in own:
                yield number, rows[number % ROWS_A_PAGE]

    def clear(self) -> None:
        """Forget all."""
        self._file.seek(0)
        self._file.truncate()
        self._pages.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
