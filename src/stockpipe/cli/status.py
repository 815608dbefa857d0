"""stockpipe status and stockpipe runs: is everything there, and what happened."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import NEW_YORK, Clock, new_york_date
from stockpipe.base.days import not_in_future, time_of_day
from stockpipe.base.text import printable
from stockpipe.cli.choices import Whole, Word
from stockpipe.cli.gaps import show_gaps
from stockpipe.cli.next_command import next_command, program
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.parts import DATASET_NAMES, filtered_parts, part_filters, run_words, usual_parts
from stockpipe.cli.proposals import proposed
from stockpipe.cli.read import open_quietly
from stockpipe.cli.table import Look, print_table, tell_sentence, tell_what_is_missing
from stockpipe.datasets import DATASETS
from stockpipe.errors import DataCheckError
from stockpipe.load.loads import day_of
from stockpipe.reading.freshness import Standing, standings
from stockpipe.reading.regular import DAYS_BACK, regular_lists
from stockpipe.settings import Settings, load_settings
from stockpipe.settings.paths import DEMO_FILE
from stockpipe.warehouse.history import Chosen, last_days, last_failures, newest_runs
from stockpipe.warehouse.runs import BAD, RECORDED, PartId, RunRecord, RunStatus
from stockpipe.warehouse.sessions import sessions_of
from stockpipe.warehouse.source import Source

_LISTS = ("LIST", "STATE", "LAST DAY", "AGE", "BUILD", "ROWS", "CHANGE", "LAST FAILURE")
_LISTS_LOOK = Look(
    right=("ROWS", "CHANGE"),
    whole=("LIST", "STATE", "LAST DAY", "LAST FAILURE"),
    spare=("BUILD", "AGE", "CHANGE", "ROWS"),
    paint={"fresh": "green", "stale": "red", "never": "red"},
)
_RUNS = ("RUN", "DAY", "LIST", "STATUS", "ROWS", "REJECTED", "CALLS", "SECONDS", "NOTE")
_RUNS_LOOK = Look(
    right=("ROWS", "REJECTED", "CALLS", "SECONDS"),
    whole=("RUN", "DAY", "LIST", "STATUS"),
    spare=("SECONDS", "CALLS", "REJECTED", "ROWS"),
    once=("NOTE",),
    paint=dict.fromkeys(BAD, "red"),
)

_dataset = click.option(
    "--dataset", type=Word(tuple(DATASETS)), metavar="NAME", help=f"Only this dataset: {DATASET_NAMES}."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command()
@_dataset
@part_filters
@click.option(
    "--by",
    default="06:30",
    show_default=True,
    metavar="HH:MM",
    help="From this time on, in New York, today should be there: the schedule's time and its first tries.",
)
@click.option("--gaps", is_flag=True, help="Show instead which days are missing between published ones.")
@_as_json
@shared_options
def status(by: str, gaps: bool, as_json: bool, **options: Any) -> None:
    """Show whether everything is as new as it should be; exit code 0 when it is, 7 when something is stale or missing.

    Every calendar day is expected: the vendor renews its list each night, and the schedule publishes each day.

    \b
    stockpipe status                       every list that is loaded day by day
    stockpipe status --market stocks       for a monitor: just this one
    stockpipe status --gaps                days missing between others
    """
    with exit_codes(as_json=as_json):
        now, due = Clock().now(), time(*time_of_day(by))
        chosen = Chosen(filtered_parts(options))
        warehouse = open_quietly(options)
        days, failures = last_days(warehouse, chosen, DAYS_BACK), last_failures(warehouse, chosen)
        # Where no day is published there are no gaps to show: a person is told so as without --gaps.
        if gaps and (days or as_json):
            raise SystemExit(show_gaps(warehouse, chosen, as_json=as_json))
        wanted = _wanted(options, found=bool(days or failures))
        found = standings(wanted, now, due, days, failures, sessions_of(warehouse))
        regular = regular_lists(days, failures, now.astimezone(NEW_YORK).date())
        # Who names a list wants to know of it, however it is loaded.
        counted = [standing for standing in found if chosen.parts or standing.part in {*wanted, *regular}]
        code = 0 if all(standing.state == "fresh" for standing in counted) else DataCheckError.exit_code
        if as_json:
            lists = [standing.as_dict() | {"counted": standing in counted} for standing in found]
            sample = any(standing.sample for standing in found)
            head = {"fresh": not code, "exit_code": code, "checked_utc": now.isoformat(), "sample": sample}
            print_json({**head, "lists": lists})
        else:
            _show(found, counted)
            _propose(counted, options, recorded=bool(days or failures))
        raise SystemExit(code)


@click.command()
@_dataset
@part_filters
@click.option("--status", "ended", type=Word(RECORDED, strict=True), help="Only runs that ended like this.")
@click.option("--date", "on", metavar="YYYY-MM-DD", help="Only loads of this day.")
@click.option("--since", metavar="YYYY-MM-DD", help="Only runs that began on this day (New York) or later.")
@click.option(
    "--limit", type=Whole(1), metavar="NUMBER", default=20, show_default=True, help="Maximum number of runs to show."
)
@_as_json
@shared_options
def runs(ended: RunStatus | None, on: str | None, since: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List what the runs did, newest first.

    \b
    stockpipe runs --status failed --since 2026-02-01
    stockpipe runs --date 2026-02-06 --market stocks --json
    """
    with exit_codes(as_json=as_json):
        today = new_york_date(Clock())
        first, day = (
            not_in_future(word, day_of(said), today) if said else None
            for word, said in (("--since", since), ("--date", on))
        )
        begin = datetime.combine(first, time(0), NEW_YORK) if first else None
        chosen = Chosen(filtered_parts(options), ended, day, begin)
        found = newest_runs(open_quietly(options), chosen, limit)
        if as_json:
            print_json([record.as_dict() for record in found])
        elif found:
            tell_what_is_missing(print_table(_RUNS, [_line(record) for record in found], _RUNS_LOOK))
        if not found:
            click.echo("No run is recorded." if chosen == Chosen() else "No recorded run fits these options.", err=True)


