"""A real listing dump in place of the synthetic market: CSV with the API's field names, JSON lines, or our own exports."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Hashable, Iterator
from datetime import date, datetime
from pathlib import Path

from stockpipe.base.files import why_unread
from stockpipe.errors import ConfigError
from stockpipe.sandbox.exported import as_sent, day_of, is_exported, parquet_rows

_HINT = "Name a CSV, JSON lines or Parquet file with --data."


Row = dict[str, object]
_Told = tuple[str, Row]
"""A row, and the day of the list that it is of: "" where the file does not say."""


class Dump:
    """The rows of one file, in the file's order, for any date. An empty CSV field is an absent key.

    Of an export of several days, each day has its list; a day that the file does not have has that of the day before it.
    """

    def __init__(self, path: Path) -> None:
        self.label = f"file {path.name}"
        self._lists: dict[tuple[str, str, bool], list[Row]] = {}
        try:
            for day, row in _READERS.get(path.suffix.lower(), _read_json_lines)(path):
                key = (day, str(row.get("market", "stocks")), row.get("active", True) is not False)
                self._lists.setdefault(key, []).append(row)
        except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
            raise ConfigError(f"{path} cannot be served: {why_unread(error)}.", hint=_HINT) from error
        if not self._lists:
            raise ConfigError(f"{path} has no rows.", hint=_HINT)
        if not any("ticker" in row for rows in self._lists.values() for row in rows):
            raise ConfigError(f"{path} has no field `ticker`.", hint=_HINT)

        self._days = sorted({day for day, _, _ in self._lists})

    def rows(self, market: str, active: bool, on: date | None, now: datetime) -> list[Row]:
        """The file's rows of one market and active state: of the newest day, or of the last one up to `on`."""
        del now
        return self._lists.setdefault((self._day(on), market, active), [])

    def build_key(self, on: date | None, now: datetime) -> Hashable:
        """A file never changes."""
        del now
        return "file", self._day(on)

    def _day(self, on: date | None) -> str:
        earlier = [day for day in self._days if on is None or day <= on.isoformat()]
        return earlier[-1] if earlier else self._days[0]


def _read_csv(path: Path) -> Iterator[_Told]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or ()
        exported = is_exported(names)
        if "ticker" not in names and not exported:
            raise ValueError("it has no column `ticker`")
        for line in reader:
            given = {name: text for name, text in line.items() if name and text}
            row: Row = as_sent(given, csv=True) if exported else {**given}
            if str(row.get("active", "")).lower() in ("true", "false"):
                row["active"] = str(row["active"]).lower() == "true"
            yield day_of(given) if exported else "", row


def _read_json_lines(path: Path) -> Iterator[_Told]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _as_sent(_json_object(line, number))


def _as_sent(row: Row) -> _Told:
    return (day_of(row), as_sent(row)) if is_exported(row) else ("", row)


def _read_parquet(path: Path) -> Iterator[_Told]:
    path.stat()
    yield from map(_as_sent, parquet_rows(path))


def _json_object(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise ValueError(
            f"line {number} is not a JSON object, so it is neither JSON lines nor CSV (whose name ends in .csv)"
        )
    return row


_READERS: dict[str, Callable[[Path], Iterator[_Told]]] = {".csv": _read_csv, ".parquet": _read_parquet}
