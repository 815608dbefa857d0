"""stockpipe query, export and rejects: looking at what is there."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.folders import WorkFolder
from stockpipe.base.text import printable
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import exit_codes, given_settings, print_json, print_table, shared_options
from stockpipe.cli.parts import USUAL_DATASET, whole_part_options, whole_words_of
from stockpipe.cli.streams import missing
from stockpipe.errors import StockpipeError, UsageError
from stockpipe.load.loads import known_dataset, make_loads
from stockpipe.settings import load_settings
from stockpipe.warehouse import QueryResult, Warehouse, open_warehouse
from stockpipe.warehouse.export import export_day
from stockpipe.warehouse.history import has_sample_days, is_sample_day
from stockpipe.warehouse.runs import REJECTS_TABLE

_FORMATS = click.Choice(["table", "json", "csv"])
_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_STDOUT = Path("-")


@click.command()
@click.argument("sql")
@click.option("--format", "form", type=_FORMATS, help="How to show the rows; default: table.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def query(sql: str, form: str | None, as_json: bool, **options: Any) -> None:
    """Ask the warehouse with SQL and show the rows; it only reads.

    On DuckDB it reads the tables of the DuckDB file and nothing else: no other files, no network, no extensions.

    \b
    stockpipe query "SELECT TYPE, count(*) FROM TICKERS_LATEST WHERE MARKET = 'stocks' AND ACTIVE GROUP BY 1 ORDER BY 2 DESC"
    """
    with exit_codes(as_json=as_json):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are different forms.", hint="Leave out one.")
        _must_be_text(sql)
        warehouse = open_quietly(options)
        _show(warehouse.query(sql), "json" if as_json else form or "table")
        # Whoever reads no more wants no note either.
        print(end="", flush=True)
        if warehouse.local and not options["quiet"]:
            _note_samples(warehouse)


def _note_samples(warehouse: Warehouse) -> None:
    """Say that there is sample data, where that can be asked."""
    with suppress(StockpipeError):
        if has_sample_days(warehouse):
            click.echo("Note: these tables have sample data from the sandbox, not the real market.", err=True)


def _must_be_text(sql: str) -> None:
    """UsageError for what Python could not read as text in the terminal's encoding."""
    if any("\ud800" <= char <= "\udfff" for char in sql):
        raise UsageError(
            "The SQL has characters that are no text in this terminal's encoding.",
            hint="Set a UTF-8 locale, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1.",
        )


@click.command()
@click.option("--run", "run_id", help="Only those of this run; default: the newest run that has any.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def rejects(run_id: str | None, as_json: bool, **options: Any) -> None:
    """Show the rows that could not be published, with the reason and the row as the API sent it."""
    with exit_codes(as_json=as_json):
        if run_id is not None and not all(char.isalnum() or char == "-" for char in run_id):
            raise UsageError(f"{run_id!r} is not a run id.", hint="stockpipe runs lists them.")
        which = f"'{run_id}'" if run_id else f'(SELECT max(RUN_ID) FROM "{REJECTS_TABLE}")'
        sql = f'SELECT RUN_ID, DS, TICKER, REASON, RAW FROM "{REJECTS_TABLE}" WHERE RUN_ID = {which} ORDER BY TICKER'
        _show(open_quietly(options).query(sql), "json" if as_json else "table")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The day; default: today in New York.")
@click.option("--dataset", default=USUAL_DATASET, show_default=True, help="What to export.")
@whole_part_options
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "jsonl"]), help="Default: by FILE's name.")
@shared_options
def export(file: Path, on: str | None, dataset: str, form: str | None, **options: Any) -> None:
    """Write a published day to FILE, or to standard output when FILE is -.

    The name says the format: .csv, .parquet, .jsonl or .ndjson. In CSV, a cell that a spreadsheet would run as a formula
    gets a ' in front.

    \b
    stockpipe export --date 2026-02-06 day.parquet
    stockpipe export --date 2026-02-06 --format csv - | gzip > day.csv.gz
    """
    with exit_codes():
        chosen = _format(file, form)
        loads = make_loads(Clock(), dataset, whole_words_of(known_dataset(dataset), options), on=on)
        parts, ds = [load.part for load in loads], loads[0].ds
        warehouse = _open(options)
        if file == _STDOUT:
            with WorkFolder() as folder, folder.told():
                day = folder.path / "day"
                rows = export_day(warehouse, parts, ds, chosen, day)
                _to_stdout(day)
        else:
            rows = export_day(warehouse, parts, ds, chosen, file)
        target = "standard output" if file == _STDOUT else file
        click.echo(f"Wrote {rows:,} rows of {parts[0].label} {ds} to {target}", err=True)
        with suppress(StockpipeError):
            if is_sample_day(warehouse, parts, ds):
                click.echo("Note: this day is sample data from the sandbox, not the real market.", err=True)


