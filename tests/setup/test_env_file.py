"""The settings file: one that is named must be there, and what cannot be read in it is told."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

import stockpipe
from conftest import Serve, command, flags, many, table
from stockpipe.errors import ConfigError
from stockpipe.settings import load_settings


@pytest.mark.parametrize("arguments", [("run",), ("status",), ("query", "SELECT 1"), ("config",), ("doctor",), ("schema",), ("schedule",)])  # fmt: skip
def test_a_named_file_that_is_missing_is_no_reason_to_load_elsewhere(arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "--env-file", "typo.env", env={"POLYGON_API_KEY": "a-test-key"}, timeout=20)
    assert (done.returncode, done.stdout, list(Path().iterdir())) == (3, "", [])
    assert done.stderr == (
        "Error: The settings file typo.env is not there.\n"
        "       Correct --env-file, or leave it out: then .env is read, where there is one.\n"
    )


def test_a_folder_is_no_settings_file() -> None:
    Path("conf").mkdir()
    done = command("run", "--env-file", "conf", env={"POLYGON_API_KEY": "a-test-key"})
    assert (done.returncode, "The settings file conf is a folder." in done.stderr) == (3, True)


def test_from_python_it_is_the_same() -> None:
    with pytest.raises(ConfigError, match=r"The settings file typo\.env is not there\."):
        stockpipe.load(env_file=Path("typo.env"))


def test_only_the_usual_file_may_be_absent(serve: Serve) -> None:
    env = flags(serve(many(2)))
    assert load_settings(env={}).looked_in[2] == ".env (not there)"
    assert command("run", env=env).returncode == 0
    # Some give their virtual environment this name.
    Path(".env").mkdir()
    assert command("run", env=env).returncode == 0
    assert table("SELECT count(*) FROM TICKERS") == [(2,)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_of_the_shell_is_read() -> None:
    os.mkfifo("secrets")
    writer = threading.Thread(target=Path("secrets").write_text, args=("MASSIVE_PLAN=paid\n",), daemon=True)
    writer.start()
    assert load_settings(env={}, env_file=Path("secrets")).plan == "paid"
    writer.join(10)


def test_a_line_that_cannot_be_read_is_named_once(serve: Serve) -> None:
    Path(".env").write_text("# mine\nMASSIVE_PLAN='paid\nSTOCKPIPE_BATCH_SIZE=7\n")
    done = command("run", "--quiet", "--log-file", "run.log", env=flags(serve(many(2))))
    warnings = [line for line in done.stderr.splitlines() if ".env" in line or "dotenv" in line]
    assert done.returncode == 0
    assert warnings == ["Warning: .env, line 2, could not be read (is a quote not closed?)."]
    assert "WARNING - - - .env, line 2, could not be read" in Path("run.log").read_text()
    found = load_settings(env={})
    assert (found.get("STOCKPIPE_BATCH_SIZE"), found.is_set("MASSIVE_PLAN")) == ("7", False)
    assert "WARN  settings    .env, line 2, could not be read" in command("doctor").stdout


@pytest.mark.parametrize(
    ("text", "lines", "batch"),
    [
        # The line that is broken, not the empty ones or the comment before it.
        ("A=1\n\n\n  MASSIVE_PLAN='paid\nSTOCKPIPE_BATCH_SIZE=7\n", [4], "7"),
        ('A=1\r\n\r\n# mine\r\nMASSIVE_PLAN="paid\r\nSTOCKPIPE_BATCH_SIZE=7\r\n', [4], "7"),
        ("\ufeffMASSIVE_PLAN paid\nSTOCKPIPE_BATCH_SIZE=7\n", [1], "7"),
        ("set MASSIVE_PLAN=paid\nMASSIVE_PLAN: paid\n\nSTOCKPIPE_BATCH_SIZE=7\n=x\n", [1, 2, 5], "7"),
        ("A='one\ntwo\nthree'\nMASSIVE_PLAN='paid' or so\nSTOCKPIPE_BATCH_SIZE=7", [4], "7"),
        # A quote that is closed on the next line takes that line with it.
        ("MASSIVE_PLAN='paid\nSTOCKPIPE_BATCH_SIZE='7'\n", [1], None),
        ("STOCKPIPE_BATCH_SIZE='7", [1], None),
        ("export STOCKPIPE_BATCH_SIZE=7 # rows\nMASSIVE_PLAN\n\n\n", [], "7"),
    ],
)
def test_each_broken_line_is_named_by_its_number(
    text: str, lines: list[int], batch: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    Path(".env").write_bytes(text.encode())
    found = load_settings(env={})
    told = [f".env, line {line}, could not be read (is a quote not closed?)." for line in lines]
    assert (list(found.warnings), found.is_set("MASSIVE_PLAN")) == (told, False)
    value = found.find("STOCKPIPE_BATCH_SIZE")
    assert (value.text if value and value.origin == ".env" else None) == batch
    # The library logs nothing beside it, whatever a program of the user's own has set up for the log.
    assert caplog.records == []
