"""An option that takes one value is refused when it is given twice, in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from conftest import command
from stockpipe.cli import COMMANDS, main

GROUP: Any = main


def options(name: str) -> list[tuple[str, bool]]:
    """The options of a command: name, and whether it takes one value."""
    with click.Context(GROUP) as context:
        found = GROUP.get_command(context, name).params
    return [
        (one.opts[0], not (one.is_flag or one.count or one.multiple)) for one in found if isinstance(one, click.Option)
    ]


TAKE_ONE = [(name, option) for name in COMMANDS for option, takes_one in options(name) if takes_one]


@pytest.mark.parametrize(("name", "option"), TAKE_ONE)
def test_an_option_of_one_value_is_not_given_twice(name: str, option: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        main([name, option, "first-value", f"{option}=second-value"], standalone_mode=False)
    assert refused.value.exit_code == 2
    assert refused.value.message == f"{option} takes one value, and is given 2 times."


FILLED = [*(one for one in TAKE_ONE if one[1] != "--cron"), ("run", "--dataset"), ("run", "--market")]
"""Of --cron its own rule says how many fields it lacks (tests/schedule)."""


@pytest.mark.parametrize(("name", "option"), FILLED)
def test_an_empty_value_is_not_taken_for_none(name: str, option: str) -> None:
    for words in ([option, ""], [f"{option}="]):
        with pytest.raises(click.UsageError) as refused:
            main([name, *words], standalone_mode=False)
        assert refused.value.exit_code == 2
        assert (
            refused.value.message
            == f"{option} has an empty value (a variable that is not set?). Name one, or leave it out."
        )


@pytest.mark.parametrize(
    "words",
    [("status", "--connection", ""), ("master", "status", "--env-file", ""), ("export", ""), ("sandbox", "--data=")],
)
def test_the_process_says_which_one_is_empty(words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert " has an empty value (a variable that is not set?)" in done.stderr


def test_the_process_ends_with_2_and_does_nothing() -> None:
    done = command("run", "--date", "2026-02-06", "--date", "2026-02-05")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: --date takes one value, and is given 2 times." in done.stderr


def test_once_and_flags_that_are_repeated_are_fine() -> None:
    assert len(TAKE_ONE) > 60
    done = command("schema", "--warehouse=duckdb", "--views", "--views")
    assert (done.returncode, "CREATE VIEW" in done.stdout or "CREATE OR REPLACE VIEW" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["schedule", "--uninstall"], "--uninstall needs a value: cron, systemd, launchd or taskscheduler."),
        (["schedule", "--install", "--write"], "--install needs a value: cron, systemd, launchd or taskscheduler. --write is"),
        (["run", "--date"], "--date needs a value: YYYY-MM-DD."),
        (["run", "--market", "--dry-run"], "--market needs a value: stocks, otc, crypto, fx, indices or all. --dry-run is"),
        (["status", "--duckdb-path", "--json"], "--duckdb-path needs a value: PATH. --json is another option."),
        (["master", "status", "--env-file", "-q"], "--env-file needs a value: PATH. -q is another option."),
        (["run", "--dry-run=yes"], "Option '--dry-run' does not take a value."),
    ],
)  # fmt: skip
def test_an_option_without_its_value_says_what_it_takes(words: list[str], says: str) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout, says in done.stderr) == (2, "", True)
    # In a file of the name of an option nothing is kept.
    assert (done.stderr.startswith("Usage: "), list(Path().iterdir())) == (True, [])
