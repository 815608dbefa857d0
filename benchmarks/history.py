"""Many days with `stockpipe backfill`: rates, memory, what a row takes on disk, dlt, and what Snowflake sees."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import servers
from loads import KEY, Say, our_environment, peer_environment
from measure import HERE, OUR_PYTHON, PEER_PYTHON, STOCKPIPE, BenchmarkError, Sample, clean_environment, run_process
from stockpipe.base.calendar import is_session

PAGES = 12
ROWS = PAGES * 1000
_FIRST = date(2024, 1, 1)
_FIRST_SESSION = date(2020, 1, 2)
# A fifth of the days first, and a fifth last, into the same file.
_FIFTHS = 5
_BACKFILL: list[str | Path] = [STOCKPIPE, "backfill", "--yes", "--quiet", "--requests-per-second", "100"]


@dataclass(frozen=True)
class Backfill:
    """One backfill of so many days, of so many rows each, into a new file."""

    days: int
    rows: int
    calls: int
    rate: float
    wall: float
    cpu: float
    peak: float
    file_bytes: int

    @property
    def rows_a_second(self) -> float:
        """Rows from the start of the process to its end."""
        return self.days * self.rows / self.wall

    @property
    def bytes_a_row(self) -> float:
        """What a row takes in the file, the records of the runs included."""
        return self.file_bytes / (self.days * self.rows)


@dataclass(frozen=True)
class Growth:
    """The last fifth of the days against the first, each a command alone, into the same file; the first one's peak memory."""

    last_to_first: float
    short_peak: float


@dataclass(frozen=True)
class Duel:
    """Days of tickers, ours and dlt's."""

    days: int
    ours: Sample
    dlt: Sample


@dataclass(frozen=True)
class History:
    """All of it. `statements` is what Snowflake got for `statement_days` days of 1,000 rows."""

    tickers: Backfill
    growth: Growth
    bars: Backfill
    duel: Duel
    statement_days: int
    statements: int


def measured(days: int, bar_days: int, duel_days: int, say: Say) -> History:
    """Days of 12,000 rows, 100 calls a second allowed; the server answers each day alike."""
    with servers.api(pages=PAGES) as api:
        say("backfill: to warm up")
        _backfill(api, "tickers", _dates(2))
        _backfill(api, "daily_bars", _sessions(2))
        say(f"backfill of {days:,} days of tickers")
        tickers = _backfill(api, "tickers", _dates(days))
        say(f"the same in fifths: {days:,} days of tickers")
        growth = _growth(api, _dates(days))
        say(f"backfill of {bar_days:,} days of bars")
        bars = _backfill(api, "daily_bars", _sessions(bar_days))
        say(f"{duel_days:,} days of tickers, ours and dlt")
        duel = _duel(api, _dates(duel_days))
    say(f"backfill of {days:,} days into Snowflake")
    return History(tickers, growth, bars, duel, days, _statements(_dates(days)))


def _dates(count: int) -> list[date]:
    return [_FIRST + timedelta(number) for number in range(count)]


def _sessions(count: int) -> list[date]:
    sessions = filter(is_session, itertools.count(_FIRST_SESSION.toordinal()))
    return [date.fromordinal(day) for day in itertools.islice(sessions, count)]


def _backfill(api: servers.Api, dataset: str, days: list[date]) -> Backfill:
    with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        path = Path(folder) / "whole.duckdb"
        api.calls()
        sample = _load(api, path, dataset, days)
        calls = api.calls()
        rows, _ = _counted(path, dataset)
        if rows % len(days):
            raise BenchmarkError(f"{rows:,} rows of {dataset} are in the file, for {len(days):,} days that are alike.")
        size = path.stat().st_size
    rows //= len(days)
    return Backfill(len(days), rows, calls.count, calls.rate, sample.wall, sample.cpu, sample.peak, size)


def _growth(api: servers.Api, days: list[date]) -> Growth:
    fifth = max(1, len(days) // _FIFTHS)
    with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        path = Path(folder) / "parts.duckdb"
        first = _load(api, path, "tickers", days[:fifth])
        _load(api, path, "tickers", days[fifth:-fifth])
        last = _load(api, path, "tickers", days[-fifth:])
        _expect(path, len(days))
    return Growth(last.wall / first.wall, first.peak)


def _duel(api: servers.Api, days: list[date]) -> Duel:
    """dlt has no limit of calls a second to keep."""
    with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        path = Path(folder) / "ours.duckdb"
        ours = _load(api, path, "tickers", days)
        _expect(path, len(days))
        path = Path(folder) / "dlt.duckdb"
        script = HERE / "peers" / "dlt_days.py"
        command: list[str | Path] = [PEER_PYTHON, script, api.url, KEY, path, str(days[0]), str(len(days))]
        dlt = run_process(command, peer_environment(Path(folder)), Path(folder))
        _expect(path, len(days))
    return Duel(len(days), ours, dlt)


def _statements(days: list[date]) -> int:
    span = ["--from", str(days[0]), "--to", str(days[-1])]
    with (
        servers.api(pages=1) as api,
        servers.snowflake() as account,
        tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder,
    ):
        settings = clean_environment(**account.env, MASSIVE_BASE_URL=api.url, POLYGON_API_KEY=KEY, MASSIVE_PLAN="paid")
        run_process([*_BACKFILL, "--sample-data", *span], settings, Path(folder))
        told = account.traffic("TICKERS")
    if told["rows"] != len(days) * 1000:
        raise BenchmarkError(f"A backfill of {len(days)} days into Snowflake left {told['rows']:,} rows.")
    return int(told["statements"])


def _load(api: servers.Api, path: Path, dataset: str, days: list[date]) -> Sample:
    """One command for all days from the first to the last."""
    span = ["--dataset", dataset, "--from", str(days[0]), "--to", str(days[-1])]
    return run_process([*_BACKFILL, *span], our_environment(api.url, path), path.parent)


def _counted(path: Path, table: str) -> tuple[int, int]:
    command: list[str | Path] = [OUR_PYTHON, HERE / "count_rows.py", path, table]
    rows, names = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    return rows, names


def _expect(path: Path, days: int) -> None:
    if (found := _counted(path, "tickers")) != (days * ROWS, ROWS):
        raise BenchmarkError(f"For {days} days there are {found} rows and tickers in {path.name}.")
