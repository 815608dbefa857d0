"""Files and folders that the user who runs a command may not read: told in words, with one exit code for one fault."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# Root reads everything, unless it gives this up.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if IS_ROOT else []
DENIED = (
    "cannot be read: Permission denied.\n       Make the file readable by you (chmod 600), and its folder open to you."
)


def refused(*arguments: str) -> tuple[int, str]:
    """The exit code and what is said."""
    if IS_ROOT and not shutil.which("setpriv"):
        pytest.skip("root reads everything")
    call = [*WITHOUT_RIGHTS, sys.executable, "-m", "stockpipe", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.fixture(autouse=True)
def place() -> Iterator[None]:
    """A file that cannot be read, one that can only be written, and a folder that cannot be entered."""
    Path("shut").mkdir()
    for name in ("some.env", ".env", "shut/some.env"):
        Path(name).write_text("STOCKPIPE_WAREHOUSE=duckdb\n")
        Path(name).chmod(0)
    Path("page.html").touch(0o200)
    Path("shut").chmod(0o600)
    shut = Path("shut").absolute()
    yield
    shut.chmod(0o700)


@pytest.mark.parametrize("asked", ["config", "run", "status", "doctor", "schema"])
def test_a_settings_file_that_cannot_be_read_is_one_fault(asked: str) -> None:
    assert refused(asked) == (3, f"Error: .env {DENIED}\n")
    for file in ("some.env", "shut/some.env"):
        assert refused(asked, "--env-file", file) == (3, f"Error: {file} {DENIED}\n")


def test_init_leaves_a_file_that_it_cannot_read() -> None:
    assert refused("init") == (
        3,
        "Error: .env exists already, and was not changed.\n       Edit it, or name another with --env-file.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("init", "--no-input", "--env-file", "shut/new.env"), 3, "shut/new.env cannot be used: Permission denied."),
        (("demo", "--duckdb-path", "shut/x.duckdb"), 3, "shut/x.duckdb cannot be used: Permission denied."),
        (("export", "shut/day.csv"), 2, "shut/day.csv cannot be written: Permission denied."),
        (("query", "--file", "some.env"), 2, "some.env cannot be read: Permission denied."),
        (("sandbox", "--data", "some.env"), 3, "some.env cannot be served: Permission denied."),
    ],
)
def test_a_file_that_cannot_be_used(arguments: tuple[str, ...], code: int, says: str) -> None:
    found, said = refused(*arguments)
    assert (found, said.startswith(f"Error: {says}\n       ")) == (code, True)


def test_a_file_that_is_only_written_need_not_be_readable() -> None:
    Path(".env").unlink()
    code, said = refused("report", "--out", "page.html")
    # No day is there; the file is no hindrance.
    assert (code, "page.html" in said) == (6, False)


def test_the_demo_in_a_folder_that_takes_no_files_names_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("full").mkdir(0o500)
    monkeypatch.chdir("full")
    code, said = refused("demo", "--market", "indices")
    # The demo reads no settings: it has its own file.
    hint = "Check the folder and its permissions, or set --duckdb-path."
    assert (code, hint in said, "STOCKPIPE_" in said) == (6, True, False)
    code, said = refused("demo", "--market", "indices", "--duckdb-path", "../mine.duckdb")
    assert (code, Path("../mine.duckdb").exists()) == (0, True)
