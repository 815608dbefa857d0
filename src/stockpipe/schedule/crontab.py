"""The crontab of this user: our line is marked, every other line stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess

from stockpipe.errors import ConfigError, UsageError


def put_line(line: str, name: str) -> None:
    """Put the line into the user's crontab, in place of the one that an earlier call put there."""
    _write(with_line(_read(), line, name))


def remove_line(name: str) -> bool:
    """Take our line out; returns whether there was one."""
    before = _read()
    if _marker(name) not in before:
        return False
    _write(without_line(before, name))
    return True


def _read() -> str:
    found = _crontab("-l")
    if not found.returncode:
        return found.stdout
    if "no crontab" in found.stderr.lower():
        return ""
    raise ConfigError(f"The crontab cannot be read: {found.stderr.strip()}.", hint="Edit it with crontab -e yourself.")


def _write(text: str) -> None:
    done = _crontab("-", text=text)
    if done.returncode:
        raise ConfigError(f"cron refused the crontab: {done.stderr.strip()}.", hint="Edit it with crontab -e yourself.")


def with_line(crontab: str, line: str, name: str) -> str:
    """A crontab with the marked line added, or replaced where the marker stands already."""
    return f"{without_line(crontab, name)}{_marker(name)}{line}"


def without_line(crontab: str, name: str) -> str:
    """A crontab without the marked line; every other line stays as it is."""
    lines = crontab.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if _marker(name) in lines:
        start = lines.index(_marker(name))
        del lines[start : start + 2]
    return "".join(lines)


def _marker(name: str) -> str:
    return f"# {name}: written by stockpipe schedule --install cron; the next line is replaced by it\n"


def _crontab(argument: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("crontab")
    if program is None:
        raise UsageError(
            "There is no crontab on this machine.", hint="Choose another: systemd, launchd, taskscheduler."
        )
    environment = os.environ | {"LC_ALL": "C"}
    # The program is the system's own, the argument ours.
    return subprocess.run(  # noqa: S603
        [program, argument], input=text, capture_output=True, text=True, env=environment, check=False
    )
