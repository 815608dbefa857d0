"""stockpipe status and stockpipe runs: is everything there, and what happened."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, get_args

import click

from stockpipe.base.clock import NEW_YORK, Clock
from stockpipe.base.text import printable
from stockpipe.cli.next_command import next_command
from stockpipe.cli.output import exit_codes, print_json, print_table, shared_options
from stockpipe.cli.read import open_quietly
from stockpipe.cli.schedule import time_of_day
from stockpipe.datasets import DATASETS
from stockpipe.errors import DataCheckError, UsageError
from stockpipe.schedule.freshness import Standing, standings
from stockpipe.warehouse.history import Chosen, last_days, last_failures, newest_runs
from stockpipe.warehouse.runs import Status

_USUAL_DATASET = "tickers"
_STATES = {"true": (True,), "false": (False,), "both": (True, False)}
_MARKETS = tuple(dict.fromkeys(market for dataset in DATASETS.values() for market in dataset.markets))
_STATUSES = tuple(status for status in get_args(Status) if status != "dry-run")
_dataset = click.option("--dataset", type=click.Choice(tuple(DATASETS)), help="Only this dataset.")
_market = click.option("--market", type=click.Choice(_MARKETS), help="Only this market.")
_active = click.option("--active", type=click.Choice(tuple(_STATES)), help="Only listed (true) or delisted (false).")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command()
@_dataset
@_market
@_active
@click.option(
    "--by",
    default="06:30",
    show_default=True,
    metavar="HH:MM",
    help="From this time on, in New York, today should be there: the schedule's time and its first tries.",
)
@_as_json
@shared_options
def status(by: str, as_json: bool, **options: Any) -> None:
    """Show whether everything is as new as it should be; exit code 0 when it is, 7 when something is stale or missing.

    Every calendar day is expected: the vendor renews its list each night, and the schedule publishes each day.

    \b
    stockpipe status                       every list that was ever loaded
    stockpipe status --market stocks       for a monitor: just this one, missing or not
    """
    with exit_codes(as_json=as_json):
        now, due = Clock().now(), time(*time_of_day(by))
        warehouse, chosen = open_quietly(options), _chosen(options)
        days, failures = last_days(warehouse, chosen, 2), last_failures(warehouse, chosen)
        wanted = _wanted(options, found=bool(days or failures))
        found = standings(wanted, now, due, days, failures)
        code = 0 if all(standing.state == "fresh" for standing in found) else DataCheckError.exit_code
        if as_json:
            lists = [standing.as_dict() for standing in found]
            print_json({"fresh": not code, "exit_code": code, "checked_utc": now.isoformat(), "lists": lists})
        else:
            _show(found)
        raise SystemExit(code)


@click.command()
@_dataset
@_market
@_active
@click.option("--status", "ended", type=click.Choice(_STATUSES), help="Only runs that ended like this.")
@click.option("--date", "on", metavar="YYYY-MM-DD", help="Only loads of this day.")
@click.option("--since", metavar="YYYY-MM-DD", help="Only runs that began on this day (New York) or later.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most runs to show.")
@_as_json
@shared_options
def runs(ended: str | None, on: str | None, since: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List what the runs did, newest first.

    \b
    stockpipe runs --status failed --since 2026-02-01
    stockpipe runs --date 2026-02-06 --market stocks --json
    """
    with exit_codes(as_json=as_json):
        begin = datetime.combine(_day(since), time(0), NEW_YORK) if since else None
        chosen = _chosen(options, status=ended, ds=_day(on) if on else None, since=begin)
        found = newest_runs(open_quietly(options), chosen, limit)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        if as_json:
            print_json(rows)
        else:
            columns = ("RUN", "DAY", "LIST", "STATUS", "ROWS", "REJECTED", "CALLS", "SECONDS", "NOTE")
            print_table(
                columns, [_line(row) for row in rows], right=("ROWS", "REJECTED", "CALLS", "SECONDS"), fold=False
            )


def _chosen(options: dict[str, Any], **more: Any) -> Chosen:
    states = _STATES[options["active"] or "both"]
    return Chosen(options["dataset"], options["market"], states, **more)


def _wanted(options: dict[str, Any], *, found: bool) -> list[tuple[str, str, bool]]:
    """The lists to report on even when there is no record of them: those that were named, or one when nothing was found."""
    if found and not options["active"]:
        return []
    dataset = DATASETS[options["dataset"] or _USUAL_DATASET]
    states = _STATES[options["active"] or "true"]
    return [(dataset.name, options["market"] or dataset.default_market, active) for active in states]


def _show(found: list[Standing]) -> None:
    columns = ("LIST", "STATE", "LAST DAY", "AGE", "BUILD", "ROWS", "CHANGE", "LAST FAILURE")
    print_table(columns, [_cells(standing) for standing in found], right=("ROWS", "CHANGE"), fold=False)
    for standing in found:
        if standing.reason:
            click.echo(f"{_list(standing.market, active=standing.active)}: {standing.reason}", err=True)
    if any(standing.reason for standing in found):
        loads = [next_command("run", *words) for words in _loads(found)]
        click.echo(f"Next: {'; '.join(loads)}; {next_command('runs')} shows what happened.", err=True)


def _loads(found: list[Standing]) -> list[list[str]]:
    """The words behind `stockpipe run` that load what is not fresh, one load for both states of a market."""
    states: dict[tuple[str, str], set[bool]] = {}
    for standing in found:
        if standing.reason:
            states.setdefault((standing.dataset, standing.market), set()).add(standing.active)
    return [[*_list_words(*key), *_active_words(active)] for key, active in states.items()]


def _active_words(active: set[bool]) -> list[str]:
    word = next(word for word, states in _STATES.items() if set(states) == active)
    return [] if word == "true" else ["--active", word]


def _list_words(dataset: str, market: str) -> list[str]:
    # A list that an older version left behind may be of a dataset that is no more.
    usual = market == DATASETS[dataset].default_market if dataset in DATASETS else False
    words = [] if dataset == _USUAL_DATASET else ["--dataset", dataset]
    return words if usual else [*words, "--market", market]


def _cells(standing: Standing) -> list[Any]:
    last, failure = standing.last, standing.failure
    age = {None: "", 0: "today", 1: "1 day"}.get(standing.age, f"{standing.age} days")
    return [
        _list(standing.market, active=standing.active),
        standing.state,
        last and last.ds,
        age,
        last and last.build_date,
        f"{last.rows_published:,}" if last else None,
        None if standing.change is None else f"{standing.change:+,}",
        f"{failure.ds} {failure.status}" if failure else "none",
    ]


def _line(row: dict[str, Any]) -> list[Any]:
    note = row["MESSAGE"] or ("sample data" if str(row["SOURCE"]).startswith("sandbox") else "")
    return [
        row["RUN_ID"],
        row["DS"],
        _list(row["MARKET"], active=row["ACTIVE"]),
        row["STATUS"],
        f"{row['ROWS_PUBLISHED']:,}",
        f"{row['ROWS_REJECTED']:,}",
        row["CALLS"],
        None if row["SECONDS"] is None else f"{row['SECONDS']:.1f}",
        _short(note),
    ]


def _list(market: str, *, active: bool) -> str:
    return market if active else f"{market}, delisted"


def _short(text: str, most: int = 100) -> str:
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date.", hint="Write it as YYYY-MM-DD, such as 2026-02-07.") from None
