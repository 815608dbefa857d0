"""sources.yml of `stockpipe schema --dbt`, in the hands of dbt itself. Run by `make test-dbt`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock

DBT = Path(__file__).parent / ".venv" / ("Scripts" if sys.platform == "win32" else "bin") / "dbt"
PROJECT = "name: market\nversion: '1.0'\nprofile: market\nmodel-paths: [models]\n"
PROFILE = "market:\n  target: here\n  outputs:\n    here: {type: duckdb, path: stockpipe.duckdb}\n"
MODEL = "select TICKER, NAME from {{ source('stockpipe', 'TICKERS') }} where ACTIVE\n"
# What dbt writes into target/ of its last command.
SOURCES, RESULTS, MANIFEST = "sources.json", "run_results.json", "manifest.json"


@pytest.fixture
def project(serve: Serve) -> None:
    """A tiny project in the empty folder, beside a DuckDB file with a day of today from the sandbox."""
    gone = stock("OLD", active="False", delisted_utc="2020-01-02T00:00:00Z")
    rejected = stock("ZZ", name="")
    stockpipe.load(active="both", settings=flags(serve([*many(120), gone, gone | {"name": "Namesake"}, rejected])))
    Path("models").mkdir()
    Path("dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    Path("profiles.yml").write_text(PROFILE, encoding="utf-8")
    Path("models/listed.sql").write_text(MODEL, encoding="utf-8")
    Path("models/sources.yml").write_text(command("schema", "--dbt").stdout, encoding="utf-8")


def dbt(*arguments: str) -> tuple[int, str]:
    """Run dbt: its exit code and what it said. Deprecated words in a file are errors."""
    env = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": "."}
    strict = ["--warn-error-options", '{"error": ["Deprecations"]}', "--no-use-colors", "--no-version-check"]
    done = subprocess.run([str(DBT), *strict, *arguments], env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def written(name: str) -> Any:
    return json.loads(Path("target", name).read_text(encoding="utf-8"))


def outcomes() -> dict[str, str]:
    """The last part of each test's name, and how it ended."""
    return {result["unique_id"].split(".")[2]: result["status"] for result in written(RESULTS)["results"]}


def change(sql: str) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(sql)


@pytest.mark.usefixtures("project")
def test_a_fresh_day_passes_every_test_and_the_freshness() -> None:
    for arguments in (("parse",), ("run",), ("test",)):
        code, said = dbt(*arguments)
        assert code == 0, said
    found = outcomes()
    assert set(found.values()) == {"pass"}
    assert len(found) == 1 + 4 + 1 + 4 + 2 + 4  # unique; nulls and choices of TICKERS, of RUNS; nulls of REJECTS
    code, said = dbt("source", "freshness")
    assert code == 0, said
    assert {result["unique_id"]: result["status"] for result in written(SOURCES)["results"]} == {
        "source.market.stockpipe.TICKERS": "pass",
        "source.market.stockpipe.STOCKPIPE_RUNS": "pass",
    }


@pytest.mark.usefixtures("project")
def test_the_manifest_has_the_configuration_and_the_descriptions() -> None:
    assert dbt("parse")[0] == 0
    source = written(MANIFEST)["sources"]["source.market.stockpipe.TICKERS"]
    assert source["config"]["loaded_at_field"] == "cast(DS as timestamp)"
    assert source["config"]["freshness"]["warn_after"] == {"count": 36, "period": "hour"}
    assert len(source["columns"]) == 18
    assert source["columns"]["CIK"]["description"] == "SEC Central Index Key, ten digits with its zeros."


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("days", "status", "code"), [(1, "pass", 0), (2, "warn", 0), (4, "error", 1)])
def test_an_old_day_is_stale(days: int, status: str, code: int) -> None:
    change(f"UPDATE TICKERS SET DS = current_date - {days}")
    change(f"UPDATE STOCKPIPE_RUNS SET FINISHED_UTC = (now() AT TIME ZONE 'UTC') - INTERVAL {days * 24} HOURS")
    ended, said = dbt("source", "freshness", "--select", "source:stockpipe.STOCKPIPE_RUNS")
    assert (ended, [result["status"] for result in written(SOURCES)["results"]]) == (code, [status]), said
    if days != 2:  # two days ago began 48 to 72 hours ago, on either side of the error's 60
        ended, said = dbt("source", "freshness", "--select", "source:stockpipe.TICKERS")
        assert written(SOURCES)["results"][0]["status"] in (("pass", "warn") if days == 1 else ("error",)), said


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("damage", "failing"),
    [
        (
            "INSERT INTO TICKERS SELECT * FROM TICKERS WHERE TICKER = 'T00001'",
            "stockpipe_one_active_row_per_ticker_and_day",
        ),
        ("UPDATE TICKERS SET MARKET = NULL WHERE TICKER = 'OLD'", "source_not_null_stockpipe_TICKERS_MARKET"),
        ("UPDATE STOCKPIPE_RUNS SET DS = NULL", "source_not_null_stockpipe_STOCKPIPE_RUNS_DS"),
    ],
)
def test_damage_is_found(damage: str, failing: str) -> None:
    change(damage)
    assert dbt("test")[0] == 1
    assert [name for name, status in outcomes().items() if status == "fail"] == [failing]
