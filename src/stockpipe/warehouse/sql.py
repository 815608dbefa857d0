"""The SQL that both warehouses share, built from declarations. Values are bound; names are checked and quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stockpipe.base.text import looks_like, quoted
from stockpipe.datasets import Column, Dataset
from stockpipe.errors import ConfigError, WarehouseError
from stockpipe.warehouse.runs import REJECT_COLUMNS, REJECTS_TABLE, RUN_COLUMNS, RUNS_TABLE

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
_FAMILIES = (
    ("text", ("VARCHAR", "TEXT", "STRING", "CHAR")),
    ("bool", ("BOOL",)),
    ("timestamp", ("TIMESTAMP", "DATETIME")),
    ("date", ("DATE",)),
    ("json", ("JSON", "VARIANT")),
    ("float", ("DOUBLE", "FLOAT", "REAL")),
    ("int", ("NUMBER", "DECIMAL", "BIGINT", "INT", "HUGEINT", "SMALLINT", "TINYINT", "FIXED")),
)


@dataclass(frozen=True)
class Table:
    """A table of ours: its quoted name in the warehouse, and its declared columns."""

    name: str
    columns: tuple[Column, ...]
    comment: str


def identifier(text: str, setting: str) -> str:
    """A name from a setting, quoted. A plain name is upper-cased as Snowflake does; one in double quotes is kept.

    ConfigError for anything else: a quote or a semicolon in a name is a mistake, or worse.
    """
    if _PLAIN.fullmatch(text) and not looks_like(text):
        return f'"{text.upper()}"'
    if len(text) > 2 and text[0] == text[-1] == '"' and text.replace('""', "").count('"') == 2:
        return text
    raise ConfigError(
        f"{setting} is {quoted(text)}: a name has letters, digits, _ and $ and begins with a letter or _.",
        hint=f"Correct {setting}. A name of another form needs double quotes, and single quotes around them in .env, in "
        f"connections.toml and in a shell: {setting}='\"my table\"'.",
    )


def main_table(dataset: Dataset, table_name: str, prefix: str = "") -> Table:
    """The dataset's table; `table_name` is quoted, `prefix` a quoted database and schema with a dot behind."""
    return Table(f"{prefix}{table_name}", dataset.columns, dataset.meaning)


def runs_table(prefix: str = "") -> Table:
    """The record of the runs."""
    return Table(f'{prefix}"{RUNS_TABLE}"', RUN_COLUMNS, "What every run of stockpipe did, in numbers.")


def rejects_table(prefix: str = "") -> Table:
    """The rejected rows."""
    return Table(f'{prefix}"{REJECTS_TABLE}"', REJECT_COLUMNS, "Rows that could not be published as they came.")


def column_list(columns: Iterable[Column]) -> str:
    """The quoted names of columns, with commas between."""
    return ", ".join(f'"{column.name}"' for column in columns)


def delete_slice(table: Table, mark: str) -> str:
    """Delete one day of one market and active state; values: DS, MARKET, ACTIVE."""
    return f"DELETE FROM {table.name} WHERE {slice_filter(mark)}"


def count_slice(table: Table, mark: str) -> str:
    """Count the rows of one day, market and active state; values: DS, MARKET, ACTIVE."""
    return f"SELECT count(*) FROM {table.name} WHERE {slice_filter(mark)}"


def slice_filter(mark: str) -> str:
    """The condition for one day, market and active state; values: DS, MARKET, ACTIVE."""
    return f'"DS" = {mark} AND "MARKET" = {mark} AND "ACTIVE" = {mark}'


def history(runs: Table, mark: str) -> str:
    """The last record of this day, and that of the latest earlier one; values: DATASET, MARKET, ACTIVE, DS, DS."""
    return (
        f'SELECT {column_list(runs.columns)} FROM {runs.name} WHERE "DATASET" = {mark} AND "MARKET" = {mark} AND "ACTIVE" = {mark} '
        f"AND \"DS\" <= {mark} AND \"STATUS\" IN ('published', 'unchanged') "
        f'QUALIFY row_number() OVER (PARTITION BY "DS" = {mark} ORDER BY "DS" DESC, "FINISHED_UTC" DESC) = 1'
    )


def family(sql_type: str) -> str:
    """The kind of column that a warehouse's type name stands for, or the name itself when it is none of ours."""
    name = sql_type.upper()
    for kind, starts in _FAMILIES:
        if name.startswith(starts):
            return kind
    return name


def width(sql_type: str) -> int | None:
    """The n of VARCHAR(n), None where there is none."""
    match = re.search(r"\((\d+)\)", sql_type)
    return int(match.group(1)) if match else None


def missing_columns(table: Table, existing: Mapping[str, str], types: Mapping[str, str]) -> list[Column]:
    """The declared columns that a table lacks. WarehouseError when one it has is of another kind.

    `existing` maps the table's column names to their types, `types` our kinds to the warehouse's type names.
    """
    for column in table.columns:
        spelled = _spelling(column.name, existing)
        if spelled is None:
            continue
        kind = family(existing[spelled])
        if not (kind == column.kind or {kind, column.kind} in ({"text", "json"}, {"int", "float"})):
            raise WarehouseError(
                f'{table.name} has a column "{spelled}" of type {existing[spelled]} where "{column.name}" {types[column.kind]} is needed.',
                hint=f'Nothing was changed. Rename it (ALTER TABLE {table.name} RENAME COLUMN "{spelled}" TO "OLD_{column.name}"), '
                "or name another table in SNOWFLAKE_TABLE.",
            )
    present = {name.upper() for name in existing}
    return [column for column in table.columns if column.name not in present]


def misspelled_columns(table: Table, existing: Iterable[str]) -> dict[str, str]:
    """Columns that a table has in lower or mixed case, as quoted names keep it: their spelling, and the declared one."""
    names = list(existing)
    found = ((_spelling(column.name, names), column.name) for column in table.columns)
    return {spelled: name for spelled, name in found if spelled and spelled != name}


def _spelling(name: str, existing: Iterable[str]) -> str | None:
    names = list(existing)
    return name if name in names else next((spelled for spelled in names if spelled.upper() == name), None)
