"""`stockpipe schedule` as a process: what it says, what it leaves, and how it ends."""

from __future__ import annotations

import json
import os
import plistlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import snowflake.connector

import stockpipe
from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from support.metrics import STOCKS, values

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MIDNIGHT = ("schedule", "--at", "00:00")
"""A time that has come on any day, so that the schedule loads at once."""
no_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")


@contextmanager
def running(*arguments: str, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """A process of ours and the lines that it writes to stderr; it is killed if it does not end within a minute."""
    with subprocess.Popen(arguments, env=os.environ | env, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        try:
            assert process.stderr
            yield process, iter(process.stderr)
        finally:
            process.kill()
            guard.cancel()


def until(lines: Iterator[str], start: str) -> list[str]:
    """The lines up to the one that begins with `start`."""
    found = []
    for line in lines:
        found.append(line)
        if line.startswith(start):
            return found
    raise AssertionError(f"no line begins with {start!r}: {found}")


def stockpipe_schedule(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", "stockpipe", *MIDNIGHT, *arguments


@no_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_loads_says_what_is_next_and_ends_well_when_it_is_stopped(serve: Serve, number: signal.Signals) -> None:
    arguments = stockpipe_schedule("--log-file", "out.log", "--log-format", "json", "--metrics-file", "out.prom")
    with running(*arguments, env=flags(serve(many(7)))) as (process, lines):
        first = json.loads(next(lines))["message"]
        assert first == "Loading stocks tickers every day at 00:00 America/New_York. End it with Ctrl+C."
        until(lines, '{"time"')
        following = next(line for line in lines if '"Next: ' in line)
        process.send_signal(number)
        rest = list(lines)
    assert re.search(r"Next: \S+ at 00:00 America/New_York \(0[45]:00 UTC\)\.", following)
    assert (process.returncode, [json.loads(line)["message"] for line in rest]) == (0, ["Stopped."])
    assert table("SELECT STATUS, ROWS_PUBLISHED FROM STOCKPIPE_RUNS") == [("published", 7)]
    assert values(Path("out.prom").read_text(), STOCKS)["rows_published"] == 7
    logged = [json.loads(line) for line in Path("out.log").read_text().splitlines()]
    [(run_id,)] = table("SELECT RUN_ID FROM STOCKPIPE_RUNS")
    # Its own lines are of no run; those of the load are of that run.
    assert list(dict.fromkeys(line["run_id"] for line in logged)) == ["", run_id]


@no_signals
def test_started_again_it_does_not_load_the_day_again(serve: Serve) -> None:
    env = flags(serve(many(7)))
    for _ in range(2):
        with running(*stockpipe_schedule(), env=env) as (process, lines):
            until(lines, "Next: ")
            process.terminate()
            process.wait()
    assert table("SELECT STATUS FROM STOCKPIPE_RUNS") == [("published",)]


@no_signals
def test_a_stop_during_the_fetch_breaks_the_load_off(serve: Serve) -> None:
    with running(*stockpipe_schedule(), env=flags(serve(many(5000), latency=0.3))) as (process, lines):
        until(lines, "Fetching")
        process.terminate()
        rest = "".join(lines)
    assert (process.returncode, "Stopped on request (SIGTERM)" in rest, "Traceback" in rest) == (143, True, False)
    assert table("SELECT STATUS FROM STOCKPIPE_RUNS") == [("interrupted",)]
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]


@no_signals
@pytest.mark.parametrize(("signals", "code", "statuses"), [(1, 0, ["published"]), (2, 143, ["interrupted"])])
def test_a_stop_during_the_transaction_waits_for_its_end_unless_it_comes_again(
    serve: Serve, signals: int, code: int, statuses: list[str]
) -> None:
    with SnowflakeGate(lock_timeout=30.0) as gate:
        env = flags(serve(many(7))) | gate.env()
        # The tables, with a day long ago: today's is not published yet, and no missed day comes before it.
        stockpipe.load(on="2026-02-06", settings=env)
        with (
            snowflake.connector.connect(**gate.connect_kwargs()) as other,
            running(*stockpipe_schedule("--catch-up", "0"), env=env) as (process, lines),
        ):
            cursor = other.cursor()
            cursor.execute("BEGIN")
            cursor.execute('UPDATE "STOCKPIPE_FENCE" SET "RUN_ID" = \'other\'')
            until(lines, "Ingesting")
            wait_for_publish(gate)
            for _ in range(signals):
                process.terminate()
                if signals > 1:
                    threading.Event().wait(0.3)
            cursor.execute("ROLLBACK")
            rest = list(lines)
        found = cursor_rows(gate, "SELECT STATUS FROM STOCKPIPE_RUNS WHERE DS > '2026-02-06'")
    assert (process.returncode, found) == (code, [(status,) for status in statuses])
    assert (rest[-1] == "Stopped.\n") is (code == 0)


def wait_for_publish(gate: SnowflakeGate) -> None:
    """Until a publish of the schedule waits for the fence."""
    for _ in range(1000):
        if sum(entry.sql.startswith("UPDATE") for entry in gate.log if entry.sql) >= 3:
            return
        threading.Event().wait(0.02)
    raise AssertionError("no publish began")


def cursor_rows(gate: SnowflakeGate, sql: str) -> list[tuple[object, ...]]:
    with snowflake.connector.connect(**gate.connect_kwargs()) as connection:
        return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--market", "bonds"), 2, "market is 'bonds', which tickers does not know"),
        (("--active", "maybe"), 2, "active is 'maybe', which tickers does not know"),
        (("--at", "4.30"), 2, "'4.30' is not a time of day."),
        (("--tz", "Mars/Base"), 2, "There is no time zone 'Mars/Base'."),
        (("--cron", "30 4 * *"), 2, "--cron is '30 4 * *': it has 4 fields."),
        (("--cron", ""), 2, "--cron is '': it has 0 fields."),
        (("--at", "04:30", "--cron", "30 4 * * *"), 2, "--at and --cron both say when to load."),
        (("--cron", "30 4 30 2 *"), 2, "There is no such time"),
        (("--cron", "30 4 * * 2-x"), 2, "its day of the week cannot be read: '2-x'."),
        (("--catch-up", "-1"), 2, "-1 is not in the range"),
        (("--cron", "30 4 * * *", "--install", "launchd"), 2, "launchd has one time of day (--at)"),
        (("--catch-up", "3", "--install", "cron"), 2, "--catch-up is for the schedule in the foreground."),
        ((), 3, "POLYGON_API_KEY or MASSIVE_API_KEY is not set"),
        (("--warehouse", "snowflake"), 3, "is not set"),
    ],
)
def test_what_would_fail_every_day_fails_at_once(arguments: tuple[str, ...], code: int, message: str) -> None:
    done = command("schedule", *arguments, timeout=20)
    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_an_alert_that_cannot_be_sent_safely_fails_at_once() -> None:
    env = {"POLYGON_API_KEY": "k3y", "STOCKPIPE_WEBHOOK_URL": "http://example.com/hook"}
    done = command("schedule", env=env, timeout=20)
    assert (done.returncode, "STOCKPIPE_WEBHOOK_URL" in done.stderr) == (3, True)


