"""stockpipe export: published days as a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import click

from stockpipe.base.clock import Clock
from stockpipe.base.files import told_if_not_written
from stockpipe.base.folders import WorkFolder
from stockpipe.base.text import printable
from stockpipe.cli.choices import Word
from stockpipe.cli.output import exit_codes, shared_options
from stockpipe.cli.parts import DATASET_NAMES, USUAL_DATASET, whole_part_options, whole_words_of
from stockpipe.cli.read import open_told
from stockpipe.cli.streams import missing
from stockpipe.cli.values import number_of
from stockpipe.datasets import DATASETS, Dataset, Part
from stockpipe.errors import StockpipeError, UsageError
from stockpipe.load.loads import day_of, known_dataset, make_loads
from stockpipe.warehouse import Warehouse
from stockpipe.warehouse.export import all_days, export_days, published_of_each, which_days
from stockpipe.warehouse.history import is_sample_day

_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
T = TypeVar("T")
Published = Callable[[], dict[Part, list[date]]]
"""The published days of each part, where they are asked for."""
_STDOUT = Path("-")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The day; default: today in New York, or the newest there is.")
@click.option("--from", "first", metavar="YYYY-MM-DD", help="All published days from this one on.")
@click.option("--to", "last", metavar="YYYY-MM-DD", help="All published days up to this one.")
@click.option("--all", "everything", is_flag=True, help="All published days.")
@click.option(
    "--dataset",
    type=Word(tuple(DATASETS)),
    metavar="NAME",
    default=USUAL_DATASET,
    show_default=True,
    help=f"What to export: {DATASET_NAMES}.",
)
@whole_part_options
@click.option("--format", "form", type=Word(["csv", "parquet", "jsonl"], strict=True), help="Default: by FILE's name.")
@shared_options
def export(file: Path, dataset: str, form: str | None, **options: Any) -> None:
    """Write published days to FILE, or to standard output when FILE is -.

    The name says the format: .csv, .parquet, .jsonl or .ndjson. In CSV, a cell that a spreadsheet would run as a formula
    gets a ' in front.

    \b
    stockpipe export day.csv
    stockpipe export --date 2026-02-06 --active true day.parquet
    stockpipe export --from 2026-02-01 --to 2026-02-28 month.parquet
    stockpipe export --date 2026-02-06 --format csv - | gzip > day.csv.gz
    """
    with exit_codes():
        chosen = _format(file, form)
        wish = Wish.of(known_dataset(dataset), options)
        loads = make_loads(Clock(), dataset, whole_words_of(known_dataset(dataset), options), on=options["on"])
        parts, today = [load.part for load in loads], loads[0].ds
        warehouse = open_told(options)
        # Asked for once, and only where it is needed.
        published = cache(partial(published_of_each, warehouse, parts))
        days = wish.days(published, parts, today)
        rows = _exported(warehouse, parts, days, chosen, file)
        if not options["quiet"]:
            _tell(warehouse, parts, days, rows, file)
            states = [division.field for division in parts[0].dataset.divisions if division.every]
            _tell_absent(published, parts, days, asked=any(options[name] for name in states))


@dataclass(frozen=True)
class Wish:
    """Which days were asked for: one that was named, a range (both ends included), or the newest one."""

    named: bool
    ranged: bool
    first: date
    last: date

    @classmethod
    def of(cls, dataset: Dataset, options: Mapping[str, Any]) -> Wish:
        """UsageError for options that do not go together, and for a range of a dataset that keeps versions."""
        first, last = (day_of(options[name]) if options[name] else None for name in ("first", "last"))
        ranged = bool(first or last or options["everything"])
        if sum((bool(options["on"]), bool(first or last), options["everything"])) > 1:
            raise UsageError("--date, --from and --to, and --all are different days.", hint="Give one of them.")
        if first and last and last < first:
            raise UsageError(f"--to {last} is before --from {first}.", hint="Give the earlier day to --from.")
        if ranged and dataset.kind.write != "replace":
            raise UsageError(
                f"{dataset.name} has no snapshot a day: a row stands once, with the days from and to which it was known.",
                hint="Export what was known on a day with --date.",
            )
        return cls(bool(options["on"]), ranged, first or date.min, last or date.max)

    def days(self, published_of: Published, parts: list[Part], today: date) -> list[date]:
        """The days to export; `today` is the one that was named, where one was. UsageError when there is none."""
        if self.named or (not self.ranged and parts[0].dataset.kind.write != "replace"):
            return [today]
        published = all_days(published_of())
        there = [day for day in published if self.first <= day <= self.last]
        if self.ranged and not there:
            message = f"There is no published day of {parts[0].label} among these."
            raise UsageError(message, hint=which_days(published, self.first))
        if self.ranged:
            return there
        if there and today not in there:
            click.echo(f"{today} is not published yet; the newest day is {there[-1]}.", err=True)
        return [today] if today in there or not there else [there[-1]]


def _exported(warehouse: Warehouse, parts: list[Part], days: list[date], form: str, file: Path) -> int:
    """Write the file, or standard output; returns the rows."""
    if file != _STDOUT:
        return export_days(warehouse, parts, days, form, file)
    return to_stdout(lambda made: export_days(warehouse, parts, days, form, made))


def _tell(warehouse: Warehouse, parts: list[Part], days: list[date], rows: int, file: Path) -> None:
    target = "standard output" if file == _STDOUT else file
    which = str(days[0]) if len(days) == 1 else f"of {len(days):,} days, {days[0]} to {days[-1]},"
    click.echo(f"Wrote {number_of(rows, 'row')} of {parts[0].label} {which} to {target}", err=True)
    with suppress(StockpipeError):
        # What was known on a day was loaded on it, or before.
        as_snapshot = parts[0].dataset.kind.write == "replace"
        if is_sample_day(warehouse, parts, days[0] if len(days) == 1 and as_snapshot else None):
            what = "this day is" if len(days) == 1 else "among these days is"
            click.echo(f"Note: {what} sample data from the sandbox, not the real market.", err=True)


def _tell_absent(published_of: Published, parts: list[Part], days: list[date], *, asked: bool) -> None:
    """Which parts some of the days do not have. One that no day has is told only where it was `asked` for."""
    if len(parts) == 1:
        return
    with suppress(StockpipeError):
        for part, published in published_of().items():
            absent = [day for day in days if day not in published]
            if absent and (published or asked):
                which = f"on {absent[0]}" if len(absent) == 1 else f"on {len(absent):,} of these days"
                click.echo(f"Note: {part.label}: nothing is published {which}, so the file has none of them.", err=True)


def _format(file: Path, form: str | None) -> str:
    """The format that was asked for, or that the file's name says; UsageError when there is none, or when they differ."""
    with told_if_not_written(file):
        is_folder = file.is_dir()
    if is_folder:
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


def to_stdout(write: Callable[[Path], T]) -> T:
    """What `write` puts into a file, on standard output; gives what it returns."""
    with WorkFolder() as folder:
        made = folder.path / "answer"
        with folder.told():
            result = write(made)
        _copy_to_stdout(made)
    return result


def _copy_to_stdout(day: Path) -> None:
    """A file's bytes as they are, whatever the terminal's encoding; on a terminal, control characters escaped."""
    if sys.stdout.isatty():
        with day.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                print(printable(line.removesuffix("\n")))
        return
    with day.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()
