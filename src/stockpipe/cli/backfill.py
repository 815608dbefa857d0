"""stockpipe backfill: load a range of days, resumable."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.base.days import in_words
from stockpipe.base.stopping import as_interrupt
from stockpipe.cli.logs import configure_logging, safe
from stockpipe.cli.next_command import next_command
from stockpipe.cli.output import check_flags, exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.parts import list_options, run_words, words_of
from stockpipe.cli.prompts import confirm
from stockpipe.cli.proposals import in_lines
from stockpipe.cli.table import Look, print_table, tell_what_is_missing
from stockpipe.cli.values import number_of
from stockpipe.errors import DataCheckError, StockpipeError, UsageError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import day_of
from stockpipe.master.after import build_after
from stockpipe.observe.several import worst
from stockpipe.schedule.backfill import Failed, Report, Wanted
from stockpipe.schedule.backfill import backfill as load_days
from stockpipe.schedule.missing import Estimate, estimate, range_of
from stockpipe.schedule.reach import known_refusal, out_of_reach
from stockpipe.schedule.wanted import lists_with_days, wanted_days
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)

_MOST_SECONDS, _MOST_ROWS, _MOST_CREDITS = 600, 10_000_000, 0.5
_SILENCE = 30.0
# What each day says by itself is too much for thousands of days.
_TALKATIVE = ("stockpipe.load", "stockpipe.warehouse", "stockpipe.massive")


@click.command()
@click.option("--from", "start", metavar="YYYY-MM-DD", help="The first day.")
@click.option("--to", "end", metavar="YYYY-MM-DD", help="The last day; default: yesterday in New York.")
@click.option(
    "--last", metavar="30d|2y", help="Instead of --from: a number of days (d), weeks (w), months (m) or years (y)."
)
@list_options
@click.option("--sessions", is_flag=True, help="Only days on which the exchanges trade; lists change after these only.")
@click.option("--redo", is_flag=True, help="Load days again that are published already.")
@click.option("--yes", is_flag=True, help="Do not ask before much is loaded.")
@click.option("--dry-run", is_flag=True, help="Show what is missing and what it takes, and load nothing.")
@click.option("--sample-data", is_flag=True, help="Let sample data of a sandbox into Snowflake.")
@click.option(
    "--requests-per-second", metavar="N", help="For a paid key: maximum calls per second, up to 100; default 95."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--log-file", type=click.Path(path_type=Path), help="Also write the log here; it rotates at 10 MB.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the log."
)
@shared_options
def backfill(**options: Any) -> None:
    """Load a range of past days. Days that are published already are skipped, so you can stop it and run it again.

    Before it starts, it shows which days are missing, and how many calls, how much time and how many rows they take. It asks
    before a large one. A day that fails or is refused is recorded, skipped, and listed at the end; the exit code is that of
    the worst day. STOCKPIPE_DEADLINE is for one day. With STOCKPIPE_MASTER=true the security master is built once, at the end.

    \b
    stockpipe backfill --last 30d                        the last thirty days
    stockpipe backfill --from 2024-01-01 --active both   the delisted too
    stockpipe backfill --last 2y --dry-run               what would that take?
    """
    with exit_codes(as_json=options["as_json"]):
        settings = load_settings(given_settings(options), env_file=options["env_file"])
        how = {name: options[name] for name in ("verbose", "quiet", "log_file", "log_format")}
        configure_logging(settings, **how)
        check_flags(settings)
        raise SystemExit(_backfill(settings, options))


def _backfill(settings: Settings, options: dict[str, Any]) -> int:
    clock = Clock()
    with Desk(settings, clock) as desk:
        desk.check_settings()  # before thousands of calls, and before a plan of them
        days = _range(options, new_york_date(clock))
        wanted, known = _wanted(settings, options, days)
        within = [_within_reach(desk, one) for one in wanted]
        expected = _estimates(desk, within, known)
        missing = [one for one in wanted if one.days]
        if options["dry_run"] or not (options["quiet"] or options["log_format"] == "json"):
            _show_plan(within, expected, desk, to_stdout=options["dry_run"], as_json=options["as_json"])
        if not missing:
            log.info("%s", _nothing_to_load(wanted, *days))
        if options["dry_run"]:
            _tell_of_reach(wanted, within)
            return 0
        report = Report()
        if missing:
            _ask(reduce(add, expected.values()), yes=options["yes"])
            _load(desk, missing, report, options)
    # Once, at the end, also where nothing was missing any more: the command goes on where an earlier one ended.
    built = build_after(settings, clock, report.there(wanted), loaded="The days are loaded")
    return _end(report, worst([*report.codes, built]), options, told=bool(missing))


def _load(desk: Desk, missing: list[Wanted], report: Report, options: dict[str, Any]) -> None:
    total = sum(len(one.days) for one in missing)
    try:
        with quieted(verbose=options["verbose"]), _told(desk, missing, total, quiet=options["quiet"]) as tell:
            load_days(desk, missing, tell, report)
    except (StockpipeError, KeyboardInterrupt) as error:
        _tell_of_end(report, error)
        raise


def _range(options: dict[str, Any], today: date) -> tuple[date, date]:
    start, end = (day_of(options[name]) if options[name] else None for name in ("start", "end"))
    return range_of(start, end, options["last"], today)


def _wanted(
    settings: Settings, options: dict[str, Any], days: tuple[date, date]
) -> tuple[list[Wanted], list[RunRecord]]:
    """What is to be loaded of each list, and the last known day of each, from which the rest is estimated."""
    lists = lists_with_days(options["datasets"], words_of(options))
    return wanted_days(settings, lists, days, sessions=options["sessions"], redo=options["redo"])


def _nothing_to_load(wanted: list[Wanted], first: date, last: date) -> str:
    """Why no list has a day to load: all are published, or there are no such days."""
    if any(first <= day <= last for one in wanted for day in one.published):
        return f"Nothing to load: no day from {first} to {last} is missing. --redo loads days again."
    begin = min(one.parts[0].dataset.first_day for one in wanted)
    why = f"the API has no day before {begin}" if last < begin else "the exchanges did not trade on these days"
    return f"Nothing to load from {first} to {last}: {why}."


def _within_reach(desk: Desk, one: Wanted) -> Wanted:
    """Without the days that the key's plan is known not to reach."""
    return replace(one, days=one.days[out_of_reach(desk, one.parts[0].dataset, one.days) :])


