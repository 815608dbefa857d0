"""stockpipe sandbox: the local Massive API alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from stockpipe.cli.choices import Number, Whole
from stockpipe.cli.output import exit_codes
from stockpipe.errors import ConfigError, Interrupted, UsageError


@click.command()
@click.option(
    "--port",
    type=Whole(0, 65535),
    metavar="NUMBER",
    default=8765,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Serve this listing (CSV, JSON lines, or a file of stockpipe export) instead of the synthetic market.",
)
@click.option(
    "--plan",
    type=click.Choice(["free", "starter", "developer", "paid"]),
    default="paid",
    show_default=True,
    help="free: 5 calls a minute, 2 years back; starter: 5 years; developer: 10; paid: all. Each has a key: sandbox-key-free, ...",
)
@click.option(
    "--latency",
    type=Number(0, 60),
    metavar="SECONDS",
    default=0.0,
    show_default=True,
    help="Seconds added to each answer.",
)
@click.option("--seed", type=int, metavar="NUMBER", default=7, show_default=True, help="Seed of the synthetic market.")
@click.option("--rows", type=Whole(1), metavar="NUMBER", help="Number of active stocks, for benchmarks.")
@click.option(
    "--hard",
    is_flag=True,
    help="A market that is hard to follow: tickers that swap or are reused, wrong FIGIs, torn days, SPACs. For the security master; its first answer takes some seconds.",
)
def sandbox(**options: Any) -> None:
    """Serve a local Massive API over a synthetic market that lives from day to day: all datasets of stockpipe.

    \b
    stockpipe sandbox &
    export MASSIVE_BASE_URL=http://127.0.0.1:8765 POLYGON_API_KEY=sandbox-key
    stockpipe run
    stockpipe sandbox --hard &                  to try the security master
    """
    from stockpipe.sandbox import SANDBOX_KEY, Sandbox

    with exit_codes():
        if options["hard"] and options["data"]:
            raise UsageError("--hard is a synthetic market, and --data serves a file.", hint="Leave out one.")
        if options["hard"] and options["rows"]:
            raise UsageError("--hard is a market with a size of its own.", hint="Leave out --rows, or --hard.")
        try:
            server = Sandbox(**options)
            server.start()
        except OSError as error:
            raise ConfigError(
                f"Port {options['port']} cannot be used: {error.strerror}.",
                hint="Choose another with --port.",
            ) from error
        with contextlib.suppress(Interrupted):
            click.echo(f"The sandbox serves {server.url} with key {SANDBOX_KEY}; end it with Ctrl+C.", err=True)
            server.serve_forever()
