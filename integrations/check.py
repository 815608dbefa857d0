"""Does a real orchestrator run its example? Run with the Python of that orchestrator's environment: see `make`.

    python integrations/check.py airflow|dagster|prefect

Starts the sandbox, runs the example twice for today and for a past day, and looks into the DuckDB file. Ends with 0
when everything holds; everything is bounded in time and happens in a temporary folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from stockpipe.sandbox import Sandbox

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
NEW_YORK = ZoneInfo("America/New_York")
PAST = "2026-02-06"
MARKETS = ["crypto", "stocks"]
MOST_SECONDS = 180  # for one command


def noon() -> datetime:
    """Today at noon in New York: the sandbox has today's list, whatever the hour of the check is."""
    return datetime.now(NEW_YORK).replace(hour=12)


@dataclass(frozen=True)
class Stage:
    """Where one check plays: an empty folder, the sandbox, the environment of the commands."""

    home: Path
    sandbox: Sandbox
    env: Mapping[str, str]

    @property
    def database(self) -> Path:
        return self.home / "market.duckdb"

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, until: str | None = None, expect: int = 0
    ) -> str:
        """The output of a command that must end with `expect`, or that is ended when `until` shows up in it."""
        shown = " ".join(Path(part).name if part.startswith("/") else part for part in command)
        log = self.home / "output.log"
        began = time.monotonic()
        with log.open("w") as out:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env={**self.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                found = _wait(process, lambda: until is not None and until in log.read_text(errors="replace"))
            finally:
                _end(process)
        text = log.read_text(errors="replace")
        seconds = time.monotonic() - began
        good = found if until is not None else process.returncode == expect
        secret = self.sandbox.app.key in text
        print(f"{'ok  ' if good and not secret else 'FAIL'} {seconds:5.1f} s  {shown}", flush=True)
        if not good or secret:
            print(text[-6000:].replace(self.sandbox.app.key, "***"))
            sys.exit("The key is in the output." if secret else f"Wanted {until or expect}, got {process.returncode}.")
        return text

    def rows(self) -> dict[str, dict[str, int]]:
        """Rows in TICKERS by day and market."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            counted = connection.sql("SELECT DS, MARKET, count(*) FROM TICKERS GROUP BY ALL ORDER BY ALL").fetchall()
        days: dict[str, dict[str, int]] = {}
        for day, market, rows in counted:
            days.setdefault(day.isoformat(), {})[market] = rows
        return days

    def asked_days(self) -> set[str | None]:
        """The dates asked for since the last look; None is the current list."""
        days = {call.query.get("date") for call in self.sandbox.calls if "cursor" not in call.query}
        self.sandbox.calls.clear()
        return days


def _wait(process: subprocess.Popen[bytes], seen: Callable[[], bool]) -> bool:
    """Wait for the end, for `seen`, or for the time limit; whether it was `seen`."""
    deadline = time.monotonic() + MOST_SECONDS
    while process.poll() is None and time.monotonic() < deadline and not seen():
        time.sleep(0.1)
    return seen()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started. SIGKILL: `airflow dags test` does not end on SIGTERM while it waits."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def same(what: str, found: object, wanted: object) -> None:
    """Say whether something is as wanted, and end the check when it is not."""
    print(f"{'ok  ' if found == wanted else 'FAIL'}          {what}: {found}", flush=True)
    if found != wanted:
        sys.exit(f"Wanted {wanted}.")


def loads_days(stage: Stage, load: Callable[[str], object]) -> None:
    """`load` a day: today is the current list, a past day its dated records, twice is the same table."""
    today = noon().date().isoformat()
    load(today)
    same("asked for", stage.asked_days(), {None})
    first = stage.rows()
    same("loaded", {day: list(markets) for day, markets in first.items()}, {today: MARKETS})
    load(today)
    same("today twice", stage.rows(), first)
    stage.asked_days()
    load(PAST)
    same("asked for", stage.asked_days(), {PAST})
    both = stage.rows()
    same("loaded", {day: list(markets) for day, markets in both.items()}, {PAST: MARKETS, today: MARKETS})
    load(PAST)
    same("both days", stage.rows(), both)


def airflow(stage: Stage) -> None:
    """`airflow dags test`; then a refused key must fail at once, and a list that is late must be tried again."""
    folder = stage.home / "dags"
    folder.mkdir()
    shutil.copy(HERE / "airflow" / "stockpipe_daily.py", folder)
    command = str(BIN / "airflow")
    stage.run(str(BIN / "python"), str(HERE / "airflow" / "check_dag.py"))
    stage.run(command, "db", "migrate")
    env = {
        "AIRFLOW_CONN_MASSIVE_DEFAULT": _airflow_connection(stage.sandbox.url, stage.sandbox.app.key),
        "AIRFLOW_VAR_STOCKPIPE_DUCKDB_PATH": str(stage.database),
    }

    def test(moment: str, **how: object) -> None:
        stage.run(command, "dags", "test", "stockpipe_daily", moment, **how)

    # Today as the schedule has it, the past day as one types it.
    loads_days(stage, lambda day: test(day if day == PAST else f"{day}T04:30:00{noon():%z}", env=env))
    test(f"{PAST}T04:30:00-05:00", env=env)
    same("asked for", stage.asked_days(), {PAST})
    with sqlite3.connect(stage.home / "airflow.db") as connection:
        events = [json.loads(extra) for (extra,) in connection.execute("SELECT extra FROM asset_event ORDER BY id")]
    rows = stage.rows()
    same("asset updates", events, [{"ds": e["ds"], "rows": rows[e["ds"]]} for e in events])
    same("their number", len(events), 5)

    wrong = {**env, "AIRFLOW_CONN_MASSIVE_DEFAULT": _airflow_connection(stage.sandbox.url, "another")}
    test(PAST, env=wrong, expect=1)
    # A day whose ranges are known asks for all of them at once, so each may be refused, but none is tried again.
    refused = Counter((call.query["market"], call.query.get("ticker.gte"), call.status) for call in stage.sandbox.calls)
    same("calls with a refused key, each", set(refused.values()), {1})
    with Sandbox(key=stage.sandbox.app.key, now=lambda: noon() - timedelta(days=1)) as late:
        old = {**env, "AIRFLOW_CONN_MASSIVE_DEFAULT": _airflow_connection(late.url, late.app.key)}
        test(f"{noon().date()}T04:30:00{noon():%z}", env=old, until="new_state=up_for_retry")
    same("after the failures", stage.rows(), rows)


def _airflow_connection(url: str, key: str) -> str:
    host, port = url.removeprefix("http://").split(":")
    return json.dumps({"conn_type": "http", "schema": "http", "host": host, "port": int(port), "password": key})


def dagster(stage: Stage) -> None:
    """`dagster asset materialize` of each market's partition."""
    (stage.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    file = str(HERE / "dagster" / "stockpipe_assets.py")

    def load(day: str) -> None:
        for market in MARKETS:
            stage.run(
                *(str(BIN / "dagster"), "asset", "materialize", "-f", file),
                *("--select", "tickers", "--partition", f"{day}|{market}"),
            )

    loads_days(stage, load)


def prefect(stage: Stage) -> None:
    """The flow, called as a function; Prefect starts a server of its own for it."""
    program = str(HERE / "prefect" / "stockpipe_flow.py")
    loads_days(stage, lambda day: stage.run(str(BIN / "python"), program, day))


def environment(home: Path, sandbox: Sandbox) -> dict[str, str]:
    """The commands' environment: nothing of the caller's but where programs are and how they print."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DAGSTER_HOME": str(home),
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # a machine with something else to do
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "MASSIVE_PLAN": "paid",
        # Airflow's example takes these two from its connection and its variable instead.
        "MASSIVE_BASE_URL": sandbox.url,
        "POLYGON_API_KEY": sandbox.app.key,
        "STOCKPIPE_DUCKDB_PATH": str(home / "market.duckdb"),
    }


def main(name: str) -> None:
    """Check one orchestrator."""
    with (
        tempfile.TemporaryDirectory(prefix="stockpipe-check-", ignore_cleanup_errors=True) as folder,
        Sandbox(key=secrets.token_hex(16), now=noon) as sandbox,
    ):
        home = Path(folder)
        env = environment(home, sandbox)
        if name == "airflow":
            for unused in ("MASSIVE_BASE_URL", "POLYGON_API_KEY", "STOCKPIPE_DUCKDB_PATH"):
                del env[unused]
        {"airflow": airflow, "dagster": dagster, "prefect": prefect}[name](Stage(home, sandbox, env))
    print(f"{name} runs its example.")


if __name__ == "__main__":
    main(sys.argv[1])
