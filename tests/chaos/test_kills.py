"""SIGKILL at any moment leaves the old day or the new one, an openable file, and a next run that completes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

import stockpipe
from conftest import Serve, flags, many, table
from snowflake_gate import SnowflakeGate

KILLS_A_TEST = 25


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's; Windows ends processes another way")
@pytest.mark.parametrize("seed", range(8))
def test_a_killed_run_leaves_a_whole_day(serve: Serve, seed: int) -> None:
    """Even seeds kill anywhere in the run, odd ones within the 60 ms after the publish has begun."""
    chance = random.Random(seed)
    sandboxes = [serve(many(3000)), serve(many(3010, "U"))]
    whole = [(3000, 3000, "T00000"), (3010, 3010, "U00000")]
    now = 0
    stockpipe.load(settings=flags(sandboxes[now]))
    killed = 0
    for number in range(KILLS_A_TEST):
        settings = flags(sandboxes[1 - now])
        arguments = [sys.executable, "-m", "stockpipe", "run"]
        with subprocess.Popen(arguments, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            if seed % 2:
                for line in process.stderr:
                    if line.startswith("Ingesting"):
                        break
                time.sleep(chance.uniform(0, 0.06))
            else:
                time.sleep(chance.uniform(0.05, 0.5))
            process.kill()
            process.stderr.read()
        killed += process.returncode == -9
        found = table("SELECT count(*), count(DISTINCT TICKER), min(TICKER) FROM TICKERS")[0]
        assert found in whole, f"seed {seed}, kill {number}: {found}"
        now = whole.index(found)
    assert killed >= 5, "most runs ended before the kill: shorten the waits"
    assert stockpipe.load(settings=flags(sandboxes[1 - now])).rows == whole[1 - now][0]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's; Windows ends processes another way")
def test_a_run_killed_while_it_publishes_to_snowflake_leaves_a_whole_day(serve: Serve) -> None:
    """Nobody ends the dead sessions: the service's five minutes, 1 s here, are what the next publish waits for."""
    chance = random.Random(1)
    whole = [(300, 300, "T00000"), (303, 303, "U00000")]
    with SnowflakeGate(scale=1 / 300, lock_timeout=60) as gate:
        settings = [flags(serve(rows)) | gate.env() for rows in (many(300), many(303, "U"))]
        stockpipe.load(settings=settings[0])
        now = 0
        for number in range(KILLS_A_TEST):
            arguments = [sys.executable, "-m", "stockpipe", "run"]
            with subprocess.Popen(
                arguments, env=os.environ | settings[1 - now], stderr=subprocess.PIPE, text=True
            ) as process:
                assert process.stderr
                for line in process.stderr:
                    if line.startswith("Ingesting"):
                        break
                time.sleep(chance.uniform(0, 0.25))
                process.kill()
                process.stderr.read()
            found = gate.rows("SELECT count(*), count(DISTINCT ticker), min(ticker) FROM tickers")[0]
            assert found in whole, f"kill {number}: {found}"
            now = whole.index(found)
        assert stockpipe.load(settings=settings[1 - now]).rows == whole[1 - now][0]
