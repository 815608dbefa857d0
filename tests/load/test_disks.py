"""Full disks, folders that cannot be written, and what killed runs leave there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from stockpipe.base import folders
from stockpipe.base.folders import WorkFolder
from stockpipe.errors import ConfigError, WarehouseError
from stockpipe.load.staging import Staging
from support.disks import Disk
from support.loads import partition

pytestmark = pytest.mark.slow

DAY = "2026-02-06"
STATUS = "SELECT STATUS, ERROR FROM STOCKPIPE_RUNS ORDER BY STARTED_UTC, RUN_ID"


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files of the test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


@pytest.mark.parametrize("kib", [300, 600, 1000, 1400, 2000])
def test_a_full_disk_under_the_duckdb_file(serve: Serve, disk: Disk, kib: int) -> None:
    place = disk(kib)
    settings = flags(serve([stock(f"T{n:05}", name=os.urandom(200).hex()) for n in range(9000)]))
    settings |= {"STOCKPIPE_DUCKDB_PATH": str(place / "day.duckdb")}
    with pytest.raises(WarehouseError) as caught:
        stockpipe.load(on=DAY, settings=settings)
    assert caught.value.message.startswith(f"There is no space left on the disk of {place / 'day.duckdb'}: ")
    assert f"MB are free in {place}, and about " in caught.value.message
    assert "STOCKPIPE_DUCKDB_PATH" in caught.value.hint
    disk(64_000)
    assert stockpipe.load(on=DAY, settings=settings).rows == 9000


def test_days_published_before_stay_and_the_failure_is_recorded_where_there_is_room(serve: Serve, disk: Disk) -> None:
    place = disk(3000)
    path = place / "day.duckdb"
    stockpipe.load(on="2026-02-05", settings=flags(serve(many(20)), STOCKPIPE_DUCKDB_PATH=str(path)))
    larger = serve([stock(f"T{n:05}", name=os.urandom(200).hex()) for n in range(20_000)])
    done = command("run", "--date", DAY, "--force", env=flags(larger, STOCKPIPE_DUCKDB_PATH=str(path)))
    assert (done.returncode, "Traceback" in done.stderr) == (6, False)
    assert "There is no space left on the disk of" in done.stderr
    assert table("SELECT DS::VARCHAR, count(*) FROM TICKERS GROUP BY 1", str(path)) == [("2026-02-05", 20)]
    assert table(STATUS, str(path)) == [("published", None), ("failed", "WarehouseError")]


@pytest.mark.parametrize("kib", [4, 16, 64, 256, 512, 1000, 1500])
def test_a_full_disk_under_the_temporary_folder(
    serve: Serve, disk: Disk, monkeypatch: pytest.MonkeyPatch, kib: int
) -> None:
    place = disk(kib)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    settings = flags(serve([stock(f"T{n:05}", name=os.urandom(200).hex()) for n in range(6000)]))
    with pytest.raises(ConfigError) as caught:
        stockpipe.load(on=DAY, settings=settings)
    assert caught.value.message.startswith(f"There is no space left for temporary files in {place}: ")
    assert "TMPDIR" in caught.value.hint
    assert table(STATUS) == [("failed", "ConfigError")]
    assert list(place.iterdir()) == []


def test_no_folder_for_temporary_files(serve: Serve, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    place = disk(64, "ro")
    settings = flags(serve(many(5)))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with pytest.raises(ConfigError, match=r"No temporary files can be written in .*Read-only file system"):
        stockpipe.load(on=DAY, settings=settings)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(place)])
    with pytest.raises(
        ConfigError, match="There is no folder for temporary files: No usable temporary directory"
    ) as caught:
        stockpipe.load(on=DAY, settings=settings)
    assert "TMPDIR" in caught.value.hint
    assert table(STATUS) == [("failed", "ConfigError")] * 2


def test_a_read_only_folder_for_the_duckdb_file(serve: Serve, disk: Disk) -> None:
    place = disk(64, "ro")
    with pytest.raises(WarehouseError, match="cannot be opened or created: Read-only file system"):
        stockpipe.load(on=DAY, settings=flags(serve(many(5)), STOCKPIPE_DUCKDB_PATH=str(place / "day.duckdb")))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_to_a_full_disk_or_over_one(serve: Serve, disk: Disk, form: str) -> None:
    stockpipe.load(on=DAY, settings=flags(serve([stock(f"T{n:05}", name=os.urandom(200).hex()) for n in range(2000)])))
    place = disk(300)
    done = command("export", "--date", DAY, str(place / f"day.{form}"))
    assert (done.returncode, "cannot be written: No space left on device" in done.stderr) == (2, True)
    done = command("export", "--date", DAY, "--format", form, "-", env={"TMPDIR": str(place)})
    assert (done.returncode, "There is no space left for temporary files in" in done.stderr) == (3, True)
    assert list(place.iterdir()) == []


def test_the_second_error_never_hides_the_first(serve: Serve, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    place = disk(4000)
    settings = {"STOCKPIPE_DUCKDB_PATH": str(place / "day.duckdb")}
    stockpipe.load(on="2026-02-05", settings=flags(serve(many(5))) | settings)

    def nothing_can_be_written(answer: Any) -> Any:
        disk(4000, "ro")
        return answer

    broken = serve(many(5), wrap=lambda answer: lambda *asked: nothing_can_be_written(answer(*asked)))
    with pytest.raises(WarehouseError) as caught:
        stockpipe.load(on=DAY, settings=flags(broken) | settings)
    assert "Read-only file system" in caught.value.message
    assert "The failed run could not be recorded: " in caplog.text


def killed_while_fetching(settings: dict[str, str], number: int) -> None:
    """A run that is killed when its temporary folder exists."""
    folder = Path(os.environ["TMPDIR"])
    before = set(folder.glob("stockpipe-*/rows"))
    process = subprocess.Popen(
        [sys.executable, "-m", "stockpipe", "run", "--date", DAY], env=os.environ | settings,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(2000):
        if set(folder.glob("stockpipe-*/rows")) - before or process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(number)
    process.wait(timeout=30)


def test_what_a_killed_run_leaves_is_taken_away_by_a_later_one(serve: Serve, temporary: Path) -> None:
    slow = flags(serve(many(20), latency=5.0))
    killed_while_fetching(slow, signal.SIGKILL)
    assert len(list(temporary.iterdir())) == 1
    foreign = temporary / "stockpipe-data"
    foreign.mkdir()
    likewise = temporary / "stockpipe-abcdefgh"
    likewise.mkdir()
    (likewise / "notes.txt").write_text("mine", encoding="utf-8")
    with WorkFolder() as alive:
        assert stockpipe.load(on=DAY, settings=flags(serve(many(20)))).rows == 20
        assert set(temporary.iterdir()) == {foreign, likewise, alive.path}
    assert set(temporary.iterdir()) == {foreign, likewise}


def test_a_folder_of_a_live_process_is_never_taken_away(serve: Serve, temporary: Path) -> None:
    script = "import sys; from stockpipe.base.folders import WorkFolder; f = WorkFolder(); print(f.path, flush=True); sys.stdin.read()"
    alive = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert alive.stdin is not None
    assert alive.stdout is not None
    path = Path(alive.stdout.readline().strip())
    stockpipe.load(on=DAY, settings=flags(serve(many(20))))
    assert path.is_dir()
    alive.stdin.close()
    alive.wait(timeout=20)
    assert list(temporary.iterdir()) == []


def test_at_most_twenty_are_taken_away_at_once(temporary: Path) -> None:
    for number in range(25):
        (temporary / f"stockpipe-{number:08}").mkdir()
        (temporary / f"stockpipe-{number:08}" / "lock").touch()
    with WorkFolder():
        assert len(list(temporary.iterdir())) == 6
    with WorkFolder():
        assert len(list(temporary.iterdir())) == 1


def test_a_folder_of_an_older_version_is_taken_away_after_a_day(temporary: Path) -> None:
    old, young = temporary / "stockpipe-aaaaaaaa", temporary / "stockpipe-bbbbbbbb"
    for folder in (old, young):
        (folder / "chunks").mkdir(parents=True)
    os.utime(old, (time.time() - 90_000, time.time() - 90_000))
    with WorkFolder() as own:
        assert set(temporary.iterdir()) == {young, own.path}


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_leaves_no_folder(serve: Serve, temporary: Path, number: int) -> None:
    killed_while_fetching(flags(serve(many(20), latency=5.0)), number)
    assert list(temporary.iterdir()) == []


def test_a_signal_while_a_folder_is_taken_away_leaves_none(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Any = shutil.rmtree
    came: list[Path] = []

    def interrupted(path: Path, **how: bool) -> None:
        if not came:
            came.append(path)
            raise KeyboardInterrupt
        real(path, **how)

    folder = WorkFolder()
    (folder.path / "rows").write_text("x", encoding="utf-8")
    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), folder:
        pass
    assert list(temporary.iterdir()) == []


def test_rejected_rows_are_handed_on_in_portions_of_bounded_size() -> None:
    row = json.dumps({"ticker": "A", "name": "x" * 900_000})
    with Staging(partition()) as staging:
        staging.add(0, [row] * 9)
        staging.finish()
        portions = [[len(raw) for *_, raw in batch] for batch in staging.rejects("a-run")]
    assert sum(map(len, portions)) == 9
    assert max(map(sum, portions)) < 3_200_000


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no file that is open")
def test_a_folder_that_is_just_being_made_is_not_taken_for_abandoned(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run looks at the folder when its lock is there and not held yet."""
    real = folders._lock

    def lock(handle: int) -> None:
        monkeypatch.setattr(folders, "_lock", real)
        folders.take_away_abandoned(temporary)
        real(handle)

    monkeypatch.setattr(folders, "_lock", lock)
    with WorkFolder() as folder:
        assert folder.path.is_dir()
        assert [file.name for file in folder.path.iterdir()] == ["lock"]
