"""A reader's answer as a command hands it out: as a table, JSON or CSV, or as a Parquet file."""

from __future__ import annotations

from pathlib import Path

import click

from stockpipe.cli.export import to_stdout
from stockpipe.cli.query import show
from stockpipe.cli.table import Look
from stockpipe.cli.values import number_of
from stockpipe.errors import UsageError
from stockpipe.reading.answer import Answer

_OTHER_FORMS = (".csv", ".json", ".jsonl", ".ndjson", ".txt", ".tsv", ".xlsx")


def must_be_parquet(out: Path | None) -> None:
    """UsageError for a file of --out whose name says another form."""
    if out is not None and out.suffix.lower() in _OTHER_FORMS:
        raise UsageError(
            f"{out} is named as another form, and --out writes Parquet.",
            hint=f"Name it {out.with_suffix('.parquet')}; other forms go to standard output: --format csv > {out.with_suffix('.csv')}.",
        )


def hand_out(
    found: Answer, form: str, out: Path | None, look: Look | None = None, *, everything: bool, quiet: bool
) -> None:
    """The answer as `form` says: table, json, csv or parquet, which goes to `out`, or to standard output without one."""
    if form != "parquet":
        show(found.result(), form, look, everything=everything, quiet=quiet)
        return
    if out is None:
        to_stdout(found.to_parquet)
        return
    found.to_parquet(out)
    if not quiet:
        click.echo(f"Wrote {number_of(len(found), 'row')} to {out}", err=True)
