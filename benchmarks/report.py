"""The results as tables: on the screen with rich, in a file as Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from builds import MasterBuild, Prices
from history import Backfill, History
from loads import DLT_PARQUET, OURS, Case, Series
from measure import OUR_PYTHON, PEER_PYTHON, clean_environment, own_peak
from rates import FREE_CALLS
from targets import Results, judge

_PACKAGES = ("stockpipe", "duckdb", "dlt", "massive", "pyarrow", "requests", "snowflake-connector-python", "fakesnow")


@dataclass(frozen=True)
class Table:
    """Texts; the first column is to the left, the others to the right unless `wide` says that they are text too."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    wide: bool = False


def tables(results: Results) -> Iterator[Table]:
    """Every table that there is something for; the targets last."""
    for case, found in sorted(results.loads.items()):
        yield _loads(case, found)
    if results.start_up:
        yield _start_up(results)
    if results.free:
        yield _free(results)
    if results.long:
        yield _long(results)
    if results.history:
        yield from _history(results.history)
    if results.master:
        yield _master(results.master)
    if results.prices:
        yield _prices(results.prices)
    if results.snowflake:
        yield _snowflake(results)
    states = {True: "met", False: "NOT met", None: "-"}
    targets = [(one.what, one.limit, one.measured, states[one.met]) for one in judge(results)]
    yield Table("Targets", ("target", "limit", "measured", ""), targets, wide=True)


def _loads(case: Case, found: dict[str, Series]) -> Table:
    heads = ("", "wall s", "min-max", "CPU s", "peak MiB", "calls", "runs", "ours / wall", "ours / CPU", "ours / peak")
    ours = found.get(OURS)
    rows = [
        (
            name,
            f"{one.wall:.2f}",
            "{:.2f}-{:.2f}".format(*one.spread),
            f"{one.cpu:.2f}",
            f"{one.peak:.0f}",
            str(one.calls),
            str(len(one.samples)),
            *((_times(ours.wall, one.wall), _times(ours.cpu, one.cpu), _times(ours.peak, one.peak)) if ours else "---"),
        )
        for name, one in found.items()
    ]
    return Table(f"One day into a DuckDB file: {case} latency", heads, rows)


def _times(ours: float, other: float) -> str:
    return f"{ours / other:.2f}"


def _start_up(results: Results) -> Table:
    assert results.start_up  # noqa: S101
    found = results.start_up
    rows = [
        ("stockpipe --help", f"{found.ours * 1000:.0f} ms"),
        ("python -c pass", f"{found.python * 1000:.0f} ms"),
        ("difference", f"{found.extra_milliseconds:.0f} ms"),
    ]
    if results.install:
        rows.append(("clean install, warm cache", f"{results.install.seconds:.0f} s"))
        rows.append(("its size", f"{results.install.megabytes:.0f} MB"))
    return _figures("Before the work", rows)


def _free(results: Results) -> Table:
    minute = results.free[0].minute
    heads = ("MASSIVE_PLAN", "pages", "answers 429", "seconds", "bound", "over the bound")
    rows = [
        (
            walk.plan,
            str(walk.calls),
            str(walk.refused),
            f"{walk.seconds:.1f}",
            f"{walk.bound:.1f}",
            f"{walk.seconds - walk.bound:.1f}",
        )
        for walk in results.free
    ]
    return Table(f"Free plan: {FREE_CALLS} calls in a minute, scaled to {minute:g} s", heads, rows)


def _long(results: Results) -> Table:
    heads = ("pages of 1,000 rows", "wall s", "calls", "calls a second", "most in a second", "peak MiB")
    rows = [
        (
            f"{walk.pages:,}",
            f"{walk.wall:.1f}",
            str(walk.calls),
            f"{walk.rate:.1f}",
            str(walk.busiest_second),
            f"{walk.peak:.0f}",
        )
        for walk in results.long
    ]
    if results.server_rate:
        rows.append(("the server alone can give", "", "", f"{results.server_rate:.0f}", "", ""))
    latency = results.long[0].latency * 1000
    return Table(f"Long walks, 100 calls a second allowed, {latency:.0f} ms latency", heads, rows)


def _history(found: History) -> Iterator[Table]:
    more = [
        ("peak memory of a fifth of the days", f"{found.growth.short_peak:.0f} MiB"),
        ("the last fifth against the first, into one file", f"{found.growth.last_to_first:.2f}"),
    ]
    yield _backfill("tickers", found.tickers, more)
    yield _backfill("daily bars", found.bars, [])
    duel = found.duel
    rows = [
        (name, f"{one.wall:.1f}", f"{one.cpu:.1f}", f"{one.peak:.0f}", _times(duel.ours.wall, one.wall))
        for name, one in ((OURS, duel.ours), (DLT_PARQUET, duel.dlt))
    ]
    heads = ("", "wall s", "CPU s", "peak MiB", "ours / wall")
    yield Table(f"{duel.days:,} days of tickers into a DuckDB file", heads, rows)
    told = (f"statements for {found.statement_days:,} days of 1,000 tickers, the tables made", f"{found.statements:,}")
    yield _figures("Backfill into Snowflake, at the local server", [told])


def _backfill(what: str, found: Backfill, more: Sequence[tuple[str, str]]) -> Table:
    rows = [
        ("wall, CPU", f"{found.wall:.1f} s, {found.cpu:.1f} s"),
        ("calls a second, as the server sees them", f"{found.rate:.1f} ({found.calls:,} in all)"),
        ("rows a second", f"{found.rows_a_second:,.0f}"),
        ("peak memory", f"{found.peak:.0f} MiB"),
        ("bytes a row in the file", f"{found.bytes_a_row:.1f}"),
        *more,
    ]
    title = f"Backfill of {found.days:,} days of {found.rows:,} {what}, 100 calls a second allowed"
    return _figures(title, rows)


