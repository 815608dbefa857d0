"""stockpipe doctor: is everything ready for a run?"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.text import printable, redacted
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.next_command import typeable
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.settings import load_settings

if TYPE_CHECKING:
    from stockpipe.setup.doctor import Diagnosis

_COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red", "SKIP": "bright_black"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def doctor(as_json: bool, **options: Any) -> None:
    """Check settings, key, API, clock, warehouse, privileges, tables and disk, one thing a line, with the remedy.

    It makes one call to the API, and in Snowflake only asks; nothing is loaded or changed. The exit code is 0 when
    nothing failed, else that of the first failure.
    """
    with exit_codes(as_json=as_json):
        from stockpipe.setup.doctor import examine

        settings = load_settings(given_settings(options), env_file=options["env_file"])
        # What the settings warn about is a finding here.
        configure_logging(settings, verbose=options["verbose"], quiet=True, warn=False)
        findings = []
        for found in examine(settings, Clock()):
            finding = _shown(found, settings.secrets)
            findings.append(finding)
            if not as_json and not (options["quiet"] and finding.level == "OK"):
                click.echo(_line(finding), color=_colour())
        code = next((finding.exit_code for finding in findings if finding.level == "FAIL"), 0)
        if as_json:
            print_json({"exit_code": code, "findings": [asdict(finding) for finding in findings]})
    raise SystemExit(code)


def _colour() -> bool | None:
    """Click leaves colours out where nobody sees them; NO_COLOR leaves them out everywhere."""
    return False if os.environ.get("NO_COLOR") else None


def _shown(finding: Diagnosis, secrets: frozenset[str]) -> Diagnosis:
    """Without secrets and control characters: a server may send back what it got."""
    text, remedy = (printable(redacted(part, secrets)) for part in (finding.text, finding.remedy))
    return replace(finding, text=text, remedy=typeable(remedy))


def _line(finding: Diagnosis) -> str:
    level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
    remedy = f"\n{'':18}{finding.remedy}" if finding.remedy else ""
    return f"{level}  {finding.name:<10}  {finding.text}{remedy}"
