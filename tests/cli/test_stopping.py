"""Ctrl+C and SIGTERM while something is at work: it ends soon, with the shell's own code, and a sentence that fits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from stockpipe.base.runlog import running
from stockpipe.base.stopping import Stopping, stopped_by, stopping
from stockpipe.errors import Interrupted

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range < b.range + c.range"
SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def started(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stockpipe", *arguments], env=os.environ | (env or {}), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def computes(process: subprocess.Popen[str], file: Path) -> None:
    """Wait until a process has opened a file, so that its statement is under way."""
    for _ in range(3000):
        fds = Path(f"/proc/{process.pid}/fd")
        try:
            if file.resolve() in [fd.readlink() for fd in fds.iterdir()]:
                break
        except OSError:
            pass
        time.sleep(0.01)
    time.sleep(0.2)


@SIGNALS
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_query_ends_while_duckdb_computes(number: int, code: int) -> None:
    duckdb.connect("stockpipe.duckdb").close()
    process = started("query", "--json", ENDLESS)
    computes(process, Path("stockpipe.duckdb"))
    asked = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 10  # a second, and a slow machine
    assert (process.returncode, "Traceback" in err) == (code, False)
    said = json.loads(out)
    assert (said["error"], said["exit_code"]) == ("Interrupted", code)
    assert "Stopped on request" in err
    assert "published" not in err + said["message"]


class Silent:
    """A server that takes connections and says nothing. `taken` is released once for each."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self) -> None:
        kept = []
        try:
            while True:
                kept.append(self.listener.accept())
                self.taken.release()
        except OSError:
            for connection, _ in kept:
                connection.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    found = Silent()
    yield found
    found.listener.shutdown(socket.SHUT_RDWR)
    found.listener.close()
    found.thread.join()


@SIGNALS
@pytest.mark.parametrize("where", ["API", "sign-in"])
def test_the_doctor_stops_where_it_is(silent: Silent, number: int, code: int, where: str) -> None:
    env = {"POLYGON_API_KEY": "a-good-key-of-32-characters-xxx"}
    if where == "API":
        env["MASSIVE_BASE_URL"] = f"http://127.0.0.1:{silent.port}"
    else:
        env |= {
            "MASSIVE_BASE_URL": "http://127.0.0.1:9", "SNOWFLAKE_ACCOUNT": "xy12345", "SNOWFLAKE_USER": "bot", "SNOWFLAKE_PASSWORD": "x",
            "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(silent.port), "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_DATABASE": "D", "SNOWFLAKE_SCHEMA": "S", "SNOWFLAKE_WAREHOUSE": "W",
        }  # fmt: skip
    process = started("doctor", env=env)
    # Before the connector signs in, the host is asked whether it can be reached.
    assert all(silent.taken.acquire(timeout=30) for _ in range(2 if where == "sign-in" else 1))
    asked = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - asked < 10
    assert process.returncode == code
    assert "Stopped on request" in err
    assert "Stopped" not in out
    assert "published" not in out + err
    assert "disk" not in out  # what comes after it was not looked at


def test_a_run_says_that_nothing_was_published_and_other_commands_do_not() -> None:
    assert stopped_by(signal.SIGTERM).message == "Stopped on request (SIGTERM)."
    with running("a-run"):
        assert stopped_by(signal.SIGINT).message == "Stopped on request; nothing was published."


def test_a_gentle_stop_waits_for_a_transaction_once() -> None:
    own = Stopping()
    own.check()
    own.publishing.set()
    own.came(signal.SIGTERM, gently=True)
    with pytest.raises(Interrupted):
        own.check()
    with pytest.raises(Interrupted):
        own.came(signal.SIGTERM, gently=True)
    with pytest.raises(Interrupted) as caught:
        Stopping().came(signal.SIGINT, gently=True)
    assert caught.value.exit_code == 130


def test_a_signal_that_comes_during_a_commit_is_too_late_and_the_second_one_says_what_is_not_known() -> None:
    own = Stopping()
    own.committing.set()
    own.came(signal.SIGINT)
    with running("a-run"), pytest.raises(Interrupted) as caught:
        own.came(signal.SIGINT)
    assert caught.value.message == "Stopped on request; whether the day was published, stockpipe runs tells."
    own = Stopping()
    own.committed.set()
    with running("a-run"):
        assert own.stopped_by(signal.SIGINT).message == "Stopped on request; what was published before stays."
        own.forget_commits()
        assert own.stopped_by(signal.SIGINT).message == "Stopped on request; nothing was published."


def test_an_interruptible_block_leaves_everything_as_it_was() -> None:
    threads, before = threading.active_count(), signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    with stopping.interruptible(duckdb.connect()):
        pass
    assert (threading.active_count(), signal.set_wakeup_fd(before)) == (threads, before)


@pytest.mark.parametrize(("gentle", "times", "ends"), [(True, 1, False), (True, 2, True), (False, 1, True)])
def test_a_transaction_that_is_waited_for_is_not_interrupted(gentle: bool, times: int, ends: bool) -> None:
    own, interrupted = Stopping(), threading.Event()

    class Work:
        def interrupt(self) -> None:
            interrupted.set()

    own.gentle = gentle
    own.publishing.set()
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with own.interruptible(Work()):
            for _ in range(times):
                signal.raise_signal(signal.SIGTERM)
            assert interrupted.wait(5.0 if ends else 0.3) == ends
    finally:
        signal.signal(signal.SIGTERM, before)


class Closing:
    """Work that cannot be interrupted any more."""

    def interrupt(self) -> None:
        raise duckdb.ConnectionException("Connection already closed!")


@pytest.mark.parametrize("committing", [False, True])
def test_the_handler_raises_at_the_end_of_a_block_and_not_after_a_commit(committing: bool) -> None:
    own, ended = Stopping(), []
    before = signal.signal(signal.SIGTERM, lambda number, _: own.came(number))
    try:
        with pytest.raises(Interrupted) if not committing else contextlib.nullcontext(), own.interruptible(Closing()):
            if committing:
                own.committing.set()
            signal.raise_signal(signal.SIGTERM)
            ended.append(True)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ended, own.signals) == ([True], [signal.SIGTERM])


@SIGNALS
@pytest.mark.parametrize("module", ["duckdb", "click"])
def test_a_signal_while_a_command_is_imported(tmp_path: Path, number: int, code: int, module: str) -> None:
    # Python leaves Ctrl+C alone where it was started in the background, as CI may be; a terminal's it takes.
    usual = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n" if module == "click" else ""
    (tmp_path / f"{module}.py").write_text(
        f"{usual}import os\nos.kill(os.getpid(), {int(number)})\nfor _ in range(10000): pass\nraise ImportError\n"
    )
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    process = started("run", env={"PYTHONPATH": paths})
    _, err = process.communicate(timeout=30)
    assert process.returncode in (code, -number)
    assert "Traceback" not in err
    assert "Aborted" not in err


def test_in_another_thread_it_does_nothing() -> None:
    found: list[int] = []

    def work() -> None:
        with stopping.interruptible(duckdb.connect()) as nothing:
            found.append(threading.active_count())
            assert nothing is None

    thread = threading.Thread(target=work)
    before = threading.active_count()
    thread.start()
    thread.join()
    assert found == [before + 1]