def _wanted(options: dict[str, Any], *, found: bool) -> list[PartId]:
    """The parts to report on even when there is no record of them: those that were named, or one when nothing was found."""
    if found and not options["active"]:
        return []
    return [PartId.of(part) for part in usual_parts(options)]


def _show(found: list[Standing], counted: list[Standing]) -> None:
    tell_what_is_missing(print_table(_LISTS, [_cells(standing) for standing in found], _LISTS_LOOK))
    for standing in found:
        if standing.sample:
            click.echo(f"{standing.part.label}: sample data from the sandbox, not the real market", err=True)
    for standing in found:
        if standing.reason:
            note = "" if standing in counted else " It is not loaded day by day, so it does not count here."
            text = f"{standing.part.label}: {standing.reason}{note}"
            tell_sentence(text)


def _propose(found: list[Standing], options: dict[str, Any], *, recorded: bool) -> None:
    """Say what to do about what is not fresh: only what works where nothing was loaded, or no key is set."""
    if not any(standing.reason for standing in found):
        return
    missing = [standing.part.part for standing in found if standing.reason and standing.part.part]
    loads = [next_command("run", *words) for words in run_words(missing)]
    if recorded:
        steps = [*loads, f"{next_command('runs')} shows what happened."]
    else:
        steps = _first_steps(load_settings(given_settings(options), env_file=options["env_file"]), loads)
    click.echo(proposed("Next: ", *steps), err=True)


def _first_steps(settings: Settings, loads: list[str]) -> list[str]:
    """What to do where nothing was loaded: without a key, first one that needs none."""
    if settings.is_set("POLYGON_API_KEY"):
        return loads
    init = f"{program()} init asks for the settings"
    if Path(DEMO_FILE).is_file() and settings.warehouse == "duckdb" and not settings.duckdb_path.exists():
        return [init, f"{program()} status --duckdb-path {DEMO_FILE} shows the demo's data."]
    return [init, f"{program()} demo needs none."]


def _cells(standing: Standing) -> list[Any]:
    last, failure = standing.last, standing.failure
    age = {None: "", 0: "today", 1: "1 day"}.get(standing.age, f"{standing.age} days")
    return [
        standing.part.label,
        standing.state,
        last and last.ds,
        age,
        last and last.build_date,
        f"{last.rows_published:,}" if last else None,
        None if standing.change is None else f"{standing.change:+,}",
        f"{failure.ds} {failure.status}" if failure else "none",
    ]


def _line(record: RunRecord) -> list[Any]:
    sample = "sample data" if Source.of(record).is_sample else None
    note = ": ".join(part for part in (sample, record.message) if part)
    return [
        record.run_id,
        record.ds,
        record.part_id.label,
        record.status,
        _grouped(record.rows_published),
        _grouped(record.rows_rejected),
        record.calls,
        None if record.seconds is None else f"{record.seconds:.1f}",
        _short(note),
    ]


def _grouped(count: int | None) -> str | None:
    """A number with commas; a table of an older version may lack its column."""
    return None if count is None else f"{count:,}"


def _short(text: str, most: int = 100) -> str:
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 3]}..."
