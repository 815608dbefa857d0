"""The targets, each with what was measured: met, not met, or not measured this time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cost
from builds import MasterBuild, Prices
from cost import Traffic
from history import History
from loads import CSV_COPY, DLT, DLT_PARQUET, FLOOR, LARGE, OURS, PEERS, RERUN, Case, Series
from rates import FreeWalk, LongWalk
from startup import Install, StartUp

DAY, LARGER, LATENCY = 12_400, 60_000, 0.15
# What two medians of the same program differ by on a quiet machine.
NOISE = 0.05


@dataclass
class Results:
    """All that one run of the benchmarks measured."""

    loads: dict[Case, dict[str, Series]] = field(default_factory=dict)
    start_up: StartUp | None = None
    install: Install | None = None
    free: list[FreeWalk] = field(default_factory=list)
    long: list[LongWalk] = field(default_factory=list)
    server_rate: float | None = None
    history: History | None = None
    master: MasterBuild | None = None
    prices: Prices | None = None
    snowflake: list[Traffic] = field(default_factory=list)

    def series(self, rows: int, latency: float, name: str) -> Series | None:
        """One competitor in one case, or None."""
        return self.loads.get(Case(rows, latency), {}).get(name)


@dataclass(frozen=True)
class Target:
    """One line of the table. `met` is None where a part was not measured."""

    what: str
    limit: str
    measured: str = "not measured"
    met: bool | None = None


def judge(results: Results) -> Iterator[Target]:
    """Every target."""
    yield from _against_peers(results)
    yield from _with_latency(results)
    yield from _memory(results)
    yield _rerun(results)
    yield from _free_plan(results)
    yield from _long_walks(results)
    yield from _history(results)
    yield from _master(results.master)
    yield from _prices(results.prices)
    yield _statements(results)
    yield _start_up(results)
    yield from _install(results)


def _at_most(what: str, measured: float | None, limit: float, unit: str = "times", digits: int = 2) -> Target:
    shown = f"at most {limit:.{digits}f} {unit}"
    if measured is None:
        return Target(what, shown)
    return Target(what, shown, f"{measured:.{digits}f} {unit}", measured <= limit)


def _ratio(results: Results, rows: int, latency: float, peer: str, *, memory: bool = False) -> float | None:
    ours, other = results.series(rows, latency, OURS), results.series(rows, latency, peer)
    if not ours or not other:
        return None
    return ours.peak / other.peak if memory else ours.wall / other.wall


def _against_peers(results: Results) -> Iterator[Target]:
    day = f"{DAY:,} rows, 0 ms"
    yield _at_most(f"{day}: wall, against dlt as installed", _ratio(results, DAY, 0.0, DLT), 1 / 6)
    yield _at_most(f"{day}: memory, against dlt as installed", _ratio(results, DAY, 0.0, DLT, memory=True), 1 / 6)
    yield _at_most(f"{day}: wall, against dlt with Parquet files", _ratio(results, DAY, 0.0, DLT_PARQUET), 1 / 2)
    yield _at_most(f"{day}: wall, against client + CSV COPY", _ratio(results, DAY, 0.0, CSV_COPY), 1.2)
    yield _at_most(f"{LARGER:,} rows, 0 ms: wall, against the same", _ratio(results, LARGER, 0.0, CSV_COPY), 1.0)
    yield _at_most(f"{LARGE:,} rows, 0 ms: wall, against the same", _ratio(results, LARGE, 0.0, CSV_COPY), 0.7)
    yield _at_most(f"{day}: wall, against the floor", _ratio(results, DAY, 0.0, FLOOR), 1.7)


def _with_latency(results: Results) -> Iterator[Target]:
    """The best peer is the quickest of those that were measured; the floor is a limit and no peer."""
    for rows, limit in ((DAY, 1 / 2), (LARGER, 1 / 4)):
        found = results.loads.get(Case(rows, LATENCY), {})
        peers = {name: series for name, series in found.items() if name in PEERS}
        best = min(peers, key=lambda name: peers[name].wall, default=None)
        measured = _ratio(results, rows, LATENCY, best) if best else None
        yield _at_most(f"{rows:,} rows, 150 ms: wall, against the best peer ({best or 'none'})", measured, limit)


def _memory(results: Results) -> Iterator[Target]:
    for rows, limit in ((DAY, 120), (LARGER, 200)):
        ours = results.series(rows, 0.0, OURS)
        yield _at_most(f"{rows:,} rows: peak memory", ours.peak if ours else None, limit, "MiB", 0)


def _rerun(results: Results) -> Target:
    """The dearest case decides, over wall, CPU and calls."""
    ratios = [
        ratio
        for case in results.loads.values()
        if OURS in case and RERUN in case
        for first, again in [(case[OURS], case[RERUN])]
        for ratio in (again.wall / first.wall, again.cpu / first.cpu, again.calls / first.calls)
    ]
    what = f"a rerun of a day against its first load: the largest ratio of wall, CPU and calls ({NOISE:.0%} is noise)"
    return _at_most(what, max(ratios, default=None), 1 + NOISE)


def _free_plan(results: Results) -> Iterator[Target]:
    over = max((walk.seconds - walk.bound for walk in results.free), default=None)
    yield _at_most("free plan: seconds over the bound", over, 5, "s", 1)
    refused = max((walk.refused for walk in results.free), default=None)
    yield _at_most("free plan: answers 429", refused, 1, "", 0)


def _long_walks(results: Results) -> Iterator[Target]:
    walks = results.long
    what = "long walks, 100 calls a second allowed"
    rate = min((walk.rate for walk in walks), default=None)
    shown = "not measured" if rate is None else f"{rate:.1f} a second"
    yield Target(f"{what}: lowest rate", "at least 90 a second", shown, None if rate is None else rate >= 90)
    busiest = max((walk.busiest_second for walk in walks), default=None)
    yield _at_most(f"{what}: most calls in a second", busiest, 100, "", 0)
    peak = max((walk.peak for walk in walks), default=None)
    yield _at_most(f"{what}: peak memory", peak, 250 * 10**6 / 2**20, "MiB", 0)
    growth = walks[-1].peak / walks[0].peak if len(walks) > 1 else None
    yield _at_most(f"{what}: memory of the longest against the shortest", growth, 1 + NOISE)


def _history(results: Results) -> Iterator[Target]:
    found = results.history
    tickers, bars = (found.tickers, found.bars) if found else (None, None)
    shown = f"{tickers.rate:.0f} calls, {tickers.rows_a_second:,.0f} rows a second" if tickers else "not measured"
    met = tickers.rate >= 80 or tickers.rows_a_second >= 80_000 if tickers else None
    yield Target("backfill of tickers into DuckDB", "80 calls or 80,000 rows a second", shown, met)
    yield _at_most("its last fifth against its first", found.growth.last_to_first if found else None, 1.1)
    yield _at_most("its peak memory", tickers.peak if tickers else None, 350, "MiB", 0)
    growth = found.tickers.peak / found.growth.short_peak if found else None
    yield _at_most("its peak memory against that of a fifth", growth, 1 + NOISE)
    shown = f"{bars.rows_a_second:,.0f} rows a second" if bars else "not measured"
    met = bars.rows_a_second >= 100_000 if bars else None
    yield Target("backfill of bars into DuckDB", "100,000 rows a second", shown, met)
    yield _at_most("its peak memory", bars.peak if bars else None, 350, "MiB", 0)
    ratio = found.duel.ours.wall / found.duel.dlt.wall if found else None
    days = found.duel.days if found else 60
    yield _at_most(f"{days} days of tickers: wall, against dlt with Parquet files", ratio, 1 / 4)
    days, statements = (found.statement_days, found.statements) if found else (250, None)
    yield _at_most(f"{days} days into Snowflake: statements", statements, 30, "", 0)


def _master(found: MasterBuild | None) -> Iterator[Target]:
    """The whole build's limit is that of 250 days, or of 5,000."""
    days = found.days if found else 250
    what, limit = f"security master over {days:,} days", 15 if days <= 250 else 360
    yield _at_most(f"{what}: whole build", found.whole_build_seconds if found else None, limit, "s", 1)
    yield _at_most("its nightly build", found.nightly_build_seconds if found else None, 2, "s", 1)
    yield _at_most("its universe as of a day", found.universe_milliseconds if found else None, 50, "ms", 0)
    yield _at_most("its peak memory", found.peak_memory_mb if found else None, 2 * 1024, "MiB", 0)
    share = found.read_rows_per_cent_of_snapshot_rows if found else None
    yield _at_most("rows read by its whole build against snapshot rows", share, 1, "%")
    share = found.history_rows_per_cent_of_snapshot_rows if found else None
    yield _at_most("its history rows against snapshot rows", share, 2, "%")


