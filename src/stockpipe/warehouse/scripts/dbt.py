"""The tables as dbt sources: sources.yml for dbt 1.10 and newer, from the declarations.

Texts are written as JSON strings, which are YAML strings too. The tests need no dbt package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from stockpipe.datasets import DATASETS, USUAL, Column, Dataset
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.model import Model, Views
from stockpipe.warehouse.runs import GOOD, RECORDED
from stockpipe.warehouse.scripts.names import Names
from stockpipe.warehouse.securities import (
    MASTER_TABLES,
    MASTER_VIEWS,
    SECURITIES,
    SECURITY_ALIASES,
    SECURITY_BUILDS,
    SECURITY_DECISIONS,
    SECURITY_EVENTS,
    SECURITY_HISTORY,
    SECURITY_LISTS,
    SECURITY_STRETCHES,
)

_HEAD = """\
# Made by `stockpipe schema --dbt`. Put it beside the models of a dbt project (dbt 1.10 or newer).
# `dbt source freshness` warns when a day is missing; the tests read the last ten days.
# Name what you load in dbt_project.yml, else it is the tickers alone:
#   vars: {stockpipe_datasets: [tickers, daily_bars]}
version: 2

sources:
  - name: stockpipe
    description: "What stockpipe loads from the Massive API, a partition a day, and the record of its runs."
"""
_DAYS = 10
_GOOD_RUNS = "STATUS in (" + ", ".join(f"'{status}'" for status in GOOD) + ")"
_RUN_KEY = ("RUN_ID", "DATASET", "DS", "STATUS")
_REJECT_KEY = ("RUN_ID", "DATASET", "DS", "REASON")
# What the tables of the security master never lack, what tells their rows apart, and the words in them.
_NEVER_NULL: dict[str, tuple[str, ...]] = {
    SECURITIES.name: ("SECURITY_ID", "ISSUER_ID", "STATUS", "FIRST_DS", "LAST_DS", "TICKER"),
    SECURITY_HISTORY.name: ("SECURITY_ID", "VALID_FROM", "TICKER"),
    SECURITY_EVENTS.name: ("DS", "SECURITY_ID", "EVENT"),
    SECURITY_DECISIONS.name: ("DECISION", "RULE", "EARLIER_SECURITY_ID", "LATER_SECURITY_ID"),
    SECURITY_ALIASES.name: ("ALIAS_ID", "SECURITY_ID"),
    SECURITY_STRETCHES.name: ("TICKER", "FIRST_DS", "LAST_DS"),
    SECURITY_LISTS.name: ("DS", "LISTED", "STATE"),
    SECURITY_BUILDS.name: ("BUILD", "RUN_ID"),
}
_KEYS = {
    SECURITIES.name: ("SECURITY_ID",),
    SECURITY_HISTORY.name: ("SECURITY_ID", "VALID_FROM"),
    SECURITY_ALIASES.name: ("ALIAS_ID",),
    SECURITY_LISTS.name: ("DS",),
    SECURITY_BUILDS.name: ("BUILD",),
}
_MASTER_BUILT = "          enabled: \"{{ var('stockpipe_master', false) }}\"\n"
_WORDS: dict[str, dict[str, Sequence[str]]] = {
    SECURITIES.name: {"STATUS": ("listed", "delisted", "unknown")},
    SECURITY_DECISIONS.name: {"DECISION": ("same", "different")},
    SECURITY_LISTS.name: {"STATE": ("whole", "torn", "broken")},
}


def _no_views(*_: object) -> tuple[Model, ...]:
    return ()


def dbt_sources(settings: Settings, views: Views = _no_views) -> str:
    """The file's text, with the views that `views` gives beside each table; ConfigError for a setting that cannot be used."""
    end = _freshness(_moment("FINISHED_UTC", settings), _GOOD_RUNS)
    return "".join(
        [
            _HEAD + _place(settings),
            *(_dataset(dataset, settings) for dataset in DATASETS.values()),
            *(_view(view, dataset) for view, dataset in _each_view(settings, views)),
            _table(sql.runs_table(), _RUN_KEY, {"STATUS": RECORDED} | _divisions(DATASETS.values()), end),
            _table(sql.rejects_table(), _REJECT_KEY, {}, recent="DS"),
            *(
                _table(table, _NEVER_NULL[table.name], _WORDS.get(table.name, {}), _once(table, _KEYS.get(table.name)))
                for table in MASTER_TABLES
            ),
        ]
    )


