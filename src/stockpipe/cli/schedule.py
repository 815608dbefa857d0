"""stockpipe schedule: load every day, in the foreground."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from stockpipe.cli.install import KINDS, install
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
@click.option("--install", type=click.Choice(KINDS), help="Print the entry for this machine's own scheduler instead.")
@click.option("--write", is_flag=True, help="With --install: put the entry in place.")
@shared_options
def schedule(**options: Any) -> None:
    """Load every day at a time, until stopped. A failing day is reported and the next one is tried.

    \b
    stockpipe schedule --at 04:30                 in the foreground
    stockpipe schedule --install systemd          print the entry for a scheduler: cron, systemd, launchd, taskscheduler
    stockpipe schedule --install cron --write     put it in place
    """
    with exit_codes():
        if options["install"]:
            install(options, *time_of_day(options["at"]), time_zone(options["tz"]))
            return
        if options["write"]:
            raise UsageError("--write goes with --install.", hint=f"Choose from: {', '.join(KINDS)}.")
        settings = load_settings(
            {"STOCKPIPE_WAREHOUSE": options["warehouse"], "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"]},
            env_file=options["env_file"],
        )
        configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"], log_file=options["log_file"])
        every_day(options["at"], options["tz"], lambda: _load_once(options))


def every_day(at: str, tz: str, job: Any) -> None:
    """Call `job` every day at `at` (HH:MM) in the time zone `tz`, one call at a time, until the process is stopped."""
    hour, minute = time_of_day(at)
    zone = time_zone(tz)
    try:
        from apscheduler.schedulers.blocking import BlockingScheduler
    except ImportError as error:
        raise ConfigError("APScheduler is not installed.", hint="pip install 'stockpipe[schedule]'") from error
    scheduler = BlockingScheduler(timezone=zone)
    entry = scheduler.add_job(
        job,
        "cron",
        hour=hour,
        minute=minute,
        coalesce=True,
        max_instances=1,
        misfire_grace_time=6 * 3600,
    )
    del entry
    log.info("Loading every day at %s %s. End it with Ctrl+C.", at, tz)
    scheduler.start()


def time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of HH:MM; UsageError for anything else."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if match is None:
        raise UsageError(f"{text!r} is not a time of day.", hint="Write it as HH:MM, such as 04:30.")
    return int(match[1]), int(match[2])


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UsageError for anything else."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"There is no time zone {name!r}.", hint="Use a name such as America/New_York.") from None


def _load_once(options: dict[str, Any]) -> None:
    from stockpipe import load
    from stockpipe.errors import StockpipeError

    flags = {"STOCKPIPE_WAREHOUSE": options["warehouse"], "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"]}
    try:
        load(market=options["market"], active=options["active"], settings=flags, env_file=options["env_file"])
    except StockpipeError as error:
        log.error("Today's load failed (exit code %d would be shown): %s", error.exit_code, error)
