"""One day into a DuckDB file: ours, the peers and the floor, in turns, against the same server."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import servers
from measure import (
    HERE,
    OUR_PYTHON,
    PEER_PYTHON,
    STOCKPIPE,
    BenchmarkError,
    Sample,
    clean_environment,
    middle,
    run_process,
)

KEY = "sandbox-key"
RUN: list[str | Path] = [STOCKPIPE, "run", "--quiet"]
OURS, RERUN, FLOOR = "stockpipe", "stockpipe, the same day again", "floor"
_PEERS = HERE / "peers"
_TRIES = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Competitor:
    """`script` is a peer's; None is ours. A slow one is measured less often, and not at 250,000 rows."""

    name: str
    script: str | None = None
    slow: bool = False

    def command(self, url: str, path: Path) -> list[str | Path]:
        """The command that loads a day into the file."""
        return [PEER_PYTHON, _PEERS / self.script, url, KEY, path] if self.script else RUN

    def environment(self, url: str, path: Path) -> dict[str, str]:
        """Its settings."""
        return peer_environment(path.parent) if self.script else our_environment(url, path)


# The floor comes first: it leaves the server warm for those that ask for the same pages.
COMPETITORS = (
    Competitor(FLOOR, "floor.py"),
    Competitor(OURS),
    Competitor("official client, CSV, COPY", "client_csv_copy.py"),
    Competitor("dlt, Parquet loader files", "dlt_parquet.py"),
    Competitor("dlt as installed", "dlt_rest.py"),
    Competitor("official client, executemany", "client_executemany.py", slow=True),
    Competitor("usual script", "usual_script.py", slow=True),
)
CSV_COPY, DLT_PARQUET, DLT = (COMPETITORS[n].name for n in (2, 3, 4))
PEERS = tuple(competitor.name for competitor in COMPETITORS if competitor.name not in (FLOOR, OURS))
LARGE = 250_000
AT_LARGE = (FLOOR, OURS, CSV_COPY, DLT_PARQUET)


@dataclass(frozen=True, order=True)
class Case:
    """How many rows, and the server's latency in seconds."""

    rows: int
    latency: float

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.latency * 1000:.0f} ms"


@dataclass
class Series:
    """The runs of one competitor in one case."""

    samples: list[Sample] = field(default_factory=list)
    calls: int = 0

    @property
    def wall(self) -> float:
        """Median seconds."""
        return middle(self.samples, lambda sample: sample.wall)

    @property
    def cpu(self) -> float:
        """Median CPU seconds."""
        return middle(self.samples, lambda sample: sample.cpu)

    @property
    def peak(self) -> float:
        """Median of the peak memory, in MiB."""
        return middle(self.samples, lambda sample: sample.peak)

    @property
    def spread(self) -> tuple[float, float]:
        """Quickest and slowest."""
        walls = [sample.wall for sample in self.samples]
        return min(walls), max(walls)


def our_environment(url: str, path: Path) -> dict[str, str]:
    """The settings of a paid key that loads a DuckDB file."""
    return clean_environment(
        MASSIVE_BASE_URL=url,
        POLYGON_API_KEY=KEY,
        MASSIVE_PLAN="paid",
        STOCKPIPE_WAREHOUSE="duckdb",
        STOCKPIPE_DUCKDB_PATH=str(path),
    )


def peer_environment(folder: Path) -> dict[str, str]:
    """dlt keeps its state in the folder of the run, as if it were new, and does not report to its makers."""
    return clean_environment(DLT_DATA_DIR=str(folder / "dlt"), RUNTIME__DLTHUB_TELEMETRY="false")


def run_case(case: Case, names: Sequence[str], repeats: int, *, full: bool, say: Say) -> dict[str, Series]:
    """Every competitor `repeats` times, in turns, so that a noisy minute meets all of them."""
    chosen = [c for c in COMPETITORS if c.name in names and (full or case.rows < LARGE or c.name in AT_LARGE)]
    found: dict[str, Series] = {}
    with servers.api(rows=case.rows, latency=case.latency) as api:
        for competitor in chosen:
            if not competitor.slow:  # its first run warms the disk cache, and makes the server build its pages
                say(f"{case}: {competitor.name}, to warm up")
                _run_once(competitor, api, case, {})
        for turn in range(repeats):
            for competitor in _in_turn(chosen, turn):
                if competitor.slow and turn >= _slow_repeats(repeats):
                    continue
                say(f"{case}: {competitor.name}, {turn + 1} of {repeats}")
                _run_once(competitor, api, case, found)
    order = [OURS, RERUN, *PEERS, FLOOR]
    return {name: found[name] for name in order if name in found}


def _slow_repeats(repeats: int) -> int:
    return max(1, repeats // 2)


def _in_turn(chosen: Sequence[Competitor], turn: int) -> Iterable[Competitor]:
    """Nobody always comes after the same neighbour."""
    start = turn % len(chosen)
    return [*chosen[start:], *chosen[:start]]


def _run_once(competitor: Competitor, api: servers.Api, case: Case, found: dict[str, Series]) -> None:
    """Measure a fresh process with a fresh file, ours then a second time with the same file.

    A run during which the server had to make pages shows the server's speed: it is not counted, but done again.
    """
    names = [OURS, RERUN] if competitor.name == OURS else [competitor.name]
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
            path = Path(folder) / "bench.duckdb"
            runs = [_measured(competitor, api, case, path) for _ in names]
        if not any(calls.built for _, calls in runs):
            break
    else:
        raise BenchmarkError(f"{case}: the server made new pages for {competitor.name} in each of {_TRIES} runs.")
    for name, (sample, calls) in zip(names, runs, strict=True):
        series = found.setdefault(name, Series())
        series.samples.append(sample)
        series.calls = calls.count


def _measured(competitor: Competitor, api: servers.Api, case: Case, path: Path) -> tuple[Sample, servers.Calls]:
    """One process and the calls it made; BenchmarkError unless every row is in the file, once."""
    api.calls()
    sample = run_process(competitor.command(api.url, path), competitor.environment(api.url, path), path.parent)
    calls = api.calls()
    if set(calls.statuses) != {200}:
        raise BenchmarkError(f"{case}: {competitor.name} got answers {dict(calls.statuses)}.")
    expect_rows(path, case.rows, f"{case}: {competitor.name}")
    return sample, calls


def expect_rows(path: Path, rows: int, who: str) -> None:
    """BenchmarkError unless a file's tickers table has so many rows and as many different tickers."""
    command = [OUR_PYTHON, HERE / "count_rows.py", path]
    counted = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    if counted != [rows, rows]:
        raise BenchmarkError(
            f"{who} loaded {counted[0]:,} rows with {counted[1]:,} tickers, where {rows:,} are served."
        )
