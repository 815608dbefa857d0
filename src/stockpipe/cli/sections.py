"""Headings in the help of a command with many options: what, when, how, output, where."""

from __future__ import annotations

import click

from stockpipe.cli.parts import divisions, further_options
from stockpipe.cli.slips import Command

MANY = 14
"""With so many options a command's help has headings."""
_REST = "Options"
_DAYS = ("on", "start", "first", "end", "last", "everything", "sessions", "redo")
_HOW = ("dry_run", "yes", "force", "require_fresh", "load_method", "sample_data", "requests_per_second", "deadline")


def _headings() -> dict[str, tuple[str, ...]]:
    return {
        "When": ("at", "tz", "cron", "catch_up"),
        "What": (*_DAYS, "datasets", "dataset", *divisions(), *further_options()),
        "How": _HOW,
        "After each load": ("report", "master"),
        "An entry for this machine's own scheduler": ("install", "write", "uninstall", "system"),
        "Output": ("as_json", "form", "out", "log_file", "log_format", "metrics_file", "verbose", "quiet"),
        "Where": ("warehouse", "duckdb_path", "connection", "env_file"),
    }


class Sectioned(Command):
    """A command whose options stand under headings in its help; what belongs under none stands under Options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click."""
        places = {name: heading for heading, names in _headings().items() for name in names}
        found: dict[str, list[tuple[str, str]]] = {heading: [] for heading in (*_headings(), _REST)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):
                found[places.get(str(parameter.name), _REST)].append(record)
        for heading, records in found.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def with_sections(command: click.Command) -> click.Command:
    """The command, with headings in its help where it has many options."""
    if type(command) is Command and len(command.params) >= MANY and _mostly_known(command):
        # In one place for all commands: none can be forgotten.
        command.__class__ = Sectioned
    return command


def _mostly_known(command: click.Command) -> bool:
    """Whether most options belong under a heading: those of `init` are one list of settings."""
    known = {name for names in _headings().values() for name in names}
    return 2 * sum(parameter.name in known for parameter in command.params) > len(command.params)
