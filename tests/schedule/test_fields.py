"""Cron's fields for the schedulers of a machine, units of the system, and taking an entry out again."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from conftest import command
from stockpipe.errors import ConfigError, UsageError
from stockpipe.schedule import install
from stockpipe.schedule.cron import by_cron
from stockpipe.schedule.crontab import with_line, without_line
from stockpipe.schedule.entries import Entry, LocalTime, cron, local_time, systemd_service, systemd_timer
from stockpipe.schedule.fields import local_fields, on_calendar
from stockpipe.schedule.removal import remove
from support.entries import entry, installed, posix_only, with_crontab

pytestmark = pytest.mark.slow

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("expression", "events"),
    [
        ("30 4 * * 2-6", ["Tue,Wed,Thu,Fri,Sat *-*-* 04:30:00 America/New_York"]),
        ("30 4 * * *", ["*-*-* 04:30:00 America/New_York"]),
        ("0,30 */12 * * *", ["*-*-* 00,12:00,30:00 America/New_York"]),
        ("* * 1 1-2 *", ["*-01,02-01 *:*:00 America/New_York"]),
        ("5 4 * * 6-7", ["Sat,Sun *-*-* 04:05:00 America/New_York"]),
        ("5 4 * * 5-0", ["Fri,Sat,Sun *-*-* 04:05:00 America/New_York"]),
        ("5 4 * * mon", ["Mon *-*-* 04:05:00 America/New_York"]),
        # Debian's cron: either will do.
        ("30 4 1 * 1", ["Mon *-*-* 04:30:00 America/New_York", "*-*-01 04:30:00 America/New_York"]),
        # Unless one begins with a star: both.
        ("30 4 */2 * 1", [f"Mon *-*-{','.join(f'{day:02}' for day in range(1, 32, 2))} 04:30:00 America/New_York"]),
    ],
)
def test_fields_as_events_of_systemd(expression: str, events: list[str]) -> None:
    assert on_calendar(expression, NEW_YORK) == events


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("expression", ["30 4 * * 2-6", "0,30 */12 * * *", "30 4 1 * 1", "* * 1 1-2 *"])
def test_systemd_reads_the_events(expression: str) -> None:
    subprocess.run(["systemd-analyze", "calendar", *on_calendar(expression, NEW_YORK)], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("expression", "minutes", "expected"),
    [
        ("30 4 * * 2-6", 0, "30 4 * * 2-6"),
        ("30 4 * * 2-6", 300, "30 9 * * 2-6"),
        ("30 22 * * 1-5", 300, "30 3 * * 2-6"),
        ("30 2 * * 1-5", -180, "30 23 * * 0-4"),
        ("30 22 * * 6", 300, "30 3 * * 0"),
        ("30 4 * * *", 1200, "30 0 * * *"),
        ("15 4 * * 1", 345, "0 10 * * 1"),
        ("0,30 4 * * 1", 60, "0,30 5 * * 1"),
        ("0 4 1 * *", 60, "0 5 1 * *"),
    ],
)
def test_fields_on_other_clocks(expression: str, minutes: int, expected: str) -> None:
    assert local_fields(expression, minutes) == expected
    start = datetime(2026, 2, 1, tzinfo=UTC)
    there, here = by_cron(expression, ZoneInfo("UTC")), by_cron(expected, ZoneInfo("UTC"))
    moment = start
    for _ in range(20):
        moment = there.after(moment)
        assert here.after(moment + timedelta(minutes=minutes, seconds=-1)) == moment + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("expression", "minutes"), [("30 22 1 * *", 300), ("0,30 4 * * 1", 45), ("0 4,22 * * 1", 300), ("0 22 * 1 1", 300)]
)
def test_what_no_five_fields_say_on_other_clocks_is_refused(expression: str, minutes: int) -> None:
    with pytest.raises(UsageError, match="on the clocks of this machine that is no set of five fields"):
        local_fields(expression, minutes)


@pytest.mark.parametrize("expression", ["30 4 L * *", "30 4 * * 1#2", "30 4 * * 5L", "30 4 * *", "61 4 * * *"])
def test_what_a_scheduler_cannot_read_is_refused(expression: str) -> None:
    with pytest.raises(UsageError):
        on_calendar(expression, NEW_YORK)


def test_an_entry_by_fields() -> None:
    made = Entry("s", ("/p",), "/srv", 4, 30, NEW_YORK, "30 4 * * 2-6")
    at = local_time(made, ZoneInfo(NEW_YORK), datetime(2026, 2, 7, tzinfo=UTC), ZoneInfo("UTC"))
    # Five hours in winter, four in summer: never too early.
    assert at == LocalTime(0, 0, 60, "30 9 * * 2-6")
    assert cron(made, at, None) == "30 9 * * 2-6 cd /srv && /p\n"
    assert systemd_timer(made).splitlines()[1:5] == [
        'Description=By cron "30 4 * * 2-6" America/New_York (s)', "", "[Timer]",
        "OnCalendar=Tue,Wed,Thu,Fri,Sat *-*-* 04:30:00 America/New_York",
    ]  # fmt: skip


def test_cron_and_systemd_take_fields_and_the_others_say_why_not() -> None:
    fields = ("--cron", "30 4 * * 2-6", "--tz", "UTC")
    assert command("schedule", "--install", "cron", *fields, env={"TZ": "UTC"}).stdout.startswith("30 4 * * 2-6 cd ")
    assert "OnCalendar=Tue,Wed,Thu,Fri,Sat *-*-* 04:30:00 UTC\n" in installed("systemd", *fields).stdout
    for kind in ("launchd", "taskscheduler"):
        done = installed(kind, *fields)
        assert (done.returncode, f"{kind} has one time of day (--at), and no fields of cron." in done.stderr) == (
            2,
            True,
        )
    for more in (("--cron", "30 4 * * *", "--at", "04:30"), ("--catch-up", "3"), ("--uninstall", "cron")):
        assert installed("cron", *more).returncode == 2


# Units of the system


@posix_only
def test_a_unit_of_the_system_runs_as_the_owner_of_the_folder_when_there_is_a_network() -> None:
    done = installed("systemd", "--system")
    assert done.returncode == 0
    assert re.findall(r"^# (\S+)$", done.stdout, re.MULTILINE) == [
        "/etc/systemd/system/stockpipe-stocks.service", "/etc/systemd/system/stockpipe-stocks.timer",
    ]  # fmt: skip
    for line in (f"User={getpass.getuser()}", "Wants=network-online.target", "After=network-online.target"):
        assert f"\n{line}\n" in done.stdout
    assert "journalctl -u stockpipe-stocks.service" in done.stderr
    assert "--uninstall systemd --system" in done.stderr
    assert "enable-linger" not in done.stderr


@posix_only
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has the system's units by default"
)
def test_root_gets_units_of_the_system() -> None:
    printed = command("schedule", "--install", "systemd").stdout
    assert ("/etc/systemd/system/" in printed, "\nUser=" in printed) == (True, True)


def test_a_units_user_is_written_only_for_the_system() -> None:
    made = entry("/srv/stock pipe")
    assert "User=" not in systemd_service(made)
    assert "network-online" not in systemd_service(made)


def test_another_systems_scheduler_is_told() -> None:
    told = "is not a scheduler of this system; the paths and the time are those of this machine."
    kinds = [kind for kind in install.KINDS if told in installed(kind).stderr]
    here = {
        "linux": ["launchd", "taskscheduler"],
        "darwin": ["systemd", "taskscheduler"],
        "win32": ["cron", "systemd", "launchd"],
    }
    assert kinds == here[sys.platform]


# Taking it out


@posix_only
def test_what_write_put_in_place_uninstall_takes_out() -> None:
    for kind, forget in (
        ("systemd", "systemctl --user stop stockpipe-stocks.timer; systemctl --user daemon-reload"),
        ("launchd", "launchctl bootout gui/$(id -u)/stockpipe-stocks"),
        ("taskscheduler", "schtasks /Delete /TN stockpipe-stocks /F"),
    ):
        assert installed(kind, "--write").returncode == 0
        assert list(Path().rglob("stockpipe-stocks.*"))
        done = installed(kind, how="--uninstall")
        assert (done.returncode, f"Next: {forget}\n" in done.stderr) == (0, True), done.stderr
        assert list(Path().rglob("stockpipe-stocks.*")) == []
        again = installed(kind, how="--uninstall")
        assert (again.returncode, again.stderr) == (
            0, f"There is no entry stockpipe-stocks for {kind}: nothing was removed.\n",
        )  # fmt: skip


@posix_only
def test_uninstall_takes_our_line_out_of_the_crontab_and_no_other(tmp_path: Path) -> None:
    crontab = tmp_path / "table"
    crontab.write_text("0 1 * * * mine\n")
    for market in ("stocks", "crypto"):
        with_crontab(tmp_path, "--write", "--market", market)
    with_crontab(tmp_path, "--market", "stocks", how="--uninstall")
    lines = [line for line in crontab.read_text().splitlines() if line[0] != "#"]
    assert [line.split(" ")[1] for line in lines] == ["1", "9"]
    assert "stockpipe-crypto" in lines[1]
    done = with_crontab(tmp_path, "--market", "stocks", how="--uninstall")
    assert "There is no entry stockpipe-stocks for cron" in done.stderr


def test_a_line_put_in_and_taken_out_leaves_the_crontab_as_it_was() -> None:
    before = "MAILTO=me\n0 1 * * * mine\n"
    assert without_line(with_line(before, "new\n", "stockpipe-stocks"), "stockpipe-stocks") == before


@posix_only
def test_a_file_that_may_not_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "SYSTEM_UNITS", tmp_path)
    (tmp_path / "stockpipe-stocks.timer").mkdir()
    with pytest.raises(ConfigError, match="cannot be removed"):
        remove("systemd", "stockpipe-stocks", tmp_path, system=True)
