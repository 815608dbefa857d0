"""What is waited for is told after two seconds; by commands that leave out what they connect to, on a terminal."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from stockpipe.base.waiting import tell_wait, told_if_slow
from stockpipe.cli.logs import configure_logging
from stockpipe.errors import WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.duckdb import file
from stockpipe.warehouse.duckdb.file import patiently

HELD = "Could not set lock on file: Conflicting lock is held in /usr/bin/python (PID 12)"


class Held:
    """A file that another program holds for some seconds, on a clock of its own."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def open(self) -> duckdb.DuckDBPyConnection:
        if self.now < self.seconds:
            raise duckdb.IOException(HELD)
        return duckdb.connect()


@pytest.mark.parametrize(
    ("seconds", "patience", "told", "opened"),
    [(1.5, 10, 0, True), (3, 10, 1, True), (9, 10, 1, True), (30, 10, 1, False), (3, 1, 0, False)],
)
def test_a_held_file_is_told_once_and_not_at_once(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
    patience: float,
    told: int,
    opened: bool,
) -> None:
    held = Held(seconds)
    monkeypatch.setattr(file, "time", SimpleNamespace(monotonic=lambda: held.now, sleep=held.sleep))
    with caplog.at_level(logging.INFO):
        if opened:
            patiently(Path("x.duckdb"), patience, held.open).close()
        else:
            with pytest.raises(WarehouseError, match=r"x.duckdb is held by"):
                patiently(Path("x.duckdb"), patience, held.open)
    line = f"x.duckdb is held by /usr/bin/python (process 12); waiting for it, up to {patience} s."
    assert caplog.messages == [line] * told


@pytest.mark.parametrize(
    ("settings", "reads", "seconds"),
    [
        ({}, False, 60),
        ({}, True, 10),
        ({"STOCKPIPE_LOCK_TIMEOUT": "33"}, True, 33),
        ({"STOCKPIPE_LOCK_TIMEOUT": "5"}, False, 5),
    ],
)
def test_who_only_reads_waits_less(settings: dict[str, str], reads: bool, seconds: float) -> None:
    warehouse = open_warehouse(load_settings(settings, env={}), reads=reads)
    assert vars(warehouse)["_lock_seconds"] == seconds


@pytest.mark.parametrize(("waits", "terminal", "lines"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_a_quiet_command_tells_of_waiting_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], waits: bool, terminal: bool, lines: int
) -> None:
    configure_logging(load_settings(env={}), quiet=True, waits=waits)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logging.getLogger("stockpipe").info("Connecting")
    tell_wait("Waiting for it, up to 10 s.")
    assert capsys.readouterr().err == "Waiting for it, up to 10 s.\n" * lines


def test_what_ends_soon_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), told_if_slow("Waiting."):
        pass
    assert caplog.messages == []
    with caplog.at_level(logging.INFO), told_if_slow("Waiting.", after=0.0):
        for timer in threading.enumerate():
            if isinstance(timer, threading.Timer):
                timer.join(timeout=10)
    assert caplog.messages == ["Waiting."]
