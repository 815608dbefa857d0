"""Options whose values are words of ours, or numbers with bounds.

`--help` and the shell's completion list the words, in upper or lower case; bounds are in plain words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import click

from stockpipe.settings import WarehouseKind

_ALL = "all"


class Word(click.Choice[str]):
    """One of some words; upper and lower case are the same. With `several`, some with commas between, or all of them.

    Without `strict`, a word that is none of them is let through to those who know what it should be.
    """

    def __init__(self, words: Sequence[str], *, several: bool = False, strict: bool = False) -> None:
        super().__init__([*words, *([_ALL] if several else [])], case_sensitive=False)
        self._several = several
        self._strict = strict

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See click."""
        if self._several:
            return ",".join(self._one(word.strip(), param, ctx) for word in str(value).split(","))
        return self._one(value, param, ctx)

    def _one(self, word: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(word, param, ctx)
        except click.BadParameter:
            if self._strict:
                raise
            return str(word)


class Whole(click.IntRange):
    """A whole number from `min` to `max`, both included."""

    name = "number"

    def _describe_range(self) -> str:
        """For click's help, and for what it says of a number outside: `0 to 366`, not 0<=x<=366."""
        return _in_words(self.min, self.max)


class Number(click.FloatRange):
    """A number from `min` to `max`, both included."""

    name = "number"

    def _describe_range(self) -> str:
        """See Whole."""
        return _in_words(self.min, self.max)


def _in_words(least: float | None, most: float | None) -> str:
    return f"{least:g} or more" if most is None else f"{least:g} to {most:g}"


warehouse_option = click.option(
    "--warehouse",
    type=Word(get_args(WarehouseKind)),
    help="Where to; default: snowflake when SNOWFLAKE_ACCOUNT is set.",
)
