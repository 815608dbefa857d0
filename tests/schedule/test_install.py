"""Entries for the schedulers of a machine: each is read back by the scheduler's own tool, or by its published rules."""

from __future__ import annotations

import json
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from conftest import Serve, command, flags, many, table
from stockpipe.errors import UsageError
from stockpipe.schedule.entries import (
    Entry,
    LocalTime,
    cron,
    launchd,
    local_time,
    systemd_service,
    systemd_timer,
    task_scheduler,
)
from stockpipe.schedule.install import own_command, with_line
from support.entries import entry, installed, posix_only, with_crontab

ODD = 'it\'s 100% "a" $HOME & <b>'
NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
HALF_PAST_FOUR = LocalTime(4, 30)


def odd_entry(tmp_path: Path) -> tuple[Entry, Path]:
    """An entry in a folder with every awkward character, whose program writes down what it was called with."""
    folder = tmp_path / ODD
    folder.mkdir()
    program = folder / "run me"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "open('got.json', 'w').write(json.dumps([os.getcwd(), *sys.argv[1:]]))\n"
    )
    program.chmod(0o755)
    arguments = (str(program), "--env-file", str(folder / ".env"), "$HOME", "%h", "a;b", "")
    return entry(str(folder), *arguments), folder / "got.json"


# --- the time ---


@pytest.mark.parametrize(
    ("tz", "local", "expected"),
    [
        ("America/New_York", "America/New_York", LocalTime(4, 30, 0)),
        ("America/New_York", "America/Chicago", LocalTime(3, 30, 0)),
        # Europe changes its clocks two weeks after America in spring, and a week before it in autumn.
        ("America/New_York", "Europe/Berlin", LocalTime(10, 30, 60)),
        # 08:30 in summer and 09:30 in winter: the later of both.
        ("America/New_York", "UTC", LocalTime(9, 30, 60)),
        ("America/New_York", "Asia/Kolkata", LocalTime(15, 0, 60)),
        ("Asia/Tokyo", "America/Los_Angeles", LocalTime(12, 30, 60)),
        ("UTC", "Asia/Kathmandu", LocalTime(10, 15, 0)),
    ],
)
def test_a_time_elsewhere_is_never_written_too_early(tz: str, local: str, expected: LocalTime) -> None:
    assert local_time(entry(tz=tz), ZoneInfo(tz), NOW, ZoneInfo(local)) == expected


