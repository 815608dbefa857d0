"""`stockpipe status` and `stockpipe runs`: what is fresh, what is stale, what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import PROGRAM, Serve, command, flags, many, stock, table
from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.errors import StockpipeError
from stockpipe.reading.freshness import Standing, expected_day, standings
from stockpipe.warehouse.runs import PartId, RunRecord, RunStatus
from support.loads import STOCKS

pytestmark = pytest.mark.slow

BY = time(6, 30)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def run(day: str, status: RunStatus = "published", *, active: bool = True, **changes: Any) -> RunRecord:
    """The record of an invented run of a day."""
    numbers: dict[str, Any] = {"rows_published": 100, "build_date": date.fromisoformat(day)} | changes
    record = RunRecord(f"run-{day}", "tickers", "stocks", active, date.fromisoformat(day), utc(f"{day} 09:30"))
    return record.finished(status, utc(f"{day} 09:31"), **numbers)


def standing(now: str, *days: RunRecord, failures: tuple[RunRecord, ...] = ()) -> Standing:
    """How the stocks stand at a moment (UTC)."""
    [found] = standings([PartId.of(STOCKS)], utc(now), BY, days, failures)
    return found


# --- the day that should be there ---


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-02-07 11:29", "2026-02-06"),  # 06:29 in New York
        ("2026-02-07 11:30", "2026-02-07"),
        ("2026-02-08 04:59", "2026-02-07"),  # before midnight there
        ("2026-07-07 10:29", "2026-07-06"),
        ("2026-07-07 10:30", "2026-07-07"),
        ("2026-03-08 10:30", "2026-03-08"),  # the clocks went forward: 06:30 is 10:30 UTC
        ("2026-11-01 10:30", "2026-10-31"),  # they went back: it is 11:30 UTC
        ("2028-02-29 11:30", "2028-02-29"),
    ],
)
def test_today_is_expected_from_half_past_six_in_new_york(now: str, expected: str) -> None:
    assert str(expected_day(utc(now), BY)) == expected


def test_yesterdays_day_is_fresh_until_the_morning_and_stale_then() -> None:
    friday = run("2026-02-06")
    assert standing("2026-02-07 11:29", friday).state == "fresh"
    late = standing("2026-02-07 11:30", friday)
    assert (late.state, late.age) == ("stale", 1)
    assert late.reason == "The last published day is 2026-02-06, and 2026-02-07 should be there by now."


def test_weekends_and_holidays_are_days_like_others() -> None:
    # A Sunday, and Christmas Day.
    assert standing("2026-02-08 12:00", run("2026-02-07")).state == "stale"
    assert standing("2026-02-08 12:00", run("2026-02-08")).state == "fresh"
    assert standing("2026-12-25 12:00", run("2026-12-24")).state == "stale"


@pytest.mark.parametrize(
    ("day", "build", "state"),
    [
        ("2026-02-06", "2026-02-06", "fresh"),
        ("2026-02-06", "2026-02-05", "stale"),  # Friday: Thursday's session is missing
        ("2026-02-07", "2026-02-06", "stale"),  # Saturday: Friday's session is missing
        ("2026-02-08", "2026-02-07", "fresh"),  # Sunday: Saturday had none
        ("2026-02-09", "2026-02-07", "fresh"),  # Monday: nor had Sunday
        ("2026-02-10", "2026-02-09", "stale"),  # Tuesday: Monday's session is missing
        ("2026-12-26", "2026-12-25", "fresh"),  # the day after Christmas
        ("2026-02-17", "2026-02-16", "fresh"),  # the day after Presidents' Day, a Monday
        ("2026-02-17", "2026-02-14", "fresh"),
        ("2026-02-17", "2026-02-13", "stale"),  # but Friday's session is missing
    ],
)
def test_an_old_build_is_stale_when_a_session_is_not_in_it(day: str, build: str, state: str) -> None:
    found = standing(f"{day} 15:00", run(day, build_date=date.fromisoformat(build)))
    assert found.state == state
    assert (f"was built on {build} and misses at least one trading session." in found.reason) is (state == "stale")


def test_dated_records_have_no_build_and_are_judged_by_their_day() -> None:
    assert standing("2026-02-07 12:00", run("2026-02-07", build_date=None)).state == "fresh"


def test_what_was_never_published_says_so() -> None:
    failed = run("2026-02-07", "failed", error="ApiError")
    found = standing("2026-02-07 12:00", failures=(failed,))
    assert (found.state, found.reason, found.failure) == ("never", "No day is published yet.", failed)
    assert standings([], utc("2026-02-07 12:00"), BY, [], []) == []


def test_each_list_has_its_own_standing() -> None:
    days = [run("2026-02-07", rows_published=103), run("2026-02-06"), run("2026-02-05", active=False, rows_published=7)]
    active, gone = standings([], utc("2026-02-07 12:00"), BY, days, [])
    assert (active.part.active, active.state, active.change) == (True, "fresh", 3)
    assert (gone.part.active, gone.state, gone.change, gone.age) == (False, "stale", None, 2)


# --- the command ---


@pytest.fixture
def env(serve: Serve) -> dict[str, str]:
    """Settings of a sandbox whose list is of today."""
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return flags(serve([row | {"last_updated_utc": stamp} for row in many(1200)]))


TODAY = new_york_date(Clock())
FIRST_ROWS = "SELECT * FROM TICKERS"


def test_a_fresh_list_is_exit_code_0(env: dict[str, str]) -> None:
    stockpipe.load(on=TODAY - timedelta(days=1), settings=env)
    stockpipe.load(settings=env)
    with pytest.raises(StockpipeError):
        stockpipe.load(settings=env | {"POLYGON_API_KEY": "wrong-key"})
    done = command("status", env=env)
    assert (done.returncode, done.stderr) == (0, "stocks: sample data from the sandbox, not the real market\n")
    header, _, line = done.stdout.splitlines()
    assert header.split("  ")[0] == "LIST"
    assert line.split() == ["stocks", "fresh", str(TODAY), "today", str(datetime.now(UTC).date()), "1,200", "+0", str(TODAY), "failed"]  # fmt: skip


def test_a_stale_and_a_missing_list_are_exit_code_7(env: dict[str, str]) -> None:
    missing = command("status", env=env)
    assert (missing.returncode, "stocks: No day is published yet." in missing.stderr) == (7, True)
    old = TODAY - timedelta(days=3)
    stockpipe.load(on=old, settings=env)
    stale = command("status", env=env)
    assert stale.returncode == 7
    assert f"stocks: The last published day is {old}, and " in stale.stderr
    assert stale.stdout.splitlines()[2].split()[:5] == ["stocks", "stale", str(old), "3", "days"]


def test_the_next_command_loads_what_is_not_fresh(env: dict[str, str], serve: Serve) -> None:
    def following(*arguments: str) -> str:
        return command("status", *arguments, env=env).stderr.splitlines()[-1]

    runs = f"{PROGRAM} runs shows what happened."
    # Where nothing was loaded, there are no runs to look at; without a key, `run` would not work either.
    assert following() == f"Next: {PROGRAM} run"
    assert following("--active", "false") == f"Next: {PROGRAM} run --active false"
    assert following("--active", "both") == f"Next: {PROGRAM} run --active both"
    assert following("--market", "CRYPTO", "--active", "false") == f"Next: {PROGRAM} run --market crypto --active false"
    assert command("status").stderr.splitlines()[-1] == (
        f"Next: {PROGRAM} init asks for the settings; {PROGRAM} demo needs none."
    )
    gone = [stock(f"Z{number}", active="False", last_updated_utc=f"{TODAY}T07:00:00Z") for number in range(9)]
    env |= flags(serve([*many(9), *gone]))
    stockpipe.load(on=TODAY - timedelta(days=3), active="false", settings=env)
    assert following() == f"Next: {PROGRAM} run --active false; {runs}"
    assert following("--duckdb-path", "my data.duckdb") == (f"Next: {PROGRAM} run --duckdb-path 'my data.duckdb'")


@pytest.mark.skipif(sys.platform == "win32", reason="the script has another form there")
def test_the_next_command_names_the_program_as_it_was_called_where_it_is_not_on_the_path(env: dict[str, str]) -> None:
    script = Path(sys.executable).with_name("stockpipe")
    for path, program in ((str(script.parent), "stockpipe"), ("/nowhere", str(script))):
        done = subprocess.run([script, "run"], env=env | {"PATH": path}, capture_output=True, text=True, check=True)
        where = f"DS='{TODAY}' AND MARKET='stocks'"
        assert f'  Next      {program} query "{FIRST_ROWS} WHERE {where} LIMIT 5"\n' in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_run_whose_reader_goes_away_has_loaded_the_day_all_the_same(env: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "stockpipe", "run"]
    done = subprocess.run(program, env=env | {"PATH": os.environ["PATH"]}, stderr=writing, check=False)
    os.close(writing)
    assert (done.returncode, table("SELECT count(*) > 0 FROM TICKERS")) == (0, [(True,)])


def test_the_next_command_of_a_run_finds_its_table(env: dict[str, str], tmp_path: Path) -> None:
    query = f"{PROGRAM} query \"{FIRST_ROWS} WHERE DS='{TODAY}' AND MARKET='stocks' LIMIT 5\""
    (tmp_path / "d").mkdir()
    (tmp_path / "my.env").write_text("STOCKPIPE_DUCKDB_PATH=d/c.duckdb\n")
    assert f"  Next      {query}\n" in command("run", env=env).stderr
    done = command("run", "--duckdb-path", "d/b.duckdb", env=env)
    assert f"  Next      {query} --duckdb-path d/b.duckdb\n" in done.stderr
    done = command("run", "--env-file", "my.env", env=env)
    assert f"  Next      {query} --env-file my.env\n" in done.stderr
    assert (
        f"  Next      {query} --warehouse duckdb --duckdb-path x.duckdb\n"
        in command("demo", "--market", "stocks", "--duckdb-path", "x.duckdb").stderr
    )


def test_a_monitor_names_what_it_wants_to_see(env: dict[str, str]) -> None:
    stockpipe.load(settings=env)
    assert command("status", "--market", "stocks", env=env).returncode == 0
    assert command("status", "--market", "stocks", "--active", "true", env=env).returncode == 0
    for arguments in (("--market", "crypto"), ("--active", "both"), ("--active", "false")):
        done = command("status", *arguments, env=env)
        assert (done.returncode, "No day is published yet." in done.stderr) == (7, True)


def test_status_as_json_is_one_document(env: dict[str, str]) -> None:
    empty = command("status", "--json", env=env)
    document = json.loads(empty.stdout)
    assert (empty.returncode, document["fresh"], document["exit_code"]) == (7, False, 7)
    assert [(one["market"], one["state"], one["last_day"]) for one in document["lists"]] == [("stocks", "never", None)]
    stockpipe.load(on=TODAY - timedelta(days=1), settings=env)
    stockpipe.load(settings=env)
    done = command("status", "--json", env=env)
    document = json.loads(done.stdout)
    [one] = document.pop("lists")
    checked = document.pop("checked_utc")
    assert (done.returncode, document, checked.endswith("+00:00")) == (
        0,
        {"fresh": True, "exit_code": 0, "sample": True},
        True,
    )
    assert {name: one[name] for name in ("state", "reason", "last_day", "age_days", "rows", "change", "day_before", "last_failure")} == {
        "state": "fresh",
        "reason": "",
        "last_day": str(TODAY),
        "age_days": 0,
        "rows": 1200,
        "change": 0,
        "day_before": str(TODAY - timedelta(days=1)),
        "last_failure": None,
    }  # fmt: skip


def test_a_warehouse_that_cannot_be_asked_is_not_fresh() -> None:
    with open("stockpipe.duckdb", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("no database" * 1000)
    done = command("status", "--json", env={"STOCKPIPE_LOCK_TIMEOUT": "0"})
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (6, 6)


def test_the_time_of_the_morning_can_be_set(env: dict[str, str]) -> None:
    stockpipe.load(on=TODAY - timedelta(days=1), settings=env)
    assert command("status", "--by", "00:00", env=env).returncode == 7
    # Until the last minute of the day, yesterday is all that is expected.
    assert command("status", "--by", "23:59", env=env).returncode == 0
    assert command("status", "--by", "noon", env=env).returncode == 2


# --- runs ---


@pytest.fixture
def history(env: dict[str, str]) -> dict[str, str]:
    """Four runs: two of old days with both states, one that fails, one of today."""
    stockpipe.load(on="2026-02-05", settings=env)
    stockpipe.load(on="2026-02-06", active="true", settings=env)
    with pytest.raises(StockpipeError):
        stockpipe.load(on="2026-02-06", settings=env | {"POLYGON_API_KEY": "wrong-key"})
    stockpipe.load(settings=env)
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("UPDATE STOCKPIPE_RUNS SET STARTED_UTC = '2026-02-06 04:59:00' WHERE DS = '2026-02-05'")
    return env


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), [str(TODAY), "2026-02-06", "2026-02-06", "2026-02-05"]),
        (("--limit", "1"), [str(TODAY)]),
        (("--status", "failed"), ["2026-02-06"]),
        (("--status", "published", "--date", "2026-02-06"), ["2026-02-06"]),
        (("--date", "2026-02-06"), ["2026-02-06", "2026-02-06"]),
        (("--market", "crypto"), []),
        (("--active", "false"), []),
        (
            ("--dataset", "tickers", "--market", "stocks", "--active", "true", "--limit", "2"),
            [str(TODAY), "2026-02-06"],
        ),
        # 04:59 UTC on February 6th is still the 5th in New York.
        (("--since", "2026-02-06"), [str(TODAY), "2026-02-06", "2026-02-06"]),
        (("--since", "2026-02-05"), [str(TODAY), "2026-02-06", "2026-02-06", "2026-02-05"]),
    ],
)
def test_runs_are_chosen(history: dict[str, str], arguments: tuple[str, ...], expected: list[str]) -> None:
    done = command("runs", "--json", *arguments, env=history)
    assert (done.returncode, [row["ds"] for row in json.loads(done.stdout)]) == (0, expected)


def test_the_table_of_runs_is_one_line_each_with_its_reason(history: dict[str, str]) -> None:
    lines = command("runs", env=history).stdout.splitlines()
    assert lines[0].split() == ["RUN", "DAY", "LIST", "STATUS", "ROWS", "REJECTED", "CALLS", "SECONDS", "NOTE"]
    assert len(lines) == 6
    ids = [row[0] for row in table("SELECT RUN_ID FROM STOCKPIPE_RUNS ORDER BY RUN_ID DESC")]
    assert [line.split()[0] for line in lines[2:]] == ids
    assert lines[3].split()[1:6] == ["2026-02-06", "stocks", "failed", "0", "0"]
    assert "The API refused the key" in lines[3]
    assert max(map(len, lines)) < 200
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize(
    "arguments", [("--date", "yesterday"), ("--since", "2026-02-30"), ("--status", "well"), ("--market", "bonds")]
)
def test_a_filter_that_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert command("runs", *arguments).returncode == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--market", "bonds"], "market is 'bonds', which tickers does not know.\n       Choose from: stocks, otc, "),
        (["--active", "maybe"], "active is 'maybe', which tickers does not know.\n       Choose from: true, false, "),
        (
            ["--dataset", "splits", "--market", "stocks"],
            "The dataset splits has no market to choose.\n       Leave out",
        ),
        (["--dataset", "shares"], "There is no dataset 'shares'.\n       Choose from: tickers, daily_bars, "),
    ],
)
def test_a_wrong_word_reads_the_same_in_every_command(options: list[str], says: str) -> None:
    # Nothing is there: a wrong word is told before anything is opened.
    told = {command(*asked, *options).stderr for asked in (["run"], ["status"], ["status", "--gaps"], ["runs"])}
    assert [text.startswith(f"Error: {says}") for text in told] == [True]


def test_runs_of_nothing_say_what_to_do_first() -> None:
    done = command("runs")
    assert (done.returncode, f"Load a day first: {PROGRAM} run, or {PROGRAM} demo." in done.stderr) == (6, True)


# --- Snowflake ---


def test_snowflake_is_asked_the_same_way(env: dict[str, str]) -> None:
    with SnowflakeGate() as gate:
        settings = env | gate.env()
        # No table yet is no error, and nothing is made by asking.
        empty = command("status", "--json", env=settings)
        assert (empty.returncode, json.loads(empty.stdout)["lists"][0]["state"]) == (7, "never")
        stockpipe.load(on=TODAY - timedelta(days=1), settings=settings)
        stockpipe.load(settings=settings)
        with pytest.raises(StockpipeError):
            stockpipe.load(settings=settings | {"POLYGON_API_KEY": "wrong-key"})
        done = command("status", "--json", env=settings)
        [one] = json.loads(done.stdout)["lists"]
        assert (done.returncode, one["state"], one["rows"], one["change"]) == (0, "fresh", 1200, 0)
        assert (one["last_day"], one["last_failure"]["error"]) == (str(TODAY), "AccessError")
        found = command("runs", "--json", "--status", "failed", "--since", str(TODAY), env=settings)
        assert [row["status"] for row in json.loads(found.stdout)] == ["failed"]
