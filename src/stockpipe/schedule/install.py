"""stockpipe schedule --install: the daily load as an entry for the scheduler of this machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zoneinfo import ZoneInfo

from stockpipe.base.paths import at_home
from stockpipe.errors import ConfigError
from stockpipe.schedule import entries
from stockpipe.schedule.crontab import put_line, with_line
from stockpipe.schedule.entries import Entry, LocalTime

__all__ = ["KINDS", "Installation", "Wish", "installation", "own_command", "put_in_place", "units_folder", "with_line"]

KINDS = ("cron", "systemd", "launchd", "taskscheduler")
_SYSTEMS = {"cron": ("linux", "darwin"), "systemd": ("linux",), "launchd": ("darwin",), "taskscheduler": ("win32",)}
SYSTEM_UNITS = Path("/etc/systemd/system")


@dataclass(frozen=True)
class Installation:
    """What an entry is made of: files by their place (None: the crontab), what to know, and how to switch it on."""

    files: dict[Path | None, str]
    notes: list[str]
    next: str
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Wish:
    """What is to run every day: the words behind `stockpipe run`, a name for it, and where its files are.

    All paths are absolute, those in `words` too. The load runs in `folder`. `cron`: five fields, in place of a time of day.
    `system`: a unit of the system, not of this user (systemd only).
    """

    kind: str
    name: str
    words: tuple[str, ...]
    folder: Path
    log_file: Path
    env_file: Path
    cron: str = ""
    system: bool = False


def installation(wish: Wish, hour: int, minute: int, zone: ZoneInfo) -> Installation:
    """The entry for the scheduler that is wished for, at a time of day in a zone. Nothing is written yet."""
    command = (*own_command(), "--quiet", *wish.words)
    user = _owner(wish.folder) if wish.system else ""
    entry = Entry(wish.name, command, str(wish.folder), hour, minute, zone.key, wish.cron, user)
    made = _MAKERS[wish.kind](entry, zone)
    return replace(made, notes=[*_elsewhere(wish.kind), *made.notes, _settings_note(wish.env_file)])


def _elsewhere(kind: str) -> list[str]:
    """That the scheduler is another system's: names and paths in the entry are this machine's."""
    if sys.platform in _SYSTEMS[kind]:
        return []
    return [f"{kind} is not a scheduler of this system; the paths and the time are those of this machine."]


def _owner(folder: Path) -> str:
    """Whose the project's folder is: a load as somebody else would leave files that its owner cannot change."""
    try:
        return folder.owner()
    except (KeyError, NotImplementedError):  # a number without a name; Windows
        return str(folder.stat().st_uid)


def put_in_place(made: Installation, wish: Wish) -> list[str]:
    """Write the entry; returns what was written, a sentence each. ConfigError or UsageError when it cannot be."""
    said = [_write(place, text, wish.name, made.encoding) for place, text in made.files.items()]
    wish.log_file.parent.mkdir(parents=True, exist_ok=True)
    return said


def own_command() -> tuple[str, ...]:
    """How to start `stockpipe run` from anywhere: this Python, and the package or, in a bare checkout, script.py."""
    try:
        distribution("stockpipe")
    except PackageNotFoundError:
        return sys.executable, str(Path(__file__).resolve().parents[3] / "script.py")
    return sys.executable, "-m", "stockpipe", "run"


def _log_folder(entry: Entry) -> Path:
    return Path(entry.command[entry.command.index("--log-file") + 1]).parent


def _cron(entry: Entry, zone: ZoneInfo) -> Installation:
    at = entries.local_time(entry, zone, datetime.now(UTC))
    flock = shutil.which("flock")
    text = entries.cron(entry, at, flock)
    notes = _local_notes(
        entry, at, "cron knows only this machine's time zone (CRON_TZ is read by some crons and not by others)"
    )
    if flock is None:
        notes.append("flock is not on this machine, so a slow load may meet the next one; neither doubles a day.")
    return Installation({None: text}, notes, "crontab -l shows it; it is switched on")


def units_folder(*, system: bool) -> Path:
    """Where systemd looks for units: the system's, or this user's."""
    return SYSTEM_UNITS if system else at_home("~", "HOME") / ".config/systemd/user"


def _systemd(entry: Entry, _: ZoneInfo) -> Installation:
    folder = units_folder(system=bool(entry.user))
    files: dict[Path | None, str] = {
        folder / f"{entry.name}.service": entries.systemd_service(entry),
        folder / f"{entry.name}.timer": entries.systemd_timer(entry),
    }
    whose = "" if entry.user else " --user"
    command = f"systemctl{whose} daemon-reload && systemctl{whose} enable --now {entry.name}.timer"
    notes = [
        f"journalctl{whose} -u {entry.name}.service shows what it says, as the log file does; systemctl{whose} list-timers "
        f"{entry.name}.timer when it runs next.",
        f"The same command with --uninstall systemd{' --system' if entry.user else ' --user'} instead of --install removes it.",
    ]
    if not entry.user:
        notes.append("A user's timers run while that user is signed in; loginctl enable-linger keeps them running.")
    return Installation(files, notes, command)


def _launchd(entry: Entry, zone: ZoneInfo) -> Installation:
    at = entries.local_time(entry, zone, datetime.now(UTC))
    text = entries.launchd(entry, at, str(_log_folder(entry) / f"{entry.name}.stderr"))
    place = at_home("~", "HOME") / "Library/LaunchAgents" / f"{entry.name}.plist"
    notes = _local_notes(entry, at, "launchd knows only this machine's time zone")
    notes.append("After sleep, a missed load runs at once; after the machine was off, it does not.")
    start = f"launchctl bootstrap gui/$(id -u) {shlex.quote(str(place))}"
    return Installation({place: text}, notes, f"launchctl bootout gui/$(id -u)/{entry.name}; {start}")


def _task_scheduler(entry: Entry, zone: ZoneInfo) -> Installation:
    now = datetime.now(UTC)
    at = entries.local_time(entry, zone, now)
    text = entries.task_scheduler(entry, at, now.astimezone())
    place = Path(entry.folder) / f"{entry.name}.xml"
    notes = _local_notes(entry, at, "the Task Scheduler knows only this machine's time zone")
    notes.append("The task runs while you are signed in; its properties in the Task Scheduler can change that.")
    command = subprocess.list2cmdline(["schtasks", "/Create", "/TN", entry.name, "/XML", str(place), "/F"])
    return Installation({place: text}, notes, command, encoding="utf-16")


_MAKERS: dict[str, Callable[[Entry, ZoneInfo], Installation]] = dict(
    zip(KINDS, (_cron, _systemd, _launchd, _task_scheduler), strict=True)
)


def _local_notes(entry: Entry, at: LocalTime, reason: str) -> list[str]:
    late = f", up to {at.late} minutes later in a part of the year, never earlier" if at.late else ""
    return [f"{reason}; {entry.when} is written as {at.text} here{late}."]


def _settings_note(env_file: Path) -> str:
    if env_file.is_file():
        return f"settings are read from {env_file}; those of this shell's environment are not known to a scheduler."
    return (
        f"{env_file} is not there yet: a load ends with exit code 3 until it is, as a scheduler does not know this "
        "shell's environment."
    )


def _write(place: Path | None, text: str, name: str, encoding: str) -> str:
    if place is None:
        put_line(text, name)
        return "Wrote the crontab."
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding=encoding, newline="\n")
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be written: {error.strerror}.",
            hint="Run it as root, such as with sudo."
            if SYSTEM_UNITS in place.parents
            else "Fix the permissions of the folder.",
        ) from error
    return f"Wrote {place}"
