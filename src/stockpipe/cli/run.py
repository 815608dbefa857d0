"""stockpipe run: a day, or several lists of it."""

from __future__ import annotations

import contextlib
import logging
from functools import partial
from pathlib import Path
from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.next_command import next_command
from stockpipe.cli.output import check_flags, exit_codes, given_settings, print_json, progress_bar, shared_options
from stockpipe.cli.parts import list_options, words_of
from stockpipe.cli.proposals import in_lines
from stockpipe.cli.values import number_of
from stockpipe.datasets import DATASETS
from stockpipe.load.desk import Desk
from stockpipe.load.loads import make_jobs
from stockpipe.load.result import LoadResult
from stockpipe.master.after import build_after
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.several import load_several, worst
from stockpipe.observe.watch import load_watched
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse.names import as_written
from stockpipe.warehouse.runs import IDLE, RunRecord
from stockpipe.warehouse.source import Source

log = logging.getLogger(__name__)

_BESIDE_NAMES = " " * 12


@click.command()
@click.option(
    "--date",
    "on",
    metavar="YYYY-MM-DD",
    help="Load the dated records of this day; default: the current list, as today's.",
)
@list_options
@click.option("--dry-run", is_flag=True, help="Fetch, stage and check, show the SQL, and publish nothing.")
@click.option("--force", is_flag=True, help="Publish a day that a data check refuses; it is recorded.")
@click.option("--require-fresh", is_flag=True, help="Refuse (exit 7) a list that is older than the day loaded.")
@click.option(
    "--load-method",
    type=click.Choice(["copy", "insert"]),
    help="Snowflake: PUT and COPY (the default), or INSERT in batches (STOCKPIPE_LOAD_METHOD).",
)
@click.option("--sample-data", is_flag=True, help="Let sample data of a sandbox into Snowflake.")
@click.option(
    "--requests-per-second", metavar="N", help="For a paid key: maximum calls per second, up to 100; default 95."
)
@click.option("--deadline", metavar="SECONDS", help="End the run after this long; default 7200.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option(
    "--log-file",
    type=click.Path(path_type=Path),
    help="Also write the log here, such as logs/pipeline.log; it rotates at 10 MB.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the log."
)
@click.option(
    "--metrics-file",
    type=click.Path(path_type=Path),
    help="Write the run's metrics here for Prometheus' node exporter, such as stockpipe.prom.",
)
@shared_options
def run(**options: Any) -> None:
    """Load a day into the warehouse, whole and verified, or not at all.

    Running it again is safe: the day is replaced, never doubled. Of several lists one that fails does not stop the
    others; the exit code is that of the worst.

    \b
    stockpipe run                                  today's active stocks
    stockpipe run --market stocks,crypto           two markets
    stockpipe run --date 2026-02-06 --active both  a past day, the delisted too
    stockpipe run --dry-run                        show what would be done
    """
    with exit_codes(as_json=options["as_json"]):
        settings = load_settings(given_settings(options), env_file=options["env_file"])
        load_and_tell(settings, options)


def load_and_tell(settings: Settings, options: dict[str, Any]) -> None:
    """Load what the options say, and tell how it went, in the form that they say."""
    quiet, as_json = options["quiet"], options["as_json"]
    configure_logging(
        settings,
        verbose=options["verbose"],
        quiet=quiet,
        log_file=options.get("log_file"),
        log_format=options.get("log_format", "text"),
    )
    check_flags(settings)
    clock = Clock()
    how = {name: options[name] for name in ("dry_run", "force", "require_fresh") if name in options}
    jobs = make_jobs(clock, options.get("datasets", ()), words_of(options), on=options["on"], **how)
    metrics = MetricsFile(options["metrics_file"]) if options.get("metrics_file") else None
    several = len(jobs) > 1
    with progress_bar(quiet=quiet, clock=clock) as progress, Desk(settings, clock, progress) as desk:
        outcomes = load_several(desk, jobs, metrics=metrics) if several else []
        result = None if several else load_watched(desk, jobs[0], metrics=metrics)
    loads = [load for outcome in outcomes if outcome.result for load in outcome.loads] if several else jobs[0]
    build = partial(build_after, settings, clock, [load.part for load in loads if not load.dry_run])
    # A document has the exit code of the whole command; a person reads first that the day is there.
    built = build() if as_json else 0
    if result is None:
        from stockpipe.cli.several import tell_of_several  # with its tables: one list needs none

        tell_of_several(outcomes, jobs, options, built)
    else:
        _tell(result, options, built)
    built = built if as_json else build()
    if code := worst([*(outcome.exit_code for outcome in outcomes), built]):
        raise SystemExit(code)


def _tell(result: LoadResult, options: dict[str, Any], built: int) -> None:
    """How one job ended, in the form that the options say; `built` is the exit code of what was made of it."""
    if options["as_json"]:
        print_json(result.as_dict() | {"exit_code": built})
        return
    if not options["quiet"] and options.get("log_format") != "json":
        tell_of(result)
    if result.sql:
        click.echo(";\n".join(result.sql) + ";")


def tell_of(result: LoadResult) -> None:
    """How a load went, on stderr."""
    with contextlib.suppress(BrokenPipeError):  # the day is loaded, whoever reads of it
        click.echo(_summary(result), err=True)


def _first_rows(result: LoadResult) -> str:
    """The SELECT that shows some of what was loaded, short enough for a line of 80 signs."""
    return f"SELECT * FROM {_in_a_shell(result.table)} WHERE {_day_of(result.records[0])} LIMIT 5"


def _day_of(record: RunRecord) -> str:
    """The condition for the rows of a run, whatever other days and markets the table has; of versions, those that hold."""
    until = DATASETS[record.dataset].of_role("until")
    if until:
        return f"{until.name} IS NULL"
    market = f" AND MARKET='{record.market}'" if record.market and record.part_id.part else ""
    return f"DS='{record.ds}'{market}"


def _summary(result: LoadResult) -> str:
    first, last = result.records[0], result.records[-1]
    build = f" (the vendor's build of {first.build_date})" if first.build_date else ""
    repeated = sum(record.rows_repeated for record in result.records)
    unchanged = " (unchanged: the table has just these rows already)" if first.status == "unchanged" else ""
    lines = {
        "Day": f"{first.ds}, {first.market or first.dataset}{build}",
        "Rows": f"{result.rows:,}{unchanged}"
        + (f" (and {repeated:,} identical repetitions dropped)" if repeated else ""),
        "Rejected": f"{sum(record.rows_rejected for record in result.records):,}",
        "Pages": f"{sum(record.pages for record in result.records)} in {number_of(last.calls, 'call')} ({last.retries} retried)",
        "Seconds": f"{last.seconds:.1f}",
        "Where": f"table {result.table} in the {result.target}"
        if result.target.startswith("DuckDB")
        else f"table {result.table} in {result.target}",
        "Run": result.run_id,
        "Next": in_lines(next_command("query", f'"{_first_rows(result)}"'), _BESIDE_NAMES).lstrip(),
    }
    if Source.of(first).is_sample:
        lines["Note"] = "sample data from the sandbox, not the real market"
    if first.status == IDLE:
        lines |= {"Rows": str(first.message)}
        del lines["Next"]
    if result.sql:
        lines |= {
            "Where": "nowhere: this was a dry run; the SQL it would run is below",
            "Next": "the same command without --dry-run",
        }
    return "\n" + "\n".join(f"  {name:<9} {text}" for name, text in lines.items())


def _in_a_shell(name: str) -> str:
    """The name of a table or a column within a statement in double quotes."""
    return as_written(name).replace('"', '\\"')
