"""stockpipe universe, lookup and changes: who was listed, whose a ticker was, and what changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stockpipe.cli.answer import hand_out, must_be_parquet
from stockpipe.cli.output import exit_codes, shared_options
from stockpipe.cli.parts import market_option
from stockpipe.cli.read import commands_reader, readers_settings
from stockpipe.cli.table import Look
from stockpipe.errors import UsageError
from stockpipe.load.loads import day_of
from stockpipe.reading.answer import Answer
from stockpipe.reading.reader import Reader

_FORMATS = click.Choice(["table", "json", "csv", "parquet"], case_sensitive=False)
_NAME = {"NAME": 24}
_UNIVERSE = Look(
    whole=("SECURITY_ID", "TICKER"), spare=("SHARE_CLASS_FIGI", "COMPOSITE_FIGI", "CIK", "VALID_FROM"), least=_NAME
)
# The ticker is the one that was asked for.
_LOOKUP = Look(
    whole=("SECURITY_ID", "VALID_FROM", "VALID_TO", "STATUS", "TICKER_NOW"),
    spare=("COMPOSITE_FIGI", "CIK", "ISSUER_ID", "NAME_NOW", "PRIMARY_EXCHANGE", "TYPE", "TICKER"),
    once=("TICKER", "TYPE", "PRIMARY_EXCHANGE"),
    least={"NAME": 16},
)
_CHANGES = Look(
    whole=("CHANGE", "TICKER", "COLUMN_NAME"),
    spare=("PREVIOUS_DS", "DS", "PRIMARY_EXCHANGE", "TYPE", "OLD_TICKER"),
    once=("PREVIOUS_DS", "DS"),
    least={"NAME": 20},
)
Question = Callable[[Reader], Answer]


def _form_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """In which form the answer is wanted, and where."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="On a terminal, all rows of a table."),
        click.option("--out", type=click.Path(path_type=Path), help="With --format parquet: write to this file."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--format", "form", type=_FORMATS, help="How to show the rows; default: table."),
    ):
        function = option(function)
    return function


@click.command()
@click.option("--date", "on", metavar="YYYY-MM-DD", help="As of this day; default: the master's newest.")
@_form_options
@shared_options
def universe(on: str | None, **options: Any) -> None:
    """Show who was listed on a day, with permanent ids, as the security master knows it.

    \b
    stockpipe universe --date 2021-01-04
    stockpipe universe --format parquet --out universe.parquet
    """

    def ask(reader: Reader) -> Answer:
        found = reader.securities(on)
        _tell_of_list(reader, on, options)
        return found

    _answer(options, ask, _UNIVERSE)


@click.command()
@click.argument("ticker")
@click.option(
    "--date", "on", metavar="YYYY-MM-DD", help="Whose it was on this day; default: everybody who ever had it."
)
@_form_options
@shared_options
def lookup(ticker: str, on: str | None, **options: Any) -> None:
    """Show whose a TICKER was, and what that security is called now.

    \b
    stockpipe lookup FB --date 2021-01-04     what was FB, and what is it now?
    stockpipe lookup META                     who had META, from when to when?
    """

    def ask(reader: Reader) -> Answer:
        found = reader.lookup(ticker, on)
        _tell_of_list(reader, on, options)
        if not len(found):
            when = f"on {on}" if on else "on any day"
            alike = " or ".join(row["TICKER"] for row in reader.tickers_alike(ticker))
            raise UsageError(
                f"Nobody was listed as {ticker} {when}, as far as the security master knows.",
                hint=f"{f'Did you mean {alike}? ' if alike else ''}Upper and lower case matter (ABRpD is not ABRPD).",
            )
        return found

    _answer(options, ask, _LOOKUP)


@click.command()
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The day; default: the newest published one.")
@click.option("--since", metavar="YYYY-MM-DD", help="Against this day; default: the published day before.")
@market_option
@_form_options
@shared_options
def changes(on: str | None, since: str | None, market: str, **options: Any) -> None:
    """Show what changed on a day: who is new, gone or renamed, and which values changed, the old and the new one.

    Renames are told by the security master where it knows both days, else by the FIGI.

    \b
    stockpipe changes
    stockpipe changes --date 2026-02-06 --since 2026-01-02 --format csv
    """

    def ask(reader: Reader) -> Answer:
        found = reader.changes(on, since=since, market=market)
        if not len(found) and not options["quiet"]:
            part, day, before = reader.published(on, market=market)
            click.echo(f"Nothing changed in {part.label} from {since or before} to {day}.", err=True)
        return found

    _answer(options, ask, _CHANGES)


def _tell_of_list(reader: Reader, on: str | None, options: dict[str, Any]) -> None:
    """Say where no list of the day is loaded: what changed between two lists is not known before the later one."""
    if on is not None and not options["quiet"] and (day := reader.list_of(on)) != day_of(on):
        click.echo(f"No list of {on} is loaded: this is as of {day}.", err=True)


def _answer(options: dict[str, Any], ask: Question, look: Look) -> None:
    """Ask, and show the answer in the form that is wanted."""
    as_json, form, out = options["as_json"], options["form"], options["out"]
    with exit_codes(as_json=as_json):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are different forms.", hint="Leave out one.")
        if out is not None and form != "parquet":
            raise UsageError("--out names the file for --format parquet.", hint="Other forms go to standard output.")
        must_be_parquet(out)
        if form == "parquet" and out is None and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal.", hint="Name a file: --out universe.parquet.")
        settings = readers_settings(options)
        with commands_reader(settings) as reader:
            found = ask(reader)
        chosen = "json" if as_json else form or "table"
        hand_out(found, chosen, out, look, everything=options["everything"], quiet=options["quiet"])
