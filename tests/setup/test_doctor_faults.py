"""stockpipe doctor where something unusual is wrong: one finding for it, and the rest is looked at all the same."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many
from stockpipe.base.clock import Clock
from stockpipe.errors import ConfigError
from stockpipe.sandbox import Answer, Sandbox
from stockpipe.sandbox.server import Respond
from stockpipe.settings import load_settings
from stockpipe.setup.doctor import Diagnosis, examine
from stockpipe.setup.doctor.machine import examine_disk
from stockpipe.setup.doctor.tables import examine_age

NOWHERE = {"POLYGON_API_KEY": "sandbox-key", "MASSIVE_BASE_URL": "http://127.0.0.1:9"}


def found(settings: dict[str, str]) -> list[Diagnosis]:
    return list(examine(load_settings(env=settings), Clock()))


def texts(findings: list[Diagnosis]) -> list[str]:
    return [f"{finding.level} {finding.name}: {finding.text}" for finding in findings]


def failures(settings: dict[str, str]) -> list[Diagnosis]:
    """All failures; the last thing that is looked at is looked at in any case."""
    findings = found(settings)
    assert findings[-1].name == "disk"
    return [finding for finding in findings if finding.level == "FAIL"]


def answering(answer: Answer) -> Callable[[Respond], Respond]:
    """An API that has one answer for everything."""
    return lambda _: lambda _: answer


def raw(head: str, body: str = '{"status":"OK","results":[]}') -> Answer:
    """An answer with no header but those in `head`."""

    def send(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}".encode())

    return Answer(200, wire=send)


# Settings


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("MASSIVE_BASE_URL", "ftp://x", "MASSIVE_BASE_URL is 'ftp://x' (from the environment): it must be an origin"),
        ("MASSIVE_PLAN", "silver", "MASSIVE_PLAN is 'silver' (from the environment): it must be free or paid or auto."),
        ("RATE_LIMIT_DELAY", "slow", "RATE_LIMIT_DELAY is 'slow' (from the environment): it must be a number from 0"),
        ("STOCKPIPE_MAX_PAGES", "inf", "STOCKPIPE_MAX_PAGES is 'inf' (from the environment): it must be a number from 1"),
        ("STOCKPIPE_TORN_PAUSE", "-1", "STOCKPIPE_TORN_PAUSE is '-1' (from the environment): it must be a number from 0."),
        ("STOCKPIPE_MAX_LOSS", "101", "STOCKPIPE_MAX_LOSS is '101' (from the environment): it must be a number from 0 to 100."),
        ("STOCKPIPE_BATCH_SIZE", "0", "STOCKPIPE_BATCH_SIZE is '0' (from the environment): it must be a number from 1 to 16384."),
        ("STOCKPIPE_MASTER", "maybe", "STOCKPIPE_MASTER is 'maybe' (from the environment): it must be true or false."),
        ("STOCKPIPE_MASTER_MAX_CHANGED", "x", "STOCKPIPE_MASTER_MAX_CHANGED is 'x' (from the environment): it must be a number from 0 to 100."),
        ("STOCKPIPE_MASTER_OVERRIDES", "~nobody-here/x.csv", "STOCKPIPE_MASTER_OVERRIDES is '~nobody-here/x.csv' (from the environment): it must be a path"),
        ("STOCKPIPE_SAMPLE_DATA", "yes", "STOCKPIPE_SAMPLE_DATA is 'yes' (from the environment): it must be true or false."),
        ("STOCKPIPE_PING_URL", "http://example.com", "STOCKPIPE_PING_URL (from the environment): it must be a URL"),
    ],
)  # fmt: skip
def test_a_setting_that_a_run_refuses(serve: Serve, name: str, value: str, text: str) -> None:
    (failure,) = failures(flags(serve(many(1))) | {name: value})
    assert failure.text.startswith(text)
    assert (failure.name, failure.exit_code) == ("settings", 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--dry-run"),
        ("run", "--dataset", "daily_bars,splits"),
        ("backfill", "--last", "2d", "--dry-run"),
        ("schedule",),
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "STOCKPIPE_MAX_PAGES",
        "STOCKPIPE_TORN_PAUSE",
        "STOCKPIPE_MASTER",
        "STOCKPIPE_MASTER_MAX_CHANGED",
        "STOCKPIPE_SAMPLE_DATA",
    ],
)
def test_a_load_refuses_it_before_anything_is_called_or_made(
    serve: Serve, name: str, arguments: tuple[str, ...]
) -> None:
    sandbox = serve(many(1))
    done = command(*arguments, env=flags(sandbox, **{name: "many"}))
    assert (done.returncode, done.stdout, f"{name} is 'many'" in done.stderr) == (3, "", True), done.stderr
    assert (sandbox.calls, list(Path().glob("*.duckdb"))) == ([], [])


def test_python_refuses_a_setting_of_the_master_before_anything_is_called(serve: Serve) -> None:
    sandbox = serve(many(1))
    wrong = flags(sandbox, STOCKPIPE_MASTER="true", STOCKPIPE_MASTER_MAX_CHANGED="101")
    for load in (stockpipe.load, partial(stockpipe.backfill, last="2d")):
        with pytest.raises(ConfigError, match="STOCKPIPE_MASTER_MAX_CHANGED is '101'"):
            load(settings=wrong)
    assert (sandbox.calls, list(Path().glob("*.duckdb"))) == ([], [])


# The API


def test_a_key_that_comes_back_in_an_answer_is_not_shown() -> None:
    key = "sk-never-to-be-shown"
    with Sandbox(wrap=answering(Answer(401, json.dumps({"error": f"Unknown API Key {key}"}).encode()))) as sandbox:
        env = flags(sandbox, POLYGON_API_KEY=key)
        done = [command("doctor", *more, env=env) for more in ([], ["--json"], ["-vv"])]
    assert [each.returncode for each in done] == [4, 4, 4]
    assert key not in "".join(each.stdout + each.stderr for each in done)
    assert "FAIL  key         The API refused the key (HTTP 401: Unknown API Key ***).\n" in done[0].stdout


def test_an_answer_without_end() -> None:
    with Sandbox(wrap=answering(Answer(200, b" " * (33 * 2**20)))) as sandbox:
        (failure,) = failures(flags(sandbox))
    assert (failure.name, failure.exit_code) == ("API", 5)
    assert failure.text == "One answer has more than 32 MiB, which no page has."


def test_nothing_for_the_first_day_proves_no_history() -> None:
    with Sandbox(wrap=answering(Answer(200, b'{"status":"OK","results":[]}'))) as sandbox:
        assert texts(found(flags(sandbox)))[4] == "SKIP history: not known: the API has nothing for 2003-09-10"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "SKIP clock: not looked at: the answer carries no date"),
        ("Date: yesterday\r\n", "SKIP clock: not looked at: the answer carries no date"),
        ("Date: Sun, 22 Feb 2026 10:00:00 -0000\r\n", "WARN clock: "),
    ],
)
def test_a_clock_that_is_not_told_or_told_oddly(head: str, expected: str) -> None:
    with Sandbox(wrap=answering(raw(head))) as sandbox:
        assert next(text for text in texts(found(flags(sandbox))) if " clock: " in text).startswith(expected)


def test_what_is_not_looked_at_says_why() -> None:
    assert (
        texts(found(NOWHERE))[3] == "SKIP key: key, history, plan and clock were not looked at: the API did not answer"
    )


# The DuckDB file


def test_a_folder_that_is_not_there() -> None:
    done = command("doctor", "--duckdb-path", "no/such/x.duckdb", env=NOWHERE)
    assert "FAIL  warehouse   DuckDB file no/such/x.duckdb cannot be made: there is no folder no/such\n" in done.stdout
    assert not Path("no").exists()
    assert command("run", "--duckdb-path", "no/such/x.duckdb", env=NOWHERE).returncode == 6


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write everywhere; Windows has no modes")
def test_a_file_that_may_not_be_written() -> None:
    duckdb.connect("stockpipe.duckdb").close()
    Path("stockpipe.duckdb").chmod(0o444)
    assert failures(NOWHERE)[1].text == "DuckDB file stockpipe.duckdb can be read, not written"


def test_a_file_that_another_program_holds_is_no_failure() -> None:
    hold = "import duckdb, sys; held = duckdb.connect('stockpipe.duckdb'); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        lines = texts(found(NOWHERE))
        holder.communicate()
    (said,) = [line for line in lines if line.startswith("WARN warehouse: stockpipe.duckdb is held by ")]
    assert f"(process {holder.pid})" in said
    assert "SKIP table: tables were not looked at: the file is held" in lines


def test_a_table_of_the_same_name_in_another_schema_is_none_of_ours() -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.tickers (active VARCHAR)")
    assert 'OK table: "TICKERS" is not there yet; the first run makes it' in texts(found(NOWHERE))


def test_quiet_leaves_out_what_is_well(serve: Serve) -> None:
    env = flags(serve(many(1)))
    assert command("doctor", "-q", env=env).stdout == ""
    said = command("doctor", "-q", env=env | {"MASSIVE_PLAN": "silver"}).stdout.splitlines()
    assert said == [
        "FAIL  settings    MASSIVE_PLAN is 'silver' (from the environment): it must be free or paid or auto.",
        "                  Correct MASSIVE_PLAN.",
    ]


# Age and room


@pytest.mark.parametrize(
    ("last", "today", "expected"),
    [
        (None, "2026-11-23", "OK none yet in STOCKPIPE_RUNS"),
        ("2026-11-23", "2026-11-23", "OK 2026-11-23, today's"),
        ("2026-11-20", "2026-11-21", "OK 2026-11-20, 1 day old"),
        ("2026-11-20", "2026-11-23", "OK 2026-11-20, 3 days old"),  # Friday, Monday
        ("2026-11-19", "2026-11-23", "WARN 2026-11-19, 4 days old; 1 weekday not loaded"),
        ("2026-11-20", "2026-11-25", "WARN 2026-11-20, 5 days old; 2 weekdays not loaded"),
        ("2026-11-24", "2026-11-23", "WARN 2026-11-24, after today in New York (2026-11-23)"),
    ],
)
def test_the_age_of_the_last_day(last: str | None, today: str, expected: str) -> None:
    finding = examine_age(date.fromisoformat(last) if last else None, date.fromisoformat(today))
    assert f"{finding.level} {finding.text}" == expected


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (50_000_000, "FAIL disk: 0.1 GB free for temporary files"),
        (500_000_000, "WARN disk: 0.5 GB free for temporary files"),
        (5_000_000_000, "OK disk: 5.0 GB free for temporary files"),
    ],
)
def test_room(monkeypatch: pytest.MonkeyPatch, free: int, expected: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert expected in texts(found(NOWHERE))


def test_a_full_disk_has_the_exit_code_with_which_a_run_would_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    full = list(examine_disk(load_settings({}, env={})))
    assert [(finding.text, finding.exit_code) for finding in full] == [
        ("0.0 GB free for temporary files", 3),
        ("0.0 GB free for the DuckDB file", 6),
    ]


def test_a_loaded_file_is_not_touched(serve: Serve) -> None:
    settings = flags(serve(many(3)))
    stockpipe.load(settings=settings)
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    assert failures(settings) == []
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before