def _master(found: MasterBuild) -> Table:
    rows = [
        ("whole build", f"{found.whole_build_seconds:.1f} s"),
        ("the next night's", f"{found.nightly_build_seconds:.1f} s"),
        ("universe as of a day", f"{found.universe_milliseconds:.0f} ms"),
        ("history rows, of snapshot rows", f"{found.history_rows_per_cent_of_snapshot_rows:.2f} %"),
        ("rows read by the whole build, of snapshot rows", f"{found.read_rows_per_cent_of_snapshot_rows:.2f} %"),
        (
            "peak memory, before the build and in it",
            f"{found.peak_memory_mb_before_the_build:.0f} MiB; {found.peak_memory_mb:.0f} MiB",
        ),
    ]
    title = f"Security master: {found.securities:,} securities over {found.days:,} days, {found.rows:,} rows"
    return _figures(title, rows)


def _prices(found: Prices) -> Table:
    rows = [
        ("one security, as stockpipe prices asks", f"{found.prices_ms:.0f} ms"),
        ("one security, by the view", f"{found.security_ms:.0f} ms"),
        ("the newest day of all, one in the middle", f"{found.newest_day_ms:.0f} ms, {found.middle_day_ms:.0f} ms"),
        (
            "the same without kept factors: one security, a day in the middle",
            f"{found.unkept_security_ms:.0f} ms, {found.unkept_day_ms:.0f} ms",
        ),
        ("the factors worked out", f"{found.factors_seconds:.1f} s"),
        (
            "one security, a day of all, from copies in that order",
            f"{found.copy_security_ms:.0f} ms, {found.copy_day_ms:.0f} ms",
        ),
        ("the panel to Parquet", f"{found.panel_seconds:.1f} s, {found.panel_megabytes:,.0f} MB"),
        (
            "its rows a second of CPU; the limit: the same rows out of a plain table",
            f"{found.panel_rows_a_second_a_core:,.0f}; {found.panel_limit_rows_a_second_a_core:,.0f} "
            f"({found.panel_rows_a_second_a_core / found.panel_limit_rows_a_second_a_core:.0%} of it)",
        ),
        (
            "peak memory, before the panel and in it",
            f"{found.peak_memory_mb_before_the_panel:.0f} MiB; {found.peak_memory_mb:.0f} MiB",
        ),
    ]
    if found.pandas_seconds is not None:
        rows.append(
            ("the panel by hand in pandas", f"{found.pandas_seconds:.1f} s, {found.pandas_peak_memory_mb:.0f} MiB")
        )
    return _figures(f"Adjusted prices: {found.securities:,} securities, {found.bars:,} bars", rows)


def _figures(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    """What was measured, a line each."""
    return Table(title, ("", "measured"), rows)


def _snowflake(results: Results) -> Table:
    heads = ("", "rows", "statements", "round trips", "bytes sent", "remark")
    rows = [
        (one.name, f"{one.rows:,}", "", "", "", one.problem)
        if one.problem
        else (
            one.name,
            f"{one.rows:,}",
            f"{one.statements:,}",
            f"{one.round_trips:,}",
            f"{one.bytes_sent:,}",
            "",
        )
        for one in results.snowflake
    ]
    return Table("Snowflake, at the local server", heads, rows)


def machine(arguments: Sequence[str]) -> list[str]:
    """Where and with what it was measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    return [
        f"Command: `make bench{' ARGS=' + repr(' '.join(arguments)) if arguments else ''}`, "
        f"ended {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.",
        f"Machine: {platform.system()} {platform.machine()}, {cores} cores; clients and servers share them. "
        f"Load at the end: {load} (1, 5, 15 minutes).",
        f"Python {platform.python_version()}. The product's environment: {_versions(OUR_PYTHON)}.",
        f"The peers' environment: {_versions(PEER_PYTHON)}.",
        f"Memory below {own_peak():.0f} MiB, the runner's own peak, could not be seen.",
    ]


def _versions(python: Path) -> str:
    code = (
        "import sys; from importlib.metadata import version, PackageNotFoundError\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, version(name))\n"
        "    except PackageNotFoundError: pass"
    )
    command: list[str | Path] = [python, "-c", code, *_PACKAGES]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)  # noqa: S603
    return ", ".join(done.stdout.splitlines())


def show(results: Results, arguments: Sequence[str]) -> None:
    """Print everything. rich is imported only now: what the runner holds, its children are measured with."""
    about = machine(arguments)
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console(width=None if os.isatty(1) else 150)
    for table in tables(results):
        shown = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
        for number, head in enumerate(table.heads):
            shown.add_column(head, justify="left" if table.wide or number == 0 or head == "remark" else "right")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for line in about:
        console.print(line, highlight=False)


def markdown(results: Results, arguments: Sequence[str]) -> str:
    """The same as a file."""
    parts = ["# Results", "", "Made by `make bench ARGS=--write`; [README.md](README.md) says how to read it.", ""]
    parts += [f"- {line}" for line in machine(arguments)]
    for table in tables(results):
        numbers = [":--" if table.wide or at == 0 or head == "remark" else "--:" for at, head in enumerate(table.heads)]
        lines = [table.heads, numbers, *([cell.replace("|", "/") for cell in row] for row in table.rows)]
        parts += ["", f"## {table.title}", "", *(f"| {' | '.join(line)} |" for line in lines)]
    return "\n".join(parts) + "\n"
