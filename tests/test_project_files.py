"""The files around the code say what the code does."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

import stockpipe
from conftest import command
from stockpipe.cli import COMMANDS, main
from stockpipe.datasets import TICKERS
from stockpipe.settings import SETTINGS

ROOT = Path(__file__).parent.parent
TOOLS = ("airflow", "dagster", "prefect")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(name: str) -> None:
    assert f"stockpipe {name}" in README
    done = command(name, "--help")
    assert (done.returncode, "Usage:" in done.stdout) == (0, True)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert name in README or f"`_{name.removeprefix('SNOWFLAKE_')}`" in README or f"`_{name.split('_', 1)[1]}" in README


def test_the_example_file_names_only_settings() -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) >= 15
    assert set(names) <= set(SETTINGS)


def test_every_column_is_in_the_readme() -> None:
    assert [column.name for column in TICKERS.columns if f"`{column.name}`" not in README] == []


def test_the_thirteen_columns_of_version_1_come_first() -> None:
    assert [column.name for column in TICKERS.columns[:13]] == [
        "TICKER", "NAME", "MARKET", "LOCALE", "PRIMARY_EXCHANGE", "TYPE", "ACTIVE", "CURRENCY_NAME", "CIK", "COMPOSITE_FIGI",
        "SHARE_CLASS_FIGI", "LAST_UPDATED_UTC", "DS",
    ]  # fmt: skip


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first
    assert first.group(1) == stockpipe.__version__


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", *(f"integrations/{tool}/requirements.txt" for tool in TOOLS)]
)
def test_requirements_are_pinned_with_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][^\n]*==[^\n]*", text, re.MULTILINE)
    assert len(pins) > 25
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.in")), ids=lambda path: path.stem)
def test_a_tool_is_pinned_with_hashes_and_make_renews_and_ci_runs_it(path: Path) -> None:
    text = path.with_suffix(".txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)
    assert {line for line in path.read_text(encoding="utf-8").split("\n") if line[:1] not in ("", "#")} <= set(pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert path.stem in re.findall(r"^TOOLS := (.*)", makefile, re.MULTILINE)[0].split()
    target = re.findall(rf"^([a-z-]+): .*tools/\.venv-{path.stem}/", makefile, re.MULTILINE)[0]
    assert target in (ROOT / ".ci/run").read_text(encoding="utf-8").split()
    assert f"make {target}" in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def test_a_link_of_the_readme_leads_to_a_file_of_the_repository_and_is_absolute_on_an_index() -> None:
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["metadata"]["hooks"]
    text = (
        README
        + "\n![a picture](docs/picture.png) [![a badge](docs/b.svg)](https://ci.example/) [mail](mailto:a@b.example)"
    )
    for rule in hook["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not link.startswith(("https://", "#", "mailto:"))] == []
    own = "https://github.com/Jeanmarturell/stock_trading_python_app/blob/HEAD/"
    files = [link.removeprefix(own).split("#")[0] for link in links if link.startswith(own)]
    assert len(files) >= 8
    assert [name for name in files if not (ROOT / name).exists()] == []
    raw = own.replace("github.com", "raw.githubusercontent.com").replace("blob/", "")
    assert [link for link in links if link.startswith(raw)][-2:] == [f"{raw}docs/picture.png", f"{raw}docs/b.svg"]


def test_the_container_is_not_root_and_takes_only_files_that_its_builder_may_see() -> None:
    steps = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    last = dict(steps[max(at for at, (word, _) in enumerate(steps) if word == "FROM") :])
    assert (last["USER"], last["ENTRYPOINT"], last["WORKDIR"]) == ("10001:10001", '["stockpipe"]', "/data")
    installs = [part for word, text in steps if word == "RUN" for part in text.split("&&") if "install --quiet" in part]
    assert len(installs) == 3
    assert [part for part in installs if not {"--require-hashes", "--no-deps"} & set(part.split())] == []
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in rules if line[:1] not in ("", "#")) == "*"
    copied = [text.split()[:-1] for word, text in steps if word == "COPY" and "--from" not in text]
    assert len(copied) == 3
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists()
        assert f"!{name}" in rules


def test_ci_runs_the_targets_on_three_systems_and_four_pythons() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    for part in (
        "ubuntu-latest, macos-latest, windows-latest",
        '"3.11", "3.12", "3.13", "3.14"',
        "pytest",
        "ruff check",
        "mypy",
        "stockpipe demo",
    ):
        assert part in text
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE)


def test_what_others_import_without_bringing_it_comes_with_us_on_every_system() -> None:
    # zoneinfo reads tzdata where the machine has no time zones; DuckDB needs pytz for a TIMESTAMPTZ.
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {"tzdata", "pytz"} <= {re.split("[<>=]", text)[0] for text in wanted if ";" not in text}


def test_help_needs_neither_the_connector_nor_duckdb() -> None:
    import sys

    code = (
        "import sys; from stockpipe.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'snowflake', 'httpcore2', 'rich', 'msgspec'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_every_option_in_a_page_is_one_of_its_command(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"stockpipe ([a-z]+)((?: (?:--[a-z-]+|\"[^\"`]*\"|[\w./|:-]+))*)", text)
    asked = {(name, option) for name, rest in found if name in COMMANDS for option in re.findall(r" (--[a-z-]+)", rest)}
    assert len(asked) >= 6
    group: Any = main
    with click.Context(group) as context:
        known = {
            name: {word for parameter in group.get_command(context, name).params for word in parameter.opts}
            for name in COMMANDS
        }
    assert {(name, option) for name, option in asked if option not in known[name]} == set()


def test_operations_tells_what_to_do_on_each_exit_code() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6", "7", "130, 143"]


def test_links_of_the_readme_work_on_an_index_too() -> None:
    """A package index shows the page without the files beside it."""
    links = re.findall(r"\]\(([^)#][^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [link for link in links if not link.startswith("https://")] == []
    ours = [link.partition("/blob/HEAD/")[2] for link in links if link.startswith(project["urls"]["Homepage"])]
    assert [path for path in ours if path and not (ROOT / path.partition("#")[0]).exists()] == []
    assert set(project["urls"]) == {"Homepage", "Documentation", "Changelog", "Issues"}


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a checkout")
@pytest.mark.parametrize(
    "name",
    [".env", "stockpipe.duckdb", "stockpipe.duckdb.state.json", "stockpipe.state.json", "stockpipe.prom", "key.p8"]
    + [f"day.{form}" for form in ("csv", "csv.gz", "jsonl", "ndjson", "parquet")],
)
def test_what_a_user_makes_in_the_checkout_is_not_committed(name: str) -> None:
    assert subprocess.run(["git", "-C", str(ROOT), "check-ignore", "-q", name]).returncode == 0


def test_uv_run_brings_no_tools_of_developers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["uv"]["default-groups"] == []
