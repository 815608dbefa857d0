"""stockpipe export: published days as a file."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.folders import WorkFolder
from stockpipe.base.text import printable
from stockpipe.cli.choices import Word
from stockpipe.cli.output import exit_codes, shared_options
from stockpipe.cli.parts import USUAL_DATASET, whole_part_options, whole_words_of
from stockpipe.cli.read import open_told
from stockpipe.cli.streams import missing
from stockpipe.datasets import DATASETS
from stockpipe.errors import StockpipeError, UsageError
from stockpipe.load.loads import known_dataset, make_loads
from stockpipe.warehouse.export import export_day
from stockpipe.warehouse.history import is_sample_day

_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_STDOUT = Path("-")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The day; default: today in New York.")
@click.option("--dataset", type=Word(tuple(DATASETS)), default=USUAL_DATASET, show_default=True, help="What to export.")
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
        warehouse = open_told(options)
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
        what = (
            "Standard output needs a format"
            if file == _STDOUT
            else f"{file} cannot be exported: its name says no format"
        )
        raise UsageError(f"{what}.", hint="End it in .csv, .parquet or .jsonl, or name one with --format.")
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
