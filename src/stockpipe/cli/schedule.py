"""stockpipe schedule: load every day, in the foreground, or as an entry for this machine's own scheduler."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from click.core import ParameterSource

from stockpipe.base.calendar import RULES
from stockpipe.base.clock import Clock
from stockpipe.base.days import time_of_day
from stockpipe.base.stopping import stopping
from stockpipe.cli.choices import Whole
from stockpipe.cli.install import install, uninstall
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import check_flags, exit_codes, given_settings, progress_bar, shared_options
from stockpipe.cli.parts import list_options, words_of
from stockpipe.datasets import USUAL
from stockpipe.errors import UsageError
from stockpipe.load.desk import Desk
from stockpipe.load.loads import Load
from stockpipe.schedule.due import Published
from stockpipe.schedule.install import KINDS
from stockpipe.schedule.lists import SharedDesk, lines_of
from stockpipe.settings import Settings, load_settings

log = logging.getLogger(__name__)

_WITH_FIELDS = ("cron", "systemd")
_FOREGROUND = {
    "catch_up": (
        "--catch-up",
        "An entry of --install loads one day at a time; stockpipe run --date DAY loads a missed one.",
    ),
    "master": ("--master", "Set STOCKPIPE_MASTER=true in .env: each run then builds it."),
    "report": ("--report", "Let the scheduler run stockpipe report --out after the load."),
}
_DAYS_BACK = 7


@click.command()
@click.option(
    "--at",
    default="04:30",
    show_default=True,
    metavar="HH:MM",
    help="Time of day. The vendor's nightly build is made about 02:05 New York.",
)
@click.option(
    "--tz", metavar="ZONE", default="America/New_York", show_default=True, help="Time zone of --at and --cron."
)
@click.option("--cron", metavar="FIELDS", help='Times as cron writes them, instead of --at, such as "30 4 * * 2-6".')
@click.option(
    "--catch-up",
    type=Whole(0, 366),
    metavar="DAYS",
    help=f"Load missed days of the last DAYS days, from the vendor's dated records; default {_DAYS_BACK}.",
)
@list_options
@click.option("--require-fresh", is_flag=True, help="Try again later when the vendor's list is older than the day.")
@click.option("--log-file", type=click.Path(path_type=Path), help="Also write the log here; it rotates at 10 MB.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the log."
)
@click.option(
    "--metrics-file",
    type=click.Path(path_type=Path),
    help="Write each run's metrics here for Prometheus' node exporter.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the report of each loaded day into this folder.",
)
@click.option(
    "--master", is_flag=True, default=None, help="Build the security master after each load (STOCKPIPE_MASTER=true)."
)
@click.option("--install", type=click.Choice(KINDS), help="Print the entry for this machine's own scheduler instead.")
@click.option("--write", is_flag=True, help="With --install: put the entry in place.")
@click.option("--uninstall", type=click.Choice(KINDS), help="Remove the entry that --install --write put in place.")
@click.option(
    "--system/--user",
    default=None,
    help="systemd: a unit of the system, or of this user. Default: of the system as root.",
)
@shared_options
def schedule(**options: Any) -> None:
    """Load every day at a time, until stopped.

    A day that fails is retried after 15, 30, 60 and 120 minutes, unless only you can remove the cause, such as a wrong key.
    Days that were missed, because the machine slept or was off, are loaded later. Ctrl+C ends it after the transaction in
    progress. Of what happens on a day, each trading day is loaded on the next day, when every plan has it (11:00 New York).

    \b
    stockpipe schedule --at 04:30                 in the foreground
    stockpipe schedule --market stocks,crypto     two lists
    stockpipe schedule --cron "30 4 * * 2-6"      Tuesday to Saturday only
    stockpipe schedule --install systemd          print the entry for a scheduler
    stockpipe schedule --install cron --write     put it in place
    """
    with exit_codes():
        zone = time_zone(options["tz"])
        if options["uninstall"]:
            uninstall(options)
            return
        if options["install"]:
            _refuse_for_an_entry(options)
            install(options, *time_of_day(options["at"]), zone)
            return
        for name, given in (("--write", options["write"]), ("--system or --user", options["system"] is not None)):
            if given:
                raise UsageError(f"{name} goes with --install.", hint=f"Choose from: {', '.join(KINDS)}.")
        _refuse_two_times(options)
        settings = _settings(options)
        configure_logging(
            settings,
            verbose=options["verbose"],
            quiet=options["quiet"],
            log_file=options["log_file"],
            log_format=options["log_format"],
        )
        check_flags(settings)
        _every_day(options, zone, settings)


def _every_day(options: Mapping[str, Any], zone: ZoneInfo, settings: Settings) -> None:
    from stockpipe.load.loads import make_jobs
    from stockpipe.observe.metrics import MetricsFile
    from stockpipe.schedule.cron import by_cron, daily_at
    from stockpipe.schedule.daily import Daily

    clock, cron = Clock(), options["cron"]
    moments = daily_at(*time_of_day(options["at"]), zone) if cron is None else by_cron(cron, zone)
    moments.after(clock.now())
    jobs = make_jobs(clock, options["datasets"], words_of(options), require_fresh=options["require_fresh"])
    metrics = MetricsFile(options["metrics_file"]) if options["metrics_file"] else None
    _check(settings, clock)
    rounds = _Rounds(options, clock, jobs)
    shared = SharedDesk(rounds.open_desk)
    lines = lines_of(jobs, moments, shared, clock, metrics, rounds.report)
    days_back = _DAYS_BACK if options["catch_up"] is None else options["catch_up"]
    stopping.gentle = True
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_gently)
    first = jobs[0][0].part
    what = "; ".join(line.label for line in lines) if lines[1:] else f"{first.label} {first.dataset.noun}"
    log.info("Loading %s every day at %s. End it with Ctrl+C.", what, moments)
    asks_rarely = settings.warehouse == "snowflake"
    Daily(lines, rounds.look_up, clock, days_back, zone, shared.close, asks_rarely).run()


@dataclass(frozen=True)
class _Rounds:
    """What a round needs. The settings are read anew each time: who corrects .env need not start the schedule again."""

    options: Mapping[str, Any]
    clock: Clock
    jobs: Sequence[Sequence[Load]]

    def open_desk(self, stack: ExitStack) -> Desk:
        """A desk until the stack is closed, with a progress line of its own."""
        progress = stack.enter_context(progress_bar(quiet=self.options["quiet"], clock=self.clock))
        return stack.enter_context(Desk(_settings(self.options), self.clock, progress))

    def report(self, loads: Sequence[Load]) -> None:
        """What is made of a day that was loaded: the security master and the page, where they are asked for."""
        from stockpipe.cli.report import report_after
        from stockpipe.master.after import build_after

        build_after(_settings(self.options), self.clock, [load.part for load in loads])
        part = loads[0].part
        if self.options["report"] and part.dataset is USUAL:
            report_after(_settings(self.options), self.clock, loads[0].ds, part.words["market"], self.options["report"])

    def look_up(self) -> list[Published]:
        """Which days of each list are published, and which are trading days."""
        from stockpipe.warehouse import open_warehouse
        from stockpipe.warehouse.history import published_days
        from stockpipe.warehouse.sessions import sessions_of

        settings = _settings(self.options)
        with closing(open_warehouse(settings)) as warehouse:
            parts = [[load.part for load in job] for job in self.jobs]
            days = [published_days(warehouse, each, settings.base_url) for each in parts]
            by_session = any(each[0].dataset.kind.calendar == "sessions" for each in parts)
            sessions = sessions_of(warehouse) if by_session else RULES
            return [Published(each, sessions) for each in days]


def _check(settings: Settings, clock: Clock) -> None:
    """Raise now what would fail each day: a missing key, a value that no load can use, an unsafe URL."""
    from stockpipe.observe.alerts import Alerts

    Alerts.from_settings(settings)
    with Desk(settings, clock) as desk:
        desk.check_settings()


def _stop_gently(number: int, frame: FrameType | None) -> None:
    """End at once, but for a transaction under way: that is waited for, unless the signal comes again."""
    stopping.came(number, gently=True)


def _refuse_for_an_entry(options: Mapping[str, Any]) -> None:
    """UsageError for what the scheduler of a machine cannot do."""
    if options["uninstall"]:
        raise UsageError("--install and --uninstall are different things.", hint="Give one or the other.")
    _refuse_two_times(options)
    for name, (flag, hint) in _FOREGROUND.items():
        if options[name] is not None:
            raise UsageError(f"{flag} is for the schedule in the foreground.", hint=hint)
    if options["cron"] is not None and options["install"] not in _WITH_FIELDS:
        raise UsageError(
            f"{options['install']} has one time of day (--at), and no fields of cron.",
            hint=f"Use --at, or --install {' or '.join(_WITH_FIELDS)}.",
        )


def _refuse_two_times(options: Mapping[str, Any]) -> None:
    said = click.get_current_context().get_parameter_source("at") is ParameterSource.COMMANDLINE
    if said and options["cron"] is not None:
        raise UsageError("--at and --cron both say when to load.", hint="Give one or the other.")


def _settings(options: Mapping[str, Any]) -> Settings:
    return load_settings(given_settings(options), env_file=options["env_file"])


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UsageError for anything else."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"There is no time zone {name!r}.", hint="Use a name such as America/New_York.") from None
