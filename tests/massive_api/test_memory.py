"""The file that is remembered between runs: a broken one costs some time, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import date
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
