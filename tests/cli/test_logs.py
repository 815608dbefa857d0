"""What a run says: the story on the console, one run id in every line, every call at DEBUG, and no secret anywhere."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import SIDE_BY_SIDE, Serve, command, flags, many, spread, table
from stockpipe.base.stopping import stopped_by
from stockpipe.cli.logfile import open_log_file
from stockpipe.cli.logs import configure_logging
from stockpipe.errors import Interrupted
from stockpipe.settings import load_settings
from support.clocks import FakeClock
from support.metrics import STOCKS, values
from support.receivers import TOKEN, Receiver

LOG = Path("logs/pipeline.log")


def run_id() -> str:
    """The id of the only run in the warehouse."""
    [(found,)] = table("SELECT RUN_ID FROM STOCKPIPE_RUNS")
    return str(found)


def test_every_line_carries_the_run_even_from_the_threads_that_fetch(serve: Serve) -> None:
    env = flags(serve(spread(5200)), **SIDE_BY_SIDE)
    assert command("run", "-v", "--log-file", str(LOG), "--log-format", "json", env=env).returncode == 0
    lines = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
    assert {line["run_id"] for line in lines} == {run_id()}
    calls = [line["message"] for line in lines if line["message"].startswith("GET ")]
    # The first page, then the ranges: their bounds show that other threads asked for them.
    assert (len(calls), sum("ticker.gte=" in call for call in calls)) == (13, 11)


def test_debug_shows_each_call_with_path_status_bytes_and_seconds(serve: Serve) -> None:
    done = command("run", "-v", env=flags(serve(many(1500))))
    calls = [line for line in done.stderr.splitlines() if line.startswith("GET ")]
    shape = r"GET /v3/reference/tickers\?(market=stocks|cursor=.{12}\.\.\.)\S* 200, \d{6} bytes in \d+\.\d{3} s"
    assert [bool(re.fullmatch(shape, call)) for call in calls] == [True, True]
    assert [int(call.split(" ")[3]) > 150_000 for call in calls] == [True, True]
    assert done.stderr.splitlines()[0] == f"run {run_id()}: stocks tickers of {table('SELECT DS FROM TICKERS')[0][0]}"


def test_debug_shows_a_call_that_failed() -> None:
    env = {"POLYGON_API_KEY": "sandbox-key", "MASSIVE_BASE_URL": "http://127.0.0.1:1", "STOCKPIPE_DEADLINE": "3"}
    done = command("run", "-v", env=env)
    assert done.returncode == 5
    shape = (
        r"GET /v3/reference/tickers\?market=stocks\S* failed after \d\.\d{3} s: http://127\.0\.0\.1:1 could not be read"
    )
    assert re.search(shape, done.stderr)
    assert re.search(r"Waiting 0\.\d s before try 2 of 6\.", done.stderr)


def test_a_line_of_the_log_file_has_time_level_run_and_message(serve: Serve) -> None:
    env = flags(serve(many(1500)), POLYGON_API_KEY="wrong-key")
    assert command("run", "--log-file", str(LOG), env=env).returncode == 4
    lines = LOG.read_text(encoding="utf-8").splitlines()
    shape = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d,\d{{3}} - (INFO|ERROR) - {re.escape(run_id())} - \S.*"
    assert [line for line in lines if not re.fullmatch(shape, line)] == []
    # Message and hint are one line: a log is searched by the line.
    assert " - ERROR - " in lines[-1]
    assert "The API refused the key" in lines[-1]


@pytest.mark.parametrize(("key", "code", "last"), [("sandbox-key", 0, "INFO"), ("wrong-key", 4, "ERROR")])
def test_json_lines_on_the_console_are_json_whatever_happens(serve: Serve, key: str, code: int, last: str) -> None:
    done = command("run", "--log-format", "json", env=flags(serve(many(3))) | {"POLYGON_API_KEY": key})
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert (done.returncode, lines[-1]["level"], {line["run_id"] for line in lines}) == (code, last, {run_id()})


def test_a_failure_names_its_run_on_the_console_and_in_json(serve: Serve) -> None:
    env = flags(serve(many(5)), POLYGON_API_KEY="wrong-key")
    done = command("run", "--json", env=env)
    assert json.loads(done.stdout)["run_id"] == run_id()
    assert done.stderr.splitlines()[-1] == f"       Run {run_id()}"


def test_a_good_run_tells_its_story_in_under_twenty_lines(serve: Serve) -> None:
    fresh = [row | {"last_updated_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} for row in many(12_400)]
    done = command("run", env=flags(serve(fresh)))
    lines = done.stderr.splitlines()
    assert len(lines) < 20
    assert [line for line in lines if line.startswith("Fetching... ")] == ["Fetching... 10 pages, 10,000 rows"]


def test_a_long_list_is_told_of_at_growing_distances(capsys: pytest.CaptureFixture[str]) -> None:
    from stockpipe.cli.output import progress_bar

    configure_logging(load_settings(env={}))
    with progress_bar(quiet=False, clock=FakeClock()) as progress:
        for page in range(1, 2501):
            progress(page, page * 1000)
    shown = [int(line.split()[1]) for line in capsys.readouterr().err.splitlines()]
    assert shown == [10, 20, 50, 100, 200, 500, 1000, 2000]


def test_a_slow_list_is_told_of_each_minute(capsys: pytest.CaptureFixture[str]) -> None:
    from stockpipe.cli.output import progress_bar

    configure_logging(load_settings(env={}))
    clock = FakeClock()
    with progress_bar(quiet=False, clock=clock) as progress:
        for page in range(1, 13):  # five calls at once, then five a minute
            clock.seconds += 60 if page in (6, 11) else 0.2
            progress(page, page * 1000)
    shown = [int(line.split()[1]) for line in capsys.readouterr().err.splitlines()]
    assert shown == [6, 10, 11]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_in_the_log_shows_no_secret(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings({"POLYGON_API_KEY": "sk-never-shown"}, env={})
    configure_logging(settings, verbose=1, log_file=LOG, log_format=form)
    try:
        raise RuntimeError("a library quotes sk-never-shown")
    except RuntimeError:
        logging.getLogger("stockpipe.x").debug("unexpected error", exc_info=True)
    logged = LOG.read_text(encoding="utf-8")
    assert "RuntimeError: a library quotes ***" in logged
    assert "never-shown" not in logged + capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_run_stopped_by_sigterm_is_143_in_alerts_and_metrics(serve: Serve, receiver: Receiver) -> None:
    env = flags(serve(many(5000), latency=0.3)) | {"STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}"}
    arguments = [sys.executable, "-m", "stockpipe", "run", "--metrics-file", "out.prom"]
    with subprocess.Popen(arguments, env=os.environ | env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("Fetching"):
                break
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 143
    told = [(document["event"], document["status"], document["exit_code"]) for document in receiver.documents]
    assert told == [("failed", "interrupted", 143)]
    assert values(Path("out.prom").read_text(), STOCKS)["exit_status"] == 143


def test_a_stop_that_comes_while_a_line_is_written_to_the_log_file_is_not_swallowed() -> None:
    configure_logging(load_settings({}, env={}), log_file=Path("out.log"))
    (file,) = [handler for handler in logging.getLogger("stockpipe").handlers if hasattr(handler, "baseFilename")]

    def stop(_: logging.LogRecord) -> str:
        raise stopped_by(signal.SIGTERM)

    file.format = stop  # type: ignore[assignment,method-assign]
    with pytest.raises(Interrupted):
        logging.getLogger("stockpipe").info("a line")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everybody make links")
def test_a_log_file_behind_a_link_is_rotated_where_it_lies() -> None:
    Path("logs").mkdir()
    Path("logs/run.log").write_text("before\n")
    Path("run.log").symlink_to("logs/run.log")
    handler = open_log_file(Path("run.log"), logging.Formatter())
    assert isinstance(handler, logging.handlers.RotatingFileHandler)
    handler.doRollover()
    handler.close()
    assert (Path("run.log").is_symlink(), Path("logs/run.log.1").read_text()) == (True, "before\n")