def _format(file: Path, form: str | None) -> str:
    """The format that was asked for, or that the file's name says; UsageError when there is none, or when they differ."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder.", hint=f"Name a file in it, such as {file / 'day.csv'}.")
    named = _SUFFIXES.get(file.suffix.lower())
    if form and named and form != named:
        raise UsageError(
            f"--format says {form}, and the name {file} says {named}.", hint="Leave out one, or change it."
        )
    if file == _STDOUT and "stdout" in missing:
        raise UsageError("There is no standard output to write to: it is closed.", hint="Name a file.")
    chosen = form or named
    if chosen is None:
        what = "Standard output has" if file == _STDOUT else f"{file} has"
        raise UsageError(
            f"{what} no format by its name.", hint="End it in .csv, .parquet or .jsonl, or name one with --format."
        )
    if chosen == "parquet" and file == _STDOUT and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", hint="Name a file, or send the output to one.")
    return chosen


def _to_stdout(day: Path) -> None:
    """A file's bytes as they are, whatever the terminal's encoding; on a terminal, control characters escaped."""
    if sys.stdout.isatty():
        with day.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                print(printable(line.removesuffix("\n")))
        return
    with day.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()


def open_quietly(options: dict[str, Any]) -> Warehouse:
    """The warehouse of the options, closed when the command ends; what it says about connecting is left out."""
    return _open(options, quiet=True)


def _open(options: dict[str, Any], *, quiet: bool = False) -> Warehouse:
    settings = load_settings(given_settings(options), env_file=options["env_file"])
    configure_logging(settings, verbose=options["verbose"], quiet=quiet or options["quiet"])
    warehouse = open_warehouse(settings)
    click.get_current_context().call_on_close(warehouse.close)
    return warehouse


def _apart(columns: list[str]) -> list[str]:
    """The names of columns, each once: a second `a` is `a_2`, so that no column takes another one's place."""
    names: list[str] = []
    for column in columns:
        others = (f"{column}_{number}" for number in count(2))
        free = (name for name in chain([column], others) if name not in names)
        names.append(next(name for name in free if name == column or name not in columns))
    return names


def _with_text_keys(value: Any) -> Any:
    """A value whose maps have texts as keys, as JSON needs them: a map of DuckDB may have dates or numbers."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list) else value


def _show(found: QueryResult, form: str) -> None:
    if form == "json":
        names = _apart(found.columns)
        print_json([dict(zip(names, map(_with_text_keys, row), strict=True)) for row in found.rows], data=True)
    elif form == "csv":
        # CSV has no escapes for what another encoding lacks.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_printable(found.columns) if sys.stdout.isatty() else found.columns)
        writer.writerows(map(_printable, found.rows) if sys.stdout.isatty() else found.rows)
    else:
        print_table(found.columns, found.rows)


def _printable(row: Sequence[Any]) -> list[Any]:
    """A row for a terminal, which obeys control characters."""
    return [printable(str(cell)) if isinstance(cell, str | list | dict | tuple) else cell for cell in row]
