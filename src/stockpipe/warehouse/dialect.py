"""The statements that make the tables: one text, which `run` executes and `stockpipe schema` prints."""

from __future__ import annotations

from dataclasses import dataclass

from stockpipe.base.text import literal
from stockpipe.datasets import Column
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.model import Model

_SNOWFLAKE_TYPES = {
    "text": "VARCHAR",
    "flag": "BOOLEAN",
    "int": "NUMBER(38,0)",
    "decimal": "NUMBER",
    "float": "FLOAT",
    "timestamp": "TIMESTAMP_NTZ(9)",
    "date": "DATE",
    "json": "VARIANT",
}
_DUCKDB_TYPES = {
    "text": "VARCHAR",
    "flag": "BOOLEAN",
    "int": "BIGINT",
    "decimal": "DECIMAL",
    "float": "DOUBLE",
    "timestamp": "TIMESTAMP_NS",
    "date": "DATE",
    "json": "JSON",
}
FENCE_TABLE = "STOCKPIPE_FENCE"


@dataclass(frozen=True)
class TableOptions:
    """What a Snowflake account may want of our tables: no fail-safe copies, and how many days Time Travel keeps."""

    transient: bool = False
    retention_days: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> TableOptions:
        """From STOCKPIPE_TRANSIENT and STOCKPIPE_RETENTION_DAYS; ConfigError for what the service does not take."""
        transient = settings.choice("STOCKPIPE_TRANSIENT", "true", "false") == "true"
        if settings.get("STOCKPIPE_RETENTION_DAYS") is None:
            return cls(transient)
        days = settings.number("STOCKPIPE_RETENTION_DAYS", most=90)
        if not days.is_integer():
            raise settings.refused("STOCKPIPE_RETENTION_DAYS", "a whole number from 0 to 90")
        if transient and days > 1:
            raise ConfigError(
                f"STOCKPIPE_RETENTION_DAYS is {days:g}, and a transient table keeps at most 1 day.",
                hint="Set STOCKPIPE_RETENTION_DAYS to 0 or 1, or STOCKPIPE_TRANSIENT to false.",
            )
        return cls(transient, int(days))

    @property
    def head(self) -> str:
        """The beginning of CREATE TABLE."""
        return f"CREATE {'TRANSIENT ' if self.transient else ''}TABLE IF NOT EXISTS"

    @property
    def retention(self) -> str:
        """The clause for Time Travel, empty where the account's own setting holds."""
        return "" if self.retention_days is None else f"\nDATA_RETENTION_TIME_IN_DAYS = {self.retention_days}"


def snowflake_create(table: sql.Table, options: TableOptions) -> str:
    """CREATE TABLE with all comments, in one statement. No clustering key: days arrive in order, and a key has its own bill."""
    columns = ",\n".join(
        f'    "{column.name}" {snowflake_type(column)} COMMENT {snowflake_text(column.meaning)}'
        for column in table.columns
    )
    comment = f"\nCOMMENT = {snowflake_text(table.comment)}"
    return f"{options.head} {table.name} (\n{columns}\n){options.retention}{comment}"


def snowflake_fence(prefix: str, options: TableOptions) -> tuple[str, str]:
    """The fence: the table, in a form that other tools can take over, and its one row, where it is missing."""
    name = f'{prefix}"{FENCE_TABLE}"'
    return (
        f'{options.head} {name} (\n    "RUN_ID" VARCHAR(40)\n){options.retention}',
        f"INSERT INTO {name} (\"RUN_ID\") SELECT '' WHERE NOT EXISTS (SELECT 1 FROM {name})",
    )


def snowflake_type(column: Column, *, bare: bool = False) -> str:
    """A column's type; `bare` leaves out the width of a text."""
    width = f"({column.width})" if column.width and not bare else ""
    return f"{_SNOWFLAKE_TYPES[column.kind]}{_digits(column)}{width}"


def duckdb_type(column: Column) -> str:
    """A column's type. DuckDB keeps no width of a text."""
    return f"{_DUCKDB_TYPES[column.kind]}{_digits(column)}"


def _digits(column: Column) -> str:
    return f"({column.type.precision},{column.type.scale})" if column.kind == "decimal" else ""


def snowflake_text(text: str) -> str:
    """A string literal; Snowflake reads backslashes as escapes."""
    return literal(text.replace("\\", "\\\\"))


def duckdb_create(table: sql.Table) -> list[str]:
    """CREATE TABLE and a COMMENT statement for the table and each column."""
    columns = ",\n".join(f'    "{column.name}" {duckdb_type(column)}' for column in table.columns)
    return [
        f"CREATE TABLE IF NOT EXISTS {table.name} (\n{columns}\n)",
        f"COMMENT ON TABLE {table.name} IS {literal(table.comment)}",
        *duckdb_column_comments(table.name, table.columns),
    ]


def duckdb_column_comments(name: str, columns: tuple[Column, ...]) -> list[str]:
    """COMMENT statements for the columns of a table or view; `name` is quoted."""
    return [f'COMMENT ON COLUMN {name}."{column.name}" IS {literal(column.meaning)}' for column in columns]


def snowflake_view(model: Model, create: str) -> str:
    """One statement; `create` is its beginning: CREATE VIEW, or CREATE OR REPLACE VIEW, which then keeps grants."""
    columns = ",\n".join(f'    "{column.name}" COMMENT {snowflake_text(column.meaning)}' for column in model.columns)
    grants = "\nCOPY GRANTS" if "REPLACE" in create else ""
    comment = f"\nCOMMENT = {snowflake_text(model.comment)}"
    return f"{create} {model.name} (\n{columns}\n){grants}{comment}\nAS\n{model.select}"


def duckdb_view(model: Model, create: str) -> list[str]:
    """The view, then its comments; `create` is CREATE VIEW or CREATE OR REPLACE VIEW."""
    return [
        f"{create} {model.name} AS\n{model.select}",
        f"COMMENT ON VIEW {model.name} IS {literal(model.comment)}",
        *duckdb_column_comments(model.name, model.columns),
    ]
