"""What a command says of several loads: a table with a line each, or one JSON document."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from stockpipe.cli.logs import safe
from stockpipe.cli.output import print_json
from stockpipe.cli.table import Look, print_table
from stockpipe.errors import StockpipeError
from stockpipe.load.loads import Load
from stockpipe.load.run import status_of
from stockpipe.observe.several import Outcome, worst

_NUMBERS = ("ROWS", "REJECTED", "CALLS", "SECONDS", "EXIT CODE")
COLUMNS = ("LIST", "DAY", "STATUS", *_NUMBERS)
_LOOK = Look(
    right=_NUMBERS,
    whole=("LIST", "DAY"),
    spare=("SECONDS", "CALLS", "EXIT CODE", "REJECTED", "ROWS"),
    prose=("STATUS",),
)


def tell_of_several(
    outcomes: Sequence[Outcome], jobs: Sequence[Sequence[Load]], options: Mapping[str, Any], built: int = 0
) -> None:
    """Tell how the jobs ended: on stdout with `--json`, and for the SQL of a dry run; else on stderr, unless quiet.

    `built` is the exit code of what was made of them, for the document.
    """
    missing = [Outcome(loads) for loads in jobs[len(outcomes) :]]
    if options["as_json"]:
        code = worst([*(outcome.exit_code for outcome in outcomes), built])
        lists = [document_of(outcome) for outcome in [*outcomes, *missing]]
        print_json({"status": "failed" if code else "done", "exit_code": code, "loads": lists})
        return
    if not options["quiet"] and options.get("log_format") != "json":
        with contextlib.suppress(BrokenPipeError), contextlib.redirect_stdout(sys.stderr):
            print()
            print_table(COLUMNS, [_line(outcome) for outcome in [*outcomes, *missing]], _LOOK)
    for outcome in outcomes:
        if outcome.result and outcome.result.sql:
            click.echo(";\n".join(outcome.result.sql) + ";")


def document_of(outcome: Outcome) -> dict[str, Any]:
    """How one job ended, for `--json`; its status is "not loaded" where a stop came first."""
    head = {"list": outcome.label, "day": outcome.loads[0].ds.isoformat()}
    if outcome.result:
        return head | outcome.result.as_dict()
    error = outcome.error
    if error is None:
        return head | {"status": "not loaded"}
    said, hint = (error.message, error.hint) if isinstance(error, StockpipeError) else (str(error), "")
    failed = {"status": "failed", "exit_code": outcome.exit_code, "error": type(error).__name__}
    return head | failed | {"message": safe(said), "hint": safe(hint)}


def _line(outcome: Outcome) -> list[Any]:
    head = [outcome.label, outcome.loads[0].ds]
    if outcome.result is None:
        status = status_of(outcome.error) if outcome.error else "not loaded"
        return [*head, status, None, None, None, None, outcome.exit_code if outcome.error else None]
    records = outcome.result.records
    return [
        *head,
        records[0].status,
        f"{outcome.result.rows:,}",
        f"{sum(record.rows_rejected for record in records):,}",
        records[-1].calls,
        f"{records[-1].seconds or 0:.1f}",
        outcome.exit_code,
    ]
