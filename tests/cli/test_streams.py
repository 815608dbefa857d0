"""What a terminal always gives and a service may not: streams, a home, a folder, room for the log."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many, table
from stockpipe.cli.logfile import open_log_file
from stockpipe.errors import ConfigError
from stockpipe.settings import load_settings

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(os.name != "posix", reason="closed descriptors, users and removed folders as POSIX has them")
DEMO = ("demo", "--market", "indices")


def without(closed: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command that is started with streams closed, as `2>&-` does."""
    line = f'exec "$@" {closed}'
    return subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-m", "stockpipe", *arguments],
        env=os.environ | (env or {}), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@posix
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "2>&- >&-", "2>&- >&- <&-"])
def test_the_day_is_loaded_without_streams_and_log_file_and_record_tell_of_it(serve: Serve, closed: str) -> None:
    done = without(closed, "run", "--log-file", "run.log", env=flags(serve(many(4))))
    assert (done.returncode, done.stdout) == (0, "")
    assert table("SELECT STATUS, ROWS_PUBLISHED FROM STOCKPIPE_RUNS") == [("published", 4)]
    assert "Successfully ingested 4 tickers" in Path("run.log").read_text()


@posix
def test_a_failure_without_stderr_is_in_the_log_file_and_nowhere_else() -> None:
    done = without("2>&-", "run", "--log-file", "run.log", env={"POLYGON_API_KEY": "k" * 32, "MASSIVE_BASE_URL": "x"})
    assert (done.returncode, done.stdout) == (3, "")
    done = without("2>&-", "run", "--log-file", "run.log", "--date", "1990-01-01", env={"POLYGON_API_KEY": "k" * 32})
    assert (done.returncode, done.stdout) == (2, "")
    assert "ERROR - - - 1990-01-01 is outside of what can be asked for." in Path("run.log").read_text()


@posix
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "2>&- >&-", "2>&- >&- <&-"])
def test_every_command_ends_as_it_does_with_streams(closed: str) -> None:
    assert without(closed, *DEMO).returncode == 0
    demo = {"STOCKPIPE_DUCKDB_PATH": "stockpipe-demo.duckdb"}
    for arguments, code in (
        (("status", "--market", "indices"), 0),
        (("query", "SELECT 1"), 0),
        (("query", "--json", "SELECT 1"), 0),
        (("query", "--format", "csv", "SELECT 1"), 0),
        (("config",), 0),
        (("runs",), 0),
        (("schema",), 0),
        (("--help",), 0),
        (("doctor",), 3),
        (("run",), 3),
        (("init",), 2),
        (("nonsense",), 2),
    ):
        done = without(closed, *arguments, env=demo)
        assert (arguments, done.returncode, "Traceback" in done.stderr + done.stdout) == (arguments, code, False)
    if ">&-" not in closed.replace("2>&-", ""):
        assert without(closed, "query", "--json", "SELECT 1 AS a", env=demo).stdout == '[\n  {\n    "a": 1\n  }\n]\n'


@posix
def test_an_export_to_a_stdout_that_is_closed_is_refused() -> None:
    done = without(">&-", "export", "--format", "csv", "-")
    assert (done.returncode, "There is no standard output to write to" in done.stderr) == (2, True)


