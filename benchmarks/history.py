"""Many days of tickers into a DuckDB file with `stockpipe backfill`: rates, memory, and what a row takes on disk."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import servers
from loads import Say, our_environment
from measure import HERE, OUR_PYTHON, STOCKPIPE, BenchmarkError, Sample, run_process

PAGES = 12
ROWS = PAGES * 1000
_FIRST = date(2024, 1, 1)
# A fifth of the days first, and a fifth last, into the same file.
_FIFTHS = 5


@dataclass(frozen=True)
class Backfill:
    """One backfill of so many days into a new file, and the last fifth of them against the first, each a command alone."""

    days: int
    calls: int
    rate: float
    wall: float
    cpu: float
    peak: float
    file_bytes: int
    short_peak: float
    last_to_first: float

    @property
    def rows_a_second(self) -> float:
        """Rows from the start of the process to its end."""
        return self.days * ROWS / self.wall

    @property
    def bytes_a_row(self) -> float:
        """What a row takes in the file, the records of the runs included."""
        return self.file_bytes / (self.days * ROWS)


def backfills(days: int, say: Say) -> Backfill:
    """Days of 12,000 rows, 100 calls a second allowed; the server answers each day alike."""
    fifth = max(1, days // _FIFTHS)
    with servers.api(pages=PAGES) as api, tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        say("backfill: to warm up")
        _load(api, Path(folder) / "warm.duckdb", 0, 2)
        api.calls()
        say(f"backfill of {days:,} days")
        path = Path(folder) / "whole.duckdb"
        whole = _load(api, path, 0, days)
        calls = api.calls()
        size = path.stat().st_size
        say(f"backfill of {fifth:,} days, then {days - 2 * fifth:,}, then {fifth:,}")
        path = Path(folder) / "parts.duckdb"
        first = _load(api, path, 0, fifth)
        _load(api, path, fifth, days - fifth)
        last = _load(api, path, days - fifth, days)
        _expect(path, days)
    ratio = last.wall / first.wall
    return Backfill(days, calls.count, calls.rate, whole.wall, whole.cpu, whole.peak, size, first.peak, ratio)


def _load(api: servers.Api, path: Path, start: int, end: int) -> Sample:
    """One command for the days from `start` to before `end`."""
    first, last = _FIRST + timedelta(days=start), _FIRST + timedelta(days=end - 1)
    command: list[str | Path] = [
        STOCKPIPE, "backfill", "--from", str(first), "--to", str(last), "--yes", "--quiet", "--requests-per-second", "100",
    ]  # fmt: skip
    sample = run_process(command, our_environment(api.url, path), path.parent)
    _expect(path, end)
    return sample


def _expect(path: Path, days: int) -> None:
    counted = subprocess.run([OUR_PYTHON, HERE / "count_rows.py", path], check=True, capture_output=True, text=True)  # noqa: S603
    if json.loads(counted.stdout) != [days * ROWS, ROWS]:
        raise BenchmarkError(f"After a backfill of {days} days there are {counted.stdout} rows and tickers.")
