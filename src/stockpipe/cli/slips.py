"""Slips of the hand: which command or option a mistyped word was meant for, and what the value is that an option lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import click

# Of difflib's ratio. An option that is not a slip of the hand away is not proposed: it could be --force.
_A_SLIP, _NEAREST = 0.76, 0.6


class Command(click.Command):
    """A command that tells of a mistyped option in our words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        with mistyped(ctx):
            return super().parse_args(ctx, args)


@contextlib.contextmanager
def mistyped(ctx: click.Context) -> Iterator[None]:
    """Tell of an option that does not exist, or lacks its value, what was meant, or what it takes. Click proposed --force for --nope."""
    try:
        yield
    except click.NoSuchOption as error:
        message = f"There is no option {error.option_name!r}.{did_you_mean(error.option_name, option_names(ctx))}"
        raise click.NoSuchOption(error.option_name, message, ctx=ctx) from None
    except click.BadOptionUsage as error:
        options = [one for one in ctx.command.params if isinstance(one, click.Option) and not one.is_flag]
        lacking = [lacks_value(one, ctx) for one in options if error.option_name in one.opts]
        raise click.BadOptionUsage(error.option_name, lacking[0] if lacking else error.message, ctx=ctx) from None


def option_names(ctx: click.Context) -> list[str]:
    """What options of the command under way are called, such as `--quiet` and `-q`."""
    options = [one for one in ctx.command.get_params(ctx) if isinstance(one, click.Option)]
    return [name for one in options for name in (*one.opts, *one.secondary_opts)]


def lacks_value(option: click.Option, ctx: click.Context) -> str:
    """`--uninstall needs a value: cron, systemd, launchd or taskscheduler.`"""
    if isinstance(option.type, click.Choice):
        *words, last = map(str, option.type.choices)
        values = f"{', '.join(words)} or {last}"
    else:
        values = option.make_metavar(ctx)
    return f"{option.opts[0]} needs a value: {values}."


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean '--market'?` to stand behind an error's first sentence; nothing where no name is near the word."""
    option = word.startswith("--")
    bare = {name.lstrip("-"): name for name in names if name.startswith("--") == option}
    meant = [repr(bare[name]) for name in _near(word.lstrip("-"), list(bare), _A_SLIP if option else _NEAREST)]
    return f" Did you mean {' or '.join(meant)}?" if meant else ""


def _near(word: str, names: list[str], cutoff: float) -> list[str]:
    """The names that a word was meant for: most like it, or with its letters in another order, or with further words behind it."""
    import difflib  # a slip is rare

    alike = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    swapped = [name for name in names if sorted(name) == sorted(word)]
    return alike or swapped or [name for name in names if name.startswith(f"{word}-")]
