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
from stockpipe.cli.values import as_text, is_number, is_rounded, number_of, rounded, without_common_zeros

GAP = "  "
# Below this a cell tells nothing any more; a FIGI has as many signs.
_LEAST = 12
# A heading may be a whole expression.
_LONGEST_NAME = 24
_USUAL_SIZE = (80, 24)


@dataclass(frozen=True)
class Look:
    """What columns are like, by their names. Numbers need not be named: their columns are never cut.

    `whole`: never cut and never left out. `spare`: cut and left out first where the terminal is narrow. `once`: told above
    the table where the terminal is narrow and all rows have the same value. `least`: the width below which a column tells
    too little. `prose`: sentences, which are continued on the next line. `paint`: the colours of cells that are just these
    words, on a terminal.
    """

    right: Collection[str] = ()
    whole: Collection[str] = ()
    spare: Sequence[str] = ()
    once: Collection[str] = ()
    least: Mapping[str, int] = field(default_factory=dict)
    prose: Collection[str] = ()
    paint: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """What a table could show: how many of its columns, and whether cells were cut, or numbers rounded."""

    columns: int
    of: int
    cut: bool
    rounded: bool = False

    def told(self, whole: str) -> str:
        """In words, with the flag that shows all: `18 columns (7 shown; --format csv shows all)`."""
        count = number_of(self.of, "column")
        missing = [f"{self.columns} shown"] if self.columns < self.of else ["long cells are cut"] if self.cut else []
        missing += ["numbers are rounded"] if self.rounded else []
        return f"{count} ({', '.join(missing)}; {whole} shows all)" if missing else count

    @property
    def all(self) -> bool:
        """Whether nothing is missing."""
        return self.columns == self.of and not self.cut and not self.rounded


@dataclass
class _Column:
    name: str
    cells: list[str]
    right: bool
    whole: bool
    prose: bool
    least_width: int = 0
    width: int = field(init=False)
    natural: int = field(init=False)

    def __post_init__(self) -> None:
        self.natural = self.width = max(map(_width, (self.name, *self.cells)))

    @property
    def least(self) -> int:
        """The narrowest that it can be shown."""
        if self.whole or self.right:
            return self.natural
        return min(self.natural, max(_LEAST, self.least_width, min(_width(self.name), _LONGEST_NAME)))

    @property
    def same(self) -> str:
        """The value that all rows have; nothing where they differ."""
        return self.cells[0] if len(set(self.cells)) == 1 else ""


_PLAIN = Look()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], look: Look = _PLAIN) -> Shown:
    """A table on stdout; control characters in outside text are shown escaped. Returns what it left out.

    On a terminal a cell that does not fit is cut with a … at its end, columns that do not fit are left out, and numbers are
    rounded. Elsewhere each row is one line with all of it, for grep and awk.
    """
    values = [[row[place] for row in rows] for place in range(len(columns))]
    if sys.stdout.isatty():
        return _on_terminal(columns, values, look)
    table = [_column(name, cells, look) for name, cells in zip(columns, values, strict=True)]
    _print(table, look)
    return Shown(len(table), len(table), cut=False)


def _on_terminal(columns: Sequence[str], values: list[list[Any]], look: Look) -> Shown:
    short = [without_common_zeros([rounded(cell) for cell in cells]) for cells in values]
    table = [_column(name, cells, look) for name, cells in zip(columns, short, strict=True)]
    width = terminal_width()
    narrow = _taken(table, width) > width
    once = [column for column in table if narrow and column.name in look.once and column.same]
    if once:
        print(in_width(f"Each row: {', '.join(f'{column.name} {column.same}' for column in once)}"))
    shown = fitted([column for column in table if column not in once], width, look.spare)
    _print(shown, look)
    return Shown(
        len(shown) + len(once),
        len(table),
        any(column.width < column.natural and not column.prose for column in shown),
        any(is_rounded(cell) for cells in values for cell in cells),
    )


def _print(shown: list[_Column], look: Look) -> None:
    print(_line(shown, [column.name for column in shown], {}))
    print(GAP.join("-" * column.width for column in shown))
    for cells in zip(*(column.cells for column in shown), strict=True):
        for part in _folded(shown, cells):
            print(_line(shown, part, look.paint))


def terminal_width() -> int:
    """The columns of the terminal; 80 where it does not say."""
    return shutil.get_terminal_size(_USUAL_SIZE).columns


def tell(*parts: str) -> None:
    """Say something about a table behind it, on stderr: on one line, or on several where the terminal is narrow."""
    print(end="", flush=True)
    line = ", ".join(parts)
    narrow = sys.stderr.isatty() and len(line) > terminal_width()
    click.echo("\n".join(parts) if narrow else line, err=True)


def tell_what_is_missing(shown: Shown) -> None:
    """Say behind a table what a terminal had no room for; `--json` has it."""
    if not shown.all:
        tell(shown.told("--json"))


def in_width(text: str, indent: int = 2) -> str:
    """A sentence for a terminal: on several lines where it is longer than the terminal is wide."""
    return textwrap.fill(
        text, max(40, terminal_width()), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def tell_sentence(text: str) -> None:
    """Say something on stderr, on several lines where the terminal is narrow."""
    click.echo(in_width(text) if sys.stderr.isatty() else text, err=True)


def _column(name: str, values: list[Any], look: Look) -> _Column:
    number = name in look.right or (any(map(is_number, values)) and all(v is None or is_number(v) for v in values))
    cells = [_encodable(printable(as_text(value))) for value in values]
    least = look.least.get(name, 0)
    return _Column(_encodable(printable(name)), cells, number, name in look.whole, name in look.prose, least)


def _encodable(text: str) -> str:
    """The text as stdout will write it, so that its width is known: what its encoding lacks stands escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)


def fitted(table: list[_Column], width: int, spare: Sequence[str] = ()) -> list[_Column]:
    """The columns that a terminal of this width can show, with their widths set; at least one."""
    kept = _least_left_out(table, width, spare)
    first, last = ([column for column in kept if (column.name in spare) is cut] for cut in (False, True))
    room = width - len(GAP) * (len(kept) - 1)
    for column in kept:
        column.width = column.least
    _widen(first, room - sum(column.width for column in last))
    _widen(last, room - sum(column.width for column in first))
    over = sum(column.width for column in kept) - room
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


def _widen(columns: list[_Column], room: int) -> None:
    """Give these columns the room, the same to each as far as its cells need it."""
    caps = (cap for cap in range(room + 1) if sum(_capped(column, cap) for column in columns) <= room)
    cap = max(caps, default=0)
    for column in columns:
        column.width = _capped(column, cap)


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
