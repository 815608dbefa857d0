"""A made-up dataset with a column of every type, and what staging makes of rows of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from stockpipe.datasets import Column, Dataset, Endpoint, Part, Partition, Snapshot
from stockpipe.datasets.column import (
    DATE,
    DAY,
    EPOCH_MS,
    EPOCH_NS,
    FLAG,
    FLOAT,
    INTEGER,
    JSON,
    TIMESTAMP,
    UNKNOWN,
    decimal,
    text,
)
from stockpipe.load.staged import StagedPart
from stockpipe.load.staging import Staging

COLUMNS = (
    Column("K", text(20), "What names a row.", "k", required=True),
    Column("WORD", text(5), "A short text.", "word"),
    Column("LONG", text(), "A text of any length.", "long"),
    Column("FLAG", FLAG, "True or false.", "flag"),
    Column("WHOLE", INTEGER, "A whole number.", "whole"),
    Column("PRICE", decimal(18, 6), "A decimal.", "price"),
    Column("SHARE", FLOAT, "A double.", "share"),
    Column("SINCE", DATE, "A day.", "since"),
    Column("AT", TIMESTAMP, "A moment; its name is a reserved word.", "at"),
    Column("SELECT", EPOCH_MS, "A moment in milliseconds; its name is a reserved word.", "ms"),
    Column("NS", EPOCH_NS, "A moment in nanoseconds.", "ns"),
    Column("MORE", JSON, "Any JSON.", "more"),
    Column("T_UPPER", text(9), "Its field differs from the next one by case only.", "T"),
    Column("T_LOWER", INTEGER, "See the one before.", "t"),
    Column("DS", DAY, "The day."),
    Column("EXTRA", UNKNOWN, "What is not declared."),
)
NESTED = (
    Column("K", text(20), "What names a row.", "k", required=True),
    Column("CLOSE", decimal(18, 6), "A number that lies deeper.", "day.c"),
    Column("VOLUME", INTEGER, "Another one.", "day.v"),
    Column("DEEP", text(), "Three levels.", "a.b.c"),
    Column("DS", DAY, "The day."),
    Column("EXTRA", UNKNOWN, "What is not declared."),
)


def made_up(columns: tuple[Column, ...] = COLUMNS) -> Partition:
    """A day of a dataset that is one list."""
    source = Endpoint("/v1/made-up", page=1000)
    dataset = Dataset("made_up", "MADE_UP", "Made up.", "rows", Snapshot(), source, columns, ("K",))
    return Partition(Part(dataset), date(2026, 2, 6))


@dataclass(frozen=True)
class Outcome:
    """What became of some rows: the facts, the stored rows by column and the rejected ones (key, reason, raw)."""

    facts: StagedPart
    stored: list[dict[str, Any]]
    rejected: list[tuple[str | None, str, str]]

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.rejected]


def stage(rows: Sequence[str], columns: tuple[Column, ...] = COLUMNS) -> Outcome:
    """Stage rows (their JSON text) as one page. Times and numbers come back as text, as DuckDB writes them exactly."""
    with Staging(made_up(columns)) as staging:
        staging.add(1, list(rows))
        facts = staging.finish()
        facts.counts.require_sum()
        paths = [str(path) for path in staging.write_parquet()]
        rejected = [(key, reason, raw) for batch in staging.rejects("run") for *_, key, reason, raw in batch]
        with duckdb.connect() as connection:
            found = connection.execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)", [paths])
            names = [name for name, *_ in found.description or ()]
            stored = [dict(zip(names, cells, strict=True)) for cells in found.fetchall()]
    return Outcome(facts, stored, rejected)


def row(field: str, value: str, key: str = "A") -> str:
    """A row with a key and one more field, whose value is JSON as it is sent."""
    return f'{{"k":{json.dumps(key)},{json.dumps(field)}:{value}}}'
