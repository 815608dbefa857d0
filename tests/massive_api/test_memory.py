"""The file that is remembered between runs: a broken one costs some time, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many
from stockpipe.massive.memory import recall

TODAY = date(2026, 2, 7)
STATE = Path("stockpipe.duckdb.state.json")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000, b'{"a":' * 200_000, b'{"plans": {}, "x": ' + b"[" * 900 + b"]" * 900 + b"}", b"\xff\xfe", b"", b"null", b"[]",
        b'{"plans": 5, "ranges": [], "salt": {}}', b'{"salt": "\\ud800"}', b'{"salt": ' + b"9" * 5000 + b"}", b"NaN", b'{"plans": {"x": 1}}',
        b"x" * 20_000_000,
    ],
    ids=range(13),
)  # fmt: skip
def test_a_broken_state_file_costs_nothing_but_time(content: bytes) -> None:
    STATE.write_bytes(content)
    memory = recall(STATE)
    assert (memory.plan("key", TODAY), memory.starts("query", "[A-Z]+")) == ("auto", ())
    memory.learn_plan("key", "paid", TODAY)
    memory.keep()
    assert recall(STATE).plan("key", TODAY) == "paid"


def test_a_run_goes_on_with_a_broken_state_file(serve: Serve) -> None:
    STATE.write_bytes(b"[" * 200_000)
    assert command("run", env=flags(serve(many(3)), MASSIVE_PLAN="auto")).returncode == 0
    assert recall(STATE).starts("x", "[A-Z]+") == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in its file system")
def test_a_pipe_as_state_file_holds_nobody() -> None:
    os.mkfifo(STATE)
    memory = recall(STATE)
    memory.learn_plan("key", "paid", TODAY)
    memory.keep()
    assert stat.S_ISFIFO(STATE.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_disk_leaves_no_file_behind() -> None:
    STATE.write_text('{"salt": "old"}')
    # A limit on the size of files stands for the full disk.
    program = (
        "import resource, signal; from datetime import date; from pathlib import Path; from stockpipe.massive.memory import recall\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        f"memory = recall(Path({str(STATE)!r})); memory.learn_starts('query', ['AAAA', 'BBBB'] * 50); memory.keep()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name: path.read_text() for path in Path().iterdir()} == {STATE.name: '{"salt": "old"}'}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_state_file_is_private_and_an_existing_one_keeps_its_mode() -> None:
    memory = recall(STATE)
    memory.keep()
    assert stat.S_IMODE(STATE.stat().st_mode) == 0o600
    STATE.chmod(0o640)
    memory.keep()
    assert stat.S_IMODE(STATE.stat().st_mode) == 0o640


def test_the_last_calls_of_a_free_key_are_known_to_the_next_run(tmp_path: Path) -> None:
    now = datetime(2026, 2, 7, 9, 30, tzinfo=UTC)
    memory = recall(tmp_path / "state.json")
    memory.learn_calls("key", [50.0, 12.5], now)
    memory.keep()
    again = recall(tmp_path / "state.json")
    assert again.calls("key", now + timedelta(seconds=5)) == pytest.approx([55.0, 17.5])
    assert again.calls("key", now + timedelta(seconds=11)) == pytest.approx([23.5])
    # Of another key nothing, nor of calls that lie in the future: a clock was set back.
    assert (again.calls("other", now), again.calls("key", now - timedelta(hours=1))) == ([], [])


@pytest.mark.parametrize("known", [None, "x", {"a": 1}, [None, "1", True]])
def test_calls_that_make_no_sense_are_none(tmp_path: Path, known: object) -> None:
    memory = recall(tmp_path / "state.json")
    memory.learn_calls("key", [], datetime(2026, 2, 7, tzinfo=UTC))
    memory._facts["calls"] = dict.fromkeys(memory._facts["calls"], known)
    assert memory.calls("key", datetime(2026, 2, 7, tzinfo=UTC)) == []


def test_the_reach_of_a_plan_moves_on_each_day_and_is_asked_again_after_a_week(tmp_path: Path) -> None:
    memory = recall(tmp_path / "state.json")
    memory.learn_reach("key", "daily_bars", date(2024, 2, 6), TODAY)
    memory.learn_reach("key", "short_volume", date(2024, 2, 4), TODAY)
    memory.keep()
    again = recall(tmp_path / "state.json")
    found = [again.refused_until("key", "daily_bars", TODAY + timedelta(days=age)) for age in (-1, 0, 1, 6, 7)]
    assert found == [None, date(2024, 2, 6), date(2024, 2, 7), date(2024, 2, 12), None]
    # Of any dataset the newest one; of another key or dataset nothing.
    assert again.refused_until("key", None, TODAY) == date(2024, 2, 6)
    assert (again.refused_until("other", "daily_bars", TODAY), again.refused_until("key", "tickers", TODAY)) == (
        None,
        None,
    )
    assert "key" not in (tmp_path / "state.json").read_text()


def test_another_plan_or_an_answer_for_an_earlier_day_forgets_the_reach(tmp_path: Path) -> None:
    memory = recall(tmp_path / "state.json")
    border = date(2024, 2, 6)

    def left(change: object) -> date | None:
        memory.learn_plan("key", "free", TODAY)
        memory.learn_reach("key", "daily_bars", border, TODAY)
        change()  # type: ignore[operator]
        return memory.refused_until("key", "daily_bars", TODAY)

    assert left(lambda: memory.learn_plan("key", "free", TODAY)) == border
    assert left(lambda: memory.learn_plan("key", "paid", TODAY)) is None
    assert left(lambda: memory.was_answered("key", "daily_bars", border + timedelta(days=1), TODAY)) == border
    assert left(lambda: memory.was_answered("key", "daily_bars", border, TODAY)) is None


@pytest.mark.parametrize("known", [None, "x", [], {"daily_bars": 5}, {"daily_bars": {"seen": "x", "refused": "y"}}])
def test_a_reach_that_makes_no_sense_is_none(tmp_path: Path, known: object) -> None:
    memory = recall(tmp_path / "state.json")
    memory.learn_reach("key", "daily_bars", TODAY, TODAY)
    memory._facts["reach"] = dict.fromkeys(memory._facts["reach"], known)
    assert memory.refused_until("key", "daily_bars", TODAY) is memory.refused_until("key", None, TODAY) is None
    memory.learn_reach("key", "daily_bars", TODAY, TODAY)
    assert memory.refused_until("key", "daily_bars", TODAY) == TODAY
