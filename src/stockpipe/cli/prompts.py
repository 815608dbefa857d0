"""Questions at a terminal. Whatever ends one, what is said next begins on a line of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import click

from stockpipe.errors import Interrupted, UsageError


def prompt(text: str, *, hint: str, **how: Any) -> Any:
    """The answer to a question; `how` is for click. UsageError with this `hint` where the input ends."""
    with _own_line(hint, hidden=bool(how.get("hide_input"))):
        return click.prompt(text, err=True, **how)


def confirm(text: str, *, hint: str) -> bool:
    """Whether the answer is yes. UsageError with this `hint` where the input ends."""
    with _own_line(hint):
        return click.confirm(text, err=True)


@contextlib.contextmanager
def _own_line(hint: str, *, hidden: bool = False) -> Iterator[None]:
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        click.echo(err=True)
        raise
    except click.Abort:
        if not hidden:  # behind a hidden answer click ends the line itself
            click.echo(err=True)
        raise UsageError("The input ended before all questions were answered.", hint=hint) from None