def test_on_every_day_of_two_years_the_written_time_is_at_or_after_the_asked_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = local_time(entry(), NEW_YORK, NOW, berlin)
    starts = [
        datetime(2026 + n // 365, 1 + n // 31 % 12, 1 + n % 28, at.hour, at.minute, tzinfo=berlin) for n in range(730)
    ]
    times = {start.astimezone(NEW_YORK).strftime("%H:%M") for start in starts}
    assert times == {"04:30", "05:30"}


# --- cron ---


def test_the_line_for_cron() -> None:
    assert cron(entry(), HALF_PAST_FOUR, "/usr/bin/flock") == (
        "30 4 * * * cd '/srv/stock pipe' && /usr/bin/flock -n '/srv/stock pipe/stockpipe-stocks.lock' "
        "/srv/python -m stockpipe run\n"
    )
    assert cron(entry(), LocalTime(0, 5), None) == "5 0 * * * cd '/srv/stock pipe' && /srv/python -m stockpipe run\n"


def as_cron_runs_it(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line as cron does: five fields of time, then a command for sh, in which `\\%` is a per cent sign."""
    text = line.rstrip("\n").split(" ", 5)[5]
    assert re.search(r"(?<!\\)%", text) is None
    return subprocess.run(["/bin/sh", "-c", text.replace("\\%", "%")], capture_output=True, text=True, env={}, cwd="/")


@posix_only
@pytest.mark.parametrize("flock", [None, shutil.which("flock")])
def test_cron_starts_the_command_with_its_arguments_as_they_are(tmp_path: Path, flock: str | None) -> None:
    odd, got = odd_entry(tmp_path)
    done = as_cron_runs_it(cron(odd, HALF_PAST_FOUR, flock))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(got.read_text()) == [str(got.parent), *odd.command[1:]]


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not on this machine")
def test_a_load_that_still_runs_keeps_the_next_from_starting(tmp_path: Path) -> None:
    import fcntl

    odd, got = odd_entry(tmp_path)
    with (got.parent / "stockpipe-stocks.lock").open("w") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        assert as_cron_runs_it(cron(odd, HALF_PAST_FOUR, shutil.which("flock"))).returncode == 1
    assert not got.exists()


@pytest.mark.parametrize("folder", ["/srv/a\nb", "/srv/a\\b", "/srv/\x00"])
@pytest.mark.parametrize("write", [lambda made: cron(made, HALF_PAST_FOUR, None), systemd_service])
def test_a_path_that_cannot_be_written_down_is_refused(folder: str, write: object) -> None:
    assert callable(write)
    with pytest.raises(UsageError, match="a backslash or a control character"):
        write(entry(folder))


# --- the crontab ---

MARKER = "# stockpipe-stocks: written by stockpipe schedule --install cron; the next line is replaced by it\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{MARKER}new\n"),
        ("MAILTO=me\n0 1 * * * mine", f"MAILTO=me\n0 1 * * * mine\n{MARKER}new\n"),
        (f"a\n{MARKER}old\nb\n", f"a\nb\n{MARKER}new\n"),
        (f"{MARKER}old", f"{MARKER}new\n"),
    ],
)
def test_a_crontab_keeps_its_own_lines_and_has_ours_once(before: str, after: str) -> None:
    assert with_line(before, "new\n", "stockpipe-stocks") == after
    assert with_line(after, "new\n", "stockpipe-stocks") == after


@posix_only
def test_write_adds_one_line_to_the_crontab_however_often(tmp_path: Path) -> None:
    crontab = tmp_path / "table"
    crontab.write_text("0 1 * * * mine\n")
    assert with_crontab(tmp_path, "--write").returncode == 0
    done = with_crontab(tmp_path, "--write", "--at", "05:15")
    assert with_crontab(tmp_path, "--write", "--market", "crypto").returncode == 0
    lines = crontab.read_text().splitlines()
    assert [line.split(" ")[:2] for line in lines if line[0] != "#"] == [["0", "1"], ["15", "10"], ["30", "9"]]
    assert lines[1] == MARKER.strip()
    assert done.stdout == ""
    assert "Wrote the crontab.\n" in done.stderr
    assert "05:15 America/New_York is written as 10:15 here, up to 60 minutes later" in done.stderr
    assert (tmp_path / "logs").is_dir()


@posix_only
def test_a_crontab_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    done = with_crontab(tmp_path, "--write", COMPLAINT="you are not allowed to use this program")
    assert done.returncode == 3
    assert "Error: The crontab cannot be read: you are not allowed to use this program." in done.stderr
    assert not (tmp_path / "table").exists()


# --- systemd ---

verify = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")


def test_the_units_for_systemd() -> None:
    assert systemd_service(entry()) == (
        "[Unit]\nDescription=Load the day into the warehouse (stockpipe-stocks)\n\n"
        "[Service]\nType=oneshot\nWorkingDirectory=/srv/stock pipe\n"
        'ExecStart=:"/srv/python" "-m" "stockpipe" "run"\n'
    )
    assert systemd_timer(entry()) == (
        "[Unit]\nDescription=Daily at 04:30 America/New_York (stockpipe-stocks)\n\n"
        "[Timer]\nOnCalendar=*-*-* 04:30:00 America/New_York\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def analyzed(tmp_path: Path, made: Entry) -> subprocess.CompletedProcess[str]:
    """What `systemd-analyze verify` says of an entry's two units, and with them how it understands the service."""
    units = tmp_path / "units"
    units.mkdir(exist_ok=True)
    for kind, text in (("service", systemd_service(made)), ("timer", systemd_timer(made))):
        (units / f"{made.name}.{kind}").write_text(text)
    env = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_LOG_LEVEL": "debug"}
    files = [str(units / f"{made.name}.{kind}") for kind in ("timer", "service")]
    return subprocess.run(
        ["systemd-analyze", "verify", "--user", *files], capture_output=True, text=True, env=env, errors="replace"
    )


@verify
def test_systemd_finds_no_fault_and_reads_every_path_as_it_is(tmp_path: Path) -> None:
    odd, _ = odd_entry(tmp_path)
    done = analyzed(tmp_path, odd)
    assert done.returncode == 0
    said = done.stdout + done.stderr
    assert re.search(r"(ignoring|Failed to parse|Unknown|not executable)", said) is None
    assert f"WorkingDirectory: {odd.folder}\n" in said
    line = re.search(r"Command Line: (.*)", said)
    assert line
    if "\\$" in line[1]:  # older ones print it without quotes
        assert shlex.split(line[1].replace("\\$", "$")) == ["/bin/sh", "-c", 'exec "$0" "$@"', *odd.command]


@verify
@pytest.mark.parametrize("broken", [entry("/srv", "/nowhere/python"), entry("/srv", "/bin/sh", tz="America/Nowhere")])
def test_systemd_would_find_a_fault(tmp_path: Path, broken: Entry) -> None:
    assert analyzed(tmp_path, broken).returncode != 0


# --- launchd ---


def test_the_property_list_for_launchd() -> None:
    folder = f"/Users/me/{ODD}"
    text = launchd(entry(folder, f"{folder}/python", "$HOME"), HALF_PAST_FOUR, f"{folder}/errors")
    assert plistlib.loads(text.encode()) == {
        "Label": "stockpipe-stocks",
        "ProgramArguments": [f"{folder}/python", "$HOME"],
        "WorkingDirectory": folder,
        "StartCalendarInterval": {"Hour": 4, "Minute": 30},
        "StandardErrorPath": f"{folder}/errors",
    }


# --- the Task Scheduler ---

# The schema, as far as it is used (MS-TSCH, section 2.5): the children of an element, whether each must be there, and
# whether their order counts (xs:sequence) or not (xs:all).
CHILDREN: dict[str, tuple[bool, dict[str, bool]]] = {
    "Task": (False, {"RegistrationInfo": False, "Triggers": False, "Principals": False, "Settings": False, "Actions": True}),
    "RegistrationInfo": (False, {"Description": False}),
    "Triggers": (True, {"CalendarTrigger": False}),
    "CalendarTrigger": (True, {"Enabled": False, "StartBoundary": False, "EndBoundary": False, "ScheduleByDay": True}),
    "ScheduleByDay": (False, {"DaysInterval": False}),
    "Principals": (True, {"Principal": True}),
    "Principal": (False, {"UserId": False, "LogonType": False, "RunLevel": False}),
    "Settings": (
        False,
        {
            "MultipleInstancesPolicy": False,
            "DisallowStartIfOnBatteries": False,
            "StopIfGoingOnBatteries": False,
            "StartWhenAvailable": False,
            "ExecutionTimeLimit": False,
        },
    ),
    "Actions": (True, {"Exec": True}),
    "Exec": (False, {"Command": True, "Arguments": False, "WorkingDirectory": False}),
}  # fmt: skip
TEXTS = {
    "StartBoundary": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "DaysInterval": r"[1-9]\d?",
    "LogonType": "S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "RunLevel": "LeastPrivilege|HighestAvailable",
    "MultipleInstancesPolicy": "Parallel|Queue|IgnoreNew|StopExisting",
    "DisallowStartIfOnBatteries": "true|false",
    "StopIfGoingOnBatteries": "true|false",
    "StartWhenAvailable": "true|false",
    "ExecutionTimeLimit": r"PT\d+S",
    "Command": r".{1,260}",
    "Arguments": r".*",
    "WorkingDirectory": r".{1,260}",
    "Description": r".+",
}
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def parsed(text: str) -> ElementTree.Element:
    """The task in a text of our own making, read as Windows reads it: as UTF-16."""
    return ElementTree.fromstring(text.encode("utf-16"))  # noqa: S314


def follow_the_schema(element: ElementTree.Element) -> None:
    """Fail where an element is not what the schema asks for."""
    assert element.tag.startswith(NAMESPACE)
    name = element.tag.removeprefix(NAMESPACE)
    children = [child.tag.removeprefix(NAMESPACE) for child in element]
    if name not in CHILDREN:
        assert not children
        assert re.fullmatch(TEXTS[name], element.text or "")
        return
    ordered, allowed = CHILDREN[name]
    assert set(children) <= set(allowed)
    assert len(set(children)) == len(children)
    assert {child for child, must in allowed.items() if must} <= set(children)
    assert not ordered or children == [child for child in allowed if child in children]
    for child in element:
        follow_the_schema(child)


def test_the_task_for_windows_follows_its_schema() -> None:
    folder = 'C:\\Users\\me & <you>\\100% stock\'s "pipe"'
    made = entry(folder, f"{folder}\\python.exe", "-m", "stockpipe", f"--log-file={folder}\\x\\")
    task = parsed(task_scheduler(made, HALF_PAST_FOUR, NOW))
    follow_the_schema(task)
    found = {element.tag.removeprefix(NAMESPACE): element.text for element in task.iter()}
    assert found["Command"] == 'C:\\Users\\me & <you>\\100% stock\'s "pipe"\\python.exe'
    assert found["Arguments"] == ('-m stockpipe "--log-file=C:\\Users\\me & <you>\\100% stock\'s \\"pipe\\"\\x\\\\"')
    assert (found["WorkingDirectory"], found["StartBoundary"]) == (folder, "2026-02-07T04:30:00")
    assert (found["MultipleInstancesPolicy"], found["StartWhenAvailable"]) == ("IgnoreNew", "true")
    assert (task.get("version"), task.find(f"{NAMESPACE}Actions").get("Context")) == ("1.2", "Author")  # type: ignore[union-attr]
    assert task.find(f"{NAMESPACE}Principals/{NAMESPACE}Principal").get("id") == "Author"  # type: ignore[union-attr]


@pytest.mark.parametrize("folder", ["C:\\%TEMP%\\x", "C:\\$(Arg0)", "C:\\a\nb"])
def test_what_the_task_scheduler_would_replace_is_refused(folder: str) -> None:
    with pytest.raises(UsageError, match="cannot be written in a task"):
        task_scheduler(entry(folder), HALF_PAST_FOUR, NOW)


# --- the command ---


def test_everything_in_an_entry_is_absolute(tmp_path: Path) -> None:
    (tmp_path / "my.env").write_text("")
    done = installed(
        "launchd", "--market", "crypto", "--active", "both", "--env-file", "my.env", "--log-file", "out/my.log",
        "--warehouse", "duckdb", "--duckdb-path", "data/x.duckdb",
    )  # fmt: skip
    found = plistlib.loads(done.stdout.encode())
    assert found["Label"] == "stockpipe-crypto-both"
    assert found["WorkingDirectory"] == str(tmp_path)
    assert found["ProgramArguments"] == [
        sys.executable, "-m", "stockpipe", "run", "--quiet", "--market", "crypto", "--active", "both",
        "--env-file", str(tmp_path / "my.env"), "--log-file", str(tmp_path / "out" / "my.log"),
        "--warehouse", "duckdb", "--duckdb-path", str(tmp_path / "data" / "x.duckdb"),
    ]  # fmt: skip
    assert f"settings are read from {tmp_path / 'my.env'}" in done.stderr


@pytest.mark.parametrize(
    ("kind", "dataset", "option", "value"),
    [
        ("cron", "market_snapshot", "--keep", "all"),
        ("systemd", "splits", "--since", "2026-01-01"),
        ("launchd", "daily_bars", "--otc", "true"),
        ("taskscheduler", "market_snapshot", "--keep", "all"),
    ],
)
def test_every_option_of_a_load_is_in_its_entry(kind: str, dataset: str, option: str, value: str) -> None:
    done = installed(kind, "--dataset", dataset, option, value)
    words = re.sub(r'(</?string>|\s|")+', " ", done.stdout)
    assert f"--dataset {dataset} {option} {value} --env-file" in words


def test_an_option_that_the_dataset_does_not_have_is_no_entry() -> None:
    done = command("schedule", "--install", "cron", "--dataset", "splits", "--keep", "all")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Pulls of splits are not kept apart: a day is one list." in done.stderr


@posix_only
def test_the_line_for_cron_loads_the_day_with_nothing_but_its_files(serve: Serve) -> None:
    # A list of an earlier build would be warned about, and cron mails what it sees.
    fresh = [row | {"last_updated_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} for row in many(7)]
    Path(".env").write_text("".join(f"{name}={text}\n" for name, text in flags(serve(fresh)).items()))
    Path(".env").chmod(0o600)
    line = command("schedule", "--install", "cron").stdout
    done = as_cron_runs_it(line)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert table("SELECT count(*) FROM TICKERS") == [(7,)]
    assert "Successfully ingested 7 tickers into TICKERS" in Path("logs/stockpipe-stocks.log").read_text()


def test_the_task_for_windows_starts_the_load() -> None:
    found = {
        element.tag.removeprefix(NAMESPACE): element.text
        for element in parsed(installed("taskscheduler").stdout).iter()
    }
    line = f"{subprocess.list2cmdline([str(found['Command'])])} {found['Arguments']} --help"
    done = subprocess.run(line if sys.platform == "win32" else shlex.split(line), capture_output=True, text=True)
    assert (done.returncode, done.stdout.startswith("Usage: python -m stockpipe run")) == (0, True)
    assert own_command() == (sys.executable, "-m", "stockpipe", "run")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "files", "following"),
    [
        pytest.param(
            "systemd",
            [".config/systemd/user/stockpipe-stocks.service", ".config/systemd/user/stockpipe-stocks.timer"],
            "systemctl --user daemon-reload && systemctl --user enable --now stockpipe-stocks.timer",
            marks=posix_only,
        ),
        ("launchd", ["Library/LaunchAgents/stockpipe-stocks.plist"], "launchctl bootstrap gui/$(id -u) "),
        ("taskscheduler", ["stockpipe-stocks.xml"], "schtasks /Create /TN stockpipe-stocks /XML "),
    ],
)
def test_write_puts_the_files_in_place_and_says_what_follows(kind: str, files: list[str], following: str) -> None:
    for _ in range(2):
        done = installed(kind, "--write")
        assert (done.returncode, done.stdout) == (0, "")
    assert sorted(path.relative_to(Path.cwd()).as_posix() for path in Path().resolve().rglob("stockpipe-*")) == files
    assert [f"Wrote {Path.cwd() / file}" in done.stderr for file in files] == [True] * len(files)
    assert following in done.stderr
    assert Path("logs").is_dir()
    printed = installed(kind).stdout
    encoding = "utf-16" if kind == "taskscheduler" else "utf-8"
    assert all(Path(file).read_text(encoding=encoding) in printed for file in files)


def test_the_task_file_is_what_schtasks_reads() -> None:
    installed("taskscheduler", "--write")
    assert Path("stockpipe-stocks.xml").read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
    follow_the_schema(ElementTree.fromstring(Path("stockpipe-stocks.xml").read_bytes()))  # noqa: S314


@posix_only
def test_a_place_that_cannot_be_written_is_named() -> None:
    Path("Library").write_text("not a folder")
    done = installed("launchd", "--write")
    assert done.returncode == 3
    assert "Library/LaunchAgents/stockpipe-stocks.plist cannot be written: Not a directory." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--write",), "Error: --write goes with --install."),
        (("--install", "cron", "--at", "25:00"), "Error: '25:00' is not a time of day."),
        (("--install", "cron", "--tz", "Mars/Base"), "Error: There is no time zone 'Mars/Base'."),
        (("--install", "anacron"), "'anacron' is not one of"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...], message: str) -> None:
    done = command("schedule", *arguments)
    assert (done.returncode, message in done.stderr) == (2, True)


def test_a_note_says_that_the_settings_file_is_missing() -> None:
    assert ".env is not there yet" in installed("launchd").stderr
