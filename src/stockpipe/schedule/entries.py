"""A daily load as cron, systemd, launchd and the Windows Task Scheduler want it written. Text in, text out."""

from __future__ import annotations

import plistlib
import re
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from xml.etree import ElementTree

from stockpipe.errors import UsageError
from stockpipe.schedule.fields import local_fields, on_calendar

TASK_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Entry:
    """A daily load: `command` and all paths are absolute; `hour` and `minute` are read in the time zone `tz`.

    `cron`: five fields in place of hour and minute. `user`: who runs a unit of the system; none for a user's own unit.
    """

    name: str
    command: tuple[str, ...]
    folder: str
    hour: int
    minute: int
    tz: str
    cron: str = ""
    user: str = ""

    @property
    def when(self) -> str:
        """When it runs, as people read it."""
        return f'cron "{self.cron}" {self.tz}' if self.cron else f"{self.hour:02}:{self.minute:02} {self.tz}"


@dataclass(frozen=True)
class LocalTime:
    """A time of day in this machine's zone, never before the one asked for; `late` is the most minutes it is after it.

    `fields`: the five fields of cron, where those were asked for.
    """

    hour: int
    minute: int
    late: int = 0
    fields: str = ""

    @property
    def text(self) -> str:
        """As people read it."""
        return self.fields or f"{self.hour:02}:{self.minute:02}"


