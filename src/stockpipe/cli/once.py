"""An option that takes one value is given once: a second one would replace the first without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class Once(click.Option):
    """An option whose second value is an error (exit code 2)."""

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


def given_once(command: click.Command) -> click.Command:
    """The command, with each option that takes one value given at most once. Flags may be repeated."""
    for parameter in command.params:
        if type(parameter) is click.Option and _takes_one_value(parameter):
            # In one place for all commands: none can be forgotten.
            parameter.__class__ = Once
    return command


def _takes_one_value(option: click.Option) -> bool:
    return not (option.is_flag or option.count or option.multiple) and option.nargs == 1
