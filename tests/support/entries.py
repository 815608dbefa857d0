"""Entries for a machine's schedulers: an invented one, and the command that prints, writes or removes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import command
from stockpipe.schedule.entries import Entry

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX scheduler")


def entry(folder: str = "/srv/stock pipe", *command: str, tz: str = "America/New_York") -> Entry:
    """An entry for 04:30."""
    return Entry("stockpipe-stocks", command or ("/srv/python", "-m", "stockpipe", "run"), folder, 4, 30, tz)


FAKE_CRONTAB = """#!/bin/sh
case "$1" in
  -l) [ -e "$TABLE" ] && exec cat "$TABLE"; echo "${COMPLAINT:-no crontab for me}" >&2; exit 1;;
  -) cat > "$TABLE";;
esac
"""


def with_crontab(
    tmp_path: Path, *arguments: str, how: str = "--install", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `stockpipe schedule --install cron` where `crontab` keeps its table in the file `table`."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "crontab").write_text(FAKE_CRONTAB)
    (programs / "crontab").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return command(
        "schedule",
        how,
        "cron",
        *arguments,
        env={"PATH": path, "TABLE": str(tmp_path / "table"), "TZ": "UTC"} | env,
    )


def installed(kind: str, *arguments: str, how: str = "--install") -> subprocess.CompletedProcess[str]:
    """Run `stockpipe schedule --install` with this folder as home; the tests may be root's, and leave the system alone."""
    own = ("--user",) if kind == "systemd" and "--system" not in arguments else ()
    return command(
        "schedule", how, kind, *own, *arguments, env={"HOME": str(Path.cwd()), "USERPROFILE": str(Path.cwd())}
    )
