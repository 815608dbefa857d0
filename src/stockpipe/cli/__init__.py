"""The commands. What they share is in `output`; each family of commands has a file of its own, imported when used."""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType
from typing import Any

import click

from stockpipe.base import engines
from stockpipe.base.stopping import stopping
from stockpipe.base.version import __version__
from stockpipe.cli.commands import COMMANDS
from stockpipe.cli.once import given_once
from stockpipe.cli.slips import did_you_mean, mistyped
from stockpipe.cli.streams import have_streams
from stockpipe.errors import ConfigError, Interrupted, not_installed

__all__ = ["ALONE", "COMMANDS", "main"]


ALONE = "alone"
"""For `obj` of `main`: the command that is called is a program of its own."""


class _NotUsable(click.ClickException):
    """This Python lacks something that a command needs to be imported at all."""

    exit_code = 3


class _Program(click.Context):
    """Of a command that is a program of its own, such as script.py: its name stands where `stockpipe run` would."""

    @property
    def command_path(self) -> str:
        """See click."""
        return (self.parent and self.parent.info_name) or ""


class _Group(click.Group):
    """Finds a command's code only when it is called, so that `--help` stays quick."""

    def main(self, *args: Any, **how: Any) -> Any:
        have_streams()
        with engines.kept():
            try:
                # Before anything is imported for a command, which takes half a second.
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, _stop)
                return super().main(*args, **how)
            except Interrupted as stopped:
                click.echo(f"Error: {stopped.message}", err=True)
                sys.exit(stopped.exit_code)
            finally:
                # What was done is told. To let go of the engines and of Python itself takes half a second, in which a
                # signal would give another exit code.
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            with stopping.held():
                module = importlib.import_module(f"stockpipe.cli.{COMMANDS[cmd_name][0]}")
                sections = importlib.import_module("stockpipe.cli.sections")
        except ModuleNotFoundError as error:
            raise _NotUsable(str(not_installed(error))) from None
        except ConfigError as error:
            raise _NotUsable(str(error)) from None
        command: click.Command = getattr(module, cmd_name)
        if ctx.obj == ALONE:
            command.context_class = _Program
            # Its examples are typed as the program was called.
            command.help = (command.help or "").replace(f"stockpipe {cmd_name}", f"python {ctx.info_name}")
        found: click.Command = sections.with_sections(given_once(command))
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"There is no command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        with mistyped(ctx):
            return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 3 configuration, 4 key or plan refused, 5 API, 6 warehouse, 7 data check, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="stockpipe")
def main() -> None:
    """The whole Massive (formerly Polygon.io) stock universe in your own warehouse, one verified day at a time.

    \b
    stockpipe demo                     try it, no account needed
    stockpipe run                      load today's list (settings from .env)
    stockpipe run --date 2026-02-06    load the records of a past day
    stockpipe status                   is everything there?
    stockpipe query "SELECT * FROM TICKERS_LATEST WHERE MARKET = 'stocks' LIMIT 5"
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _stop(number: int, frame: FrameType | None) -> None:
    stopping.came(number)