def _dataset(dataset: Dataset, settings: Settings) -> str:
    divisions = [division.column for division in dataset.divisions]
    filled = [name for name in dataset.row_key if dataset.column(name).required or not dataset.column(name).field]
    never_null = (*filled, *divisions, dataset.day.name)
    more = _config(dataset, settings) + _one_row(dataset)
    recent = dataset.day.name if dataset.kind.write == "replace" else ""
    return _table(sql.dataset_table(dataset, settings), never_null, _divisions([dataset]), more, recent)


def _each_view(settings: Settings, views: Views) -> Iterable[tuple[Model, Dataset]]:
    """Each view once, with the first of the datasets that it is made beside."""
    found: dict[str, tuple[Model, Dataset]] = {}
    for dataset in DATASETS.values():
        for view in views(dataset, sql.dataset_table(dataset, settings)):
            found.setdefault(view.name, (view, dataset))
    return found.values()


def _view(view: Model, dataset: Dataset) -> str:
    """A view is as fresh as its table, and its rows are tested there."""
    more = "" if dataset is USUAL else f"        config:\n{_enabled(dataset)}"
    if view.name.endswith(MASTER_VIEWS):
        more = f"        config:\n{_MASTER_BUILT}"
    return _table(sql.Table(view.name, view.columns, view.comment), (), {}, more)


def _moment(column: str, settings: Settings) -> str:
    """A column as a time without a zone: what TIMESTAMP means in Snowflake depends on TIMESTAMP_TYPE_MAPPING."""
    return f"cast({column} as {'timestamp_ntz' if settings.warehouse == 'snowflake' else 'timestamp'})"


def _recent(day: str) -> str:
    """Days that were loaded lately: older ones were tested when they were, and the whole history would be read each time."""
    return f"{day} >= current_date - {_DAYS}"


def _config(dataset: Dataset, settings: Settings) -> str:
    """When a table is stale, by the kind of dataset, and, for all but the usual one, that it is asked for at all.

    A list of versions may stay as it is for weeks: whether it was loaded, the runs tell.
    """
    day = _moment(dataset.day.name, settings)
    lines = {"every day": (36, 60), "sessions": (120, 168)}[dataset.kind.calendar]
    block = _freshness(day, hours=lines) if dataset.kind.write == "replace" else "        config:\n"
    if dataset is USUAL:
        return block
    return block + _enabled(dataset)


def _enabled(dataset: Dataset) -> str:
    asked = f"{{{{ '{dataset.name}' in var('stockpipe_datasets', ['{USUAL.name}']) }}}}"
    return f'          enabled: "{asked}"\n'


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
    recent = f"{dataset.unique_where} and " * bool(dataset.unique_where) + _recent(dataset.day.name)
    where = f"{until.name} is null" if until else recent
    only = f'              config:\n                where: "{where}"\n'
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


def _once(table: sql.Table, key: tuple[str, ...] | None) -> str:
    """That a table of the security master is there where `stockpipe_master` says so, and that a key stands once in it."""
    head = f"        config:\n{_MASTER_BUILT}"
    if key is None:
        return head
    parts = " || '/' || ".join(f"cast({name} as varchar)" for name in key)
    name = f"stockpipe_one_row_of_{table.name.strip(chr(34)).lower()}"
    return f"""\
{head}        data_tests:
          - unique:
              name: {name}
              arguments:
                column_name: "{parts}"
"""


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


def _table(
    table: sql.Table, never_null: Sequence[str], choices: Mapping[str, Sequence[str]], more: str = "", recent: str = ""
) -> str:
    """`recent` is the column of the day, where only the last days are to be tested."""
    head = f"      - name: {_bare(table.name)}\n        description: {json.dumps(table.comment)}\n"
    columns = "".join(_column(column, never_null, choices, recent) for column in table.columns)
    return f"{head}{more}        columns:\n{columns}"


def _column(column: Column, never_null: Sequence[str], choices: Mapping[str, Sequence[str]], recent: str) -> str:
    # That a day is null is found in the table's metadata, and a condition on it would hide it.
    where: dict[str, object] = {"config": {"where": _recent(recent)}} if recent and column.name != recent else {}
    tests = {"not_null": where} if column.name in never_null else {}
    if column.name in choices:
        tests |= {"accepted_values": {"arguments": {"values": list(choices[column.name])}, **where}}
    head = f"          - name: {column.name}\n            description: {json.dumps(column.meaning)}\n"
    # JSON is YAML too: not_null: {"config": {"where": "DS >= current_date - 10"}}
    lines = "".join(f"              - {name}{f': {json.dumps(how)}' if how else ''}\n" for name, how in tests.items())
    return f"{head}            data_tests:\n{lines}" if tests else head


def _bare(name: str) -> str:
    return json.dumps(name[1:-1].replace('""', '"'))
