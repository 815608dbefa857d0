"""SIGTERM, Ctrl+C and a disk that fills up, at any moment: the old day or the new one, told in a sentence, and soon."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from support.disks import Disk

WHOLE = "SELECT count(*), count(DISTINCT TICKER), min(TICKER) FROM TICKERS"
STOPS = 8
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("moment", ["anywhere", "fetched", "publishing"])
def test_a_stopped_run_leaves_a_whole_day_and_says_so(serve: Serve, moment: str) -> None:
    """`fetched`: while rows are typed and compared; `publishing`: in the transaction, which is some 0.05 to 0.3 s long."""
    chance = random.Random(moment)
    sandboxes = [serve(long_rows(18_000, "T")), serve(long_rows(18_010, "U"))]
    whole = [(18_000, 18_000, "T00000"), (18_010, 18_010, "U00000")]
    stockpipe.load(settings=flags(sandboxes[0]))
    now = stopped = 0
    for _ in range(STOPS):
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        arguments = [sys.executable, "-m", "stockpipe", "run"]
        env = os.environ | flags(sandboxes[1 - now])
        with subprocess.Popen(arguments, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            said = wait_for(moment, process, chance)
            asked = time.monotonic()
            process.send_signal(number)
            said += process.stderr.read()
            process.wait(30)
        assert time.monotonic() - asked < 15, said  # about a second, and a slow machine
        assert "Traceback" not in said, said
        assert process.returncode in (0, CODES[number], -number), said
        if process.returncode == CODES[number]:
            stopped += 1
            assert "Stopped on request" in said
        found = table(WHOLE)[0]
        assert found in whole, f"{moment}: {found}"
        assert process.returncode == 0 or whole.index(found) == now
        now = whole.index(found)
    assert stopped >= 2, "most runs ended before the signal: shorten the waits"
    assert stockpipe.load(settings=flags(sandboxes[1 - now])).rows == whole[1 - now][0]


def long_rows(count: int, prefix: str) -> list[dict[str, str]]:
    return [stock(f"{prefix}{number:05}", name=f"{number:0>240}") for number in range(count)]


def wait_for(moment: str, process: subprocess.Popen[str], chance: random.Random) -> str:
    """Wait for a random moment of its kind; what the run has said until then."""
    said = ""
    first = {"anywhere": "", "fetched": "Fetching", "publishing": "Ingesting"}[moment]
    if first and process.stderr:
        for line in process.stderr:
            said += line
            if line.startswith(first):
                break
    time.sleep(chance.uniform(*{"anywhere": (0.05, 1.5), "fetched": (0, 0.3), "publishing": (0, 0.12)}[moment]))
    return said


@pytest.mark.parametrize("seed", range(2))
def test_a_disk_that_fills_up_anywhere_leaves_a_whole_day(serve: Serve, disk: Disk, seed: int) -> None:
    """The file and the temporary files share a disk, of which a random part is free."""
    chance = random.Random(seed)
    place = disk(64_000)
    env = {"STOCKPIPE_DUCKDB_PATH": str(place / "day.duckdb"), "TMPDIR": str(place)}
    path = env["STOCKPIPE_DUCKDB_PATH"]
    small, large = serve(many(50)), serve(long_rows(9_000, "U"))
    assert command("run", env=flags(small, **env)).returncode == 0
    for _ in range(6):
        used = sum(file.stat().st_size for file in place.rglob("*") if file.is_file()) // 1024
        disk(used + chance.randrange(16, 4000))
        done = command("run", "--force", env=flags(large, **env))
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 3, 6), done.stderr
        found = table(WHOLE, path)[0]
        assert found == ((9_000, 9_000, "U00000") if done.returncode == 0 else (50, 50, "T00000"))
        assert done.returncode == 0 or "no space left" in done.stderr
        if done.returncode == 0:
            disk(64_000)
            assert command("run", "--force", env=flags(small, **env)).returncode == 0
    disk(64_000)
    assert command("run", "--force", env=flags(large, **env)).returncode == 0
    assert table(WHOLE, path) == [(9_000, 9_000, "U00000")]
