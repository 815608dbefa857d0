"""The tables as dbt sources: sources.yml for dbt 1.10 and newer, from the declarations.

Texts are written as JSON strings, which are YAML strings too. The tests need no dbt package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from stockpipe.datasets import DATASETS, USUAL, Column, Dataset
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.runs import GOOD, RECORDED
from stockpipe.warehouse.scripts.names import Names

_HEAD = """\
# Made by `stockpipe schema --dbt`. Put it beside the models of a dbt project (dbt 1.10 or newer).
# `dbt source freshness` warns when a day is missing. Name what you load in dbt_project.yml, else it is the tickers alone:
#   vars: {stockpipe_datasets: [tickers, daily_bars]}
version: 2

sources:
  - name: stockpipe
    description: "What stockpipe loads from the Massive API, a partition a day, and the record of its runs."
"""
_GOOD_RUNS = "STATUS in (" + ", ".join(f"'{status}'" for status in GOOD) + ")"
_RUN_KEY = ("RUN_ID", "DATASET", "DS", "STATUS")
_REJECT_KEY = ("RUN_ID", "DATASET", "DS", "REASON")


def dbt_sources(settings: Settings) -> str:
    """The file's text; ConfigError for a setting that cannot be used."""
    end = _freshness("cast(FINISHED_UTC as timestamp)", _GOOD_RUNS)
    return "".join(
        [
            _HEAD + _place(settings),
            *(_dataset(dataset, settings) for dataset in DATASETS.values()),
            _table(sql.runs_table(), _RUN_KEY, {"STATUS": RECORDED} | _divisions(DATASETS.values()), end),
            _table(sql.rejects_table(), _REJECT_KEY, {}),
        ]
    )


def _dataset(dataset: Dataset, settings: Settings) -> str:
    divisions = [division.column for division in dataset.divisions]
    filled = [name for name in dataset.row_key if dataset.column(name).required or not dataset.column(name).field]
    never_null = (*filled, *divisions, dataset.day.name)
    more = _config(dataset) + _one_row(dataset)
    return _table(sql.dataset_table(dataset, settings), never_null, _divisions([dataset]), more)


def _config(dataset: Dataset) -> str:
    """When a table is stale, by the kind of dataset, and, for all but the usual one, that it is asked for at all.

    A list of versions may stay as it is for weeks: whether it was loaded, the runs tell.
    """
    day = f"cast({dataset.day.name} as timestamp)"
    lines = {"every day": (36, 60), "sessions": (120, 168)}[dataset.kind.calendar]
    block = _freshness(day, hours=lines) if dataset.kind.write == "replace" else "        config:\n"
    if dataset is USUAL:
        return block
    asked = f"{{{{ '{dataset.name}' in var('stockpipe_datasets', ['{USUAL.name}']) }}}}"
    return f'{block}          enabled: "{asked}"\n'


def _divisions(datasets: Iterable[Dataset]) -> dict[str, Sequence[str]]:
    """For each column that divides a dataset, the words that may stand in it; flags need no list."""
    return {
        division.column: [str(choice.value) for choice in division.choices]
        for dataset in datasets
        for division in dataset.divisions
        if not isinstance(division.choices[0].value, bool)
    }


def _one_row(dataset: Dataset) -> str:
    """The test that a key stands once in a day; by its columns, as text with a slash between."""
    until = dataset.of_role("until")
    parts = [*(() if until else (f"cast({dataset.day.name} as varchar)",)), *map(_as_text, _columns(dataset))]
    where = f"{until.name} is null" if until else dataset.unique_where
    only = f'              config:\n                where: "{where}"\n' if where else ""
    return f"""\
        data_tests:
          - unique:
              name: {_test_name(dataset)}
              arguments:
                column_name: "{" || '/' || ".join(parts)}"
{only}"""


def _columns(dataset: Dataset) -> list[Column]:
    return [dataset.column(name) for name in dataset.row_key]


def _as_text(column: Column) -> str:
    """A column of a key as text; one that may be null would make the whole key null."""
    text = column.name if column.kind == "text" else f"cast({column.name} as varchar)"
    return text if column.required or not column.field else f"coalesce({text}, '')"


def _test_name(dataset: Dataset) -> str:
    """Unique in a dbt project: several datasets may have the same key."""
    flag = f"{dataset.unique_where.lower()}_" if dataset.unique_where else ""
    name = f"stockpipe_one_{flag}row_per_{dataset.name_column.lower()}_and_day"
    return name if flag else f"{name}_of_{dataset.name}"


def _place(settings: Settings) -> str:
    """Names are quoted in Snowflake, so that they mean what stockpipe made."""
    if settings.warehouse == "duckdb":
        return '    schema: "main"\n    tables:\n'
    names = Names.of(settings)
    return (
        f"    database: {_bare(names.database)}\n    schema: {_bare(names.schema)}\n"
        "    quoting: {database: true, schema: true, identifier: true}\n    tables:\n"
    )


def _freshness(field: str, only: str = "", hours: tuple[int, int] = (36, 60)) -> str:
    """A day is named by its midnight, so the newest is 24 hours old, and up to nine more, before the next comes.

    Between two sessions there may be four days. `hours` are those of the warning and of the error.
    """
    chosen = f"            filter: {json.dumps(only)}\n" if only else ""
    return f"""\
        config:
          loaded_at_field: {json.dumps(field)}
          freshness:
            warn_after: {{count: {hours[0]}, period: hour}}
            error_after: {{count: {hours[1]}, period: hour}}
{chosen}"""


def _table(table: sql.Table, never_null: Sequence[str], choices: Mapping[str, Sequence[str]], more: str = "") -> str:
    head = f"      - name: {_bare(table.name)}\n        description: {json.dumps(table.comment)}\n"
    return (
        head + more + "        columns:\n" + "".join(_column(column, never_null, choices) for column in table.columns)
    )


def _column(column: Column, never_null: Sequence[str], choices: Mapping[str, Sequence[str]]) -> str:
    tests = ["not_null"] if column.name in never_null else []
    if column.name in choices:
        tests.append(f"accepted_values: {{arguments: {{values: {json.dumps(list(choices[column.name]))}}}}}")
    head = f"          - name: {column.name}\n            description: {json.dumps(column.meaning)}\n"
    lines = "".join(f"              - {test}\n" for test in tests)
    return f"{head}            data_tests:\n{lines}" if tests else head


def _bare(name: str) -> str:
    return json.dumps(name[1:-1].replace('""', '"'))