def local_time(entry: Entry, zone: tzinfo, now: datetime, local: tzinfo | None = None) -> LocalTime:
    """The entry's time in the zone `local` (default: this machine's), for schedulers that know no other.

    Two zones may change their clocks on different days. Of the differences in the coming year the latest is taken, so
    that a load never starts before the time that was asked for.
    """
    days = (now.astimezone(UTC) + timedelta(days=day) for day in range(366))
    shifts = {_minutes(day.astimezone(local)) - _minutes(day.astimezone(zone)) for day in days}
    late = max(shifts) - min(shifts)
    if entry.cron:
        return LocalTime(0, 0, late, local_fields(entry.cron, max(shifts)))
    minutes = (entry.hour * 60 + entry.minute + max(shifts)) % _MINUTES_A_DAY
    return LocalTime(minutes // 60, minutes % 60, late)


def _minutes(moment: datetime) -> int:
    """The moment's distance from UTC."""
    return int((moment.utcoffset() or timedelta()).total_seconds() // 60)


def cron(entry: Entry, at: LocalTime, flock: str | None) -> str:
    """The line for a crontab. With `flock` (its path) a load that still runs makes the next one end at once."""
    _refuse(entry, r"[\x00-\x1f\x7f\\]", "a backslash or a control character", "crontab")
    lock = (flock, "-n", f"{entry.folder}/{entry.name}.lock") if flock else ()
    command = f"cd {shlex.quote(entry.folder)} && {shlex.join((*lock, *entry.command))}"
    # To cron, a bare % is the end of the command.
    when = at.fields or f"{at.minute} {at.hour} * * *"
    return f"{when} {command.replace('%', chr(92) + '%')}\n"


def systemd_service(entry: Entry) -> str:
    """The unit that loads once. systemd never starts a unit that still runs, so it needs no lock."""
    _refuse(entry, r"[\x00-\x1f\x7f\\]", "a backslash or a control character", "systemd unit")
    program, *arguments = entry.command
    # systemd takes no quote in the name of a program, so a shell has to start such a one.
    words = ["/bin/sh", "-c", 'exec "$0" "$@"', *entry.command] if set("'\"") & set(program) else [program, *arguments]
    # Only the system's own manager knows when the network is there; and without User= it would run as root.
    online = "Wants=network-online.target\nAfter=network-online.target\n" if entry.user else ""
    user = f"User={entry.user}\n" if entry.user else ""
    return (
        f"[Unit]\nDescription=Load the day into the warehouse ({entry.name})\n{online}\n"
        f"[Service]\nType=oneshot\n{user}"
        f"WorkingDirectory={entry.folder.replace('%', '%%')}\n"
        # The colon: a $ stays a $.
        f"ExecStart=:{' '.join(map(_systemd_word, words))}\n"
    )


def systemd_timer(entry: Entry) -> str:
    """The timer of `systemd_service`, in the entry's own time zone; a day missed while off is loaded later."""
    events = on_calendar(entry.cron or f"{entry.minute} {entry.hour} * * *", entry.tz)
    calendar = "".join(f"OnCalendar={event}\n" for event in events)
    often = "By" if entry.cron else "Daily at"
    return (
        f"[Unit]\nDescription={often} {entry.when.replace('%', '%%')} ({entry.name})\n\n"
        f"[Timer]\n{calendar}Persistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def launchd(entry: Entry, at: LocalTime, errors_file: str) -> str:
    """The property list of an agent. launchd does not start an agent that still runs.

    `errors_file` gets what a load says before it has opened its own log, such as that a setting is wrong.
    """
    _refuse(entry, r"[\x00-\x1f\x7f]", "a control character", "property list")
    document = {
        "Label": entry.name,
        "ProgramArguments": list(entry.command),
        "WorkingDirectory": entry.folder,
        "StartCalendarInterval": {"Hour": at.hour, "Minute": at.minute},
        "StandardErrorPath": errors_file,
    }
    return plistlib.dumps(document, sort_keys=False).decode()


def task_scheduler(entry: Entry, at: LocalTime, now: datetime) -> str:
    """The task as XML, for `schtasks /Create /XML`; save it as UTF-16. A task that still runs is not started again."""
    _refuse(entry, r"[\x00-\x1f\x7f]", "a control character", "task")
    # The Task Scheduler replaces these everywhere and knows no way to write them plain.
    _refuse(entry, r"%[^%]+%|\$\(Arg", "%...% or $(Arg", "task")
    task = ElementTree.Element("Task", {"version": "1.2", "xmlns": TASK_NAMESPACE})
    _add(task, "RegistrationInfo", [("Description", f"Load the day into the warehouse ({entry.name})")])
    trigger = ElementTree.SubElement(ElementTree.SubElement(task, "Triggers"), "CalendarTrigger")
    ElementTree.SubElement(trigger, "StartBoundary").text = f"{now:%Y-%m-%d}T{at.hour:02}:{at.minute:02}:00"
    _add(trigger, "ScheduleByDay", [("DaysInterval", "1")])
    principal = ElementTree.SubElement(ElementTree.SubElement(task, "Principals"), "Principal", {"id": "Author"})
    ElementTree.SubElement(principal, "LogonType").text = "InteractiveToken"
    ElementTree.SubElement(principal, "RunLevel").text = "LeastPrivilege"
    _add(task, "Settings", _TASK_SETTINGS)
    program, *arguments = entry.command
    _add(
        ElementTree.SubElement(task, "Actions", {"Context": "Author"}),
        "Exec",
        [("Command", program), ("Arguments", subprocess.list2cmdline(arguments)), ("WorkingDirectory", entry.folder)],
    )
    ElementTree.indent(task)
    return '<?xml version="1.0" encoding="UTF-16"?>\n' + ElementTree.tostring(task, encoding="unicode") + "\n"


_TASK_SETTINGS = (
    ("MultipleInstancesPolicy", "IgnoreNew"),
    ("DisallowStartIfOnBatteries", "false"),
    ("StopIfGoingOnBatteries", "false"),
    # Makes up for a time at which the machine was off.
    ("StartWhenAvailable", "true"),
    # A load ends by itself (STOCKPIPE_DEADLINE); the service's own limit would kill it.
    ("ExecutionTimeLimit", "PT0S"),
)


def _add(parent: ElementTree.Element, name: str, children: Iterable[tuple[str, str]]) -> None:
    element = ElementTree.SubElement(parent, name)
    for child, text in children:
        ElementTree.SubElement(element, child).text = text


def _systemd_word(word: str) -> str:
    escaped = word.replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _refuse(entry: Entry, pattern: str, what: str, where: str) -> None:
    """Raise UsageError for a path or an argument that the scheduler would read as something else."""
    for text in (entry.folder, *entry.command):
        if re.search(pattern, text):
            raise UsageError(
                f"{text!r} has {what} in it, which cannot be written in a {where}.",
                hint="Move the project to a folder with a plainer name.",
            )
