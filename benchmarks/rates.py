"""How fast the calls go: few on the free plan, many on a paid one."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import servers
from loads import KEY, RUN, Say, expect_rows, our_environment
from measure import HERE, OUR_PYTHON, BenchmarkError, clean_environment, run_process

FREE_CALLS = 5
SERVER_THREADS = 8
_FLOOD_SECONDS = 5
_PAGE = 1000


@dataclass(frozen=True)
class FreeWalk:
    """One walk on the free plan; `minute` is the scaled one."""

    plan: str
    minute: float
    calls: int
    refused: int
    seconds: float

    @property
    def bound(self) -> float:
        """The least that the plan allows: five calls at once, then a minute before each five more."""
        return (math.ceil(self.calls / FREE_CALLS) - 1) * self.minute


@dataclass(frozen=True)
class LongWalk:
    """One long run on a paid plan; the rates are the server's."""

    pages: int
    latency: float
    calls: int
    rate: float
    busiest_second: int
    wall: float
    peak: float


def free_walks(rows: int, minute: float, say: Say) -> Iterator[FreeWalk]:
    """With the plan known, and with the plan to be found out."""
    for plan in ("free", "auto"):
        say(f"free plan, a minute of {minute:g} s: MASSIVE_PLAN={plan}")
        command = [OUR_PYTHON, HERE / "free_plan.py", plan, str(rows), str(minute)]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)  # noqa: S603
        told = json.loads(done.stdout)
        if told["rows"] != rows:
            raise BenchmarkError(f"The free plan's walk brought {told['rows']} rows of {rows}.")
        yield FreeWalk(plan, minute, told["calls"], told["refused"], told["seconds"])


def long_walks(sizes: Sequence[int], latency: float, say: Say) -> Iterator[LongWalk]:
    """`stockpipe run` over so many full pages, at most 100 calls a second; the first run warms the server."""
    for pages in sizes:
        with servers.api(pages=pages, latency=latency) as api:
            for title in ("to warm up", "measured"):
                say(f"{pages:,} pages, {title}")
                walked = _long_walk(api, pages, latency)
        yield walked


def server_rate() -> float:
    """Pages a second that the server gives to several connections at once, without latency."""
    with servers.api(pages=_PAGE) as api, tempfile.TemporaryDirectory() as folder:
        command: list[str | Path] = [
            OUR_PYTHON,
            HERE / "flood.py",
            api.url,
            KEY,
            str(SERVER_THREADS),
            str(_FLOOD_SECONDS),
        ]
        run_process(command, clean_environment(), Path(folder))
        calls = api.calls()
    if set(calls.statuses) != {200}:
        raise BenchmarkError(f"The server answered {dict(calls.statuses)}.")
    return calls.rate


def _long_walk(api: servers.Api, pages: int, latency: float) -> LongWalk:
    with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        path = Path(folder) / "bench.duckdb"
        settings = our_environment(api.url, path) | {"STOCKPIPE_REQUESTS_PER_SECOND": "100"}
        api.calls()
        sample = run_process(RUN, settings, Path(folder))
        calls = api.calls()
        expect_rows(path, pages * _PAGE, f"stockpipe, {pages:,} pages")
    return LongWalk(pages, latency, calls.count, calls.rate, calls.busiest_second, sample.wall, sample.peak)
