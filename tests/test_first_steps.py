"""What the README's first screen says is typed here, and every line of shell in a page can be read by one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import table
from stockpipe.sandbox import SANDBOX_KEY, Sandbox
from support.pages import PROGRAM, ROOT, shell

FIRST_SCREEN = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60])
BASH = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not PROGRAM.exists(), reason="needs a shell, and stockpipe installed beside this Python"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


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
