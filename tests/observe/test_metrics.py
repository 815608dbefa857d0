"""The metrics file, read with Prometheus' own parser."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Serve, command, flags, many
from stockpipe.observe.metrics import MetricsFile, joined, render, success_in, write
from stockpipe.warehouse.runs import RunRecord, RunStatus
from support.metrics import STOCKS, samples, values

START = datetime(2026, 2, 7, 9, 30, tzinfo=UTC)


def run(status: RunStatus = "published", *, active: bool = True, seconds: float = 4.5, **changes: Any) -> RunRecord:
    """The record of an invented run of 4.5 seconds."""
    numbers: dict[str, Any] = {
        "rows_fetched": 12390, "rows_published": 12380, "rows_rejected": 7, "rows_repeated": 3, "pages": 13, "calls": 15,
        "retries": 2, "waited_seconds": 0.25, "build_date": date(2026, 2, 6),
    } | changes  # fmt: skip
    record = RunRecord("run", "tickers", "stocks", active, date(2026, 2, 7), START)
    return record.finished(status, START + timedelta(seconds=seconds), **numbers)


def test_a_good_run_in_numbers() -> None:
    assert values(render([run()], START), STOCKS) == {
        "rows_fetched": 12390,
        "rows_published": 12380,
        "rows_rejected": 7,
        "rows_repeated": 3,
        "pages": 13,
        "calls": 15,
        "retries": 2,
        "waited_seconds": 0.25,
        "duration_seconds": 4.5,
        "exit_status": 0,
        "last_run_timestamp_seconds": 1770456604.5,
        "build_age_seconds": 86400,
        "last_success_timestamp_seconds": 1770456600,
    }


def test_both_active_states_are_series_of_one_family() -> None:
    text = render([run(), run(active=False, rows_published=5, build_date=None)], None)
    assert values(text, STOCKS)["rows_published"] == 12380
    gone = values(text, STOCKS | {"active": "false"})
    assert gone["rows_published"] == 5
    assert {"build_age_seconds", "last_success_timestamp_seconds"} & set(gone) == set()
    assert text.count("# TYPE stockpipe_rows_published gauge") == 1


def test_a_failed_run_keeps_the_time_of_the_last_success(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    MetricsFile(path).update([run("published", seconds=1)])
    MetricsFile(path).update([run("refused", seconds=60, rows_published=0, error="DataCheckError")])
    MetricsFile(path).update([run("failed", seconds=90, rows_published=0, error="ApiError")])
    found = values(path.read_text(), STOCKS)
    assert found["last_success_timestamp_seconds"] == 1770456601
    assert found["last_run_timestamp_seconds"] == 1770456690
    assert (found["exit_status"], found["rows_published"]) == (5, 0)
    MetricsFile(path).update([run("unchanged", seconds=120)])
    assert values(path.read_text(), STOCKS)["last_success_timestamp_seconds"] == 1770456720


def test_a_file_of_several_lists_keeps_each_one_s_own_success_and_each_family_once(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    listed, delisted = run("published", seconds=1), run("published", seconds=2, active=False)
    for record in (listed, delisted):
        MetricsFile(path).update([record])  # each alone takes the file over
    both = MetricsFile(path)
    both.update([run("failed", seconds=60, error="ApiError")])
    both.update([run("unchanged", seconds=61, active=False)])
    both.update([run("failed", seconds=90, active=False, error="ApiError")])
    text = path.read_text()
    found, gone = values(text, STOCKS), values(text, STOCKS | {"active": "false"})
    assert (found["exit_status"], gone["exit_status"]) == (5, 5)
    assert "last_success_timestamp_seconds" not in found
    assert gone["last_success_timestamp_seconds"] == 1770456661
    assert text.count("# HELP stockpipe_exit_status ") == text.count("# TYPE stockpipe_exit_status ") == 1
    assert joined([text]) == text


def test_a_first_failure_knows_no_success(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    MetricsFile(path).update([run("failed", error="WarehouseError")])
    assert "last_success_timestamp_seconds" not in values(path.read_text(), STOCKS)


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ("", None),
        ("no metrics at all", None),
        ('stockpipe_last_success_timestamp_seconds{dataset="tickers",market="crypto",active="true"} 1', None),
        ('stockpipe_last_success_timestamp_seconds{dataset="tickers",market="stocks",active="true"} NaN', None),
        (
            'stockpipe_last_success_timestamp_seconds{dataset="tickers",market="stocks",active="true"} 1770456600.5',
            datetime(2026, 2, 7, 9, 30, 0, 500000, tzinfo=UTC),
        ),
    ],
)
def test_only_the_time_of_the_same_series_is_kept(tmp_path: Path, old: str, expected: datetime | None) -> None:
    path = tmp_path / "stockpipe.prom"
    path.write_text(old)
    assert success_in(path.read_text(), [run("failed")]) == expected


def test_a_state_that_never_succeeded_is_not_given_the_time_of_the_other(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    MetricsFile(path).update([run()])
    assert success_in(path.read_text(), [run("failed"), run("failed", active=False)]) is None


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        ("published", None, 0),
        ("unchanged", None, 0),
        ("failed", None, 1),
        ("failed", "ConfigError", 3),
        ("failed", "AccessError", 4),
        ("failed", "CursorRefused", 5),
        ("failed", "WarehouseError", 6),
        ("refused", "DataCheckError", 7),
        ("interrupted", "Interrupted", 130),
        ("failed", "ZeroDivisionError", 1),
        ("failed", "signal", 1),
    ],
)
def test_the_exit_status_is_that_of_the_error(status: RunStatus, error: str | None, code: int) -> None:
    assert values(render([run(status, error=error)], None), STOCKS)["exit_status"] == code


def test_labels_are_escaped() -> None:
    record = RunRecord("run", 'a"b\\c\nd', "stocks", True, date(2026, 2, 7), START)
    labels = STOCKS | {"dataset": 'a"b\\c\nd'}
    assert values(render([record], None), labels)["rows_fetched"] == 0


def test_the_file_is_replaced_in_one_step_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    write(path, "old\n")
    old = path.open(encoding="utf-8")
    if sys.platform != "win32":
        write(path, "new\n")
        assert (old.read(), path.read_text()) == ("old\n", "new\n")
        assert path.stat().st_mode & 0o777 == 0o644
    old.close()
    assert os.listdir(tmp_path) == ["stockpipe.prom"]  # noqa: PTH208


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "stockpipe.prom"
    MetricsFile(path).update([run()])
    [entry] = caplog.records
    # Windows has another reason.
    assert entry.message.startswith(f"The metrics file {path} could not be written: ")


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "new" / "folder" / "stockpipe.prom").update([run()])
    text = (tmp_path / "new" / "folder" / "stockpipe.prom").read_text()
    assert values(text, STOCKS)["exit_status"] == 0


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "stockpipe.prom"
    path.mkdir()
    with pytest.raises(OSError, match="stockpipe"):
        write(path, "text\n")
    assert os.listdir(tmp_path) == ["stockpipe.prom"]  # noqa: PTH208


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")
def test_promtool_finds_no_fault() -> None:
    text = render([run(), run(active=False)], START, {"prepare": 0.1, "fetch": 3.0, "check": 0.01, "publish": 0.5})
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_seconds_of_each_phase_are_a_series_each() -> None:
    text = render([run(), run(active=False)], START, {"fetch": 3.25, "publish": 0.5})
    found = {labels: value for (name, labels), value in samples(text).items() if name == "stockpipe_phase_seconds"}
    assert found == {
        (("active", active), ("dataset", "tickers"), ("market", "stocks"), ("phase", phase)): value
        for active in ("true", "false")
        for phase, value in (("fetch", 3.25), ("publish", 0.5))
    }
    assert "stockpipe_phase_seconds" not in render([run()], START)


def test_an_exit_code_that_the_records_do_not_tell_is_given() -> None:
    record = run("interrupted", error="Interrupted")
    assert values(render([record], None, code=143), STOCKS)["exit_status"] == 143


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor pipes in its file system")
def test_a_metrics_file_keeps_its_mode_and_a_pipe_stays_a_pipe(serve: Serve) -> None:
    env = flags(serve(many(3)))
    Path("kept.prom").write_text("")
    Path("kept.prom").chmod(0o640)
    os.mkfifo("pipe.prom")
    Path("link.prom").symlink_to("kept.prom")
    kept, pipe = (
        command("run", "--metrics-file", "link.prom", env=env),
        command("run", "--metrics-file", "pipe.prom", env=env),
    )
    assert (kept.returncode, pipe.returncode) == (0, 0)
    assert (stat.S_IMODE(Path("kept.prom").stat().st_mode), Path("link.prom").is_symlink()) == (0o640, True)
    assert "stockpipe_rows_published" in Path("kept.prom").read_text()
    assert stat.S_ISFIFO(Path("pipe.prom").stat().st_mode)
    assert "The metrics file pipe.prom could not be written: No such device or address." in pipe.stderr
