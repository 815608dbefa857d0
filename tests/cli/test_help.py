"""What `--help` says: bounds in plain words, and the words that an option takes, in every command."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from stockpipe.cli import COMMANDS, main

GROUP: Any = main
# Of these names every command that has the option lists the words, in upper or lower case.
CHOICES = {"market", "active", "dataset", "datasets", "warehouse", "STOCKPIPE_WAREHOUSE", "MASSIVE_PLAN", "keep", "otc"}


def commands() -> dict[str, click.Command]:
    """Every command by its words, those of a group too."""
    found: dict[str, click.Command] = {}
    with click.Context(GROUP) as context:
        for name in COMMANDS:
            command = GROUP.get_command(context, name)
            found[name] = command
            if isinstance(command, click.Group):
                found |= {
                    f"{name} {each}": one for each in command.commands if (one := command.get_command(context, each))
                }
    return found


EVERY = commands()


@pytest.mark.parametrize("words", ["", *EVERY])
def test_bounds_are_in_plain_words(words: str) -> None:
    shown = CliRunner().invoke(GROUP, [*words.split(), "--help"], terminal_width=200).output
    assert [sign for sign in ("<=", ">=", "RANGE", "INTEGER", "FLOAT") if sign in shown] == []


@pytest.mark.parametrize("words", ["", *EVERY])
def test_nothing_is_wider_than_a_terminal(words: str) -> None:
    shown = CliRunner().invoke(GROUP, [*words.split(), "--help"], terminal_width=80).output
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    # What cannot stand in front of an option stands in its help.
    if "--dataset" in shown and words != "datasets":
        assert "daily_bars, dividends, exchanges" in " ".join(shown.split())


@pytest.mark.parametrize("group", [main, EVERY["master"]])
def test_what_a_command_does_is_not_cut_in_the_list_of_commands(group: click.Command) -> None:
    shown = CliRunner().invoke(group, ["--help"]).output.partition("Commands:")[2]
    assert [line for line in shown.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("schedule --catch-up 367", "367 is not in the range 0 to 366."),
        ("runs --limit 0", "0 is not in the range 1 or more."),
        ("sandbox --latency 61", "61.0 is not in the range 0 to 60."),
        ("sandbox --port 65536", "65536 is not in the range 0 to 65535."),
    ],
)
def test_what_is_out_of_bounds_is_told_in_the_same_words(words: str, said: str) -> None:
    done = CliRunner().invoke(GROUP, words.split())
    assert (done.exit_code, said in done.output) == (2, True)


def test_an_option_that_takes_words_lists_them_in_every_command() -> None:
    options = [
        (words, option)
        for words, command in EVERY.items()
        for option in command.params
        if isinstance(option, click.Option) and option.name in CHOICES
    ]
    assert {option.name for _, option in options} == CHOICES
    assert [(words, option.name) for words, option in options if not isinstance(option.type, click.Choice)] == []
    assert [(words, option.name) for words, option in options if option.type.case_sensitive] == []  # type: ignore[attr-defined]