def _tell_of_reach(wanted: list[Wanted], within: list[Wanted]) -> None:
    """Say which days would be left out; a load that is not dry says so itself."""
    for one, rest in zip(wanted, within, strict=True):
        if count := len(one.days) - len(rest.days):
            says = known_refusal(one.days, count)
            left_out = f"{number_of(count, 'day')} {'is' if count == 1 else 'are'} left out"
            click.echo(f"{one.label}: {left_out}. {says.message} {says.hint}", err=True)


def _estimates(desk: Desk, wanted: list[Wanted], known: list[RunRecord]) -> dict[str, Estimate]:
    pacer = desk.client.pacer
    return {
        one.label: estimate(
            one.parts, len(one.days), known, pacer.plan, pacer.per_second, remote=not desk.warehouse.local
        )
        for one in wanted
    }


def _show_plan(
    wanted: list[Wanted], expected: dict[str, Estimate], desk: Desk, *, to_stdout: bool, as_json: bool
) -> None:
    if as_json:
        if to_stdout:
            print_json({"status": "dry-run", "exit_code": 0, "lists": [_planned(one, expected) for one in wanted]})
        return
    names = ("LIST", "FROM", "TO", "MISSING DAYS", "CALLS", "TIME", "ROWS", "SIZE")
    credit = () if desk.warehouse.local else ("CREDITS",)
    rows = [_plan_line(one, expected[one.label]) for one in wanted]
    with contextlib.nullcontext() if to_stdout else contextlib.redirect_stdout(sys.stderr):
        look = Look(
            right=(*names[3:], *credit),
            whole=("LIST", "FROM", "TO", "MISSING DAYS"),
            spare=("SIZE", "CALLS", "ROWS", "TIME"),
        )
        shown = print_table([*names, *credit], rows if credit else [row[:-1] for row in rows], look)
    if to_stdout:
        tell_what_is_missing(shown)
    if desk.client.pacer.plan == "auto" and any(one.days for one in wanted):
        click.echo("The key's plan is not known yet: the first calls show it (MASSIVE_PLAN says it).", err=True)


def _plan_line(one: Wanted, expected: Estimate) -> list[Any]:
    first, last = (one.days[0], one.days[-1]) if one.days else (None, None)
    time = "unknown" if expected.seconds is None else in_words(expected.seconds)
    credit = None if expected.credits is None else f"about {expected.credits:.2f}"
    size = f"{expected.megabytes:,.0f} MB"
    return [one.label, first, last, len(one.days), f"{expected.calls:,}", time, f"{expected.rows:,}", size, credit]


def _planned(one: Wanted, expected: dict[str, Estimate]) -> dict[str, Any]:
    found = expected[one.label]
    seconds = None if found.seconds is None else round(found.seconds, 1)
    return {
        "list": one.label,
        "missing_days": [day.isoformat() for day in one.days],
        "calls": found.calls,
        "seconds": seconds,
        "rows": found.rows,
        "megabytes": round(found.megabytes, 1),
        "credits": None if found.credits is None else round(found.credits, 3),
    }


def _ask(total: Estimate, *, yes: bool) -> None:
    """Ask before much is loaded; UsageError where nobody can answer, or the answer is no."""
    much = (total.seconds or 0) > _MOST_SECONDS or total.rows > _MOST_ROWS or (total.credits or 0) > _MOST_CREDITS
    if not much or yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("That is a lot, and there is nobody to ask.", hint="Add --yes, or take a shorter range.")
    if not confirm("Load all of this?", hint="Add --yes, or take a shorter range."):
        raise UsageError("Nothing was loaded.", hint="Take a shorter range, or --sessions.")


