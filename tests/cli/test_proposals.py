"""Commands that are proposed on a narrow terminal: no line is wider than it is, and a shell reads them as one command."""

from __future__ import annotations

import shlex
import sys

import pytest

from stockpipe.cli.proposals import in_lines, proposed

QUERY = "query \"SELECT * FROM TICKERS WHERE DS='2026-11-26' AND MARKET='stocks' LIMIT 5\""
PLACE = "--warehouse duckdb --duckdb-path stockpipe-demo.duckdb"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.parametrize(
    ("command", "before", "lines"),
    [
        ("stockpipe runs", "Next: ", ["Next: stockpipe runs"]),
        ("stockpipe " + "x" * 64, "Next: ", ["Next: stockpipe " + "x" * 64]),
        ("stockpipe " + "x" * 65, "Next: ", ["Next: stockpipe \\", "    " + "x" * 65]),
        (
            f"uv run stockpipe {QUERY} {PLACE}",
            "  Next      ",
            ["  Next      uv run stockpipe query \\", f"    {QUERY[6:]} \\", f"    {PLACE}"],
        ),
        (
            "stockpipe query \"SELECT * FROM \\\"my table\\\" WHERE DS='2026-11-26' AND MARKET='stocks' LIMIT 5\"",
            "  Next      ",
            [
                "  Next      stockpipe query \\",
                "    \"SELECT * FROM \\\"my table\\\" WHERE DS='2026-11-26' AND MARKET='stocks' LIMIT 5\"",
            ],
        ),
        # An option stays with its value; what is quoted is one word.
        (
            f"stockpipe run --dataset daily_bars --market stocks --env-file '{'my file ' * 3}.env' --date 2026-11-26",
            "",
            [
                "stockpipe run --dataset daily_bars --market stocks \\",
                f"    --env-file '{'my file ' * 3}.env' --date 2026-11-26",
            ],
        ),
    ],
)
def test_a_long_command_goes_on_in_the_next_line(command: str, before: str, lines: list[str]) -> None:
    shown = in_lines(command, before)
    assert shown.split("\n") == lines
    assert shlex.split(shown.replace("\\\n", "")) == shlex.split(before + command)


def test_the_room_for_the_sign_at_the_end_of_a_line_is_counted() -> None:
    for length in range(40, 90):
        shown = in_lines(f"stockpipe run {'a' * 20} {'b' * 20} {'c' * (length - 40)} --x {'d' * 20}")
        assert max(map(len, shown.split("\n"))) <= 80, shown


def test_it_is_one_line_where_no_terminal_is_and_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    command = f"stockpipe {QUERY} {PLACE}"
    monkeypatch.setattr(sys, "platform", "win32")
    assert in_lines(command) == command
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert in_lines(command) == command
    assert proposed("Next: ", command, command) == f"Next: {command}; {command}"


def test_several_steps_have_a_line_each() -> None:
    steps = ("stockpipe run --active false", "stockpipe runs shows what happened.")
    assert proposed("Next: ", *steps) == f"Next: {steps[0]}; {steps[1]}"
    more = (steps[0], "stockpipe run --dataset daily_bars", steps[1])
    assert proposed("Next: ", *more).split("\n") == [f"Next: {more[0]}", f"      {more[1]}", f"      {more[2]}"]
