"""The SQL that both warehouses share, built from declarations. Values are bound; names are checked and quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stockpipe.base.text import literal, looks_like, quoted
from stockpipe.datasets import Column, Dataset, DayFacts, Part, Partition
from stockpipe.errors import ConfigError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse.runs import REJECT_COLUMNS, REJECTS_TABLE, RUN_COLUMNS, RUNS_TABLE

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")
_FAMILIES = (
    ("text", ("VARCHAR", "TEXT", "STRING", "CHAR")),
    ("flag", ("BOOL",)),
    ("timestamp", ("TIMESTAMP", "DATETIME")),
    ("date", ("DATE",)),
    ("json", ("JSON", "VARIANT")),
    ("float", ("DOUBLE", "FLOAT", "REAL")),
    ("int", ("NUMBER", "DECIMAL", "BIGINT", "INT", "HUGEINT", "SMALLINT", "TINYINT", "FIXED")),
)
# Snowflake's times keep nanoseconds unless they say less; DuckDB's keep microseconds unless they say more.
_FINE_TIMES = re.compile(r"TIMESTAMP_NS|TIMESTAMP_(NTZ|LTZ|TZ)(\(9\))?|TIMESTAMP_?TZ_NS|TIMESTAMP_NS WITH TIME ZONE")
# The families of types that can hold a kind of column. JSON is text, and any number takes our whole numbers; but a
# whole number rounds a fraction, and a fraction rounds a decimal.
_HOLDERS = {
    "text": ("text", "json"),
    "json": ("json", "text"),
    "int": ("int", "float"),
    "decimal": ("int",),
}


@dataclass(frozen=True)
class Table:
    """A table of ours: its quoted name in the warehouse, and its declared columns."""

    name: str
    columns: tuple[Column, ...]
    comment: str

    @property
    def has_versions(self) -> bool:
        """Whether its rows are versions, which are closed and opened, and not partitions."""
        return any(column.type.role == "until" for column in self.columns)


def identifier(text: str, setting: str) -> str:
    """A name from a setting, quoted. A plain name is upper-cased as Snowflake does; one in double quotes is kept.

    ConfigError for anything else: a quote or a semicolon in a name is a mistake, or worse.
    """
    if _PLAIN.fullmatch(text) and not looks_like(text):
        return f'"{text.upper()}"'
    if len(text) > 2 and text[0] == text[-1] == '"' and text.replace('""', "").count('"') == 2:
        return text
    same = ", the name of the tickers table in both warehouses" if setting == "SNOWFLAKE_TABLE" else ""
    raise ConfigError(
        f"{setting} is {quoted(text)}: a name has letters, digits, _ and $ and begins with a letter or _.",
        hint=f"Correct {setting}{same}. A name of another form needs double quotes, and single quotes around them in .env, in "
        f"connections.toml and in a shell: {setting}='\"my table\"'.",
    )


def dataset_table(dataset: Dataset, settings: Settings, prefix: str = "") -> Table:
    """A dataset's table; `prefix` is a quoted database and schema with a dot behind.

    ConfigError for a name that was set and cannot be used.
    """
    setting = dataset.table_setting
    name = identifier(settings.require(setting), setting) if setting else f'"{dataset.table}"'
    return Table(f"{prefix}{name}", dataset.columns, dataset.meaning)


def runs_table(prefix: str = "") -> Table:
    """The record of the runs."""
    return Table(f'{prefix}"{RUNS_TABLE}"', RUN_COLUMNS, "What every run of stockpipe did, in numbers.")


def rejects_table(prefix: str = "") -> Table:
    """The rejected rows."""
    return Table(f'{prefix}"{REJECTS_TABLE}"', REJECT_COLUMNS, "Rows that could not be published as they came.")


def column_list(columns: Iterable[Column]) -> str:
    """The quoted names of columns, with commas between."""
    return ", ".join(f'"{column.name}"' for column in columns)


def delete_partition(table: Table, partition: Partition, mark: str) -> str:
    """Delete a partition's rows; values: those of `partition.values`.

    For the listed stocks of a day: DELETE FROM "TICKERS" WHERE "DS" = ? AND "MARKET" = ? AND "ACTIVE" = ?
    """
    return f"DELETE FROM {table.name} WHERE {_where(partition, mark)}"


def count_partition(table: Table, partition: Partition, mark: str) -> str:
    """Count a partition's rows; values: those of `partition.values`."""
    return f"SELECT count(*) FROM {table.name} WHERE {_where(partition, mark)}"


def count_known(table: Table, partition: Partition) -> str:
    """Count the versions of a part that were known on the partition's day."""
    return f"SELECT count(*) FROM {table.name} WHERE {where_exported(partition.ds, [partition.part])}"


