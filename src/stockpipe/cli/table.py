"""Tables on stdout: one style for all commands, and on a terminal never wider than it is."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import click

from stockpipe.base.text import printable
from stockpipe.cli.logs import painted
from stockpipe.cli.values import as_text, is_number, number_of

GAP = "  "
# Below this a cell tells nothing any more; a FIGI has as many signs.
_LEAST = 12
# A heading may be a whole expression.
_LONGEST_NAME = 24
_USUAL_SIZE = (80, 24)


@dataclass(frozen=True)
class Look:
    """What columns are like, by their names. Numbers need not be named: their columns are never cut.

    `whole`: never cut and never left out. `spare`: left out first where the terminal is narrow. `prose`: sentences, which
    are continued on the next line. `paint`: the colours of cells that are just these words, on a terminal.
    """

    right: Collection[str] = ()
    whole: Collection[str] = ()
    spare: Sequence[str] = ()
    prose: Collection[str] = ()
    paint: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """What a table could show in the width it had: how many of its columns, and whether cells were cut."""

    columns: int
    of: int
    cut: bool

    def told(self, whole: str) -> str:
        """In words, with the flag that shows all: `18 columns (7 shown; --format csv shows all)`."""
        count = number_of(self.of, "column")
        if self.columns < self.of:
            return f"{count} ({self.columns} shown; {whole} shows all)"
        return f"{count} (long cells are cut; {whole} shows all)" if self.cut else count

    @property
    def all(self) -> bool:
        """Whether nothing is missing."""
        return self.columns == self.of and not self.cut


@dataclass
class _Column:
    name: str
    cells: list[str]
    right: bool
    whole: bool
    prose: bool
    width: int = field(init=False)
    natural: int = field(init=False)

    def __post_init__(self) -> None:
        self.natural = self.width = max(map(_width, (self.name, *self.cells)))

    @property
    def least(self) -> int:
        """The narrowest that it can be shown."""
        if self.whole or self.right:
            return self.natural
        return min(self.natural, max(_LEAST, min(_width(self.name), _LONGEST_NAME)))


_PLAIN = Look()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], look: Look = _PLAIN) -> Shown:
    """A table on stdout; control characters in outside text are shown escaped. Returns what it left out.

    On a terminal a cell that does not fit is cut with a … at its end, and columns that do not fit are left out. Elsewhere
    each row is one line with all of it, for grep and awk.
    """
    table = [_column(name, [row[place] for row in rows], look) for place, name in enumerate(columns)]
    shown = table
    if sys.stdout.isatty():
        shown = fitted(table, terminal_width(), look.spare)
    print(_line(shown, [column.name for column in shown], {}))
    print(GAP.join("-" * column.width for column in shown))
    for cells in zip(*(column.cells for column in shown), strict=True):
        for part in _folded(shown, cells):
            print(_line(shown, part, look.paint))
    return Shown(len(shown), len(table), any(column.width < column.natural and not column.prose for column in shown))


def terminal_width() -> int:
    """The columns of the terminal; 80 where it does not say."""
    return shutil.get_terminal_size(_USUAL_SIZE).columns


def tell(*parts: str) -> None:
    """Say something about a table behind it, on stderr: on one line, or on several where the terminal is narrow."""
    print(end="", flush=True)
    line = ", ".join(parts)
    narrow = sys.stderr.isatty() and len(line) > terminal_width()
    click.echo("\n".join(parts) if narrow else line, err=True)


def in_width(text: str, indent: int = 2) -> str:
    """A sentence for a terminal: on several lines where it is longer than the terminal is wide."""
    return textwrap.fill(
        text, max(40, terminal_width()), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _column(name: str, values: list[Any], look: Look) -> _Column:
    number = name in look.right or (any(map(is_number, values)) and all(v is None or is_number(v) for v in values))
    cells = [_encodable(printable(as_text(value))) for value in values]
    return _Column(_encodable(printable(name)), cells, number, name in look.whole, name in look.prose)


def _encodable(text: str) -> str:
    """The text as stdout will write it, so that its width is known: what its encoding lacks stands escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)


def fitted(table: list[_Column], width: int, spare: Sequence[str] = ()) -> list[_Column]:
    """The columns that a terminal of this width can show, with their widths set; at least one."""
    kept = _least_left_out(table, width, spare)
    cap = max((each for each in range(width + 1) if _taken(kept, each) <= width), default=0)
    for column in kept:
        column.width = _capped(column, cap)
    over = _taken(kept, cap) - width
    if over > 0 and not (kept[-1].whole or kept[-1].right):
        kept[-1].width = max(1, kept[-1].width - over)
    return kept


def _least_left_out(table: list[_Column], width: int, spare: Sequence[str]) -> list[_Column]:
    """The columns that there is room for: `spare` ones go first, then from the right.

    A spare one comes back where the room of those from the right is enough for it.
    """
    kept, gone = list(table), list[_Column]()
    for name in [*spare, *(column.name for column in reversed(table) if column.name not in spare)]:
        loose = [column for column in kept if column.name == name and not column.whole]
        if loose and len(kept) > 1 and _taken(kept, 0) > width:
            kept.remove(loose[-1])
            gone.append(loose[-1])
    for column in (each for each in reversed(gone) if each.name in spare):
        more = [each for each in table if each in kept or each is column]
        kept = more if _taken(more, 0) <= width else kept
    return kept


def _capped(column: _Column, cap: int) -> int:
    return min(column.natural, max(column.least, cap))


def _taken(columns: list[_Column], cap: int) -> int:
    """The width of a line whose cells are cut at `cap`, as far as their columns let them."""
    return sum(_capped(column, cap) for column in columns) + len(GAP) * (len(columns) - 1)


def _folded(columns: list[_Column], cells: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A row as lines: one, or as many as its longest prose has."""
    if not any(column.prose and _width(cell) > column.width for column, cell in zip(columns, cells, strict=True)):
        return [cells]
    parts = [
        textwrap.wrap(cell, column.width, break_on_hyphens=False) or [""] if column.prose else [cell]
        for column, cell in zip(columns, cells, strict=True)
    ]
    return list(zip_longest(*parts, fillvalue=""))


def _line(columns: list[_Column], cells: Sequence[str], paint: Mapping[str, str]) -> str:
    aligned = (_aligned(cell, column) for column, cell in zip(columns, cells, strict=True))
    return GAP.join(
        painted(text, paint[cell], sys.stdout) if cell in paint else text
        for text, cell in zip(aligned, cells, strict=True)
    ).rstrip()


def _aligned(cell: str, column: _Column) -> str:
    missing = column.width - _width(cell)
    if missing < 0:
        from rich.cells import set_cell_size  # milliseconds, which most commands do not need

        end = "…" if _encodable("…") == "…" else "~"
        cell, missing = f"{set_cell_size(cell, column.width - 1)}{end}", 0
    return " " * missing + cell if column.right else cell + " " * missing


def _width(text: str) -> int:
    """How many places a text takes on a terminal: signs of East Asia take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