@contextlib.contextmanager
def quieted(*, verbose: int) -> Iterator[None]:
    """Let a day's own story be told only on demand: thousands of days have a line for some of them, and the faults."""
    loggers = [] if verbose else [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _Pace:
    """How far it has come, in words, with the time that is left at the pace so far."""

    def __init__(self, desk: Desk, wanted: list[Wanted], total: int) -> None:
        self._desk, self.total = desk, total
        self._sizes = [len(one.days) for one in wanted]
        self._began = desk.clock.monotonic()
        self._list, self._last = 0, 0

    def done(self, in_list: int) -> int:
        """Days that are over, of all lists; `in_list` begins anew with each list."""
        if in_list < self._last:
            self._list += 1
        self._last = in_list
        return sum(self._sizes[: self._list]) + in_list

    def text(self, report: Report, done: int) -> str:
        """`40 of 250 days, 520 calls, 480,000 rows, about 2 min left`."""
        spent = self._desk.clock.monotonic() - self._began
        left = in_words(spent / done * (self.total - done)) if done else "unknown"
        calls = self._desk.client.pacer.counts.calls
        rows = f"{number_of(report.rows, 'row')} published"
        return f"{done:,} of {number_of(self.total, 'day')}, {number_of(calls, 'call')}, {rows}, about {left} left"


@contextlib.contextmanager
def _told(desk: Desk, wanted: list[Wanted], total: int, *, quiet: bool) -> Iterator[Any]:
    """How it goes: a bar on a terminal, now and then a log line elsewhere."""
    pace = _Pace(desk, wanted, total)
    if quiet or not sys.stderr.isatty():
        yield _lines(pace, desk.clock)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Beginning...", total=total)

        def show(report: Report, in_list: int) -> None:
            done = pace.done(in_list)
            bar.update(task, completed=done, description=pace.text(report, done))

        yield show


def _lines(pace: _Pace, clock: Clock) -> Any:
    last = clock.monotonic()

    def tell(report: Report, in_list: int) -> None:
        nonlocal last
        done = pace.done(in_list)
        if (now := clock.monotonic()) - last >= _SILENCE and done < pace.total:
            log.info("Loaded %s.", pace.text(report, done))
            last = now

    return tell


def _tell_of_end(report: Report, error: BaseException) -> None:
    """Say what is there although it did not come to its end: the error itself is told by who called."""
    rest = "The same command goes on where it ended."
    verb = "stopped" if as_interrupt(error) else "ended early"
    log.info(
        "The backfill %s. Published: %s with %s. %s",
        verb,
        number_of(report.days, "day"),
        number_of(report.rows, "row"),
        rest,
    )


def _end(report: Report, code: int, options: dict[str, Any], *, told: bool) -> int:
    if options["as_json"]:
        print_json(_document(report, code))
        return code
    if options["quiet"] or options["log_format"] == "json" or not told:
        return code  # the log tells of each day that was left out
    words = [f"Published {number_of(report.days, 'day')} with {number_of(report.rows, 'row')}"]
    words += [f"{number_of(report.rejected, 'row')} rejected"] if report.rejected else []
    words += [f"{number_of(report.idle, 'day')} without a session"] if report.idle else []
    words += [f"{number_of(report.warnings, 'warning')} (see WARNINGS in STOCKPIPE_RUNS)"] if report.warnings else []
    click.echo("; ".join(words) + ".", err=True)
    for wanted, first, count, error in report.reach:
        left_out = f"{number_of(count, 'day')} {'was' if count == 1 else 'were'} left out"
        begins = f"begins at {first}; before it, {left_out}" if first else f"has none of the missing days; {left_out}"
        hint = error.hint if isinstance(error, StockpipeError) else ""
        click.echo(f"{wanted.label}: the key's plan {begins}. {hint}".rstrip(), err=True)
    for wanted, count, error in report.given_up:
        tried = "was not tried, since it" if count == 1 else "were not tried, since they"
        click.echo(f"{wanted.label}: {number_of(count, 'day')} {tried} would fail as well: {error}", err=True)
    for one in report.failed:
        click.echo(f"{one.ds}, {one.wanted.label}: {safe(str(one.error))}\n{in_lines(_command(one), '    ')}", err=True)
    return code


def _command(one: Failed) -> str:
    [words] = run_words(list(one.wanted.parts))
    # What a check of the data refused is refused again, unless a person who has looked at it says otherwise.
    force = ["--force"] if isinstance(one.error, DataCheckError) and "--force" in one.error.hint else []
    return next_command("run", "--date", one.ds.isoformat(), *words, *force)


def _document(report: Report, code: int) -> dict[str, Any]:
    """For `--json`: the report, and the command that loads each day that failed."""
    document = {"status": "failed" if code else "done", "exit_code": code} | report.as_dict()
    for entry, one in zip(document["failed"], report.failed, strict=True):
        entry["command"] = _command(one)
    return document
