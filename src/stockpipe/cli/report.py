"""stockpipe report: the page about a day, and the same in short."""

from __future__ import annotations

import logging
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.files import replace_file, told_if_not_written
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import printable
from stockpipe.cli.next_command import typeable
from stockpipe.cli.output import exit_codes, print_json, shared_options
from stockpipe.cli.parts import market_option
from stockpipe.cli.read import commands_reader, readers_settings
from stockpipe.cli.table import in_width
from stockpipe.errors import StockpipeError
from stockpipe.load.checks import Limits
from stockpipe.reading.reader import Day
from stockpipe.report.facts import Facts, gather
from stockpipe.report.page import page
from stockpipe.report.short import document, lines
from stockpipe.settings import Settings

log = logging.getLogger(__name__)

_BESIDE_NAMES = 16


@click.command()
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The published day; default: the newest one.")
@market_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the page to this file, such as day.html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def report(on: str | None, market: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Show what changed on a day and whether the day can be trusted: as a page to read or mail, and in short here.

    The page is one HTML file that needs no network and runs no script.

    \b
    stockpipe report                                    the newest day, in short
    stockpipe report --date 2026-02-06 --out day.html   the page
    """
    with exit_codes(as_json=as_json):
        settings = readers_settings(options)
        facts = facts_of(settings, Clock(), on, market)
        if out:
            write_page(facts, out)
        if as_json:
            print_json(document(facts))
        elif not options["quiet"]:
            print("\n".join(map(_line, lines(facts))))
        if out and not options["quiet"]:
            click.echo(f"Wrote {out}, {out.stat().st_size / 1000:,.0f} kB.", err=True)


def _line(text: str) -> str:
    """A line of the report, which on a narrow terminal goes on beside the names."""
    shown = typeable(printable(text))
    return in_width(shown, _BESIDE_NAMES if shown.startswith(" ") else 2) if sys.stdout.isatty() else shown


def facts_of(settings: Settings, clock: Clock, on: Day | None, market: str) -> Facts:
    """The facts of a day, read from the warehouse of the settings."""
    with commands_reader(settings, clock) as reader:
        return gather(reader, Limits.of(settings), clock.now(), on, market)


def report_after(settings: Settings, clock: Clock, day: date, market: str, folder: Path) -> None:
    """Write the page of a day that was just loaded: MARKET-DAY.html, and MARKET.html where it is the newest day.

    The day is loaded, whatever becomes of its page: what goes wrong is a warning.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        facts = facts_of(settings, clock, day, market)
        names = [f"{market}-{facts.day.ds}.html", *([f"{market}.html"] if facts.day.ds == facts.newest else [])]
        for name in names:
            write_page(facts, folder / name)
        log.info("Report: %s", folder / names[0])
    except (StockpipeError, OSError) as error:
        if as_interrupt(error):
            raise
        log.warning("The report of %s was not written: %s", day, error)


def write_page(facts: Facts, out: Path) -> None:
    """Write the page whole or not at all; UsageError for a file that cannot be written."""
    with told_if_not_written(out, "Name another file with --out."), replace_file(out) as target:
        target.write_text(page(facts), encoding="utf-8")
