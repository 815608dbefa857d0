"""Real lists as stretches, for who has them: dumps of the vendor's list beside the repository, never in it."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from pathlib import Path

from stockpipe.master.resolve.stretch import List, Lists, Stretch, joined

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CASES = DATA / "identity-cases.csv"
_FIELDS = ("name", "type", "primary_exchange", "cik", "composite_figi", "share_class_figi")


def stretches() -> tuple[Lists, list[Stretch]]:
    """All whole dumps, joined day by day as a nightly build does it."""
    files = sorted(
        (path.name.removeprefix("stocks-active-")[:10], path)
        for path in DATA.glob("listings/**/stocks-active-*")
        if "first5000" not in path.name
    )
    lists = [List(date.fromisoformat(day), 12_000, "current", torn="torn" in path.name) for day, path in files]
    found: list[Stretch] = []
    for number, (_, path) in enumerate(files):
        found = joined(found, _rows(path, number))
    return Lists(lists), found


def _rows(path: Path, number: int) -> list[Stretch]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    rows = {row["ticker"]: row for row in csv.DictReader(io.StringIO(text))}
    return [
        Stretch.made(ticker, [row.get(name) or None for name in _FIELDS], number, number)
        for ticker, row in rows.items()
    ]


def cases() -> list[dict[str, str]]:
    """The real cases with a verdict."""
    with CASES.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
