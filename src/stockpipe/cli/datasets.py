"""stockpipe datasets: what can be loaded."""

from __future__ import annotations

import click

from stockpipe.cli.output import exit_codes, print_json
from stockpipe.cli.table import print_table
from stockpipe.datasets import DATASETS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with every column.")
@click.option("--markdown", is_flag=True, help="Print the page docs/datasets.md.")
def datasets(as_json: bool, markdown: bool) -> None:
    """Show what can be loaded: its kind, what a load costs, which plan has it, and how far back it goes.

    \b
    stockpipe datasets                   a line each
    stockpipe datasets --json            with all columns
    stockpipe run --dataset daily_bars   load one
    """
    from stockpipe.warehouse.scripts.datasets import datasets_page, described, kind_of, reach

    with exit_codes(as_json=as_json):
        if as_json:
            print_json([described(dataset) for dataset in DATASETS.values()])
        elif markdown:
            click.echo(datasets_page(), nl=False)
        else:
            print_table(
                ("dataset", "kind", "what", "a load", "plan", "days"),
                [
                    (one.name, kind_of(one), one.meaning, one.size, f"{one.plan}+", reach(one))
                    for one in DATASETS.values()
                ],
            )
