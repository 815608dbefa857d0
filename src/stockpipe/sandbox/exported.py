"""What `stockpipe export` has written, as rows of the API again: its columns are fields, in upper case."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

# Not fields of the API: the day, and the fields that we do not know, which stand beside the others.
_DAY, _EXTRA = "DS", "EXTRA"
# The quote in front of a cell of CSV that a spreadsheet would run as a formula.
_GUARD = re.compile(r"^'(?=[\t\r\n]|[\s\u200b-\u200f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def is_exported(names: Collection[str]) -> bool:
    """Whether columns are those of an export."""
    return {"TICKER", _DAY} <= set(names)


def day_of(row: Mapping[str, object]) -> str:
    """The day of an exported row, as YYYY-MM-DD."""
    return str(row[_DAY])


def as_sent(row: Mapping[str, object], *, csv: bool = False) -> dict[str, object]:
    """An exported row as the API sends it: without absent values, times in ISO 8601.

    {"TICKER": "A", "CIK": None, "DELISTED_UTC": "2026-02-06 00:00:00", "DS": "2026-02-07"} becomes
    {"ticker": "A", "delisted_utc": "2026-02-06T00:00:00Z"}. `csv`: every cell is text, some with a quote in front.
    """
    sent: dict[str, object] = {}
    for name, cell in row.items():
        if name in (_DAY, _EXTRA) or cell is None or cell == "":
            continue
        text = _GUARD.sub("", cell) if csv and isinstance(cell, str) else cell
        is_time = name.endswith("_UTC") and isinstance(text, str)
        sent[name.lower()] = f"{str(text).replace(' ', 'T').removesuffix('Z')}Z" if is_time else text
    return {**_extra(row.get(_EXTRA)), **sent}


def parquet_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a Parquet file. OSError or ValueError for a file that cannot be read as one."""
    import duckdb

    from stockpipe.base.engine import open_local
    from stockpipe.base.folders import WorkFolder
    from stockpipe.base.text import literal

    with WorkFolder() as folder, open_local(folder.path) as local:
        try:
            found = local.execute(f"SELECT to_json(day) FROM read_parquet({literal(str(path))}) AS day")
            while lines := found.fetchmany(1000):
                yield from (json.loads(line) for (line,) in lines)
        except duckdb.Error as error:
            raise ValueError(f"it cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _extra(cell: object) -> dict[str, object]:
    found = json.loads(cell) if isinstance(cell, str) and cell else cell
    return found if isinstance(found, dict) else {}
