"""stockpipe schedule: load every day, in the foreground."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import click

from stockpipe.cli.output import configure_logging, exit_codes, shared_options
from stockpipe.errors import ConfigError, UsageError
from stockpipe.settings import load_settings

log = logging.getLogger(__name__)


@click.command()
@click.option(
    "--at",
    default="04:30",
    show_default=True,
    metavar="HH:MM",
    help="Time of day. The vendor's nightly build is made about 02:05 New York.",
)
@click.option("--tz", default="America/New_York", show_default=True, help="Time zone of --at.")
@click.option("--market", default="stocks", show_default=True, help="stocks, otc, crypto, fx or indices.")
@click.option("--active", default="true", show_default=True, help="true, false or both.")
@click.option("--log-file", type=click.Path(path_type=Path), help="Also write the log here; it rotates at 10 MB.")
@shared_options
def schedule(**options: Any) -> None:
    """Load every day at a time, until stopped. A failing day is reported and the next one is tried."""
    with exit_codes():
        settings = load_settings(
            {"STOCKPIPE_WAREHOUSE": options["warehouse"], "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"]},
            env_file=options["env_file"],
        )
        configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"], log_file=options["log_file"])
        every_day(options["at"], options["tz"], lambda: _load_once(options))


def every_day(at: str, tz: str, job: Any) -> None:
    """Call `job` every day at `at` (HH:MM) in the time zone `tz`, one call at a time, until the process is stopped."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", at)
    if match is None:
        raise UsageError(f"{at!r} is not a time of day.", hint="Write it as HH:MM, such as 04:30.")
    try:
        from apscheduler.schedulers.blocking import BlockingScheduler
    except ImportError as error:
        raise ConfigError("APScheduler is not installed.", hint="pip install 'stockpipe[schedule]'") from error
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"There is no time zone {tz!r}.", hint="Use a name such as America/New_York.") from None
    scheduler = BlockingScheduler(timezone=zone)
    hour, minute = match.groups()
    entry = scheduler.add_job(
        job,
        "cron",
        hour=int(hour),
        minute=int(minute),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=6 * 3600,
    )
    del entry
    log.info("Loading every day at %s %s. End it with Ctrl+C.", at, tz)
    scheduler.start()


def _load_once(options: dict[str, Any]) -> None:
    from stockpipe import load
    from stockpipe.errors import StockpipeError

    flags = {"STOCKPIPE_WAREHOUSE": options["warehouse"], "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"]}
    try:
        load(market=options["market"], active=options["active"], settings=flags, env_file=options["env_file"])
    except StockpipeError as error:
        log.error("Today's load failed (exit code %d would be shown): %s", error.exit_code, error)
