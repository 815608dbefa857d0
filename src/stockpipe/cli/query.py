"""stockpipe query: a question in SQL, and its answer as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from stockpipe.base.text import printable
from stockpipe.cli.output import exit_codes, print_json, shared_options
from stockpipe.cli.read import open_quietly
from stockpipe.cli.table import Look, print_table, tell
from stockpipe.cli.values import as_text, documents, number_of
from stockpipe.errors import StockpipeError, UsageError
from stockpipe.warehouse import QueryResult, Warehouse
from stockpipe.warehouse.history import has_sample_days
from stockpipe.warehouse.reading import ask

_FORMATS = click.Choice(["table", "json", "csv"], case_sensitive=False)
_STDIN = "-"
# A terminal's window; a whole table would be half a million lines.
ON_A_TERMINAL = 40
_MOST_SQL = 10_000_000


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="Read the SQL from this file; - is standard input."
)
@click.option("--format", "form", type=_FORMATS, help="How to show the rows; default: table.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--all", "everything", is_flag=True, help=f"On a terminal, all rows of a table, not the first {ON_A_TERMINAL}."
)
@shared_options
def query(
    sql: str | None, file: Path | None, form: str | None, as_json: bool, everything: bool, **options: Any
) -> None:
    """Ask the warehouse with SQL and show the rows; it only reads.

    SQL is a statement, the name of a file with one, or - for standard input. On DuckDB it reads the tables of the DuckDB
    file and nothing else: no other files, no network, no extensions.

    On a terminal a table is never wider than the terminal: what does not fit is cut, or its columns are left out. Numbers
    are rounded there. --format csv and --json show everything.

    \b
    stockpipe query "SELECT * FROM TICKERS_LATEST WHERE MARKET = 'stocks' LIMIT 5"
    stockpipe query --format csv question.sql
    """
    with exit_codes(as_json=as_json):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are different forms.", hint="Leave out one.")
        text = _statement(sql, file)
        warehouse = open_quietly(options)
        found = ask(warehouse, text)
        show(found, "json" if as_json else form or "table", everything=everything, quiet=options["quiet"])
        # Whoever reads no more wants no note either.
        print(end="", flush=True)
        if found.cut:
            click.echo(f"Note: {found.cut}", err=True)
        if warehouse.local and not options["quiet"]:
            _note_samples(warehouse)


def _statement(sql: str | None, file: Path | None) -> str:
    """The SQL to ask with, from where it was given."""
    if (sql is None) == (file is None):
        raise UsageError(
            "Give the SQL once: as text, or as a file.", hint='Ask like this: stockpipe query "SHOW TABLES".'
        )
    text = sql if sql is not None and not _is_source(sql) else _read(str(sql if file is None else file))
    _must_be_text(text)
    return text


def _is_source(sql: str) -> bool:
    """Whether the argument names where the SQL is: no statement is one word that is also a file. UsageError for a mistyped one."""
    if sql == _STDIN:
        return True
    if any(map(str.isspace, sql)):
        return False
    with suppress(OSError, ValueError):
        if Path(sql).is_file():
            return True
    if sql.lower().endswith(".sql"):
        raise UsageError(f"There is no file {sql}.", hint="Name a file with SQL, or write a statement in quotes.")
    return False


def _read(source: str) -> str:
    """The text of a file, or of standard input. UsageError for what cannot be read, or is no UTF-8."""
    name = "Standard input" if source == _STDIN else source
    try:
        with open(0 if source == _STDIN else source, "rb", closefd=source != _STDIN) as stream:
            content = stream.read(_MOST_SQL + 1)
        if len(content) > _MOST_SQL:
            raise UsageError(f"{name} is longer than {_MOST_SQL:,} bytes.", hint="Ask with one statement.")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.", hint="Name a file with SQL.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not text in UTF-8.", hint="Save it as UTF-8.") from error


def _must_be_text(sql: str) -> None:
    """UsageError for what Python could not read as text in the terminal's encoding."""
    if any("\ud800" <= char <= "\udfff" for char in sql):
        raise UsageError(
            "The SQL has characters that are no text in this terminal's encoding.",
            hint="Set a UTF-8 locale, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1.",
        )


def _note_samples(warehouse: Warehouse) -> None:
    """Say that there is sample data, where that can be asked."""
    with suppress(StockpipeError):
        if has_sample_days(warehouse):
            click.echo("Note: these tables have sample data from the sandbox, not the real market.", err=True)


def show(
    found: QueryResult, form: str, look: Look | None = None, *, everything: bool = False, quiet: bool = False
) -> None:
    """The rows on stdout as `form` says (table, json or csv); behind a table, on stderr, how many rows there are."""
    if form == "json":
        print_json(documents(found), data=True)
    elif form == "csv":
        _csv(found)
    else:
        rows = found.rows if everything or not sys.stdout.isatty() else found.rows[:ON_A_TERMINAL]
        shown = print_table(found.columns, rows, look or Look())
        count = len(found.rows)
        if not quiet or len(rows) < count or not shown.all:  # never so quiet that a part looks like the whole
            more = f" ({len(rows):,} shown; --all shows all)" if len(rows) < count else ""
            tell(f"{number_of(count, 'row')}{more}", shown.told("--json" if look else "--format csv"))


def _csv(found: QueryResult) -> None:
    # CSV has no escapes for what another encoding lacks.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    cells = _printable if sys.stdout.isatty() else _plain
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(cells(found.columns))
    writer.writerows(map(cells, found.rows))


def _plain(row: Sequence[Any]) -> list[str]:
    return [as_text(cell) for cell in row]


def _printable(row: Sequence[Any]) -> list[str]:
    """A row for a terminal, which obeys control characters."""
    return [printable(as_text(cell)) for cell in row]