@posix
def test_what_c_code_says_on_standard_error_reaches_no_file_of_ours() -> None:
    code = (
        "import os, sys; sys.stderr = None; os.close(2)\n"
        "from stockpipe.cli import main\n"
        "try: main(['config', '-q'])\nexcept SystemExit: pass\n"
        "file = open('mine', 'w'); os.write(2, b'from C'); file.close(); print(open('mine').read() == '')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "True")


@posix
@pytest.mark.parametrize(
    "arguments", [("run",), DEMO, ("status",), ("query", "SELECT 1"), ("config",), ("doctor",), ("schema",)]
)
def test_a_current_folder_that_was_removed(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "from stockpipe.__main__ import main; main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "The current folder cannot be used: No such file or directory." in done.stderr
    assert "Change to another one (cd)" in done.stderr


NO_HOME = "import os, pwd, sys; os.environ.pop('HOME', None)\ndef none(_): raise KeyError\npwd.getpwuid = none\n"


@posix
@pytest.mark.parametrize(
    ("env", "arguments", "code", "says"),
    [
        ({}, DEMO, 0, ""),
        ({}, ("config",), 0, ""),
        ({"STOCKPIPE_DUCKDB_PATH": "~/x.duckdb"}, ("status",), 3, "it must be a path without ~"),
        ({"STOCKPIPE_DUCKDB_PATH": "~/x.duckdb"}, ("run",), 3, "it must be a path without ~"),
        ({"STOCKPIPE_DUCKDB_PATH": "~/x.duckdb"}, ("doctor",), 5, ""),  # the API's, which comes first
        ({"STOCKPIPE_DUCKDB_PATH": "~nobody-of-that-name/x"}, ("query", "SELECT 1"), 3, "is '~nobody-of-that-name/x'"),
        ({"STOCKPIPE_STATE_FILE": "~/x.json"}, ("run",), 3, "STOCKPIPE_STATE_FILE is '~/x.json'"),
        ({"STOCKPIPE_WAREHOUSE": "snowflake"}, ("config",), 0, ""),
        ({"STOCKPIPE_WAREHOUSE": "snowflake"}, ("query", "SELECT 1"), 3, "SNOWFLAKE_SCHEMA and SNOWFLAKE_USER are not set"),
        ({}, ("schedule", "--install", "systemd", "--user"), 3, "HOME is ~, and there is no home folder for it"),
    ],
)  # fmt: skip
def test_a_user_without_a_home(env: dict[str, str], arguments: tuple[str, ...], code: int, says: str) -> None:
    env = {"POLYGON_API_KEY": "k" * 32, "MASSIVE_BASE_URL": "http://127.0.0.1:9"} | env
    program = NO_HOME + "from stockpipe.__main__ import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=os.environ | env, capture_output=True, text=True
    )
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_searched(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(env_file=tmp_path / "shut" / ".env")


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_file_on_a_full_disk_is_one_warning(serve: Serve, form: str) -> None:
    done = command("run", "--log-file", str(FULL), "--log-format", form, env=flags(serve(many(4))))
    lines = done.stderr.splitlines()
    assert done.returncode == 0
    assert (
        sum(
            "The log file /dev/full cannot be written: No space left on device. The run goes on." in line
            for line in lines
        )
        == 1
    )
    assert not [line for line in lines if "Traceback" in line or "Exception ignored" in line or "Logging error" in line]
    assert (
        form == "text" or [json.loads(line)["level"] for line in lines].count("WARNING") == 2
    )  # the old build is the other
    assert table("SELECT count(*) FROM TICKERS") == [(4,)]


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_metrics_file_that_cannot_be_written_is_one_warning(serve: Serve) -> None:
    done = command("run", "--metrics-file", "/proc/x.prom", env=flags(serve(many(4))))
    assert (done.returncode, done.stderr.count("The metrics file /proc/x.prom could not be written: ")) == (0, 1)
    assert "Traceback" not in done.stderr


def lines_to(path: Path) -> logging.Logger:
    """A logger of its own that writes to `path`, as one of several processes does."""
    logger = logging.Logger("one of several")
    logger.addHandler(open_log_file(path, logging.Formatter("%(message)s")))
    return logger


def test_two_that_log_to_one_file_lose_no_line_when_it_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockpipe.cli.logfile._BYTES", 100)
    path = tmp_path / "run.log"
    pair = lines_to(path), lines_to(path)
    for number in range(20):
        pair[number % 2].warning("line %02d %s", number, "x" * 13)
    for logger in pair:
        logger.handlers[0].close()
    kept = [
        line
        for old in ("run.log.5", "run.log.4", "run.log.3", "run.log.2", "run.log.1", "run.log")
        for line in _lines(tmp_path / old)
    ]
    assert [line.split()[1] for line in kept] == [f"{number:02}" for number in range(20)]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_log_that_cannot_rotate_goes_on_in_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stockpipe.cli.logfile._BYTES", 100)
    (tmp_path / "run.log.1" / "not empty").mkdir(parents=True)
    (tmp_path / "run.log.2" / "not empty").mkdir(parents=True)
    (tmp_path / "run.log.5" / "not empty").mkdir(parents=True)
    (tmp_path / "run.log.3" / "not empty").mkdir(parents=True)
    (tmp_path / "run.log.4" / "not empty").mkdir(parents=True)
    logger = lines_to(tmp_path / "run.log")
    for number in range(20):
        logger.warning("line %02d", number)
    logger.handlers[0].close()
    assert [line.split()[1] for line in _lines(tmp_path / "run.log")] == [f"{number:02}" for number in range(20)]
    assert "Traceback" not in capsys.readouterr().err
