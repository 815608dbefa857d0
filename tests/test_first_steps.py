"""What the pages show is typed here: the README's first screen, and the first steps of docs/operations.md with their output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import table
from stockpipe.sandbox import SANDBOX_KEY, Sandbox

ROOT = Path(__file__).parent.parent
FIRST_SCREEN = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60])
BASH = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM = Path(sys.executable).with_name("stockpipe")
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not PROGRAM.exists(), reason="needs a shell, and stockpipe installed beside this Python"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def shell(script: str, path: str = os.defpath, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a user's shell does; what stderr gets comes in the order in which it was written."""
    names = {name: text for name, text in os.environ.items() if name not in ("UV", "VIRTUAL_ENV")}
    return subprocess.run(
        ["bash", "-c", script], env=names | {"PATH": path} | env, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
    )  # fmt: skip


def test_the_first_screen_has_the_way_to_the_demo_and_to_a_real_day() -> None:
    commands = [line.split("#")[0].strip() for block in BASH.findall(FIRST_SCREEN) for line in block.splitlines()]
    assert commands[0].startswith("git clone ")
    assert [words for words in commands if "git clone" not in words and "query" not in words] == [
        "make demo", "source .venv/bin/activate", "stockpipe init", "stockpipe doctor", "stockpipe run",
    ]  # fmt: skip


def test_from_a_key_to_the_first_day_by_pasting(sandbox: Sandbox) -> None:
    # What `make demo` leaves: an environment that is not on the PATH yet.
    Path(".venv/bin").mkdir(parents=True)
    Path(".venv/bin/activate").write_text(f"PATH={PROGRAM.parent}:$PATH\n")
    block = next(block for block in BASH.findall(FIRST_SCREEN) if "stockpipe init" in block)
    # Its questions are answered by the environment; all else is as it stands.
    given = {"POLYGON_API_KEY": SANDBOX_KEY, "STOCKPIPE_WAREHOUSE": "duckdb", "MASSIVE_BASE_URL": sandbox.url}
    done = shell(f"set -e\n{block}", **given)
    assert done.returncode == 0, done.stdout
    assert Path(".env").stat().st_mode & 0o077 == 0
    listed = table("SELECT count(*) FROM TICKERS WHERE ACTIVE AND MARKET = 'stocks'")
    assert listed[0][0] > 10_000  # type: ignore[operator]
    assert re.search(r"^CS\s+\d+$", done.stdout, re.MULTILINE)


def console(page: str, heading: str) -> str:
    """The first block with commands under a heading of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    block = re.search(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block
    return block[1]


def shape(text: str) -> list[str]:
    """Output without what differs from day to day: numbers, times, the name of a run, and how wide a column is."""
    without = re.sub(r"\d{8}T\d{9}Z-[0-9a-f]{8}", "RUN", text)
    without = re.sub(r"\d[\d,.-]*", "N", without)
    return [re.sub(r"-{2,}", "--", re.sub(r" +", " ", line)).strip() for line in without.splitlines() if line.strip()]


def test_the_first_steps_of_operations_print_what_the_page_shows(sandbox: Sandbox) -> None:
    prepared = BASH.findall(_operations())[0].replace("http://127.0.0.1:8765", sandbox.url)
    path = f"{PROGRAM.parent}:{os.defpath}"
    assert shell(prepared, path).returncode == 0
    shown = re.split(r"^\$ (.*)\n", console("operations.md", "First run"), flags=re.MULTILINE)[1:]
    for words, output in zip(shown[::2], shown[1::2], strict=True):
        assert shape(shell(words, path).stdout) == shape(output), words


def test_the_entry_that_operations_shows_is_the_one_that_is_printed() -> None:
    words, shown = re.findall(
        r"^\$ (stockpipe schedule --install .*)\n((?:.+\n|\n)*?)```", _operations(), re.MULTILINE
    )[0]
    Path(".env").touch(0o600)
    folder, python = str(Path.cwd()), str(PROGRAM.with_name("python"))
    env = {"HOME": folder, "XDG_CONFIG_HOME": f"{folder}/.config"}
    done = shell(f"{words} --user", f"{PROGRAM.parent}:{os.defpath}", **env)
    printed = done.stdout.replace(python, "/srv/stockpipe/.venv/bin/python").replace(folder, "/srv/stockpipe")
    assert (done.returncode, shape(printed)) == (0, shape(shown))


def test_the_failed_run_that_operations_shows_is_listed_so(sandbox: Sandbox) -> None:
    shown = re.split(r"^\$ (.*)\n", console("operations.md", "What happened?"), flags=re.MULTILINE)[1:]
    words, output = shown[-2:]
    env = {"POLYGON_API_KEY": "wrong", "MASSIVE_BASE_URL": sandbox.url, "STOCKPIPE_WAREHOUSE": "duckdb"}
    path = f"{PROGRAM.parent}:{os.defpath}"
    assert shell("stockpipe run", path, **env).returncode == 4
    assert shape(shell(words, path, **env).stdout) == shape(output)


def _operations() -> str:
    return (ROOT / "docs/operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))])
def test_every_line_of_shell_in_a_page_can_be_read_by_one(page: str) -> None:
    for block in BASH.findall((ROOT / page).read_text(encoding="utf-8")):
        done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), block
        # Three dots as a value would be taken literally.
        assert not re.search(r"=\.\.\.(\s|$)", block), block


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_no_page_has_the_marks_of_a_merge(page: str) -> None:
    assert not re.search(r"^(<{7} |={7}$|>{7} )", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
