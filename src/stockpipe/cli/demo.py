"""stockpipe demo: a small desk of sample data, and three questions that it answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import click

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.cli.backfill import quieted
from stockpipe.cli.choices import Word
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import exit_codes, print_json, progress_bar
from stockpipe.cli.parts import USUAL_DATASET, divisions, part_options
from stockpipe.cli.run import load_and_tell, tell_of
from stockpipe.cli.several import document_of, tell_of_several
from stockpipe.cli.table import print_table
from stockpipe.datasets import DATASETS
from stockpipe.errors import ConfigError, DataCheckError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import make_jobs
from stockpipe.observe.several import Outcome, load_several, worst
from stockpipe.observe.watch import load_watched
from stockpipe.schedule.backfill import Report, Wanted, backfill
from stockpipe.schedule.missing import expected_days
from stockpipe.settings import Settings, WarehouseKind, load_settings
from stockpipe.settings.paths import DEMO_FILE
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import foreign_rows

log = logging.getLogger(__name__)

_DESK = ("ticker_types", "exchanges", "market_holidays", "splits", "dividends")
_BARS = "daily_bars"
_SESSIONS = 10
# So that the lists of corporate actions, which reach back to 1978, take a second.
_DAYS_OF_ACTIONS = 60
_ANSWERS = {
    "What is listed?": """
        SELECT y.DESCRIPTION AS TYPE, count(*) AS TICKERS, count(t.COMPOSITE_FIGI) AS WITH_FIGI
        FROM TICKERS_LATEST AS t JOIN TICKER_TYPES AS y ON y.CODE = t.TYPE AND y.DS = t.DS AND y.ASSET_CLASS = 'stocks'
        WHERE t.MARKET = 'stocks' AND t.ACTIVE GROUP BY ALL ORDER BY TICKERS DESC LIMIT 5""",
    "Which common stocks rose most in the last session?": """
        SELECT b.TICKER, t.NAME, b.DS, round(100 * (b.CLOSE / a.CLOSE - 1), 1) AS PERCENT, b.CLOSE
        FROM DAILY_BARS AS b JOIN DAILY_BARS AS a ON a.TICKER = b.TICKER
        JOIN TICKERS_LATEST AS t ON t.TICKER = b.TICKER AND t.MARKET = 'stocks' AND t.ACTIVE AND t.TYPE = 'CS'
        WHERE b.DS = (SELECT max(DS) FROM DAILY_BARS)
            AND a.DS = (SELECT max(DS) FROM DAILY_BARS WHERE DS < (SELECT max(DS) FROM DAILY_BARS))
            AND NOT EXISTS (SELECT 1 FROM SPLITS_CURRENT AS s WHERE s.TICKER = b.TICKER AND s.EXECUTION_DATE = b.DS)
        ORDER BY PERCENT DESC, b.TICKER LIMIT 5""",
    "Who pays the highest dividends next?": """
        SELECT d.TICKER, d.EX_DIVIDEND_DATE, d.CASH_AMOUNT, d.CURRENCY, round(100 * d.CASH_AMOUNT / b.CLOSE, 2) AS PERCENT
        FROM DIVIDENDS_CURRENT AS d
        JOIN DAILY_BARS AS b ON b.TICKER = d.TICKER AND b.DS = (SELECT max(DS) FROM DAILY_BARS)
        WHERE d.EX_DIVIDEND_DATE > b.DS AND d.CURRENCY = 'USD' AND d.CASH_AMOUNT < b.CLOSE
        ORDER BY PERCENT DESC, d.TICKER LIMIT 5""",
}


@click.command()
@click.option("--date", "on", metavar="YYYY-MM-DD", help="Only the list of this past day; default: today, and a desk.")
@part_options
@click.option(
    "--duckdb-path", metavar="PATH", default=DEMO_FILE, show_default=True, help="The DuckDB file, for sample data only."
)
@click.option("--warehouse", type=Word(get_args(WarehouseKind)), default="duckdb", hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("-v", "--verbose", count=True, help="Say more.")
@click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors.")
def demo(**options: Any) -> None:
    """The whole thing with no account: a sandbox of the Massive API into a DuckDB file.

    It loads a small desk: today's stocks, their types and exchanges, holidays, splits, dividends and ten sessions of daily
    bars; then it asks three questions. With --date, --market or --active it loads that one list.

    The market is synthetic. Sample data never goes to Snowflake.
    """
    from stockpipe.sandbox import SANDBOX_KEY, Sandbox

    with exit_codes(as_json=options["as_json"]):
        if options["warehouse"] != "duckdb":
            raise ConfigError(
                "demo loads sample data, and that never goes to Snowflake.",
                hint="Use stockpipe run for real data.",
            )
        with Sandbox() as sandbox:
            flags = {
                "POLYGON_API_KEY": SANDBOX_KEY,
                "MASSIVE_BASE_URL": sandbox.url,
                "MASSIVE_PLAN": "paid",
                "STOCKPIPE_WAREHOUSE": "duckdb",
                "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"],
            }
            # Nothing of the user's own settings may leak into a demonstration.
            settings = load_settings(flags, env={}, env_file=Path(os.devnull))
            _must_be_for_samples(settings)
            if any(options[name] for name in ("on", *divisions())):
                load_and_tell(settings, options)
            else:
                _desk(settings, options)


def _must_be_for_samples(settings: Settings) -> None:
    """DataCheckError for a file with days that are not sample data: they could not be had again."""
    with closing(open_warehouse(settings)) as warehouse:
        rows = foreign_rows(warehouse, DATASETS[USUAL_DATASET])
    if rows:
        raise DataCheckError(
            f"{settings.duckdb_path} has {rows:,} rows that are not sample data.",
            hint=f"Nothing was fetched. Leave out --duckdb-path (the demo has {DEMO_FILE}), or name a new file.",
            checks=["source"],
        )


def _desk(settings: Settings, options: dict[str, Any]) -> None:
    """Today's list, told as a run tells it, then the rest of a desk and what can be asked of it."""
    configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"])
    clock = Clock()
    [usual] = make_jobs(clock)
    with progress_bar(quiet=options["quiet"], clock=clock) as progress, Desk(settings, clock, progress) as desk:
        result = load_watched(desk, usual)
    log.info("Loading ticker types, exchanges, holidays, splits, dividends and %d sessions of bars...", _SESSIONS)
    since = (new_york_date(clock) - timedelta(days=_DAYS_OF_ACTIONS)).isoformat()
    jobs = make_jobs(clock, _DESK, {"since": since})
    with Desk(settings, clock) as desk, quieted(verbose=options["verbose"]):
        outcomes = load_several(desk, jobs)
        bars = _load_bars(desk, clock)
    code = worst([*(outcome.exit_code for outcome in outcomes), *bars.codes])
    if options["as_json"]:
        print_json(result.as_dict() | {"desk": [*map(document_of, outcomes), _document_of(bars)]})
    elif not options["quiet"]:
        tell_of_several([Outcome(usual, result), *outcomes], [usual, *jobs], options)
        log.info("Daily bars: %d sessions with %s rows.", bars.days, f"{bars.rows:,}")
        if not code:
            _answer(settings)
        tell_of(result)
    raise SystemExit(code)


def _load_bars(desk: Desk, clock: Clock) -> Report:
    """The last sessions of bars that can be there; those that are published already are loaded again: nothing changes."""
    dataset = DATASETS[_BARS]
    today = new_york_date(clock)
    days = expected_days(dataset, today - timedelta(days=3 * _SESSIONS), today - timedelta(days=1))[-_SESSIONS:]
    return backfill(desk, [Wanted(dataset.all_parts, days, redo=True)], lambda *_: None, Report())


def _document_of(bars: Report) -> dict[str, Any]:
    return {"list": _BARS, "days": bars.days, "rows": bars.rows, "exit_code": worst(bars.codes)}


def _answer(settings: Settings) -> None:
    """The questions, each with its answer, on stdout."""
    with closing(open_warehouse(settings)) as warehouse:
        for question, statement in _ANSWERS.items():
            found = warehouse.query(statement)
            click.echo(f"\n{question}\n")
            print_table(_names(found.columns), found.rows)


def _names(columns: Sequence[str]) -> list[str]:
    return [name.replace("_", " ") for name in columns]
