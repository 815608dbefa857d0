"""The tables as dbt sources: sources.yml for dbt 1.10 and newer, from the declarations.

Texts are written as JSON strings, which are YAML strings too. The tests need no dbt package.
"""

from __future__ import annotations

import json
from typing import get_args

from stockpipe.datasets import TICKERS, Column
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.runs import Status
from stockpipe.warehouse.scripts.names import Names

_HEAD = """\
# Made by `stockpipe schema --dbt`. Put it beside the models of a dbt project (dbt 1.10 or newer).
# A day is loaded every night, weekends too; `dbt source freshness` warns when one is missing.
version: 2

sources:
  - name: stockpipe
    description: "The tickers of the Massive API, one snapshot a day, and the record of the runs."
"""
_GOOD_RUNS = "STATUS in ('published', 'unchanged')"
_RUN_KEY = ("RUN_ID", "DATASET", "MARKET", "ACTIVE", "DS", "STATUS")
_REJECT_KEY = ("RUN_ID", "DATASET", "DS", "REASON")
_CHOICES = {
    "MARKET": list(TICKERS.markets),
    "STATUS": [status for status in get_args(Status) if status != "dry-run"],  # a dry run leaves no record
}
_ONE_ACTIVE_ROW = """\
        data_tests:
          - unique:
              name: stockpipe_one_active_row_per_ticker_and_day
              arguments:
                column_name: "cast(DS as varchar) || '/' || MARKET || '/' || TICKER"
              config:
                where: "ACTIVE"
"""


def dbt_sources(settings: Settings) -> str:
    """The file's text; ConfigError for a setting that cannot be used."""
    main = sql.main_table(TICKERS, sql.identifier(settings.require("SNOWFLAKE_TABLE"), "SNOWFLAKE_TABLE"))
    runs, rejects = sql.runs_table(), sql.rejects_table()
    day, end = _freshness("cast(DS as timestamp)"), _freshness("cast(FINISHED_UTC as timestamp)", _GOOD_RUNS)
    return "".join(
        [
            _HEAD + _place(settings),
            _table(main, (*TICKERS.key, "ACTIVE", "DS"), day + _ONE_ACTIVE_ROW),
            _table(runs, _RUN_KEY, end),
            _table(rejects, _REJECT_KEY),
        ]
    )


def _place(settings: Settings) -> str:
    """Names are quoted in Snowflake, so that they mean what stockpipe made."""
    if settings.warehouse == "duckdb":
        return '    schema: "main"\n    tables:\n'
    names = Names.of(settings)
    return (
        f"    database: {_bare(names.database)}\n    schema: {_bare(names.schema)}\n"
        "    quoting: {database: true, schema: true, identifier: true}\n    tables:\n"
    )


def _freshness(field: str, only: str = "") -> str:
    """A day is named by its midnight, so the newest is 24 hours old, and up to nine more, before the next comes."""
    chosen = f"            filter: {json.dumps(only)}\n" if only else ""
    return f"""\
        config:
          loaded_at_field: {json.dumps(field)}
          freshness:
            warn_after: {{count: 36, period: hour}}
            error_after: {{count: 60, period: hour}}
{chosen}"""


def _table(table: sql.Table, never_null: tuple[str, ...], more: str = "") -> str:
    head = f"      - name: {_bare(table.name)}\n        description: {json.dumps(table.comment)}\n"
    return head + more + "        columns:\n" + "".join(_column(column, never_null) for column in table.columns)


def _column(column: Column, never_null: tuple[str, ...]) -> str:
    tests = ["not_null"] if column.name in never_null else []
    if column.name in _CHOICES:
        tests.append(f"accepted_values: {{arguments: {{values: {json.dumps(_CHOICES[column.name])}}}}}")
    head = f"          - name: {column.name}\n            description: {json.dumps(column.meaning)}\n"
    lines = "".join(f"              - {test}\n" for test in tests)
    return f"{head}            data_tests:\n{lines}" if tests else head


def _bare(name: str) -> str:
    return json.dumps(name[1:-1].replace('""', '"'))
