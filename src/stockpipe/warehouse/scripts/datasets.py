"""What can be loaded, from the declarations: as words for a command, and as the page docs/datasets.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stockpipe.datasets import DATASETS, Column, Dataset, DayFacts, Snapshot
from stockpipe.warehouse.dialect import duckdb_type, snowflake_type

_HEAD = """\
# Datasets

<!-- Made by `stockpipe datasets --markdown`; a test fails when it is not up to date. -->

What `stockpipe run --dataset NAME` can load. Every dataset is one declaration (a file in `src/stockpipe/datasets/`), from
which its calls, types, tables, checks, dbt tests and this page are made.

Three kinds:

- **snapshot**: the whole list, one partition a day (`DS`). Loading a day again replaces it.
- **day**: what happened on a trading day, one partition a day (`DS`). On a day without a session there is nothing to load:
  the run ends well and is recorded (status `nothing`), and no empty day is stored.
- **versions**: a list that the vendor restates. A row that is new opens a version, one that is gone closes its own
  (`KNOWN_FROM`, `KNOWN_TO`, half-open). What was known on a day d: `KNOWN_FROM <= d AND (KNOWN_TO > d OR KNOWN_TO IS NULL)`;
  what holds now is in the view `<TABLE>_CURRENT`. A load of an earlier day than the newest is refused, and so is a list that
  closes more than 1 % of the versions that it covers (`--force` accepts that, and it is recorded).
"""
_PLANS = {
    "basic": "all; Basic reaches two years back, Starter 5, Developer 10, Advanced to the first day",
    "starter": "Starter and up",
}


def kind_of(dataset: Dataset) -> str:
    """The kind as people read it."""
    if isinstance(dataset.kind, Snapshot):
        return "snapshot"
    return "day" if isinstance(dataset.kind, DayFacts) else "versions"


def described(dataset: Dataset) -> dict[str, Any]:
    """A dataset in words and values, for `--json`."""
    return {
        "name": dataset.name,
        "table": dataset.table,
        "meaning": dataset.meaning,
        "kind": kind_of(dataset),
        "expected": "after every session" if dataset.kind.calendar == "sessions" else "every day",
        "plan": dataset.plan,
        "size": dataset.size,
        "rows": dataset.rows,
        "calls": dataset.calls,
        "first_day": dataset.first_day.isoformat() if dataset.source.has_days else None,
        "options": [*(each.field for each in dataset.divisions), *(each.name for each in dataset.source.options)]
        + (["keep"] if dataset.of_role("pulled") else []),
        "key": list(dataset.row_key),
        "path": dataset.source.path,
        "columns": [_column(column) for column in dataset.columns],
    }


def in_short(dataset: Dataset) -> str:
    """What it is in a few words: what the kind tells as well is left out."""
    return re.split(r", one |, in every | that were | \(", dataset.meaning.rstrip("."))[0]


def reach(dataset: Dataset) -> str:
    """How far back its days go."""
    return f"from {dataset.first_day}" if dataset.source.has_days else "today's list only"


def datasets_page() -> str:
    """The page docs/datasets.md."""
    return _HEAD + "\n" + "\n".join("\n".join(_section(dataset)) + "\n" for dataset in DATASETS.values())


def _section(dataset: Dataset) -> Iterator[str]:
    yield f"## {dataset.name}\n"
    yield f"{dataset.meaning}\n"
    yield "| | |\n|---|---|"
    yield f"| table | `{dataset.table}` |"
    yield f"| kind | {kind_of(dataset)}, expected {described(dataset)['expected']} |"
    yield f"| call | `GET {dataset.source.path}` |"
    yield f"| a load | {dataset.size} |"
    yield f"| plans | {_PLANS[dataset.plan]} |"
    yield f"| days | {reach(dataset)} |"
    yield f"| a row is named by | {', '.join(f'`{name}`' for name in dataset.row_key)} |"
    for division in dataset.divisions:
        yield f"| `--{division.field}` | {division.help} Default: {division.usual}. |"
    for option in dataset.source.options:
        yield f"| `--{option.name}` | {option.help} |"
    if dataset.of_role("pulled"):
        yield "| `--keep` | last: a pull replaces those of the same day; all: it stands beside them. |"
    yield "\n| column | DuckDB | Snowflake | meaning |\n|---|---|---|---|"
    for column in dataset.columns:
        unit = f" In {column.unit}." if column.unit else ""
        example = f" Such as `{column.example}`." if column.example else ""
        types = f"{duckdb_type(column)} | {snowflake_type(column)}"
        yield f"| `{column.name}` | {types} | {column.meaning.replace('|', '/')}{unit}{example} |"


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "field": column.field,
        "type": column.kind,
        "required": column.required,
        "unit": column.unit or None,
        "meaning": column.meaning,
    }
