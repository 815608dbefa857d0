"""make bench: stockpipe against its peers and its limits, in one run. README.md beside this file says what is measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import builds
import cost
import history
import loads
import rates
import report
import startup
from loads import COMPETITORS, FLOOR, LARGE, OURS, Case
from measure import HERE, PEER_PYTHON, BenchmarkError
from targets import DAY, LARGER, LATENCY, Results

PARTS = ("loads", "start", "free", "long", "history", "master", "prices", "snowflake", "install")
QUICK_PARTS = ("loads", "start")
_LONG_WALKS = (1000, 2000)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {DAY:,} rows at 0 ms, 3 repeats, and the start-up")
    parser.add_argument("--full", action="store_true", help=f"the slow peers at {LARGE:,} rows too; an hour or more")
    parser.add_argument("--write", action="store_true", help="write results.md")
    parser.add_argument("--parts", nargs="+", choices=PARTS, metavar="PART", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--rows", nargs="+", type=int, default=[DAY, LARGER, LARGE], metavar="N")
    parser.add_argument("--latency", nargs="+", type=float, default=[0.0, LATENCY], metavar="SECONDS")
    names = "; ".join(competitor.name for competitor in COMPETITORS)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help=f"competitors whose name contains one of these: {names}"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs of each competitor, half as many of slow ones")
    parser.add_argument(
        "--minute", type=float, default=6.0, help="the free plan's minute, in seconds; 60 is the real one"
    )
    parser.add_argument("--long-latency", type=float, default=0.0, metavar="SECONDS", help="latency of the long walks")
    parser.add_argument("--days", type=int, default=250, help="days of the backfills of tickers")
    parser.add_argument("--bar-days", type=int, default=1000, help="trading days of the backfill of bars")
    parser.add_argument("--duel-days", type=int, default=60, help="days that dlt loads too")
    parser.add_argument("--master-days", type=int, default=250, help="days of the security master; 5000 takes a while")
    parser.add_argument(
        "--bars",
        type=int,
        default=3_000_000,
        help="bars of 20 years for the prices; 60000000 are 12,000 securities, 5 GB",
    )
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.rows, chosen.latency, chosen.repeats = [DAY], [0.0], 3
    chosen.parts = chosen.parts or (QUICK_PARTS if chosen.quick else PARTS)
    return chosen


def cases(chosen: argparse.Namespace) -> list[Case]:
    """Sizes and latencies; 250,000 rows only without latency, where each page costs the same again."""
    return [
        Case(rows, latency)
        for rows in chosen.rows
        for latency in chosen.latency
        if rows < LARGE or not latency or chosen.full
    ]


def measure(chosen: argparse.Namespace) -> Results:
    """Run the parts, one after the other: nothing is measured side by side."""
    results = Results()
    if "loads" in chosen.parts:
        for case in cases(chosen):
            results.loads[case] = loads.run_case(case, competitors(chosen), chosen.repeats, full=chosen.full, say=say)
    if "start" in chosen.parts:
        say("start-up")
        results.start_up = startup.start_up(chosen.repeats)
    if "free" in chosen.parts:
        results.free = list(rates.free_walks(DAY, chosen.minute, say))
    if "long" in chosen.parts:
        results.server_rate = rates.server_rate()
        results.long = list(rates.long_walks(_LONG_WALKS, chosen.long_latency, say))
    if "history" in chosen.parts:
        results.history = history.measured(chosen.days, chosen.bar_days, chosen.duel_days, say)
    if "master" in chosen.parts:
        results.master = builds.master_build(chosen.master_days, say)
    if "prices" in chosen.parts:
        results.prices = builds.prices(chosen.bars, say)
    if "snowflake" in chosen.parts:
        results.snowflake = list(cost.traffic(say, quick=chosen.quick))
    if "install" in chosen.parts:
        say("clean install, twice")
        results.install = startup.clean_install()
    return results


def competitors(chosen: argparse.Namespace) -> list[str]:
    """The names that --only leaves; ours and the floor are always there, because every line is a ratio."""
    names = [competitor.name for competitor in COMPETITORS]
    if not chosen.only:
        return names
    return [name for name in names if name in (OURS, FLOOR) or any(part in name for part in chosen.only)]


def say(text: str) -> None:
    """Progress, beside the table's way."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Measure, show, write."""
    chosen = options(arguments)
    if not PEER_PYTHON.exists():
        say("The peers' environment is missing; `make bench` makes it.")
        return 3
    try:
        results = measure(chosen)
    except BenchmarkError as error:
        say(str(error))
        return 1
    report.show(results, arguments)
    if chosen.write:
        (HERE / "results.md").write_text(report.markdown(results, arguments), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