@no_signals
def test_scheduler_py_has_one_line_to_edit(serve: Serve, tmp_path: Path) -> None:
    text = (ROOT / "scheduler.py").read_text(encoding="utf-8")
    assert text.count("04:30") == 1
    edited = tmp_path / "scheduler.py"
    edited.write_text(text.replace('EVERY_DAY_AT = "04:30"', 'EVERY_DAY_AT = "00:00"'), encoding="utf-8")
    with running(sys.executable, str(edited), env=flags(serve(many(7)))) as (process, lines):
        assert "every day at 00:00 America/New_York" in next(lines)
        until(lines, "Next: ")
        process.terminate()
        process.wait()
    assert (process.returncode, table("SELECT count(*) FROM TICKERS")) == (0, [(7,)])


def test_scheduler_py_takes_other_times_too() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scheduler.py", "--cron", "x 4 * * *"], capture_output=True, text=True
    )
    assert (done.returncode, "its minute cannot be read: 'x'" in done.stderr) == (2, True)


def test_an_installed_entry_has_the_same_options(tmp_path: Path) -> None:
    done = command(
        "schedule", "--install", "launchd", "--metrics-file", "out.prom", "--log-format", "json", "--require-fresh",
        "--connection", "prod", env={"HOME": str(tmp_path)},
    )  # fmt: skip
    arguments = plistlib.loads(done.stdout.encode())["ProgramArguments"]
    assert arguments[-7:] == [
        "--log-format", "json", "--require-fresh", "--metrics-file", str(tmp_path / "out.prom"), "--connection", "prod",
    ]  # fmt: skip
