"""stockpipe datasets: what can be loaded."""

from __future__ import annotations

import click

from stockpipe.cli.output import exit_codes, print_json
from stockpipe.cli.table import Look, print_table, tell_what_is_missing
from stockpipe.datasets import DATASETS

_LOOK = Look(
    right=("ROWS", "CALLS"), whole=("DATASET", "PLAN", "DAYS"), spare=("KIND",), least={"WHAT": 24}, prose=("WHAT",)
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with every column.")
@click.option("--markdown", is_flag=True, help="Print the page docs/datasets.md.")
def datasets(as_json: bool, markdown: bool) -> None:
    """Show what can be loaded: its kind, rows and calls of a usual load, which plan has it, and how far back its days go.

    \b
    stockpipe datasets                   a line each
    stockpipe datasets --json            with all columns
    stockpipe run --dataset daily_bars   load one
    """
    from stockpipe.warehouse.scripts.datasets import datasets_page, described, in_short, kind_of

    with exit_codes(as_json=as_json):
        if as_json:
            print_json([described(dataset) for dataset in DATASETS.values()])
        elif markdown:
            click.echo(datasets_page(), nl=False)
        else:
            shown = print_table(
                ("DATASET", "KIND", "WHAT", "ROWS", "CALLS", "PLAN", "DAYS"),
                [
                    (
                        one.name,
                        kind_of(one),
                        in_short(one),
                        f"{one.rows:,}",
                        one.calls,
                        f"{one.plan}+",
                        one.first_day if one.source.has_days else "today",
                    )
                    for one in DATASETS.values()
                ],
                _LOOK,
            )
            tell_what_is_missing(shown)
