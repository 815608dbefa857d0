"""A real listing dump in place of the synthetic market: CSV with the API's field names, JSON lines, or our own exports."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Hashable, Iterator
from datetime import date, datetime
from pathlib import Path

from stockpipe.errors import ConfigError
from stockpipe.sandbox.exported import as_sent, is_exported, parquet_rows

_HINT = "Name a CSV, JSON lines or Parquet file with --data."


class Dump:
    """The rows of one file, in the file's order, for any date. An empty CSV field is an absent key."""

    def __init__(self, path: Path) -> None:
        self.label = f"file {path.name}"
        self._lists: dict[tuple[str, bool], list[dict[str, object]]] = {}
        try:
            for row in _READERS.get(path.suffix.lower(), _read_json_lines)(path):
                key = (str(row.get("market", "stocks")), row.get("active", True) is not False)
                self._lists.setdefault(key, []).append(row)
        except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
            raise ConfigError(f"{path} cannot be served: {error}.", hint=_HINT) from error
        if not self._lists:
            raise ConfigError(f"{path} has no rows.", hint=_HINT)
        if not any("ticker" in row for rows in self._lists.values() for row in rows):
            raise ConfigError(f"{path} has no field `ticker`.", hint=_HINT)

    def rows(self, market: str, active: bool, on: date | None, now: datetime) -> list[dict[str, object]]:
        """The file's rows of one market and active state; the same list whatever the day."""
        del on, now
        return self._lists.setdefault((market, active), [])

    def build_key(self, on: date | None, now: datetime) -> Hashable:
        """A file never changes."""
        del on, now
        return "file"


def _read_csv(path: Path) -> Iterator[dict[str, object]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or ()
        exported = is_exported(names)
        if "ticker" not in names and not exported:
            raise ValueError("it has no column `ticker`")
        for line in reader:
            given = {name: text for name, text in line.items() if name and text}
            row: dict[str, object] = as_sent(given, csv=True) if exported else {**given}
            if str(row.get("active", "")).lower() in ("true", "false"):
                row["active"] = str(row["active"]).lower() == "true"
            yield row


def _read_json_lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _as_sent(_json_object(line, number))


def _as_sent(row: dict[str, object]) -> dict[str, object]:
    return as_sent(row) if is_exported(row) else row


def _read_parquet(path: Path) -> Iterator[dict[str, object]]:
    path.stat()
    yield from map(_as_sent, parquet_rows(path))


def _json_object(line: str, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise ValueError(
            f"line {number} is not a JSON object, so it is neither JSON lines nor CSV (whose name ends in .csv)"
        )
    return row


_READERS: dict[str, Callable[[Path], Iterator[dict[str, object]]]] = {".csv": _read_csv, ".parquet": _read_parquet}