def until_column(dataset: Dataset) -> Column:
    """The column that ends a version; KeyError for a dataset that has no versions."""
    column = dataset.of_role("until")
    if column is None:
        raise KeyError("until")
    return column


def of_day(dataset: Dataset, ds: date) -> str:
    """The condition for the rows of a day, as a literal: its partition, or the versions that were known on it.

    "DS" = DATE '2026-02-06', or ("KNOWN_FROM" <= DATE '2026-02-06' AND ("KNOWN_TO" > DATE '2026-02-06' OR "KNOWN_TO" IS NULL))
    """
    day, literal_day = f'"{dataset.day.name}"', f"DATE '{ds.isoformat()}'"
    if dataset.kind.write == "replace":
        return f"{day} = {literal_day}"
    until = f'"{until_column(dataset).name}"'
    return f"({day} <= {literal_day} AND ({until} > {literal_day} OR {until} IS NULL))"


def delete_days(table: Table, partitions: Sequence[Partition], mark: str) -> tuple[str, list[object]]:
    """Delete the rows of one part on some days, with the values to bind.

    DELETE FROM "TICKERS" WHERE "DS" IN (?, ?) AND "MARKET" = ? AND "ACTIVE" = ?; of one day as `delete_partition`.
    """
    if len(partitions) == 1:
        return delete_partition(table, partitions[0], mark), list(partitions[0].values.values())
    where, values = _on_days(partitions, mark)
    return f"DELETE FROM {table.name} WHERE {where}", values


def count_days(table: Table, partitions: Sequence[Partition], mark: str) -> tuple[str, list[object]]:
    """Count the rows of one part on some days: the days that have some, each with its number.

    SELECT "DS", count(*) FROM "TICKERS" WHERE "DS" IN (?, ?) AND "MARKET" = ? AND "ACTIVE" = ? GROUP BY "DS"
    """
    day = partitions[0].part.dataset.day.name
    where, values = _on_days(partitions, mark)
    return f'SELECT "{day}", count(*) FROM {table.name} WHERE {where} GROUP BY "{day}"', values


def _on_days(partitions: Sequence[Partition], mark: str) -> tuple[str, list[object]]:
    first, marks = partitions[0], ", ".join([mark] * len(partitions))
    day = first.part.dataset.day.name
    others = {name: value for name, value in first.values.items() if name != day}
    also = "".join(f' AND "{name}" = {mark}' for name in others)
    days: list[object] = [partition.ds for partition in partitions]
    return f'"{day}" IN ({marks}){also}', [*days, *others.values()]


def where_exported(ds: date, parts: Sequence[Part]) -> str:
    """The condition for a day's rows of some parts, their values (words of our declarations) as literals."""
    return f"{of_day(parts[0].dataset, ds)}{_and_of_parts(parts)}"


def days_of(table: str, parts: Sequence[Part]) -> str:
    """The days of which a table has rows of some parts of a dataset, each with the part's place among them; its name is quoted.

    SELECT DISTINCT "DS", CASE WHEN "MARKET" = 'stocks' AND "ACTIVE" = true THEN 0 END FROM "TICKERS"
    WHERE "DS" IS NOT NULL AND (("MARKET" = 'stocks' AND "ACTIVE" = true)) ORDER BY 1
    """
    day = f'"{parts[0].dataset.day.name}"'
    # The warehouse compares the values: a table that was there before ours may have other types.
    places = "".join(f" WHEN {one} THEN {place}" for place, one in enumerate(map(_of_part, parts)) if one)
    place = f"CASE{places} END" if places else "0"
    return f"SELECT DISTINCT {day}, {place} FROM {table} WHERE {day} IS NOT NULL{_and_of_parts(parts)} ORDER BY 1"


def _and_of_parts(parts: Sequence[Part]) -> str:
    each = [_of_part(part) for part in parts]
    return f" AND ({' OR '.join(f'({one})' for one in each)})" if all(each) else ""


def _of_part(part: Part) -> str:
    return " AND ".join(f'"{name}" = {literal(value)}' for name, value in part.values.items())


def compact_order(dataset: Dataset) -> str:
    """How a table is ordered when it is written anew: as the days come, so that days in a row lie together."""
    names = dict.fromkeys((dataset.day.name, *(division.column for division in dataset.divisions), *dataset.key))
    return ", ".join(f'"{name}"' for name in names)


def compact_order_of_years(dataset: Dataset) -> str:
    """The same for facts of days in one file: a year at a time by what names a row, then by day.

    What one name had in twenty years is then in some twenty places and not in all, and a day still in one year.
    """
    if not isinstance(dataset.kind, DayFacts):
        return compact_order(dataset)
    return ", ".join((f'year("{dataset.day.name}")', *(f'"{name}"' for name in (*dataset.key, dataset.day.name))))


