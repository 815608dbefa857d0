"""What is proposed can be typed as it stands: the program stands in it as it was called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import duckdb
import pytest

import stockpipe
from conftest import PROGRAM, command
from stockpipe.base import installed
from stockpipe.cli import COMMANDS, next_command
from stockpipe.cli.commands import PLACED
from stockpipe.cli.next_command import program, typeable
from stockpipe.errors import NotThere

ROOT = Path(__file__).parents[2]
SOURCE = str(ROOT / "src")
NAMED = "/srv/bin/stockpipe"


@pytest.fixture(autouse=True)
def _not_remembered() -> Iterator[None]:
    program.cache_clear()
    yield
    program.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="words are quoted in another way there")
@pytest.mark.parametrize(
    ("argv", "python", "path", "env", "expected"),
    [
        (NAMED, "python3", NAMED, {}, "stockpipe"),
        (".venv/bin/stockpipe", "python3", None, {}, ".venv/bin/stockpipe"),
        ("/my apps/bin/stockpipe", "python3", "/usr/bin/stockpipe", {}, "'/my apps/bin/stockpipe'"),
        (NAMED, "python3", NAMED, {"UV": "/bin/uv", "VIRTUAL_ENV": "/srv"}, "uv run stockpipe"),
        # Of a uv that started this shell, and not this environment.
        (NAMED, "python3", NAMED, {"UV": "/bin/uv", "VIRTUAL_ENV": ""}, "stockpipe"),
        (f"{SOURCE}/stockpipe/__main__.py", "python", None, {}, "python -m stockpipe"),
        (f"{SOURCE}/stockpipe/__main__.py", ".venv/bin/python", NAMED, {}, ".venv/bin/python -m stockpipe"),
        (
            f"{SOURCE}/stockpipe/__main__.py",
            "python",
            None,
            {"UV": "u", "VIRTUAL_ENV": "v"},
            "uv run python -m stockpipe",
        ),
        ("script.py", "python3", None, {}, "python3 -m stockpipe"),
    ],
)
def test_the_program_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, argv: str, python: str, path: str | None, env: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(sys, "argv", [argv])
    monkeypatch.setattr(sys, "orig_argv", [python])
    monkeypatch.setattr(shutil, "which", lambda _: path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    assert program() == expected


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's assignment")
def test_what_script_py_of_a_bare_checkout_proposes_can_be_typed() -> None:
    code = f"import sys; sys.argv[0] = 'script.py'; sys.path.insert(0, {SOURCE!r}); from stockpipe.cli.next_command import program; print(program())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    called = done.stdout.strip()
    assert called == f"PYTHONPATH={SOURCE} {sys.executable} -m stockpipe"
    bare = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    shown = subprocess.run(f"{called} --version", shell=True, capture_output=True, text=True, env=bare)  # noqa: S602
    assert shown.stdout.startswith("stockpipe, version ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Load a day first: stockpipe run, or stockpipe demo.", "Load a day first: P run, or P demo."),
        ("(stockpipe schema --grants prints it)", "(P schema --grants prints it)"),
        ("stockpipe init", "P init"),
        ("the tables of stockpipe are there", "the tables of stockpipe are there"),
        ("python -m stockpipe run", "python -m stockpipe run"),
        ("/srv/stockpipe run", "/srv/stockpipe run"),
        ("stockpipe running", "stockpipe running"),
    ],
)
def test_a_sentence_proposes_what_can_be_typed(monkeypatch: pytest.MonkeyPatch, text: str, expected: str) -> None:
    monkeypatch.setattr(next_command, "program", lambda: "P")
    assert typeable(text) == expected


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        (("universe",), "master build"),
        (("lookup", "AAC"), "master build"),
        (("changes",), "run"),
        (("report",), "run"),
        (("status",), "run"),
        (("prices", "AAC"), "run"),
    ],
)
def test_a_proposal_leads_to_the_file_that_was_named(asked: tuple[str, ...], proposed: str) -> None:
    place = ("--duckdb-path", "my data.duckdb")
    told = command(*asked, *place, env={"POLYGON_API_KEY": "a-test-key"}).stderr
    assert f"{PROGRAM} {proposed} --duckdb-path 'my data.duckdb'" in told


def test_the_options_of_a_proposal_are_those_of_the_command() -> None:
    place = {"warehouse", "duckdb_path", "connection", "env_file"}
    for name, (module, _) in COMMANDS.items():
        found = getattr(import_module(f"stockpipe.cli.{module}"), name)
        each = found.commands.values() if isinstance(found, click.Group) else [found]
        # `demo` and `init` have files of their own.
        expected = set() if name in ("demo", "init") else {str(one.name) for cmd in each for one in cmd.params} & place
        assert set(PLACED.get(name, place)) == expected, name


def test_who_has_only_the_demos_file_is_led_to_it() -> None:
    duckdb.connect("stockpipe-demo.duckdb").close()
    there = "--duckdb-path stockpipe-demo.duckdb"
    for asked in (("query", "SELECT 1"), ("maintain",), ("changes",), ("universe",), ("prices", "AAC"), ("status",)):
        assert there in command(*asked).stderr, asked
    assert "The demo's data" not in command("query", "FROM NONE", "--duckdb-path", "stockpipe-demo.duckdb").stderr
    with pytest.raises(NotThere, match=r"The demo's data: path stockpipe-demo\.duckdb\."):
        stockpipe.open("none.duckdb")
    with pytest.raises(NotThere, match=r"The demo's data: path stockpipe-demo\.duckdb\."):
        stockpipe.open().query("SELECT 1")


@pytest.mark.parametrize(("words", "name"), [(("--duckdb-path", "f"), "--duckdb-path"), ((), "STOCKPIPE_DUCKDB_PATH")])
def test_a_setting_is_called_by_the_option_that_it_was_given_with(words: tuple[str, ...], name: str) -> None:
    Path("f").mkdir()
    env = {} if words else {"STOCKPIPE_DUCKDB_PATH": "f"}
    for asked in (("runs",), ("doctor",), ("query", "SELECT 1")):
        done = command(*asked, *words, env=env)
        assert f"Name a file in {name}, such as " in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "name"), [(("--connection", "nope"), "--connection"), ((), "SNOWFLAKE_DEFAULT_CONNECTION_NAME")]
)
def test_a_connection_that_is_not_there_is_corrected_where_it_was_named(words: tuple[str, ...], name: str) -> None:
    done = command("runs", *words, env={} if words else {"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "nope"})
    assert (done.returncode, f" Correct {name}, or set SNOWFLAKE_HOME." in done.stderr) == (3, True)


def test_a_hint_a_warning_a_remedy_and_what_init_prints_can_be_typed() -> None:
    missing = command("run").stderr
    assert f"{PROGRAM} init asks for it and writes .env; or set POLYGON_API_KEY in the environment." in missing
    assert f"To try it out without a key: {PROGRAM} demo." in missing
    written = command("init", "--no-input", "--warehouse", "duckdb", "--api-key", "abcdefghijklmnop").stderr
    assert f"\n  {PROGRAM} doctor  " in written
    Path(".env").write_text("STOCKPIPE_WAREHOUSE=duckdb\n")
    # There is a file now, and init leaves it alone.
    assert "Put a line POLYGON_API_KEY=VALUE into .env; or set " in command("run").stderr


@pytest.mark.parametrize(
    ("place", "has_pip", "begins"),
    [
        ("", True, f"{sys.executable} -m pip install "),
        ("", False, f"uv pip install --python {sys.executable} "),
        ("pipx_metadata.json", True, "pipx inject stockpipe "),
    ],
)
def test_a_missing_package_is_added_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, has_pip: bool, begins: str
) -> None:
    if place:
        (tmp_path / place).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(installed, "find_spec", lambda _: object() if has_pip else None)
    assert installed.install_command("snowflake") == f'{begins}"snowflake-connector-python>=3.18,<6"'


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = {name: tuple(project["optional-dependencies"][name]) for name in installed.EXTRAS}
    assert known == installed.EXTRAS


def test_no_page_and_no_message_installs_what_somebody_else_may_have_on_an_index() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    assert [page.name for page in pages if "install 'stockpipe" in page.read_text(encoding="utf-8")] == []


def test_the_scripts_of_version_1_are_programs_of_their_own() -> None:
    for script in ("script.py", "scheduler.py"):
        done = subprocess.run(
            [sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"Usage: {script} [OPTIONS]\n")
        # The examples are typed as the program was called.
        assert (f"\n  python {script} --market" in done.stdout, "\n  stockpipe " in done.stdout) == (True, False)
        wrong = subprocess.run([sys.executable, str(ROOT / script), "--nope"], capture_output=True, text=True)
        assert (wrong.returncode, f"Try '{script} --help' for help." in wrong.stderr) == (2, True)
