"""stockpipe doctor on mistakes planted in a set-up with a DuckDB file, before the first run and after one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

import stockpipe
from conftest import flags, many, write_listing
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.massive.client import Origin
from stockpipe.massive.memory import recall
from stockpipe.massive.open import key_of
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.setup.doctor import Diagnosis, examine

FILE = "stockpipe.duckdb"
ROOT = getattr(os, "geteuid", lambda: 0)() == 0


@dataclass
class Place:
    """A set-up in one state, and the settings of who looks at it."""

    settings: dict[str, str]
    loaded: bool
    monkeypatch: pytest.MonkeyPatch

    def wrong(self) -> list[Diagnosis]:
        found = examine(load_settings(env=self.settings), Clock())
        return [finding for finding in found if finding.level in ("WARN", "FAIL")]

    def with_table(self, statement: str) -> None:
        """A file in which somebody else made the table of the tickers, or changed ours."""
        with duckdb.connect(FILE) as file:
            if self.loaded:
                file.execute("DROP TABLE TICKERS")
            file.execute(statement)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    listing = write_listing(tmp_path_factory.mktemp("doctor") / "listing.csv", many(3))
    with Sandbox(data=listing) as sandbox:
        yield sandbox


@pytest.fixture(params=["before a first run", "after one"])
def place(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Place:
    settings = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")
    loaded = request.param == "after one"
    if loaded:
        stockpipe.load(settings=settings)
    return Place(settings, loaded, monkeypatch)


def named(**settings: str) -> Callable[[Place], None]:
    return lambda place: place.settings.update(settings)


def written(text: str, mode: int = 0o600) -> Callable[[Place], None]:
    def plant(_: Place) -> None:
        Path(".env").write_text(text)
        Path(".env").chmod(mode)

    return plant


def table(statement: str) -> Callable[[Place], None]:
    return lambda place: place.with_table(statement)


def known_as_paid(place: Place) -> None:
    settings = load_settings(place.settings, env={})
    memory = recall(settings.state_file)
    memory.learn_plan(key_of(Origin(settings.base_url, settings.api_key)), "paid", new_york_date(Clock()))
    memory.keep()
    place.settings["MASSIVE_PLAN"] = "free"


def a_late_clock(place: Place) -> None:
    late = datetime(2026, 2, 7, tzinfo=UTC)
    place.monkeypatch.setattr(Clock, "now", lambda _: late)
    if place.loaded:
        with duckdb.connect(FILE) as file:
            file.execute("UPDATE STOCKPIPE_RUNS SET DS = DATE '2026-02-06'")


def a_full_disk(place: Place) -> None:
    place.monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))


def no_folder_for_temporary_files(place: Place) -> None:
    place.monkeypatch.setattr("tempfile.gettempdir", lambda: "nowhere")


def no_duckdb_file(_: Place) -> None:
    Path(FILE).write_text("DAY,TICKER\n" * 1000)


def a_folder(place: Place) -> None:
    Path("data").mkdir()
    place.settings["STOCKPIPE_DUCKDB_PATH"] = "data"


def an_old_day(place: Place) -> None:
    stockpipe.load(on="2026-01-05", settings=place.settings | {"STOCKPIPE_DUCKDB_PATH": "old.duckdb"})
    place.settings["STOCKPIPE_DUCKDB_PATH"] = "old.duckdb"


MISTAKES: list[tuple[str, Callable[[Place], None], str, str, int]] = [
    # what is wrong, how, which finding, what is said of it or to be done, exit code
    ("no key", named(POLYGON_API_KEY=""), "FAIL API key", "stockpipe init", 3),
    ("a key that was never filled in", named(POLYGON_API_KEY="your-massive-api-key"), "FAIL API key", "massive.com", 3),
    ("a key that the API does not know", named(POLYGON_API_KEY="k" * 32), "FAIL key", "Check POLYGON_API_KEY against your account", 4),
    ("a sandbox that does not run", named(MASSIVE_BASE_URL="http://127.0.0.1:9"), "FAIL API", "Is `stockpipe sandbox` running?", 5),
    ("a URL that is no origin", named(MASSIVE_BASE_URL="ftp://x"), "FAIL settings", "MASSIVE_BASE_URL", 3),
    ("a proxy that is not there", named(MASSIVE_BASE_URL="https://api.example"), "FAIL API", "Check HTTPS_PROXY", 5),
    ("a plan that there is not", named(MASSIVE_PLAN="silver"), "FAIL settings", "Correct MASSIVE_PLAN", 3),
    ("free for a key that is known as paid", known_as_paid, "WARN plan", "Take MASSIVE_PLAN out", 0),
    ("a number that is none", named(STOCKPIPE_DEADLINE="soon"), "FAIL settings", "STOCKPIPE_DEADLINE", 3),
    ("a webhook in the clear", named(STOCKPIPE_WEBHOOK_URL="http://example.com/x"), "FAIL settings", "STOCKPIPE_WEBHOOK_URL", 3),
    ("a misspelt setting", written("STOCKPIPE_MAXLOSS=3\n"), "WARN settings", "STOCKPIPE_MAX_LOSS", 0),
    ("a settings file that others can read", written("POLYGON_API_KEY=sandbox-key\n", 0o644), "WARN settings", "chmod 600 .env", 0),
    ("a line that cannot be read", written('MASSIVE_PLAN="paid\n'), "WARN settings", "is a quote not closed?", 0),
    ("a warehouse that there is not", named(STOCKPIPE_WAREHOUSE="redshift"), "FAIL warehouse", "STOCKPIPE_WAREHOUSE", 3),
    ("a folder that is not there", named(STOCKPIPE_DUCKDB_PATH="no/x.duckdb"), "FAIL warehouse", "Make the folder", 6),
    ("a folder in place of the file", a_folder, "FAIL warehouse", "Name a file in STOCKPIPE_DUCKDB_PATH", 6),
    ("a file that is not DuckDB's", no_duckdb_file, "FAIL warehouse", "Name another file in STOCKPIPE_DUCKDB_PATH", 6),
    ("a name that is none", named(SNOWFLAKE_TABLE="not a name"), "FAIL table", "SNOWFLAKE_TABLE", 3),
    ("a view in place of the table", table("CREATE VIEW TICKERS AS SELECT 1 AS TICKER"), "FAIL table", "Rename the view", 6),
    ("a further column that must be filled", table("CREATE TABLE TICKERS (TICKER VARCHAR, REGION VARCHAR NOT NULL)"), "FAIL table", "REGION", 6),
    ("a column of another type", table("CREATE TABLE TICKERS (TICKER VARCHAR, ACTIVE VARCHAR)"), "FAIL table", "ACTIVE", 6),
    ("a key that later days break", table("CREATE TABLE TICKERS (TICKER VARCHAR PRIMARY KEY)"), "FAIL table", "copy the table", 6),
    ("an index that later days break", table("CREATE TABLE TICKERS (TICKER VARCHAR); CREATE UNIQUE INDEX ONE ON TICKERS (TICKER)"), "FAIL table", "DROP INDEX", 6),
    ("a last day of long ago", an_old_day, "WARN last day", "stockpipe run loads today's", 0),
    ("a clock that is late", a_late_clock, "WARN clock", "Set this machine's clock", 0),
    ("a full disk", a_full_disk, "FAIL disk", "Make room", 3),
    ("no folder for temporary files", no_folder_for_temporary_files, "FAIL disk", "Set TMPDIR", 3),
]  # fmt: skip


def test_nothing_is_wrong_with_a_good_set_up(place: Place) -> None:
    assert place.wrong() == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize(
    ("plant", "finding", "remedy", "code"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_in_either_state(
    place: Place, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Place], None], finding: str, remedy: str, code: int
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    plant(place)
    wrong = place.wrong()
    assert [f"{one.level} {one.name}" for one in wrong[:1]] == [finding]
    assert remedy in f"{wrong[0].text} {wrong[0].remedy}"
    # One mistake, one finding; but a full disk is full for the file too.
    assert ({one.name for one in wrong}, wrong[0].exit_code) == ({finding.split(" ", 1)[1]}, code)


def test_a_file_that_another_program_holds(place: Place) -> None:
    hold = f"import duckdb, sys; held = duckdb.connect('{FILE}'); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        (wrong,) = place.wrong()
        holder.communicate()
    assert (wrong.level, wrong.name, f"(process {holder.pid})" in wrong.text) == ("WARN", "warehouse", True)
    assert "Close a program that is left open" in wrong.remedy