def export_order(dataset: Dataset) -> str:
    """How an exported day is ordered: by what names a row, then by part."""
    names = dict.fromkeys((dataset.name_column, *dataset.row_key, *(division.column for division in dataset.divisions)))
    return ", ".join(f'"{name}"' for name in names)


def _where(partition: Partition, mark: str) -> str:
    return " AND ".join(f'"{name}" = {mark}' for name in partition.values)


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


def missing_columns(table: Table, existing: Mapping[str, str], type_of: Callable[[Column], str]) -> list[Column]:
    """The declared columns that a table lacks. WarehouseError when one it has is of another kind.

    `existing` maps the table's column names to their types; `type_of` gives the warehouse's type of a column.
    """
    for column in table.columns:
        spelled = _spelling(column.name, existing)
        if spelled is None:
            continue
        if not _takes(existing[spelled], column):
            raise WarehouseError(
                f'{table.name} has a column "{spelled}" of type {existing[spelled]} where "{column.name}" {type_of(column)} is needed.',
                hint=f"Nothing was changed. Rename it and keep what its rows have: {_renamed(table, spelled, column, type_of)}; "
                "or name another table (SNOWFLAKE_TABLE, in both warehouses).",
            )
    present = {name.upper() for name in existing}
    return [column for column in table.columns if column.name not in present]


def _takes(sql_type: str, column: Column) -> bool:
    """Whether a type of a warehouse can hold a column's values at all, and without rounding them in silence."""
    if sql_type.upper() == "TIMESTAMP_S" or family(sql_type) not in _HOLDERS.get(column.kind, (column.kind,)):
        return False
    if column.kind == "decimal":
        digits, scale = _digits(sql_type)
        return scale >= column.type.scale and digits - scale >= column.type.precision - column.type.scale
    return True


def _digits(sql_type: str) -> tuple[int, int]:
    """The digits of a number in all, and behind the point; a type that names none keeps whole numbers, and few enough."""
    found = re.search(r"\((\d+)(?:,\s*(\d+))?\)", sql_type)
    return (int(found[1]), int(found[2] or 0)) if found else (18, 0)


def coarse_columns(table: Table, existing: Mapping[str, str]) -> dict[str, str]:
    """Times of ours that a table keeps with less than nanoseconds: their names and types.

    DuckDB's TIMESTAMP and TIMESTAMP WITH TIME ZONE keep microseconds; Snowflake's keep nanoseconds, unless they say (6).
    """
    return {
        column.name: existing[column.name]
        for column in table.columns
        if column.kind == "timestamp"
        and column.name in existing
        and not _FINE_TIMES.fullmatch(existing[column.name].upper())
    }


def unfilled_columns(table: Table, needed: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What keeps rows of ours out of a table whose `needed` columns are NOT NULL without a default; each with its remedy."""
    declared = {column.name: column for column in table.columns}
    for name in sorted(needed):
        column = declared.get(name)
        remedy = f'Allow it: ALTER TABLE {table.name} ALTER COLUMN "{name}" DROP NOT NULL.'
        if column is None:
            yield (
                f'{table.name} has a column "{name}" that is NOT NULL and has no default; our rows do not have it.',
                remedy,
            )
        elif (column.field and not column.required) or column.type.role == "unknown":
            yield f'{table.name} has "{name}" as NOT NULL; our rows may have no value there.', remedy


def renamed(name: str, suffix: str) -> str:
    """A quoted name with letters behind it."""
    return f'{name[:-1]}{suffix}"'


def _renamed(table: Table, spelled: str, column: Column, type_of: Callable[[Column], str]) -> str:
    """The statements that put our column in the place of one of another kind, with the old rows' values.

    Without its values, an old row would belong to no day, or to no part of it: no load would ever replace it.
    """
    old, new, kind = f'"OLD_{column.name}"', f'"{column.name}"', type_of(column)
    return "; ".join(
        (
            f'ALTER TABLE {table.name} RENAME COLUMN "{spelled}" TO {old}',
            f"ALTER TABLE {table.name} ADD COLUMN {new} {kind}",
            f"UPDATE {table.name} SET {new} = CAST({old} AS {kind})",
        )
    )


def misspelled_columns(table: Table, existing: Iterable[str]) -> dict[str, str]:
    """Columns that a table has in lower or mixed case, as quoted names keep it: their spelling, and the declared one."""
    names = list(existing)
    found = ((_spelling(column.name, names), column.name) for column in table.columns)
    return {spelled: name for spelled, name in found if spelled and spelled != name}


def _spelling(name: str, existing: Iterable[str]) -> str | None:
    names = list(existing)
    return name if name in names else next((spelled for spelled in names if spelled.upper() == name), None)
