"""stockpipe doctor: is everything ready for a run?"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.text import printable, redacted
from stockpipe.cli.logs import colour, configure_logging
from stockpipe.cli.next_command import typeable
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.table import terminal_width
from stockpipe.cli.values import number_of
from stockpipe.settings import load_settings

if TYPE_CHECKING:
    from stockpipe.setup.doctor import Diagnosis, Level

_INDENT = 18
_COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red", "SKIP": "bright_black"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def doctor(as_json: bool, **options: Any) -> None:
    """Check settings, key, API, clock, warehouse, privileges, tables and disk: a line for each, with what to do.

    It makes one call to the API, and in Snowflake only asks; nothing is loaded or changed. The exit code is 0 when
    nothing failed, else that of the first failure.
    """
    with exit_codes(as_json=as_json):
        from stockpipe.setup.doctor import examine

        settings = load_settings(given_settings(options), env_file=options["env_file"])
        # What the settings warn about is a finding here.
        configure_logging(settings, verbose=options["verbose"], quiet=True, warn=False, waits=not options["quiet"])
        findings = []
        for found in examine(settings, Clock()):
            finding = _shown(found, settings.secrets)
            findings.append(finding)
            if not as_json and not (options["quiet"] and finding.level == "OK"):
                click.echo(_line(finding), color=colour())
        code = next((finding.exit_code for finding in findings if finding.level == "FAIL"), 0)
        if as_json:
            print_json({"exit_code": code, "findings": [asdict(finding) for finding in findings]})
        elif not options["quiet"]:
            click.echo(counted([finding.level for finding in findings]))
    raise SystemExit(code)


def counted(levels: Sequence[Level]) -> str:
    """The last line: `1 failed, 2 warnings, 1 not looked at, 12 OK`."""
    failed, warned, skipped, good = (levels.count(level) for level in ("FAIL", "WARN", "SKIP", "OK"))
    counts = [
        f"{failed} failed" if failed else "",
        number_of(warned, "warning") if warned else "",
        f"{skipped} not looked at" if skipped else "",
        f"{good} OK",
    ]
    return ", ".join(filter(None, counts))


def _shown(finding: Diagnosis, secrets: frozenset[str]) -> Diagnosis:
    """Without secrets and control characters: a server may send back what it got."""
    text, remedy = (printable(redacted(part, secrets)) for part in (finding.text, finding.remedy))
    return replace(finding, text=text, remedy=typeable(remedy))


def _line(finding: Diagnosis) -> str:
    level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
    first, *rest = [*_folded(finding.text), *_folded(finding.remedy)]
    return "\n".join([f"{level}  {finding.name:<10}  {first}", *(" " * _INDENT + line for line in rest)])


def _folded(text: str) -> list[str]:
    """A text as lines that stay beside the names; it is one line where no terminal is."""
    if not sys.stdout.isatty():
        return [text] if text else []
    room = max(20, terminal_width() - _INDENT)
    return textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False)
