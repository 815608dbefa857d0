"""stockpipe schedule --uninstall: take the entry out that --install --write put in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stockpipe.base.paths import at_home
from stockpipe.errors import ConfigError
from stockpipe.schedule.crontab import remove_line
from stockpipe.schedule.install import units_folder


def remove(kind: str, name: str, folder: Path, *, system: bool) -> tuple[list[str], str]:
    """Remove the entry of a name; `folder` is the one that its load runs in, `system` says that it is a unit of the system.

    Returns what was removed, a sentence each, and the command that makes the scheduler forget it ("" for none). Nothing is
    removed twice: without an entry both are empty. ConfigError for a file that may not be removed.
    """
    if kind == "cron":
        return (["Removed the line from the crontab."], "") if remove_line(name) else ([], "")
    files, forget = _entries(name, folder, system=system)[kind]
    told = [f"Removed {file}" for file in files if _removed(file)]
    return told, forget if told else ""


def _entries(name: str, folder: Path, *, system: bool) -> dict[str, tuple[list[Path], str]]:
    """The files of each scheduler's entry, and the command that makes it forget them."""
    units = units_folder(system=system)
    whose = "" if system else " --user"
    return {
        "systemd": (
            # The link is what `enable` made.
            [units / "timers.target.wants" / f"{name}.timer", units / f"{name}.timer", units / f"{name}.service"],
            f"systemctl{whose} stop {name}.timer; systemctl{whose} daemon-reload",
        ),
        "launchd": (
            [at_home("~", "HOME") / "Library/LaunchAgents" / f"{name}.plist"],
            f"launchctl bootout gui/$(id -u)/{name}",
        ),
        "taskscheduler": (
            [folder / f"{name}.xml"],
            subprocess.list2cmdline(["schtasks", "/Delete", "/TN", name, "/F"]),
        ),
    }


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be removed: {error.strerror}.",
            hint="Run it as root, such as with sudo, or fix the permissions.",
        ) from error
    return True
