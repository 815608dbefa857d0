"""The form of what doctor, errors and warnings say: on a terminal and elsewhere."""

from __future__ import annotations

import json
import re
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from conftest import command
from stockpipe.cli import COMMANDS, main
from stockpipe.cli.doctor import counted
from stockpipe.setup.doctor import Level
from support.terminals import seen

pytestmark = pytest.mark.slow

NO_TERMINAL = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
# Nobody answers at port 9, and no key is set.
SETTINGS = {"MASSIVE_BASE_URL": "http://127.0.0.1:9", "STOCKPIPE_DUCKDB_PATH": "a-folder-that-does-not-exist/x.duckdb"}


@pytest.mark.parametrize(
    ("levels", "line"),
    [
        (["OK", "OK"], "2 OK"),
        (["OK", "WARN"], "1 warning, 1 OK"),
        (["FAIL", "WARN", "WARN", "OK"], "1 failed, 2 warnings, 1 OK"),
        (["FAIL", "FAIL", "SKIP"], "2 failed, 1 not looked at, 0 OK"),
    ],
)
def test_the_last_line_counts(levels: list[Level], line: str) -> None:
    assert counted(levels) == line


@NO_TERMINAL
@pytest.mark.parametrize("columns", [80, 120])
def test_long_lines_go_on_beside_the_names(columns: int) -> None:
    shown = seen("doctor", columns=columns, env=SETTINGS)
    assert (shown.code, shown.widest <= columns) == (3, True)
    *lines, last = shown.lines
    assert all(line[:4].strip() in ("OK", "WARN", "FAIL", "SKIP") or line.startswith(" " * 18) for line in lines)
    assert last == "2 failed, 1 not looked at, " + last.rpartition(", ")[2]
    assert "\x1b[31mFAIL" in shown.raw


@NO_TERMINAL
def test_no_colour_where_it_is_not_wanted() -> None:
    assert "\x1b" not in seen("doctor", env=SETTINGS | {"NO_COLOR": "1"}).raw
    plain, painted = (seen("query", "SELECT 1", env=env) for env in ({"NO_COLOR": "1"}, {}))
    assert (plain.raw.startswith("Error: "), "\x1b" in plain.raw) == (True, False)
    assert painted.raw.startswith("\x1b[31m\x1b[1mError:\x1b[0m ")


def test_elsewhere_a_finding_is_a_line() -> None:
    done = command("doctor", env=SETTINGS)
    assert all(line[:4].strip() in ("OK", "WARN", "FAIL", "SKIP", "") for line in done.stdout.splitlines()[:-1])
    assert "\x1b" not in done.stdout
    found = json.loads(command("doctor", "--json", env=SETTINGS).stdout)
    assert (found["exit_code"], {finding["level"] for finding in found["findings"]} >= {"OK", "FAIL"}) == (3, True)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"SNOWFLAKE_ACCOUNT": "a-b", "SNOWFLAKE_USER": "u", "SNOWFLAKE_AUTHENTICATOR": "nonsense"}, "sign-in"),
        ({"SNOWFLAKE_ACCOUNT": "a-b", "SNOWFLAKE_USER": "u", "SNOWFLAKE_PRIVATE_KEY_PATH": "none.p8"}, "sign-in"),
        ({"SNOWFLAKE_ACCOUNT": "a-b", "SNOWFLAKE_TABLE": "not a name"}, "table"),
        ({"SNOWFLAKE_TABLE": "not a name"}, "table"),
    ],
)
def test_a_wrong_setting_stands_under_what_it_concerns(settings: dict[str, str], name: str) -> None:
    place = {"SNOWFLAKE_DATABASE": "D", "SNOWFLAKE_SCHEMA": "S", "MASSIVE_BASE_URL": "http://127.0.0.1:9"}
    found = json.loads(command("doctor", "--json", env=place | settings).stdout)["findings"]
    assert [one["name"] for one in found if one["level"] == "FAIL" and one["name"] != "API key"] == [name]


def test_help_version_and_completion() -> None:
    assert command("-V").stdout == command("--version").stdout
    assert command("help", "runs").stdout.startswith("Usage: ")
    assert "Commands:" in command("help").stdout
    assert command("help", "rums").returncode == 2
    for shell in ("bash", "ZSH", "fish"):
        assert "_STOCKPIPE_COMPLETE=" in command("completion", shell).stdout


@pytest.mark.parametrize("option", ["--market", "--warehouse", "--active", "--dataset"])
def test_a_shell_completes_the_words_of_an_option(option: str) -> None:
    shell = ShellComplete(main, {}, "stockpipe", "_STOCKPIPE_COMPLETE")
    words = [found.value for found in shell.get_completions(["run", option], "")]
    assert {"--market": "crypto", "--warehouse": "duckdb", "--active": "both", "--dataset": "tickers"}[option] in words


@pytest.mark.parametrize("name", list(COMMANDS))
def test_many_options_stand_under_headings_each_once(name: str) -> None:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    text = found.get_help(click.Context(found, info_name=name))
    options = [param for param in found.params if isinstance(param, click.Option) and not param.hidden]
    for option in options:
        assert len(re.findall(rf"^  (?:-\w, )?{option.opts[-1]}\b(?!-)", text, re.MULTILINE)) == 1, option.opts
    has_many = len(found.params) >= 14 and name != "init"  # of which each option is a setting
    assert ("\nOutput:\n" in text, "\nWhere:\n" in text) == (has_many, has_many)
