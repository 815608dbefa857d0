"""Values as they must be given: an option that takes one value has one, and none is empty.

A second value would replace the first without a word, and an empty one, as of a shell's variable that is not set, would count
as not given: the command would go to another warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from stockpipe.cli.slips import Command, lacks_value, option_names

# Whose own rule says more about an empty value.
_OWN_RULE = ("cron",)


class Filled(click.Option):
    """An option with a value; an empty one, or the next option in its place, is an error (exit code 2)."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """See click. UsageError for an empty value, and for an option, as in `--duckdb-path --json`."""
        given = opts.get(str(self.name))
        values = given if isinstance(given, list) else [given]
        if self.name not in _OWN_RULE:
            _must_be_filled(self.opts[0], values, ctx)
        if others := [value for value in values if value in option_names(ctx)]:
            raise click.UsageError(f"{lacks_value(self, ctx)} {others[0]} is another option.", ctx)
        return super().consume_value(ctx, opts)


class Once(Filled):
    """The same where it takes one value: a second one is an error, too."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """See click: the parser shall keep all values."""
        parser.add_option(obj=self, opts=self.opts, dest=self.name, action="append", nargs=self.nargs)

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """See click. UsageError for two values, also for the same twice."""
        name = str(self.name)
        given = opts.get(name)
        if isinstance(given, list):
            if len(given) > 1:
                # The values stay out of it: one may be a secret.
                raise click.UsageError(f"{self.opts[0]} takes one value, and is given {len(given)} times.", ctx)
            opts = {**opts, name: given[0]}
        return super().consume_value(ctx, opts)


class FilledFile(click.Argument):
    """The name of a file: the empty one would be the current folder."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """See click. UsageError for an empty value."""
        _must_be_filled(self.make_metavar(ctx), [opts.get(str(self.name))], ctx)
        return super().consume_value(ctx, opts)


def given_once(command: click.Command) -> click.Command:
    """The command, with each option that takes one value given at most once, and no value empty. Flags may be repeated.

    Whether a file can be read is told by who reads it, in its own words and with its own exit code; some are only written.
    """
    for parameter in command.params:
        # In one place for all commands: none can be forgotten.
        if isinstance(parameter.type, click.Path):
            parameter.type.readable = False
        if type(parameter) is click.Option and not (parameter.is_flag or parameter.count):
            parameter.__class__ = Once if _takes_one_value(parameter) else Filled
        elif type(parameter) is click.Argument and isinstance(parameter.type, click.Path):
            parameter.__class__ = FilledFile
    if type(command) is click.Command:
        command.__class__ = Command
    return command


def _takes_one_value(option: click.Option) -> bool:
    return not option.multiple and option.nargs == 1


def _must_be_filled(name: str, values: list[Any], ctx: click.Context) -> None:
    if "" in values:
        raise click.UsageError(
            f"{name} has an empty value (a variable that is not set?). Name one, or leave it out.", ctx
        )
