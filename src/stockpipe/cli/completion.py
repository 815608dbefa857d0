"""stockpipe completion and stockpipe help."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from stockpipe.cli.output import exit_codes
from stockpipe.errors import UsageError

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS, case_sensitive=False))
def completion(shell: str) -> None:
    """Print the script with which a shell completes stockpipe's commands, options and values.

    \b
    bash: echo 'eval "$(stockpipe completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(stockpipe completion zsh)"' >> ~/.zshrc
    fish: stockpipe completion fish > ~/.config/fish/completions/stockpipe.fish
    """
    with exit_codes():
        kind = get_completion_class(shell)
        if kind is None:
            raise UsageError(f"There is no completion for {shell}.", hint=f"Choose from: {', '.join(_SHELLS)}.")
        root = click.get_current_context().find_root().command
        text = kind(root, {}, "stockpipe", "_STOCKPIPE_COMPLETE")
        click.echo(text.source_template % text.source_vars())


@click.command()
@click.argument("name", required=False, metavar="[COMMAND]")
def help(name: str | None) -> None:
    """Show the help of a command, or of stockpipe."""
    root = click.get_current_context().find_root()
    with exit_codes():
        if name is None or not isinstance(root.command, click.Group):
            click.echo(root.get_help())
            return
        command = root.command.get_command(root, name)
        if command is None:
            raise UsageError(f"There is no command {name!r}.", hint="stockpipe --help lists them.")
        click.echo(command.get_help(click.Context(command, info_name=name, parent=root)))
