"""stockpipe maintain: write the tables anew, so that what years of small loads leave behind is gone."""

from __future__ import annotations

import sys
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.disk import megabytes
from stockpipe.cli.choices import Word
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.parts import DATASET_NAMES
from stockpipe.cli.prompts import confirm
from stockpipe.cli.values import number_of
from stockpipe.datasets import DATASETS
from stockpipe.errors import UsageError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import ALL, known_datasets
from stockpipe.settings import load_settings
from stockpipe.warehouse import Warehouse

_COST = (
    "Each table is read and written once, in the order of its days, behind the fence: some seconds of a warehouse for a "
    "gigabyte (at least one minute is billed), and Time Travel and fail-safe keep the old micro-partitions for their time."
)


@click.command()
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    type=Word(tuple(DATASETS), several=True),
    metavar="NAME",
    help=f"Snowflake: only the tables of these: {DATASET_NAMES}. Default: all that there are.",
)
@click.option("--yes", is_flag=True, help="Snowflake: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def maintain(**options: Any) -> None:
    """Compact what years of small loads leave behind.

    The whole DuckDB file is rewritten in the order of its days, and replaces the old one when every table is checked to
    be the same. As much disk as the file has must be free, and other programs wait until it is done. In Snowflake each
    table is overwritten with its own rows in the order of its days; that costs money, so it asks first.
    """
    with exit_codes(as_json=options["as_json"]):
        settings = load_settings(given_settings(options), env_file=options["env_file"])
        configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"])
        datasets = known_datasets(options["datasets"] or [ALL])
        clock = Clock()
        with Desk(settings, clock) as desk:
            _ask(desk.warehouse, yes=options["yes"])
            began = clock.monotonic()
            done = desk.warehouse.compact(datasets)
            seconds = clock.monotonic() - began
        document = {"tables": done.tables, "rows": done.rows, "bytes_before": done.before, "bytes_after": done.after}
        if options["as_json"]:
            print_json({"status": "done", "exit_code": 0, **document, "seconds": round(seconds, 3)})
            return
        sizes = f"; {megabytes(done.before)} before, {megabytes(done.after)} now" if done.before and done.after else ""
        text = f"Rewrote {number_of(len(done.tables), 'table')} with {number_of(done.rows, 'row')} in {seconds:.1f} s{sizes}."
        click.echo(text, err=True)


def _ask(warehouse: Warehouse, *, yes: bool) -> None:
    if warehouse.local or yes:
        return
    click.echo(_COST, err=True)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("That costs money, and there is nobody to ask.", hint="Add --yes.")
    if not confirm("Rewrite the tables?", hint="Add --yes."):
        raise UsageError("Nothing was changed.", hint="Run it again when it suits you.")
