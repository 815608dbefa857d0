"""SIGKILL at random moments of a backfill: no day half there, no published day asked for again, the same end.

KILL_SEEDS=4 in the environment makes it sixty kills in place of thirty: forty into a file, twenty into Snowflake.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from conftest import Serve, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.sandbox import Answer, Request, Sandbox

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="SIGKILL is POSIX's; Windows ends processes another way"
)

SEEDS, KILLS = int(os.environ.get("KILL_SEEDS", "2")), 10
FIRST, DAYS, ROWS = date(2025, 3, 3), 90, 40
LAST = FIRST + timedelta(days=DAYS - 1)
COMMAND = [sys.executable, "-m", "stockpipe", "backfill", "--from", str(FIRST), "--to", str(LAST), "--yes"]
COUNTS = "SELECT ds, count(*), count(DISTINCT ticker), min(ticker), max(ticker) FROM tickers GROUP BY ds"

Query = Callable[[str], list[tuple[object, ...]]]


class Asked:
    """The days that are asked for, each answer a little late, so that kills meet every moment."""

    def __init__(self) -> None:
        self.days: list[date] = []

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            self.days.append(date.fromisoformat(request.query["date"]))
            time.sleep(0.02)
            return respond(request)

        return answer


def killed(env: dict[str, str], asked: Asked, chance: random.Random) -> bool:
    """Start a backfill, kill it a moment after it has asked for some days; whether it was under way."""
    days = chance.randrange(DAYS // 10)
    with subprocess.Popen(COMMAND, env=os.environ | env, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and len(asked.days) < days:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
    return process.returncode == -9


def torment(env: dict[str, str], asked: Asked, query: Query, chance: random.Random) -> None:
    """Kill backfills until enough were hit, look at the days after each, then let one come to its end."""
    whole = (ROWS, ROWS, "T00000", f"T{ROWS - 1:05}")
    hit, published = 0, set[object]()
    for number in range(KILLS):
        asked.days.clear()
        hit += killed(env, asked, chance)
        assert not published & set(asked.days), f"kill {number}: a published day was asked for again"
        found = query(COUNTS)
        assert all(row[1:] == whole for row in found), f"kill {number}: {found}"
        assert published <= {row[0] for row in found}, f"kill {number}: a published day is gone"
        published = {row[0] for row in found}
    assert hit >= KILLS // 3, "most backfills ended before the kill: fewer days should be waited for"
    asked.days.clear()
    done = subprocess.run(COMMAND, env=os.environ | env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not published & set(asked.days)
    found = query(COUNTS)
    assert {row[0] for row in found} == {FIRST + timedelta(days=number) for number in range(DAYS)}
    assert all(row[1:] == whole for row in found)
    assert query("SELECT count(*) FROM stockpipe_runs WHERE status = 'published'") == [(DAYS,)]


def sandbox_of(serve: Serve, asked: Asked) -> Sandbox:
    return serve(many(ROWS), wrap=asked.wrap)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_backfill_into_a_file_is_finished_by_the_next_ones(serve: Serve, seed: int) -> None:
    asked = Asked()
    env = flags(sandbox_of(serve, asked))

    def query(sql: str) -> list[tuple[object, ...]]:
        return table(sql) if Path("stockpipe.duckdb").exists() and table("SHOW TABLES") else []

    torment(env, asked, query, random.Random(seed))


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_a_killed_backfill_into_snowflake_is_finished_by_the_next_ones(serve: Serve, seed: int) -> None:
    """Nobody ends the dead sessions: the service's five minutes, 1 s here, are what the next publish waits for."""
    asked = Asked()
    with SnowflakeGate(scale=1 / 300, lock_timeout=60) as gate:
        env = flags(sandbox_of(serve, asked), STOCKPIPE_SAMPLE_DATA="true") | gate.env()

        def query(sql: str) -> list[tuple[object, ...]]:
            try:
                return gate.rows(sql)
            except Exception:  # noqa: BLE001 - the first kill came before the table
                return []

        torment(env, asked, query, random.Random(seed))