def _prices(found: Prices | None) -> Iterator[Target]:
    """The limits are those of 60 million bars, whatever the number that was measured."""
    what = f"adjusted prices, {found.bars if found else 60_000_000:,} bars"
    yield _at_most(f"{what}: one security, as stockpipe prices asks", found.prices_ms if found else None, 100, "ms", 0)
    yield _at_most("a day of all securities, by the view", found.newest_day_ms if found else None, 300, "ms", 0)
    yield _at_most("one security, from a copy in that order", found.copy_security_ms if found else None, 100, "ms", 0)
    yield _at_most(
        "a day of all securities, from a copy in that order", found.copy_day_ms if found else None, 300, "ms", 0
    )
    rate = found.panel_rows_a_second_a_core if found else None
    shown = "not measured" if rate is None else f"{rate:,.0f} rows a second a core"
    yield Target("the panel to Parquet", "2,000,000 rows a second a core", shown, None if rate is None else rate >= 2e6)
    yield _at_most("its peak memory", found.peak_memory_mb if found else None, 3 * 1024, "MiB", 0)
    difference = found.largest_difference if found else None
    shown = "not measured" if difference is None else f"{difference:.0e}"
    yield Target(
        "its closes against those by hand in pandas", "1e-9", shown, None if difference is None else difference < 1e-9
    )
    by_hand = found.pandas_seconds if found else None
    ratio = found.panel_seconds / by_hand if found and by_hand else None
    yield _at_most("its seconds against those by hand in pandas", ratio, 1)


def _statements(results: Results) -> Target:
    what, limit = "Snowflake statements of a day, over all sizes", "constant"
    counts = {name: [one for one in results.snowflake if one.name == name] for name in (cost.FIRST_DAY, cost.NEXT_DAY)}
    if any(len(found) < 2 for found in counts.values()):
        return Target(what, limit)
    numbers = {name: [one.statements for one in found] for name, found in counts.items()}
    shown = "; ".join(f"{name.split(', ')[1]}: {', '.join(map(str, found))}" for name, found in numbers.items())
    return Target(what, limit, shown, all(len(set(found)) == 1 for found in numbers.values()))


def _start_up(results: Results) -> Target:
    extra = results.start_up.extra_milliseconds if results.start_up else None
    return _at_most("stockpipe --help, over a bare python", extra, 250, "ms", 0)


def _install(results: Results) -> Iterator[Target]:
    found = results.install
    yield _at_most("clean install with Snowflake: size", found.megabytes if found else None, 200, "MB", 0)
    yield _at_most("clean install, warm package cache", found.seconds if found else None, 30, "s", 0)
