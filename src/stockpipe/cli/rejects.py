"""stockpipe rejects: the rows that could not be published."""

from __future__ import annotations

from typing import Any

import click

from stockpipe.cli.output import exit_codes, shared_options
from stockpipe.cli.query import ON_A_TERMINAL, show
from stockpipe.cli.read import open_quietly
from stockpipe.cli.table import Look
from stockpipe.errors import UsageError
from stockpipe.warehouse import QueryResult, Warehouse
from stockpipe.warehouse.history import has_run, told_if_unrecorded
from stockpipe.warehouse.runs import REJECTS_TABLE

_LOOK = Look(
    whole=("RUN_ID", "DS", "TICKER"),
    spare=("RAW",),
    once=("RUN_ID", "DS"),
    least={"REASON": 24, "RAW": 24},
    prose=("REASON",),
)


@click.command()
@click.option("--run", "run_id", metavar="ID", help="Only those of this run; default: the newest run that has any.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--all", "everything", is_flag=True, help=f"On a terminal, all rows, not the first {ON_A_TERMINAL}.")
@shared_options
def rejects(run_id: str | None, as_json: bool, everything: bool, **options: Any) -> None:
    """Show the rows that could not be published, with the reason and the row as the API sent it."""
    with exit_codes(as_json=as_json):
        if run_id is not None and not all(char.isalnum() or char == "-" for char in run_id):
            raise UsageError(f"{run_id!r} is not a run id.", hint="stockpipe runs lists them.")
        found = _rejected(open_quietly(options), run_id)
        if found.rows or as_json:
            show(found, "json" if as_json else "table", _LOOK, everything=everything, quiet=options["quiet"])
        if not found.rows:
            click.echo(f"No rejected rows{f' in run {run_id}' if run_id else ''}.", err=True)


def _rejected(warehouse: Warehouse, run_id: str | None) -> QueryResult:
    """The rejected rows of a run, or of the newest run that has any. UsageError when there is no such run."""
    which = f"'{run_id}'" if run_id else f'(SELECT max(RUN_ID) FROM "{REJECTS_TABLE}")'
    columns = '"RUN_ID", "DS", "TICKER", "REASON", "RAW"'
    with told_if_unrecorded(warehouse):
        [found] = warehouse.scan(
            f'SELECT {columns} FROM "{REJECTS_TABLE}" WHERE "RUN_ID" = {which} ORDER BY "TICKER", "REASON", "RAW"'
        )
    if run_id and not found.rows and not has_run(warehouse, run_id):
        raise UsageError(f"No run has the id {run_id}.", hint="stockpipe runs lists them.")
    return found
