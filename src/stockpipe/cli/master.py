"""stockpipe master: build the security master, and show its figures."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.next_command import next_command
from stockpipe.cli.once import given_once
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.proposals import in_lines
from stockpipe.cli.read import open_quietly
from stockpipe.cli.slips import mistyped
from stockpipe.cli.table import print_table, tell_what_is_missing
from stockpipe.cli.values import number_of
from stockpipe.errors import NotThere
from stockpipe.load.loads import day_of
from stockpipe.master.build import Built, Wish, build_master
from stockpipe.master.state import last_build
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse import open_warehouse

log = logging.getLogger(__name__)


class _Group(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return given_once(command) if command else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with mistyped(ctx):
            return super().parse_args(ctx, args)


@click.group(cls=_Group)
def master() -> None:
    """The security master: who is who over time, derived from the days that are loaded.

    \b
    stockpipe master build       derive it, or add the new days
    stockpipe master status      its figures
    """


@master.command(short_help="Derive the security master, or add the new days to it.")
@click.option("--from", "start", metavar="YYYY-MM-DD", help="Leave out earlier days, in later builds too.")
@click.option("--rebuild", is_flag=True, help="Read all days again, not only the new ones. Ids stay the same.")
@click.option("--force", is_flag=True, help="Publish what a check refuses; it is recorded.")
@click.option(
    "--overrides", type=click.Path(path_type=Path), help="A person's decisions; default: master-overrides.csv"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def build(start: str | None, rebuild: bool, force: bool, overrides: Path | None, as_json: bool, **options: Any) -> None:
    """Derive the security master from the loaded days of the listed stocks, and publish it whole, or not at all.

    Running it again is safe. Ids that were given stay.
    """
    with exit_codes(as_json=as_json):
        settings = _settings(options, overrides)
        configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"])
        first: date | None = day_of(start) if start else None
        with closing(open_warehouse(settings)) as warehouse:
            built = build_master(warehouse, settings, Clock(), Wish(first, rebuild, force))
        for warning in built.warnings:
            log.warning("%s", warning)
        if as_json:
            print_json(built.as_dict())
        elif not options["quiet"]:
            click.echo(_summary(built), err=True)


@master.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def status(as_json: bool, **options: Any) -> None:
    """Show what the newest build of the security master did."""
    with exit_codes(as_json=as_json):
        found = last_build(open_quietly(options))
        if found is None:
            raise NotThere(
                "No security master is built yet.",
                hint="Build it from the loaded days: stockpipe master build.",
            )
        if as_json:
            print_json(_document(found))
        else:
            tell_what_is_missing(print_table(("WHAT", "VALUE"), _lines(found)))


def _settings(options: dict[str, Any], overrides: Path | None = None) -> Settings:
    flags = given_settings(options) | {"STOCKPIPE_MASTER_OVERRIDES": str(overrides) if overrides else None}
    return load_settings(flags, env_file=options["env_file"])


def _summary(built: Built) -> str:
    figures = built.figures
    lines = {
        "Days": f"{number_of(built.lists, 'list')} from {built.first} to {built.last}",
        "Securities": f"{figures['SECURITIES']:,} ({figures['listed']:,} listed, {figures['delisted']:,} delisted, "
        f"{figures['unknown']:,} unknown); {figures['new_ids']:,} new ids",
        "Decisions": f"{figures['SECURITY_DECISIONS']:,}; links by rule: "
        + (", ".join(f"{rule} {count:,}" for rule, count in figures["links"].items()) or "none"),
        "Read": f"{built.read:,} rows ({built.how})",
        "Seconds": f"{built.seconds:.1f}",
        "Next": in_lines(next_command("universe"), " " * 13).lstrip(),
    }
    return "\n" + "\n".join(f"  {name:<10} {text}" for name, text in lines.items())


def _document(found: dict[str, Any]) -> dict[str, Any]:
    """The build's record: lower-case keys, JSON as what it is, the fingerprints left out."""
    parsed = {
        name: json.loads(value) if name in ("FIGURES", "FORCED") and value else value for name, value in found.items()
    }
    return {name.lower(): value for name, value in parsed.items() if name != "DIGESTS"}


def _lines(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """The record as lines, the figures one by one."""
    document = _document(found)
    figures = document.pop("figures") or {}
    lines = [(name.replace("_", " "), value) for name, value in document.items()]
    for name, value in figures.items():
        several = value.items() if isinstance(value, dict) else ((None, value),)
        # What is in capitals is the name of a table.
        word = name if name.isupper() else name.replace("_", " ")
        lines += [(f"{word}: {key}" if key else word, f"{one:,}") for key, one in several]
    return lines
